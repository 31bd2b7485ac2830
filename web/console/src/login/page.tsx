import { Alert, Box, Button, Group, Paper, Stack, TextInput, Title } from '@mantine/core';
import { ApiError, api } from '@porthole/api';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useRouter, useSearch } from '@tanstack/react-router';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { errorText } from '../lib/error-text';
import { Password } from '../lib/password';
import { recall, remember } from '../lib/storage';
import { useNow } from '../lib/use-now';
import { Appearance } from '../shell/appearance';
import { Logo } from '../shell/logo';
import classes from './login.module.css';

export function LoginPage() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const router = useRouter();
  const { to, expired } = useSearch({ from: '/login' });
  const [username, setUsername] = useState(() => recall('username', ''));
  const [password, setPassword] = useState('');
  const [message, setMessage] = useState<string>();
  const [until, setUntil] = useState(0);
  const [busy, setBusy] = useState(false);
  const passwordField = useRef<HTMLInputElement>(null);
  const wait = Math.ceil((until - useNow()) / 1000);

  useEffect(() => {
    document.title = `${t('login.title')} · Porthole`;
  }, [t]);

  function judge(error: unknown) {
    if (!(error instanceof ApiError)) return setMessage(errorText(error));
    if (error.status === 429) {
      setUntil(Date.now() + (error.retryAfter ?? 30) * 1000);
      return setMessage(undefined);
    }
    if (error.status === 401) setMessage(t('login.wrong'));
    else if (error.status === 423) setMessage(t('login.locked'));
    else setMessage(errorText(error));
  }

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (busy || wait > 0) return;
    setBusy(true);
    setMessage(undefined);
    try {
      await api.login(username.trim(), password);
      remember('username', username.trim());
      client.clear();
      if (to) router.history.replace(to);
      else await navigate({ to: '/', replace: true });
    } catch (error) {
      judge(error);
      setBusy(false);
      passwordField.current?.select();
    }
  }

  const problem = wait > 0 ? t('login.throttled', { count: wait }) : message;
  return (
    <main className={classes.page}>
      <Paper className={classes.card} p="xl" shadow="md" withBorder>
        <form onSubmit={(event) => void submit(event)}>
          <Stack>
            <Group gap="sm">
              <Logo size={40} />
              <Title order={1} size="h2">
                Porthole
              </Title>
            </Group>
            {problem ? (
              <Alert color="red" role="alert">
                {problem}
              </Alert>
            ) : (
              expired && <Alert role="status">{t('login.expired')}</Alert>
            )}
            <TextInput
              label={t('login.username')}
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              required
              withAsterisk={false}
              autoFocus={username === ''}
              maxLength={256}
              value={username}
              onChange={(event) => setUsername(event.currentTarget.value)}
            />
            <Password
              ref={passwordField}
              label={t('login.password')}
              autoComplete="current-password"
              required
              withAsterisk={false}
              autoFocus={username !== ''}
              maxLength={1024}
              value={password}
              onChange={(event) => setPassword(event.currentTarget.value)}
            />
            <Button type="submit" loading={busy} disabled={wait > 0} fullWidth>
              {t('login.submit')}
            </Button>
          </Stack>
        </form>
      </Paper>
      <Box w="100%" maw={320}>
        <Appearance />
      </Box>
    </main>
  );
}
