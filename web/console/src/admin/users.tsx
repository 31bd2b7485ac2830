import { Anchor, Badge, Button, Group, Select } from '@mantine/core';
import type { User } from '@porthole/api';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { exact, moment } from '../lib/format';
import { usersQuery } from '../lib/queries';
import { PageHead } from './page-head';
import { DataTable } from './table';

type UserState = 'active' | 'disabled' | 'locked';

export function userState(user: User): UserState {
  return user.disabled ? 'disabled' : user.locked ? 'locked' : 'active';
}

const COLORS: Record<UserState, string> = { active: 'teal.9', disabled: 'gray.7', locked: 'red.8' };

export function UserStateBadge({ user }: { user: User }) {
  const { t } = useTranslation();
  const state = userState(user);
  return (
    <Badge color={COLORS[state]} variant="filled" size="sm" tt="none">
      {t(`users.${state}`)}
    </Badge>
  );
}

export function UsersPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const users = useQuery(usersQuery);
  const [state, setState] = useState<string | null>(null);
  const rows = users.data?.filter((u) => state === null || userState(u) === state);
  const fullName = (u: User) => [u.first_name, u.last_name].filter(Boolean).join(' ');
  return (
    <>
      <PageHead
        title={t('admin.users')}
        error={users.error}
        onRetry={() => void users.refetch()}
        action={
          <Button
            component={Link}
            to="/admin/users/new"
            leftSection={<IconPlus size={16} aria-hidden />}
          >
            {t('users.new')}
          </Button>
        }
      />
      <DataTable
        name="users"
        label={t('admin.users')}
        rows={rows}
        id={(u) => u.id}
        text={(u) =>
          [u.username, fullName(u), u.email, u.notes, ...u.groups.map((g) => g.name)].join(' ')
        }
        searchLabel={t('users.search')}
        onOpen={(u) => void navigate({ to: '/admin/users/$id', params: { id: u.id } })}
        filters={
          <Select
            aria-label={t('users.state')}
            placeholder={t('users.state')}
            clearable
            w={160}
            value={state}
            onChange={setState}
            data={(['active', 'disabled', 'locked'] as const).map((value) => ({
              value,
              label: t(`users.${value}`),
            }))}
          />
        }
        columns={[
          {
            key: 'username',
            title: t('users.username'),
            by: (u) => u.username,
            cell: (u) => (
              <Anchor component={Link} to={`/admin/users/${u.id}`} size="sm">
                {u.username}
              </Anchor>
            ),
          },
          { key: 'name', title: t('users.name'), by: fullName, cell: (u) => fullName(u) || '–' },
          {
            key: 'groups',
            title: t('users.groups'),
            by: (u) => u.groups.map((g) => g.name).join(', '),
            cell: (u) => (
              <Group gap={4}>
                {u.groups.map((g) => (
                  <Badge key={g.id} variant="default" size="sm" tt="none">
                    {g.name}
                  </Badge>
                ))}
              </Group>
            ),
          },
          {
            key: 'state',
            title: t('users.state'),
            by: userState,
            cell: (u) => <UserStateBadge user={u} />,
          },
          {
            key: 'sessions',
            title: t('users.sessions'),
            by: (u) => u.sessions,
            cell: (u) => u.sessions,
          },
          {
            key: 'login',
            title: t('users.lastLogin'),
            by: (u) => Date.parse(u.last_login_at ?? '') || 0,
            cell: (u) => (
              <span title={exact(u.last_login_at)}>
                {u.last_login_at ? moment(u.last_login_at) : t('users.never')}
              </span>
            ),
          },
        ]}
      />
    </>
  );
}
