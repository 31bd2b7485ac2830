import type { LaunchStep, Session } from '@porthole/api';

/** A line of the launch card. */
export interface StepLine {
  readonly step: LaunchStep;
  readonly status: 'done' | 'now' | 'next';
}

const ORDER: readonly LaunchStep[] = ['placed', 'display', 'pull', 'start', 'window'];

/**
 * The steps of a launch as far as they are known. The pull is shown only where there is one, since
 * an image that is there already is not worth a line.
 */
export function launchSteps(session: Pick<Session, 'state' | 'progress'> | undefined): StepLine[] {
  const step = session?.progress?.step;
  const ready = session?.state === 'running' || step === 'ready';
  const at = step ? ORDER.indexOf(step) : -1;
  return ORDER.filter((s) => s !== 'pull' || step === 'pull').map((s) => {
    const index = ORDER.indexOf(s);
    if (ready || index < at) return { step: s, status: 'done' };
    // An agent that was chosen is chosen: the first step has no time of its own.
    if (s === 'placed' && at === 0) return { step: s, status: 'done' };
    return { step: s, status: index === at || (at <= 0 && index === at + 1) ? 'now' : 'next' };
  });
}
