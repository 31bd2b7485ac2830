import { ActionIcon, Button, Group, Stack, Text } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import type { ReactNode } from 'react';

/** What is wrong with a part of a form that is no single input. */
export function Fault({ text }: { text: ReactNode }) {
  if (!text) return null;
  return (
    <Text size="xs" c="var(--mantine-color-error)" my={4} role="alert">
      {text}
    </Text>
  );
}

interface Props {
  title: string;
  hint: string;
  error: ReactNode;
  count: number;
  /** The inputs of a row. */
  row(index: number): ReactNode;
  /** Where the button that removes a row stands beside its inputs. */
  align: 'flex-start' | 'flex-end';
  removeLabel(index: number): string;
  onRemove(index: number): void;
  addLabel: string;
  onAdd(): void;
}

/** Rows of inputs that are added and removed. */
export function FormList(props: Props) {
  return (
    <div>
      <Text size="sm" fw={500}>
        {props.title}
      </Text>
      <Text size="xs" c="dimmed" mb={6}>
        {props.hint}
      </Text>
      <Fault text={props.error} />
      <Stack gap={6}>
        {Array.from({ length: props.count }, (_, index) => (
          <Group key={index} gap={6} wrap="nowrap" align={props.align}>
            {props.row(index)}
            <ActionIcon
              size={36}
              aria-label={props.removeLabel(index)}
              onClick={() => props.onRemove(index)}
            >
              <IconX size={16} />
            </ActionIcon>
          </Group>
        ))}
        <div>
          <Button
            variant="default"
            size="xs"
            leftSection={<IconPlus size={14} aria-hidden />}
            onClick={props.onAdd}
          >
            {props.addLabel}
          </Button>
        </div>
      </Stack>
    </div>
  );
}
