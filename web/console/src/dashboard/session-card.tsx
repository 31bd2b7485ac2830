import { ActionIcon, Group, Menu, Text, Tooltip } from '@mantine/core';
import type { Session } from '@porthole/api';
import {
  IconDotsVertical,
  IconExternalLink,
  IconPlayerPlay,
  IconPlayerStop,
  IconRefresh,
  IconTrash,
} from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { duration, exact, moment, timeLeft } from '../lib/format';
import { isDenied, useSessionActions } from '../lib/session-actions';
import { StateBadge } from '../lib/state-badge';
import { useNow } from '../lib/use-now';
import classes from './dashboard.module.css';
import { Thumbnail } from './thumbnail';

/** What a session is about just now: its failure, its progress, or its time. */
function Line({ session }: { session: Session }) {
  const { t } = useTranslation();
  const now = useNow();
  if (session.failure) {
    return (
      <Text size="xs" c="var(--mantine-color-error)">
        {session.failure.what}
      </Text>
    );
  }
  if (session.progress?.detail && session.state === 'starting') {
    const { percent, detail } = session.progress;
    return (
      <Text size="xs" c="dimmed">
        {percent === null || percent === undefined ? detail : `${percent} % · ${detail}`}
      </Text>
    );
  }
  const left = timeLeft(session.expires_at, now);
  return (
    <Text size="xs" c="dimmed">
      <Tooltip label={exact(session.started_at ?? session.created_at)}>
        <span>
          {t('dashboard.since', { time: moment(session.started_at ?? session.created_at) })}
        </span>
      </Tooltip>
      {' · '}
      {left === undefined ? t('dashboard.noLimit') : t('dashboard.left', { time: duration(left) })}
    </Text>
  );
}

export function SessionCard({ session }: { session: Session }) {
  const { t } = useTranslation();
  const actions = useSessionActions();
  const { name } = session.workspace;
  const active = session.state === 'running' || session.state === 'starting';
  return (
    <article className={classes.card} data-session={session.id}>
      <Thumbnail session={session} />
      <Group p="sm" gap="xs" wrap="nowrap" align="flex-start">
        <div style={{ minWidth: 0, flex: 1 }}>
          <Group gap="xs" mb={2}>
            <Link
              to="/session/$id"
              params={{ id: session.id }}
              className={classes.cardLink}
              aria-label={t('dashboard.openLabel', { name, state: t(`state.${session.state}`) })}
            >
              {name}
            </Link>
            <StateBadge state={session.state} />
          </Group>
          <Line session={session} />
        </div>
        <Menu position="bottom-end" shadow="md" width={210}>
          <Menu.Target>
            <ActionIcon className={classes.above} aria-label={t('dashboard.menu', { name })}>
              <IconDotsVertical size={18} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item
              leftSection={<IconExternalLink size={16} />}
              component="a"
              href={`/session/${session.id}`}
              target="_blank"
              rel="noopener"
            >
              {`${t('dashboard.where')} ${t('dashboard.newTab')}`}
            </Menu.Item>
            {session.state === 'stopped' && (
              <Menu.Item
                leftSection={<IconPlayerPlay size={16} />}
                onClick={() => void actions.act(session, 'resume')}
              >
                {t('session.resume')}
              </Menu.Item>
            )}
            {session.state === 'failed' && (
              <Menu.Item
                leftSection={<IconRefresh size={16} />}
                onClick={() => void actions.act(session, 'retry')}
              >
                {t('session.retry')}
              </Menu.Item>
            )}
            <Menu.Item
              leftSection={<IconPlayerStop size={16} />}
              disabled={!active || isDenied(session, 'allow_kasm_stop')}
              onClick={() => actions.stop(session)}
            >
              {t('session.stop')}
            </Menu.Item>
            <Menu.Item
              leftSection={<IconTrash size={16} />}
              color="red"
              disabled={
                session.state === 'deleting' ||
                (session.state !== 'failed' && isDenied(session, 'allow_kasm_delete'))
              }
              onClick={() => actions.remove(session)}
            >
              {t('session.delete')}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </Group>
    </article>
  );
}
