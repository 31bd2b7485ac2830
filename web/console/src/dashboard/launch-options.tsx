import { Button, Group, Modal, SegmentedControl, Select, Stack, Text } from '@mantine/core';
import type { Workspace } from '@porthole/api';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { keepLaunchOptions, type LaunchOptions, launchOptions, SIZES } from '../lib/preferences';

interface Props {
  user: string;
  workspace: Workspace;
  onClose(): void;
  onLaunch(options: LaunchOptions): void;
}

/** How to launch a workspace, remembered for the next time. */
export function LaunchOptionsDialog({ user, workspace, onClose, onLaunch }: Props) {
  const { t } = useTranslation();
  const [options, setOptions] = useState(() => launchOptions(user, workspace.id));
  return (
    <Modal opened onClose={onClose} title={t('dashboard.optionsFor', { name: workspace.name })}>
      <Stack>
        <div>
          <Text size="sm" fw={500} mb={4} id="launch-where">
            {t('dashboard.where')}
          </Text>
          <SegmentedControl
            fullWidth
            aria-labelledby="launch-where"
            value={options.newTab ? 'new' : 'this'}
            onChange={(value) => setOptions({ ...options, newTab: value === 'new' })}
            data={[
              { value: 'this', label: t('dashboard.thisTab') },
              { value: 'new', label: t('dashboard.newTab') },
            ]}
          />
        </div>
        <Select
          label={t('dashboard.size')}
          allowDeselect={false}
          value={options.size}
          onChange={(size) => setOptions({ ...options, size: size ?? 'window' })}
          data={SIZES.map((value) => ({
            value,
            label: value === 'window' ? t('dashboard.sizeWindow') : value.replace('x', ' × '),
          }))}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button
            data-autofocus
            onClick={() => {
              keepLaunchOptions(user, workspace.id, options);
              onLaunch(options);
            }}
          >
            {t('dashboard.launchNow')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
