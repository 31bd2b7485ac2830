import { Badge } from '@mantine/core';
import type { SessionState } from '@porthole/api';
import { useTranslation } from 'react-i18next';

const COLORS: Record<SessionState, string> = {
  requested: 'sea.7',
  starting: 'sea.7',
  running: 'teal.9',
  stopping: 'gray.7',
  stopped: 'gray.7',
  deleting: 'gray.7',
  failed: 'red.8',
};

export function StateBadge({ state }: { state: SessionState }) {
  const { t } = useTranslation();
  return (
    <Badge color={COLORS[state]} variant="filled" size="sm" tt="none" data-state={state}>
      {t(`state.${state}`)}
    </Badge>
  );
}
