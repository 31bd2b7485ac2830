import { Button, CopyButton, Group, Loader, Paper, Stack, Text, Title } from '@mantine/core';
import type { Failure } from '@porthole/api';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

interface CardProps {
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
  alert?: boolean;
}

/** A card over the desktop that says what is, and what can be done. */
export function Card({ title, children, actions, alert }: CardProps) {
  const { t } = useTranslation();
  return (
    <Paper p="lg" shadow="lg" radius="lg" role={alert ? 'alert' : 'status'}>
      <Stack gap="sm">
        <Title order={1} size="h4">
          {title}
        </Title>
        {children}
        <Group gap="xs" mt={4}>
          {actions}
          <Button variant="default" component={Link} to="/">
            {t('session.toDashboard')}
          </Button>
        </Group>
      </Stack>
    </Paper>
  );
}

/** What failed, on which part, and what to do. */
export function FailureCard(props: {
  title: string;
  failure: Failure;
  details: string;
  onRetry?: () => void;
  busy?: boolean;
  actions?: ReactNode;
}) {
  const { t } = useTranslation();
  const { failure } = props;
  return (
    <Card
      alert
      title={props.title}
      actions={
        <>
          {props.onRetry && (
            <Button onClick={props.onRetry} loading={props.busy}>
              {t('common.retry')}
            </Button>
          )}
          <CopyButton value={props.details}>
            {({ copied, copy }) => (
              <Button variant="default" onClick={copy}>
                {copied ? t('common.copied') : t('session.copyDetails')}
              </Button>
            )}
          </CopyButton>
          {props.actions}
        </>
      }
    >
      <Text style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{failure.what}</Text>
      {failure.part && (
        <Text size="sm" c="dimmed">
          {t('session.part')}: {failure.part}
        </Text>
      )}
      {failure.advice && (
        <Text size="sm" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
          {failure.advice}
        </Text>
      )}
    </Card>
  );
}

/** Something is under way that takes a moment. */
export function BusyCard({ title }: { title: string }) {
  return (
    <Paper p="lg" shadow="lg" radius="lg" role="status">
      <Group wrap="nowrap">
        <Loader size="sm" />
        <Title order={1} size="h4">
          {title}
        </Title>
      </Group>
    </Paper>
  );
}
