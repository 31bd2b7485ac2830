import {
  Button,
  Checkbox,
  NumberInput,
  Group as Row,
  Skeleton,
  Stack,
  Tabs,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import { useForm } from '@mantine/form';
import { api, type Group, type Permission } from '@porthole/api';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { declaredText } from '../i18n';
import { placeErrors, showError, tell } from '../lib/errors';
import { groupQuery, meQuery, permissionsQuery } from '../lib/queries';
import classes from './admin.module.css';
import { confirmDelete } from './confirm';
import { GroupMembers, GroupWorkspaces } from './group-lists';
import { GroupSettingsForm } from './group-settings';
import { UnsavedGuard } from './guard';
import { PageHead } from './page-head';

const TABS = ['settings', 'members', 'workspaces', 'permissions', 'general'] as const;

/** One group: made anew, or with all that belongs to it. */
export function GroupPage() {
  const { id } = useParams({ from: '/signed-in/shell/admin/groups/$id' });
  return id === 'new' ? <NewGroup /> : <ExistingGroup key={id} id={id} />;
}

function NewGroup() {
  const { t } = useTranslation();
  return (
    <>
      <PageHead title={t('groups.new')} />
      <GeneralForm />
    </>
  );
}

function ExistingGroup({ id }: { id: string }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { tab } = useSearch({ from: '/signed-in/shell/admin/groups/$id' });
  const group = useQuery(groupQuery(id));
  const shown = TABS.find((one) => one === tab) ?? 'settings';
  if (!group.data) {
    return (
      <>
        <PageHead
          title={t('admin.groups')}
          error={group.error}
          onRetry={() => void group.refetch()}
        />
        {group.isPending && <Skeleton height={320} maw={760} />}
      </>
    );
  }
  return (
    <>
      <PageHead title={t('groups.editTitle', { name: group.data.name })} />
      <Tabs
        value={shown}
        keepMounted={false}
        onChange={(next) =>
          void navigate({
            to: '/admin/groups/$id',
            params: { id },
            search: { tab: next ?? undefined },
            replace: true,
          })
        }
      >
        <Tabs.List mb="md">
          {TABS.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {t(`groups.${one}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="settings">
          <GroupSettingsForm id={id} />
        </Tabs.Panel>
        <Tabs.Panel value="members">
          <GroupMembers group={group.data} />
        </Tabs.Panel>
        <Tabs.Panel value="workspaces">
          <GroupWorkspaces group={group.data} />
        </Tabs.Panel>
        <Tabs.Panel value="permissions">
          <PermissionsForm group={group.data} />
        </Tabs.Panel>
        <Tabs.Panel value="general">
          <GeneralForm group={group.data} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

/** Puts a changed group wherever it is shown. */
function useGroupChanged() {
  const client = useQueryClient();
  return (group: Group) => {
    client.setQueryData(['group', group.id], group);
    void client.invalidateQueries({ queryKey: ['groups'] });
    void client.invalidateQueries({ queryKey: ['user'] });
  };
}

function GeneralForm({ group }: { group?: Group }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const changed = useGroupChanged();
  const [busy, setBusy] = useState(false);
  // Leaving after a save is no loss.
  const finished = useRef(false);
  const form = useForm({
    initialValues: {
      name: group?.name ?? '',
      description: group?.description ?? '',
      priority: group?.priority ?? 100,
    },
    validateInputOnBlur: true,
    validate: { name: (value) => (value.trim() === '' ? t('common.required') : null) },
  });

  async function save() {
    setBusy(true);
    try {
      const values = form.getValues();
      if (group) {
        changed(await api.updateGroup(group.id, values));
        form.resetDirty();
      } else {
        // Whoever is in it alone can launch and use sessions as everybody.
        const made = await api.createGroup({ ...values, permissions: ['user'] });
        changed(made);
        finished.current = true;
        await navigate({ to: '/admin/groups/$id', params: { id: made.id }, replace: true });
      }
      tell(t('common.saved'));
    } catch (error) {
      placeErrors(error, ['name', 'description', 'priority'], form.setErrors);
    } finally {
      setBusy(false);
    }
  }

  function remove(target: Group) {
    confirmDelete({
      title: t('groups.deleteTitle', { name: target.name }),
      text: t('groups.deleteText', { count: target.members }),
      confirm: t('common.delete'),
      onConfirm: () => {
        api.deleteGroup(target.id).then(() => {
          finished.current = true;
          void client.invalidateQueries({ queryKey: ['groups'] });
          tell(t('common.deleted'));
          void navigate({ to: '/admin/groups' });
        }, showError);
      },
    });
  }

  return (
    <form className={classes.form} onSubmit={form.onSubmit(() => void save())} noValidate>
      <Stack gap="sm">
        <TextInput
          label={t('groups.name')}
          description={group?.system ? t('groups.nameHint') : undefined}
          required
          maxLength={128}
          disabled={group?.system}
          autoComplete="off"
          {...form.getInputProps('name')}
        />
        <Textarea
          label={t('groups.description')}
          autosize
          minRows={2}
          {...form.getInputProps('description')}
        />
        <NumberInput
          label={t('groups.priority')}
          description={t('groups.priorityHint')}
          min={1}
          max={100_000}
          allowDecimal={false}
          w={200}
          {...form.getInputProps('priority')}
        />
        <Row justify="space-between" mt="sm">
          <Row gap="xs">
            <Button type="submit" loading={busy}>
              {group ? t('common.save') : t('common.create')}
            </Button>
            <Button variant="default" onClick={() => void navigate({ to: '/admin/groups' })}>
              {t('common.back')}
            </Button>
          </Row>
          {group && !group.system && (
            <Button color="red.8" onClick={() => remove(group)}>
              {t('common.delete')}
            </Button>
          )}
        </Row>
      </Stack>
      <UnsavedGuard dirty={() => form.isDirty() && !finished.current} />
    </form>
  );
}

function PermissionsForm({ group }: { group: Group }) {
  const { t } = useTranslation();
  const changed = useGroupChanged();
  const { data: me } = useQuery(meQuery);
  const permissions = useQuery(permissionsQuery);
  const [chosen, setChosen] = useState<readonly string[]>(group.permissions);
  const [busy, setBusy] = useState(false);
  const before = new Set<string>(group.permissions);
  const dirty = chosen.length !== before.size || chosen.some((name) => !before.has(name));

  async function save() {
    setBusy(true);
    try {
      changed(await api.updateGroup(group.id, { permissions: chosen as Permission[] }));
      tell(t('common.saved'));
    } catch (error) {
      showError(error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <Stack className={classes.form}>
      <Text size="sm" c="dimmed">
        {t('groups.permissionsHint')}
      </Text>
      <Checkbox.Group value={[...chosen]} onChange={setChosen}>
        <Stack gap="xs">
          {permissions.data?.map(({ name, description }) => (
            <Checkbox
              key={name}
              value={name}
              label={<span className="mono">{name}</span>}
              description={declaredText(name, description)}
              disabled={!me?.is_admin && !me?.permissions.includes(name)}
            />
          ))}
        </Stack>
      </Checkbox.Group>
      <Row>
        <Button loading={busy} disabled={!dirty} onClick={() => void save()}>
          {t('common.save')}
        </Button>
      </Row>
      <UnsavedGuard dirty={() => dirty} />
    </Stack>
  );
}
