import type { KeyboardMode, TouchMode } from '@porthole/viewer';
import { useCallback, useMemo } from 'react';
import { useRemembered } from '../lib/use-remembered';

/** What a user wants of every session's page. */
interface Wishes {
  readonly keyboard: KeyboardMode;
  readonly touch: TouchMode;
  /** Keys that a keyboard on the screen lacks are shown. */
  readonly keyRow: boolean;
  readonly statistics: boolean;
  /** With the statistics: outlines show how areas are coded. */
  readonly outlines: boolean;
}

export interface Preferences extends Wishes {
  set(wishes: Partial<Wishes>): void;
}

const FIRST: Wishes = {
  ...{ keyboard: 'text', touch: 'direct', keyRow: false },
  ...{ statistics: false, outlines: false },
};

/** The wishes, which outlive the page. */
export function usePreferences(): Preferences {
  const [stored, store] = useRemembered<Partial<Wishes>>('session-page', FIRST);
  const wishes = useMemo(() => ({ ...FIRST, ...stored }), [stored]);
  const set = useCallback(
    (some: Partial<Wishes>) => store({ ...wishes, ...some }),
    [wishes, store],
  );
  return useMemo(() => ({ ...wishes, set }), [wishes, set]);
}
