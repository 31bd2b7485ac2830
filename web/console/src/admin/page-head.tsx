import { Alert, Button, Group, Title } from '@mantine/core';
import { type ReactNode, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { errorText } from '../lib/error-text';

/** A page's title, its main action, and why it could not be loaded. */
export function PageHead(props: {
  title: string;
  action?: ReactNode;
  error?: unknown;
  onRetry?: () => void;
}) {
  const { t } = useTranslation();
  useEffect(() => {
    document.title = `${props.title} · Porthole`;
  }, [props.title]);
  return (
    <>
      <Group justify="space-between" mb="md">
        <Title order={1} size="h3" style={{ overflowWrap: 'anywhere' }}>
          {props.title}
        </Title>
        {props.action}
      </Group>
      {props.error ? (
        <Alert color="red" mb="md" role="alert">
          <Group justify="space-between">
            {errorText(props.error)}
            {props.onRetry && (
              <Button size="xs" variant="default" onClick={props.onRetry}>
                {t('common.retry')}
              </Button>
            )}
          </Group>
        </Alert>
      ) : null}
    </>
  );
}
