import { Button, Group, Modal, Text } from '@mantine/core';
import { useBlocker } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

/** Asks before unsaved changes are lost, within the console and when the tab is closed. */
export function UnsavedGuard({ dirty }: { dirty(): boolean }) {
  const { t } = useTranslation();
  const blocker = useBlocker({
    shouldBlockFn: dirty,
    enableBeforeUnload: dirty,
    withResolver: true,
  });
  return (
    <Modal
      opened={blocker.status === 'blocked'}
      onClose={() => blocker.reset?.()}
      title={t('common.unsavedTitle')}
    >
      <Text size="sm">{t('common.unsaved')}</Text>
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={() => blocker.proceed?.()}>
          {t('common.leave')}
        </Button>
        <Button onClick={() => blocker.reset?.()} data-autofocus>
          {t('common.stay')}
        </Button>
      </Group>
    </Modal>
  );
}
