import { Button, Group, Stack, Text } from '@mantine/core';
import { modals } from '@mantine/modals';
import i18next from 'i18next';

/** Asks before something is deleted; offers the milder way first where there is one. */
export function confirmDelete(question: {
  title: string;
  text: string;
  confirm: string;
  onConfirm(): void;
  instead?: { label: string; onChoose(): void };
}): void {
  const t = i18next.t;
  const { instead } = question;
  const id = modals.open({
    title: question.title,
    children: (
      <Stack>
        <Text size="sm">{question.text}</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={() => modals.close(id)} data-autofocus>
            {t('common.cancel')}
          </Button>
          {instead && (
            <Button
              variant="default"
              onClick={() => {
                modals.close(id);
                instead.onChoose();
              }}
            >
              {instead.label}
            </Button>
          )}
          <Button
            color="red.8"
            onClick={() => {
              modals.close(id);
              question.onConfirm();
            }}
          >
            {question.confirm}
          </Button>
        </Group>
      </Stack>
    ),
  });
}
