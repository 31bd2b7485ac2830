import { Anchor, Button, Center, Loader, Paper, Stack, Text, Title } from '@mantine/core';
import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { errorText } from '../lib/error-text';

export function Pending() {
  const { t } = useTranslation();
  return (
    <Center mih="40vh">
      <Loader aria-label={t('common.loading')} />
    </Center>
  );
}

/** A page that could not be loaded says why, and offers to try again. */
export function RouteError({ error, reset }: ErrorComponentProps) {
  const { t } = useTranslation();
  const router = useRouter();
  return (
    <Center mih="60vh" p="md" component="main">
      <Paper p="xl" maw={480} withBorder role="alert">
        <Stack>
          <Title order={1} size="h3">
            {t('error.page')}
          </Title>
          <Text>{errorText(error)}</Text>
          <Button
            onClick={() => {
              reset();
              void router.invalidate();
            }}
          >
            {t('common.retry')}
          </Button>
        </Stack>
      </Paper>
    </Center>
  );
}

export function RouteNotFound() {
  const { t } = useTranslation();
  return (
    <Center mih="60vh" p="md" component="main">
      <Stack align="center" gap="xs">
        <Title order={1} size="h3">
          {t('common.notFoundTitle')}
        </Title>
        <Text c="dimmed">{t('common.notFound')}</Text>
        <Anchor component={Link} to="/">
          {t('session.toDashboard')}
        </Anchor>
      </Stack>
    </Center>
  );
}
