import { ActionIcon, Anchor, Menu, Select, Text } from '@mantine/core';
import type { Session } from '@porthole/api';
import { IconDotsVertical, IconExternalLink, IconPlayerStop, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { duration, exact, moment, timeLeft } from '../lib/format';
import { sessionsQuery } from '../lib/queries';
import { useSessionActions } from '../lib/session-actions';
import { StateBadge } from '../lib/state-badge';
import { useNow } from '../lib/use-now';
import { PageHead } from './page-head';
import { StreamFigures } from './stream-figures';
import { DataTable } from './table';

const STATES = ['requested', 'starting', 'running', 'stopping', 'stopped', 'failed'] as const;

/** Everybody's sessions. */
export function SessionsPage() {
  const { t } = useTranslation();
  const actions = useSessionActions();
  const sessions = useQuery(sessionsQuery(true));
  const [state, setState] = useState<string | null>(null);
  const now = useNow(5000);
  const rows = sessions.data?.filter((s) => state === null || s.state === state);

  const left = (session: Session) => timeLeft(session.expires_at, now);
  return (
    <>
      <PageHead
        title={t('admin.sessions')}
        error={sessions.error}
        onRetry={() => void sessions.refetch()}
      />
      <DataTable
        name="sessions"
        label={t('admin.sessions')}
        rows={rows}
        id={(s) => s.id}
        text={(s) =>
          [s.user.username, s.workspace.name, s.agent?.name, t(`state.${s.state}`), s.id].join(' ')
        }
        searchLabel={t('sessions.search')}
        filters={
          <Select
            aria-label={t('admin.filterState')}
            placeholder={t('admin.filterState')}
            clearable
            w={160}
            value={state}
            onChange={setState}
            data={STATES.map((value) => ({ value, label: t(`state.${value}`) }))}
          />
        }
        columns={[
          {
            key: 'user',
            title: t('sessions.user'),
            by: (s) => s.user.username,
            cell: (s) => (
              <Anchor component={Link} to={`/admin/users/${s.user.id}`} size="sm">
                {s.user.username}
              </Anchor>
            ),
          },
          {
            key: 'workspace',
            title: t('sessions.workspace'),
            by: (s) => s.workspace.name,
            cell: (s) => s.workspace.name,
          },
          {
            key: 'state',
            title: t('sessions.state'),
            by: (s) => s.state,
            cell: (s) => (
              <div>
                <StateBadge state={s.state} />
                {s.failure && (
                  <Text size="xs" c="var(--mantine-color-error)" maw={280}>
                    {s.failure.what} ({s.failure.part})
                  </Text>
                )}
              </div>
            ),
          },
          {
            key: 'agent',
            title: t('sessions.agent'),
            by: (s) => s.agent?.name ?? '',
            cell: (s) => s.agent?.name ?? '–',
          },
          {
            key: 'since',
            title: t('sessions.since'),
            by: (s) => Date.parse(s.created_at),
            cell: (s) => <span title={exact(s.created_at)}>{moment(s.created_at)}</span>,
          },
          {
            key: 'left',
            title: t('sessions.left'),
            by: (s) => left(s) ?? Number.MAX_SAFE_INTEGER,
            cell: (s) => {
              const ms = left(s);
              return ms === undefined ? '–' : duration(ms);
            },
          },
          {
            key: 'viewers',
            title: t('sessions.viewers'),
            by: (s) => s.viewers,
            cell: (s) => s.viewers,
          },
          {
            key: 'stream',
            title: t('sessions.stream'),
            by: (s) => s.statistics?.network ?? -1,
            cell: (s) => <StreamFigures statistics={s.statistics} />,
          },
        ]}
        actions={(session) => (
          <Menu position="bottom-end" shadow="md">
            <Menu.Target>
              <ActionIcon
                aria-label={t('dashboard.menu', {
                  name: `${session.workspace.name}, ${session.user.username}`,
                })}
              >
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
                {t('sessions.open')}
              </Menu.Item>
              <Menu.Item
                leftSection={<IconPlayerStop size={16} />}
                disabled={session.state !== 'running' && session.state !== 'starting'}
                onClick={() => actions.stop(session)}
              >
                {t('session.stop')}
              </Menu.Item>
              <Menu.Item
                color="red"
                leftSection={<IconTrash size={16} />}
                onClick={() => actions.remove(session)}
              >
                {t('session.delete')}
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )}
      />
    </>
  );
}
