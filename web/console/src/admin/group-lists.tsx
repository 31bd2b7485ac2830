import { ActionIcon, Anchor, Group as Row, Select, Stack, Text } from '@mantine/core';
import { api, type Group } from '@porthole/api';
import { IconX } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { showError } from '../lib/errors';
import {
  groupMembersQuery,
  groupWorkspacesQuery,
  usersQuery,
  workspacesQuery,
} from '../lib/queries';
import classes from './admin.module.css';

/** Everybody, as the server has it; the list of All Users is that of users. */
const ALL_USERS = '68d557ac-4cac-42cc-a9f3-1c7c853de0f3';

interface Entry {
  id: string;
  name: string;
  to: string;
}

/** What belongs to a group: a list to add to and remove from, each at once. */
function EntryList(props: {
  entries: readonly Entry[] | undefined;
  others: readonly { value: string; label: string }[];
  addLabel: string;
  empty: string;
  onAdd?(id: string): void;
  onRemove?(id: string): void;
}) {
  const { t } = useTranslation();
  const { entries, onAdd, onRemove } = props;
  const there = new Set(entries?.map((entry) => entry.id));
  return (
    <Stack className={classes.form} gap="sm">
      {onAdd && (
        <Select
          aria-label={props.addLabel}
          placeholder={props.addLabel}
          searchable
          limit={50}
          value={null}
          data={props.others.filter((one) => !there.has(one.value))}
          onChange={(id) => id !== null && onAdd(id)}
        />
      )}
      {entries?.length === 0 && (
        <Text size="sm" c="dimmed">
          {props.empty}
        </Text>
      )}
      <ul className={classes.entries}>
        {entries?.map((entry) => (
          <li key={entry.id}>
            <Row justify="space-between" wrap="nowrap">
              <Anchor component={Link} to={entry.to} size="sm" style={{ overflowWrap: 'anywhere' }}>
                {entry.name}
              </Anchor>
              {onRemove && (
                <ActionIcon
                  aria-label={t('groups.remove', { name: entry.name })}
                  onClick={() => onRemove(entry.id)}
                >
                  <IconX size={16} />
                </ActionIcon>
              )}
            </Row>
          </li>
        ))}
      </ul>
    </Stack>
  );
}

/** Makes a change and reads what it touches anew. */
function useChange(group: Group) {
  const client = useQueryClient();
  return (change: Promise<unknown>) => {
    change.catch(showError).finally(() => {
      void client.invalidateQueries({ queryKey: ['group', group.id] });
      for (const key of ['groups', 'users', 'user', 'workspaces', 'workspace'])
        void client.invalidateQueries({ queryKey: [key] });
    });
  };
}

export function GroupMembers({ group }: { group: Group }) {
  const { t } = useTranslation();
  const members = useQuery(groupMembersQuery(group.id));
  const users = useQuery(usersQuery);
  const change = useChange(group);
  const everybody = group.id === ALL_USERS;
  const set = (member: boolean) => (id: string) => change(api.setGroupMember(group.id, id, member));
  return (
    <>
      {everybody && (
        <Text size="sm" c="dimmed" mb="sm">
          {t('groups.everybody')}
        </Text>
      )}
      <EntryList
        entries={members.data?.map((user) => ({
          id: user.id,
          name: user.username,
          to: `/admin/users/${user.id}`,
        }))}
        others={(users.data ?? []).map((user) => ({ value: user.id, label: user.username }))}
        addLabel={t('groups.addMember')}
        empty={t('groups.noMembers')}
        onAdd={everybody ? undefined : set(true)}
        onRemove={everybody ? undefined : set(false)}
      />
    </>
  );
}

export function GroupWorkspaces({ group }: { group: Group }) {
  const { t } = useTranslation();
  const launchable = useQuery(groupWorkspacesQuery(group.id));
  const workspaces = useQuery(workspacesQuery(true));
  const change = useChange(group);
  const set = (may: boolean) => (id: string) => change(api.setGroupWorkspace(group.id, id, may));
  return (
    <EntryList
      entries={launchable.data?.map((workspace) => ({
        id: workspace.id,
        name: workspace.name,
        to: `/admin/workspaces/${workspace.id}`,
      }))}
      others={(workspaces.data ?? []).map((one) => ({ value: one.id, label: one.name }))}
      addLabel={t('groups.addWorkspace')}
      empty={t('groups.noWorkspaces')}
      onAdd={set(true)}
      onRemove={set(false)}
    />
  );
}
