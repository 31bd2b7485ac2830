import { type Combination, MODIFIERS, ROW_KEYS } from '@porthole/viewer';
import { IconX } from '@tabler/icons-react';
import { type ReactNode, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import classes from './session.module.css';
import type { ViewerView } from './use-viewer';

/** How much of the page's bottom the system's own keyboard covers, in CSS pixels. */
function covered(): number {
  const { visualViewport: seen } = window;
  // Zoomed by the browser, the viewport says nothing of keyboards.
  if (seen?.scale !== 1) return 0;
  return Math.max(0, Math.round(window.innerHeight - seen.height - seen.offsetTop));
}

function onCovered(changed: () => void): () => void {
  const { visualViewport: seen } = window;
  seen?.addEventListener('resize', changed);
  seen?.addEventListener('scroll', changed);
  return () => {
    seen?.removeEventListener('resize', changed);
    seen?.removeEventListener('scroll', changed);
  };
}

/** Keys that keyboards on the screen lack; modifiers stay for the next key, or touched twice. */
export function KeyRow({ view, onClose }: { view: ViewerView; onClose(): void }) {
  const { t } = useTranslation();
  const bottom = useSyncExternalStore(onCovered, covered);
  const key = (label: string, press: () => void, more: object = {}, face: ReactNode = label) => (
    <button
      key={label}
      type="button"
      className={classes.key}
      aria-label={label}
      // The keyboard on the screen stays: the focus is not taken.
      onMouseDown={(event) => event.preventDefault()}
      onClick={press}
      {...more}
    >
      {face}
    </button>
  );
  const modifier = (combination: Combination) => {
    const state = view.sticky[combination.keys[0]?.code ?? ''];
    const more = { 'aria-pressed': state !== undefined, 'data-sticky': state };
    return key(combination.label, () => view.viewer?.pressSticky(combination), more);
  };
  return (
    <div
      className={classes.keyRow}
      style={{ bottom }}
      role="toolbar"
      aria-label={t('panel.keyRow')}
      data-key-row
    >
      {MODIFIERS.map(modifier)}
      {ROW_KEYS.map((combination) => key(combination.label, () => view.viewer?.send(combination)))}
      {key(t('common.close'), onClose, {}, <IconX size={16} aria-hidden />)}
    </div>
  );
}
