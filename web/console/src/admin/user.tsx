import {
  Alert,
  Button,
  Fieldset,
  Group,
  Modal,
  MultiSelect,
  Skeleton,
  Stack,
  Switch,
  Textarea,
  TextInput,
} from '@mantine/core';
import { useForm } from '@mantine/form';
import { api, type User } from '@porthole/api';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { type FormEvent, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { placeErrors, showError, tell } from '../lib/errors';
import { Password } from '../lib/password';
import { groupsQuery, userQuery } from '../lib/queries';
import classes from './admin.module.css';
import { confirmDelete } from './confirm';
import { UnsavedGuard } from './guard';
import { PageHead } from './page-head';
import { UserPolicyView } from './user-policy';
import { UserStateBadge } from './users';

/** One user: made anew, or edited. */
export function UserPage() {
  const { id } = useParams({ from: '/signed-in/shell/admin/users/$id' });
  return id === 'new' ? <UserForm /> : <ExistingUser key={id} id={id} />;
}

function ExistingUser({ id }: { id: string }) {
  const { t } = useTranslation();
  const user = useQuery(userQuery(id));
  if (user.data) return <UserForm key={user.data.id} user={user.data} />;
  return (
    <>
      <PageHead title={t('admin.users')} error={user.error} onRetry={() => void user.refetch()} />
      {user.isPending && <Skeleton height={320} maw={640} />}
    </>
  );
}

const FIELDS = [
  'username',
  'password',
  'first_name',
  'last_name',
  'email',
  'notes',
  'group_ids',
  'disabled',
] as const;

function UserForm({ user }: { user?: User }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const groups = useQuery(groupsQuery);
  const [busy, setBusy] = useState(false);
  const [resetting, setResetting] = useState(false);
  // Leaving after a save is no loss.
  const finished = useRef(false);
  const form = useForm({
    initialValues: {
      username: user?.username ?? '',
      password: '',
      first_name: user?.first_name ?? '',
      last_name: user?.last_name ?? '',
      email: user?.email ?? '',
      notes: user?.notes ?? '',
      group_ids: user?.groups.map((g) => g.id) ?? [],
      disabled: user?.disabled ?? false,
    },
    validateInputOnBlur: true,
    validate: {
      username: (value) => (value.trim() === '' ? t('common.required') : null),
      password: (value) => (!user && value.length < 8 ? t('users.passwordHint') : null),
    },
  });

  function changed(next?: User) {
    void client.invalidateQueries({ queryKey: ['users'] });
    if (next) client.setQueryData(['user', next.id], next);
    else if (user) void client.invalidateQueries({ queryKey: ['user', user.id] });
  }

  async function save() {
    const { password, disabled, ...person } = form.getValues();
    setBusy(true);
    try {
      if (user) {
        changed(await api.updateUser(user.id, { ...person, disabled }));
        form.resetDirty();
        tell(t('common.saved'));
      } else {
        const made = await api.createUser({ ...person, password });
        if (disabled) await api.updateUser(made.id, { disabled });
        changed();
        finished.current = true;
        tell(t('common.saved'));
        await navigate({ to: '/admin/users/$id', params: { id: made.id }, replace: true });
      }
    } catch (error) {
      placeErrors(error, FIELDS, form.setErrors);
    } finally {
      setBusy(false);
    }
  }

  async function quick(change: Promise<User | undefined>, done: string) {
    try {
      const next = await change;
      changed(next);
      tell(done);
    } catch (error) {
      showError(error);
    }
  }

  function remove(target: User) {
    confirmDelete({
      title: t('users.deleteTitle', { name: target.username }),
      text: t('users.deleteText', { count: target.sessions }),
      confirm: t('common.delete'),
      instead: target.disabled
        ? undefined
        : {
            label: t('users.disableInstead'),
            onChoose: () => {
              form.setFieldValue('disabled', true);
              void quick(api.updateUser(target.id, { disabled: true }), t('common.saved'));
            },
          },
      onConfirm: () => {
        api.deleteUser(target.id).then(() => {
          finished.current = true;
          changed();
          tell(t('common.deleted'));
          void navigate({ to: '/admin/users' });
        }, showError);
      },
    });
  }

  return (
    <>
      <PageHead
        title={user ? t('users.editTitle', { name: user.username }) : t('users.new')}
        action={user && <UserStateBadge user={user} />}
      />
      {user?.locked && (
        <Alert color="yellow" mb="md" maw={640}>
          <Group justify="space-between">
            {t('users.lockedText')}
            <Button
              size="xs"
              variant="default"
              onClick={() =>
                void quick(
                  api.updateUser(user.id, { locked: false }),
                  t('users.unlocked', { name: user.username }),
                )
              }
            >
              {t('users.unlock')}
            </Button>
          </Group>
        </Alert>
      )}
      <form className={classes.form} onSubmit={form.onSubmit(() => void save())} noValidate>
        <Stack>
          <Fieldset legend={t('users.person')}>
            <Stack gap="sm">
              <TextInput
                label={t('users.username')}
                required
                maxLength={255}
                autoComplete="off"
                {...form.getInputProps('username')}
              />
              {!user && (
                <Password
                  label={t('users.password')}
                  description={t('users.passwordHint')}
                  required
                  autoComplete="new-password"
                  {...form.getInputProps('password')}
                />
              )}
              <Group grow align="flex-start">
                <TextInput label={t('users.firstName')} {...form.getInputProps('first_name')} />
                <TextInput label={t('users.lastName')} {...form.getInputProps('last_name')} />
              </Group>
              <TextInput label={t('users.email')} type="email" {...form.getInputProps('email')} />
              <Textarea
                label={t('users.notes')}
                description={t('users.notesHint')}
                autosize
                minRows={2}
                {...form.getInputProps('notes')}
              />
            </Stack>
          </Fieldset>
          <Fieldset legend={t('users.access')}>
            <Stack gap="sm">
              <MultiSelect
                label={t('users.groups')}
                description={t('users.groupsHint')}
                searchable
                data={(groups.data ?? []).map((g) => ({ value: g.id, label: g.name }))}
                {...form.getInputProps('group_ids')}
              />
              <Switch
                label={t('users.disabledLabel')}
                description={t('users.disabledHint')}
                {...form.getInputProps('disabled', { type: 'checkbox' })}
              />
            </Stack>
          </Fieldset>
          <Group justify="space-between">
            <Group gap="xs">
              <Button type="submit" loading={busy}>
                {user ? t('common.save') : t('common.create')}
              </Button>
              <Button variant="default" onClick={() => void navigate({ to: '/admin/users' })}>
                {t('common.back')}
              </Button>
            </Group>
            {user && (
              <Group gap="xs">
                <Button variant="default" onClick={() => setResetting(true)}>
                  {t('users.resetPassword')}
                </Button>
                <Button
                  variant="default"
                  onClick={() =>
                    void quick(
                      api.logoutUser(user.id),
                      t('users.logoutDone', { name: user.username }),
                    )
                  }
                >
                  {t('users.logout')}
                </Button>
                <Button color="red.8" variant="filled" onClick={() => remove(user)}>
                  {t('common.delete')}
                </Button>
              </Group>
            )}
          </Group>
        </Stack>
      </form>
      {user && <UserPolicyView user={user} />}
      {user && resetting && <ResetPassword user={user} onClose={() => setResetting(false)} />}
      <UnsavedGuard dirty={() => form.isDirty() && !finished.current} />
    </>
  );
}

function ResetPassword({ user, onClose }: { user: User; onClose(): void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const form = useForm({
    initialValues: { password: '' },
    validate: { password: (value) => (value.length < 8 ? t('users.passwordHint') : null) },
  });

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (form.validate().hasErrors) return;
    try {
      const next = await api.updateUser(user.id, { password: form.getValues().password });
      client.setQueryData(['user', user.id], next);
      tell(t('users.resetDone'));
      onClose();
    } catch (error) {
      placeErrors(error, ['password'], form.setErrors);
    }
  }

  return (
    <Modal opened onClose={onClose} title={`${t('users.resetPassword')}: ${user.username}`}>
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <Password
            data-autofocus
            label={t('users.newPassword')}
            description={t('users.passwordHint')}
            autoComplete="new-password"
            {...form.getInputProps('password')}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('common.cancel')}
            </Button>
            <Button type="submit">{t('users.resetPassword')}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
