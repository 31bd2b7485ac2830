import {
  Anchor,
  Badge,
  Fieldset,
  Group as Row,
  Select,
  Skeleton,
  Stack,
  Table,
  Text,
} from '@mantine/core';
import type { GroupSetting, PolicySetting, User, UserPolicy } from '@porthole/api';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { sentence } from '../lib/error-text';
import { declarationsQuery, userPolicyQuery, workspacesQuery } from '../lib/queries';
import classes from './admin.module.css';
import { settingName, settingText } from './setting-value';

/** What holds for a user, and which group decided it. */
export function UserPolicyView({ user }: { user: User }) {
  const { t } = useTranslation();
  const [workspace, setWorkspace] = useState<string | null>(null);
  const policy = useQuery(userPolicyQuery(user.id, workspace ?? undefined));
  const workspaces = useQuery(workspacesQuery(true));
  const declarations = useQuery(declarationsQuery);
  return (
    <Fieldset legend={t('policy.title')} mt="lg" className={classes.wideForm} data-policy>
      <Stack gap="sm">
        <Text size="sm" c="dimmed">
          {t('policy.hint')}
        </Text>
        <Select
          label={t('policy.workspace')}
          clearable
          searchable
          maw={320}
          value={workspace}
          onChange={setWorkspace}
          data={(workspaces.data ?? []).map((one) => ({ value: one.id, label: one.name }))}
        />
        {policy.data ? (
          <Details policy={policy.data} declared={declarations.data} />
        ) : (
          <Skeleton height={240} />
        )}
      </Stack>
    </Fieldset>
  );
}

function Details(props: { policy: UserPolicy; declared: readonly GroupSetting[] | undefined }) {
  const { t } = useTranslation();
  const { policy, declared } = props;
  const { workspace, usage } = policy;
  return (
    <>
      {workspace && (
        <Text size="sm" role="status">
          {workspace.allowed_by.length === 0
            ? t('policy.notAllowed')
            : workspace.unavailable_reason
              ? t('policy.notNow', { reason: sentence(workspace.unavailable_reason) })
              : t('policy.launchable', {
                  groups: workspace.allowed_by.map((group) => group.name).join(', '),
                })}
        </Text>
      )}
      <Text size="sm">
        {t('policy.sessions', { count: policy.sessions })}{' '}
        {usage &&
          t('policy.usage', { used: usage.used_hours.toFixed(1), hours: usage.limit.hours })}
      </Text>
      <div className={classes.tableBox} style={{ overflowX: 'auto' }}>
        <Table verticalSpacing={6}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('policy.setting')}</Table.Th>
              <Table.Th>{t('policy.value')}</Table.Th>
              <Table.Th>{t('policy.decidedBy')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {policy.settings.map((setting) => (
              <SettingLine
                key={setting.name}
                setting={setting}
                declared={declared?.find((one) => one.name === setting.name)}
              />
            ))}
          </Table.Tbody>
        </Table>
      </div>
      <Text size="sm" fw={500}>
        {t('policy.permissions')}
      </Text>
      <Row gap={6}>
        {policy.permissions.map((permission) => (
          <Badge
            key={permission.name}
            variant="default"
            tt="none"
            title={permission.groups.map((group) => group.name).join(', ')}
          >
            {permission.name}
          </Badge>
        ))}
      </Row>
    </>
  );
}

function SettingLine(props: { setting: PolicySetting; declared: GroupSetting | undefined }) {
  const { t } = useTranslation();
  const { setting, declared } = props;
  return (
    <Table.Tr data-setting={setting.name}>
      <Table.Td>{settingName(setting.name)}</Table.Td>
      <Table.Td style={{ overflowWrap: 'anywhere' }}>
        {settingText(t, declared, setting.value)}
      </Table.Td>
      <Table.Td>
        {setting.decided_by.length === 0 ? (
          <Text size="sm" c="dimmed">
            {t('policy.default')}
          </Text>
        ) : (
          <Row gap={8}>
            {setting.decided_by.map((group) => (
              <Anchor key={group.id} component={Link} to={`/admin/groups/${group.id}`} size="sm">
                {group.name}
              </Anchor>
            ))}
          </Row>
        )}
        {setting.overruled.map(({ group, value }) => (
          <Text key={group.id} size="xs" c="dimmed">
            {t('policy.overruled', {
              group: group.name,
              value: settingText(t, declared, value),
            })}
          </Text>
        ))}
      </Table.Td>
    </Table.Tr>
  );
}
