import { Button, Group, Stack, Text, Title } from '@mantine/core';
import type { Session } from '@porthole/api';
import { IconCheck, IconLock } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import classes from './session.module.css';

/** A part of the session panel under a title. */
export function Section({
  icon,
  title,
  children,
}: {
  icon: ReactNode;
  title: string;
  children: ReactNode;
}) {
  return (
    <section className={classes.section} aria-label={title}>
      <Group gap={8} mb={8} wrap="nowrap">
        {icon}
        <Title order={2} size="sm">
          {title}
        </Title>
      </Group>
      <Stack gap={8}>{children}</Stack>
    </section>
  );
}

/** What policy forbids, with the group that does where one does. */
export function Locked({
  session,
  setting,
  children,
}: {
  session: Session | undefined;
  setting: string;
  children: ReactNode;
}) {
  const { t } = useTranslation();
  const group = session?.denied.find((one) => one.setting === setting)?.group;
  return (
    <Group gap={6} wrap="nowrap" align="flex-start">
      <IconLock size={14} style={{ flexShrink: 0, marginTop: 2 }} aria-hidden />
      <Text size="xs" c="dimmed">
        {children} {group && t('panel.deniedBy', { group })}
      </Text>
    </Group>
  );
}

/** A button that stays pressed. */
export function Toggle(props: { label: string; on: boolean; onToggle(on: boolean): void }) {
  return (
    <Button
      variant={props.on ? 'light' : 'default'}
      size="xs"
      aria-pressed={props.on}
      leftSection={props.on && <IconCheck size={14} aria-hidden />}
      onClick={() => props.onToggle(!props.on)}
    >
      {props.label}
    </Button>
  );
}
