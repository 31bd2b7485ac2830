import { type Combination, MODIFIERS, ROW_KEYS } from '@porthole/viewer';
import { IconX } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import classes from './session.module.css';
import type { ViewerView } from './use-viewer';

/** Keys that keyboards on the screen lack; modifiers stay for the next key, or touched twice. */
export function KeyRow({ view, onClose }: { view: ViewerView; onClose(): void }) {
  const { t } = useTranslation();
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
    <div className={classes.keyRow} role="toolbar" aria-label={t('panel.keyRow')} data-key-row>
      {MODIFIERS.map(modifier)}
      {ROW_KEYS.map((combination) => key(combination.label, () => view.viewer?.send(combination)))}
      {key(t('common.close'), onClose, {}, <IconX size={16} aria-hidden />)}
    </div>
  );
}
