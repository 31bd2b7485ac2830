import { Group, Loader, Paper, Progress, Stack, Text, Title } from '@mantine/core';
import type { Session } from '@porthole/api';
import { IconCheck, IconPoint } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { WorkspaceIcon } from '../lib/icon';
import classes from './session.module.css';
import { launchSteps, type StepLine } from './steps';

interface Props {
  title: string;
  icon?: string;
  session?: Session;
  /** More to say, such as why the connection waits. */
  note?: string;
}

/** The way to a desktop, step by step, over the display's background. */
export function LaunchCard({ title, icon, session, note }: Props) {
  const { t } = useTranslation();
  const percent = session?.progress?.percent;
  const detail = session?.progress?.detail;

  function label({ step, status }: StepLine): string {
    if (step === 'placed') {
      if (status !== 'done') return t('step.requesting');
      const agent = session?.agent?.name;
      return agent ? t('step.placedOn', { agent }) : t('step.placed');
    }
    if (step === 'ready') return t('step.window');
    const text = t(status === 'now' ? `step.${step}Now` : `step.${step}`);
    const known = status === 'now' && session?.progress?.step === step;
    if (!known) return text;
    const amount = percent === null || percent === undefined ? '' : ` ${percent} %`;
    return `${text}${amount}${detail ? ` (${detail})` : ''}`;
  }

  return (
    <Paper p="lg" shadow="lg" radius="lg" role="status" aria-live="polite">
      <Stack gap="xs">
        <Group gap="sm" wrap="nowrap">
          {icon && <WorkspaceIcon src={icon} size={36} />}
          <Title order={1} size="h4">
            {title}
          </Title>
        </Group>
        <div>
          {launchSteps(session).map((line) => (
            <div
              key={line.step}
              className={classes.step}
              data-now={line.status === 'now' ? true : undefined}
            >
              <span className={classes.mark} aria-hidden>
                {line.status === 'done' && <IconCheck size={16} />}
                {line.status === 'now' && <Loader size={14} />}
                {line.status === 'next' && <IconPoint size={16} />}
              </span>
              <span>{label(line)}</span>
            </div>
          ))}
        </div>
        {session?.progress?.step === 'pull' && percent !== null && percent !== undefined && (
          <Progress value={percent} aria-label={t('step.pullNow')} />
        )}
        {note && (
          <Text size="sm" c="dimmed">
            {note}
          </Text>
        )}
      </Stack>
    </Paper>
  );
}
