import { ActionIcon, Stack, Text, Tooltip } from '@mantine/core';
import type { Workspace } from '@porthole/api';
import { IconAdjustmentsHorizontal, IconStar, IconStarFilled } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { sentence } from '../lib/error-text';
import { bytes, cores } from '../lib/format';
import { WorkspaceIcon } from '../lib/icon';
import classes from './dashboard.module.css';

interface Props {
  workspace: Workspace;
  favourite: boolean;
  onFavourite(): void;
  onLaunch(): void;
  onOptions(): void;
}

export function WorkspaceTile({ workspace, favourite, onFavourite, onLaunch, onOptions }: Props) {
  const { t } = useTranslation();
  const { name, available } = workspace;
  const reason = workspace.unavailable_reason
    ? sentence(workspace.unavailable_reason)
    : t('dashboard.unavailable');
  const star = favourite ? t('dashboard.removeFavourite') : t('dashboard.addFavourite');
  return (
    <article
      className={classes.tile}
      data-unavailable={available ? undefined : true}
      data-workspace={workspace.id}
    >
      <WorkspaceIcon src={workspace.icon} size={48} />
      <div style={{ minWidth: 0, flex: 1 }}>
        <button
          type="button"
          className={classes.launch}
          disabled={!available}
          aria-label={t('dashboard.launch', { name })}
          onClick={onLaunch}
        >
          {name}
        </button>
        {workspace.description && (
          <Text size="sm" c="dimmed" lineClamp={2}>
            {workspace.description}
          </Text>
        )}
        {available ? (
          <div className={classes.details}>
            {t('dashboard.needs', {
              count: workspace.cores,
              cores: cores(workspace.cores),
              memory: bytes(workspace.memory_bytes),
            })}
          </div>
        ) : (
          <Text size="xs" c="var(--mantine-color-error)" mt={4}>
            {reason}
          </Text>
        )}
      </div>
      <Stack gap={2} className={classes.above}>
        <Tooltip label={star}>
          <ActionIcon
            aria-label={`${star}: ${name}`}
            aria-pressed={favourite}
            color={favourite ? 'yellow.7' : 'gray'}
            onClick={onFavourite}
          >
            {favourite ? <IconStarFilled size={17} /> : <IconStar size={17} />}
          </ActionIcon>
        </Tooltip>
        {available && (
          <Tooltip label={t('dashboard.options')}>
            <ActionIcon aria-label={t('dashboard.optionsFor', { name })} onClick={onOptions}>
              <IconAdjustmentsHorizontal size={17} />
            </ActionIcon>
          </Tooltip>
        )}
      </Stack>
    </article>
  );
}
