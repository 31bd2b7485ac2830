import { Group, Stack, Title } from '@mantine/core';
import type { ReactNode } from 'react';
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
