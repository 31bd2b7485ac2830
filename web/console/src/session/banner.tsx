import { Button, Loader } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useNow } from '../lib/use-now';
import classes from './session.module.css';
import type { ViewerView } from './use-viewer';

/** The link is down: the last picture stays, and this counts to the next attempt. */
export function Banner({ view, active }: { view: ViewerView; active: boolean }) {
  const { t } = useTranslation();
  const now = useNow(250);
  const { state } = view;
  if (!active || !view.painted || state.kind === 'connected' || state.kind === 'ended') return null;
  const seconds = state.kind === 'waiting' ? Math.ceil(Math.max(0, state.retryAt - now) / 1000) : 0;
  return (
    <div className={classes.banner} role="status" data-banner>
      <Loader size={14} color="white" />
      <span>
        {state.kind === 'waiting' && state.reason !== 'not-ready'
          ? `${t(`session.reason.${state.reason}`)} `
          : ''}
        {t('session.reconnecting', { seconds })}
      </span>
      {state.kind === 'waiting' && (
        <Button size="compact-xs" variant="white" onClick={() => view.viewer?.retryNow()}>
          {t('session.reconnectNow')}
        </Button>
      )}
    </div>
  );
}
