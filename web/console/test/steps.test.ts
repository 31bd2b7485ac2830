import { describe, expect, it } from 'vitest';
import { launchSteps } from '../src/session/steps';

const shown = (step?: Parameters<typeof launchSteps>[0]) =>
  launchSteps(step)
    .map((line) => `${line.step}:${line.status}`)
    .join(' ');

describe('launchSteps', () => {
  it('waits for a place first', () => {
    expect(shown(undefined)).toBe('placed:now display:next start:next window:next');
  });

  it('takes the place as done once there is one', () => {
    expect(shown({ state: 'requested', progress: { step: 'placed' } })).toBe(
      'placed:done display:now start:next window:next',
    );
  });

  it('shows a pull only while there is one', () => {
    expect(shown({ state: 'starting', progress: { step: 'pull', percent: 43 } })).toBe(
      'placed:done display:done pull:now start:next window:next',
    );
    expect(shown({ state: 'starting', progress: { step: 'start' } })).toBe(
      'placed:done display:done start:now window:next',
    );
  });

  it('is done when the session runs', () => {
    expect(shown({ state: 'running', progress: null })).toBe(
      'placed:done display:done start:done window:done',
    );
  });
});
