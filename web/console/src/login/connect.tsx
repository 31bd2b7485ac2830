import { Button, Loader, Paper, Stack, Text, Title } from '@mantine/core';
import { api } from '@porthole/api';
import { useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { errorText } from '../lib/error-text';
import { takeKasmLink } from './kasm-link';
import classes from './login.module.css';

/** Signs in with the token of a link and goes to its session. */
export function ConnectPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const client = useQueryClient();
  const begun = useRef(false);
  const [failure, setFailure] = useState<string>();

  useEffect(() => {
    if (begun.current) return;
    begun.current = true;
    const link = takeKasmLink();
    if (!link) {
      setFailure('');
      return;
    }
    api.tokenLogin(link.token).then(
      () => {
        client.clear();
        void navigate({ to: '/session/$id', params: { id: link.session }, replace: true });
      },
      (error: unknown) => setFailure(errorText(error)),
    );
  }, [client, navigate]);

  return (
    <main className={classes.page}>
      <Paper className={classes.card} p="xl" shadow="md" withBorder>
        {failure === undefined ? (
          <Stack align="center" role="status">
            <Loader />
            <Text>{t('login.linkTitle')}</Text>
          </Stack>
        ) : (
          <Stack role="alert">
            <Title order={1} size="h3">
              {t('login.linkFailed')}
            </Title>
            {failure !== '' && <Text>{failure}</Text>}
            <Text>{t('login.linkAdvice')}</Text>
            <Button component={Link} to="/login">
              {t('login.title')}
            </Button>
          </Stack>
        )}
      </Paper>
    </main>
  );
}
