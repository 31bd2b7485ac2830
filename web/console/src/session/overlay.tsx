import { Button, Text } from '@mantine/core';
import type { Session } from '@porthole/api';
import { useLocation, useNavigate } from '@tanstack/react-router';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { errorText } from '../lib/error-text';
import { useSessionActions } from '../lib/session-actions';
import { BusyCard, Card, FailureCard } from './cards';
import { LaunchCard } from './launch-card';
import classes from './session.module.css';
import type { ViewerView } from './use-viewer';

interface Props {
  id: string;
  session: Session | undefined;
  gone: string | undefined;
  error: unknown;
  view: ViewerView;
}

const FADE = 400;

/** The one card that the session's state asks for; none over a desktop that runs. */
export function Overlay(props: Props) {
  const card = useCard(props);
  const last = useRef<ReactNode>(null);
  const [fading, setFading] = useState(false);
  const leaving = card === null;
  if (!leaving) last.current = card;
  useEffect(() => {
    if (!leaving) {
      setFading(true);
      return;
    }
    const timer = window.setTimeout(() => setFading(false), FADE);
    return () => window.clearTimeout(timer);
  }, [leaving]);
  if (leaving && !fading) return null;
  return (
    <div
      className={classes.overlay}
      data-leaving={leaving ? true : undefined}
      inert={leaving}
      data-overlay
    >
      {card ?? last.current}
    </div>
  );
}

function useCard({ id, session, gone, error, view }: Props): ReactNode {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { href } = useLocation();
  const actions = useSessionActions();
  const [busy, setBusy] = useState(false);
  const { state } = view;
  const name = session?.workspace.name ?? '';

  async function act(action: 'resume' | 'retry') {
    if (!session || busy) return;
    setBusy(true);
    await actions.act(session, action);
    setBusy(false);
  }

  if (gone !== undefined) {
    const known = [
      'user',
      'administrator',
      'expired',
      'time_limit',
      'usage_limit',
      'failed',
      'user_deleted',
      'agent_removed',
    ] as const;
    const reason = known.find((r) => r === gone) ?? 'unknown';
    return (
      <Card title={t('session.endedTitle')}>
        <Text>{t(`session.ended.${reason}`)}</Text>
      </Card>
    );
  }
  if (!session) {
    if (error) {
      return (
        <Card
          alert
          title={t('error.page')}
          actions={<Button onClick={() => window.location.reload()}>{t('common.retry')}</Button>}
        >
          <Text>{errorText(error)}</Text>
        </Card>
      );
    }
    return <LaunchCard title={t('session.launchingPlain')} />;
  }
  if (session.state === 'failed') {
    const failure = session.failure ?? { what: t('state.failed'), part: '', advice: '' };
    return (
      <FailureCard
        title={t('session.failedTitle', { name })}
        failure={failure}
        details={details(session)}
        busy={busy}
        onRetry={() => void act('retry')}
        actions={
          <Button
            variant="default"
            onClick={() => actions.remove(session, () => void navigate({ to: '/' }))}
          >
            {t('session.delete')}
          </Button>
        }
      />
    );
  }
  if (session.state === 'stopping')
    return <BusyCard title={t('session.stoppingTitle', { name })} />;
  if (session.state === 'deleting') return <BusyCard title={t('state.deleting')} />;
  if (session.state === 'stopped') {
    return (
      <Card
        title={t('session.stoppedTitle', { name })}
        actions={
          <>
            <Button onClick={() => void act('resume')} loading={busy}>
              {t('session.resume')}
            </Button>
            <Button variant="default" onClick={() => actions.remove(session)}>
              {t('session.delete')}
            </Button>
          </>
        }
      >
        <Text>{t('session.stoppedText')}</Text>
      </Card>
    );
  }
  if (state.kind === 'ended' && state.reason === 'signed-out') {
    return (
      <Card
        alert
        title={t('session.reason.signed-out')}
        actions={
          <Button onClick={() => void navigate({ to: '/login', search: { to: href } })}>
            {t('session.signIn')}
          </Button>
        }
      />
    );
  }
  const helped = ['revoked', 'protocol', 'crashed'] as const;
  const reason = state.kind === 'ended' && helped.find((one) => one === state.reason);
  if (reason) {
    return (
      <Card
        alert
        title={t(`session.reason.${reason}`)}
        actions={<Button onClick={() => window.location.reload()}>{t('session.reload')}</Button>}
      >
        <Text>{t(`session.help.${reason}`)}</Text>
      </Card>
    );
  }
  const launching = session.state !== 'running';
  if (!launching && state.kind === 'ended') {
    // The stream and the session's state disagree; usually the state's news is on its way.
    return (
      <Card
        title={t(`session.reason.${state.reason}`)}
        actions={<Button onClick={() => view.viewer?.start()}>{t('common.retry')}</Button>}
      />
    );
  }
  if (!launching && view.painted) return null;
  // A network's hiccup on the way is told; that the session is not there yet is what is shown.
  const note =
    state.kind === 'waiting' && state.reason !== 'not-ready'
      ? t(`session.reason.${state.reason}`)
      : undefined;
  return (
    <LaunchCard
      key={id}
      title={t('session.launching', { name })}
      icon={session.workspace.icon}
      session={session}
      note={note}
    />
  );
}

function details(session: Session): string {
  const { failure } = session;
  return [
    `session ${session.id}`,
    `workspace ${session.workspace.name} (${session.workspace.id})`,
    `agent ${session.agent?.name ?? '-'}`,
    `time ${new Date().toISOString()}`,
    `what ${failure?.what ?? '-'}`,
    `part ${failure?.part ?? '-'}`,
    `advice ${failure?.advice ?? '-'}`,
  ].join('\n');
}
