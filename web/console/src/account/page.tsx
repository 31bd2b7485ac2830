import { Button, Fieldset, Group, Stack, Text, Title } from '@mantine/core';
import { useForm } from '@mantine/form';
import { ApiError, api } from '@porthole/api';
import { useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { placeErrors, showError, tell } from '../lib/errors';
import { Password } from '../lib/password';
import { meQuery } from '../lib/queries';
import { Appearance } from '../shell/appearance';

export function AccountPage() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const { data: me } = useSuspenseQuery(meQuery);
  const [busy, setBusy] = useState(false);
  const form = useForm({
    initialValues: { current_password: '', new_password: '', repeat: '' },
    validateInputOnBlur: true,
    validate: {
      current_password: (value) => (value === '' ? t('common.required') : null),
      new_password: (value) => (value.length < 8 ? t('account.short') : null),
      repeat: (value, all) => (value === all.new_password ? null : t('account.differs')),
    },
  });

  useEffect(() => {
    document.title = `${t('account.title')} · Porthole`;
  }, [t]);

  async function change() {
    const { current_password, new_password } = form.getValues();
    setBusy(true);
    try {
      await api.changePassword(current_password, new_password);
      form.reset();
      tell(t('account.changed'));
    } catch (error) {
      if (error instanceof ApiError && (error.status === 403 || error.status === 401)) {
        form.setErrors({ current_password: error.message });
      } else {
        placeErrors(error, ['current_password', 'new_password'], form.setErrors);
      }
    } finally {
      setBusy(false);
    }
  }

  async function everywhere() {
    try {
      await api.logoutEverywhere();
      client.clear();
      await navigate({ to: '/login' });
    } catch (error) {
      showError(error);
    }
  }

  return (
    <Stack maw={560} mx="auto" p="md">
      <div>
        <Title order={1} size="h3">
          {t('account.title')}
        </Title>
        <Text c="dimmed">
          {t('account.signedIn')} {me.user.username}
        </Text>
      </div>
      <form onSubmit={form.onSubmit(() => void change())} noValidate>
        <Fieldset legend={t('account.password')}>
          <Stack gap="sm">
            <input
              type="text"
              autoComplete="username"
              value={me.user.username}
              readOnly
              hidden
              aria-hidden
            />
            <Password
              label={t('account.current')}
              autoComplete="current-password"
              {...form.getInputProps('current_password')}
            />
            <Password
              label={t('account.next')}
              description={t('account.short')}
              autoComplete="new-password"
              {...form.getInputProps('new_password')}
            />
            <Password
              label={t('account.repeat')}
              autoComplete="new-password"
              {...form.getInputProps('repeat')}
            />
            <Group>
              <Button type="submit" loading={busy}>
                {t('account.change')}
              </Button>
            </Group>
          </Stack>
        </Fieldset>
      </form>
      <Fieldset legend={t('account.everywhere')}>
        <Text size="sm" mb="sm">
          {t('account.everywhereText')}
        </Text>
        <Button variant="default" onClick={() => void everywhere()}>
          {t('account.everywhere')}
        </Button>
      </Fieldset>
      <Fieldset legend={t('account.kept')}>
        <Text size="sm" mb="sm">
          {t('account.keptText')}
        </Text>
        <Appearance />
      </Fieldset>
    </Stack>
  );
}
