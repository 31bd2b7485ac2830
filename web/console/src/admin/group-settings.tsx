import { Button, Checkbox, Group as Row, Skeleton, Stack, Text, Title } from '@mantine/core';
import { ApiError, api, type GroupSetting } from '@porthole/api';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { declaredText } from '../i18n';
import { sentence } from '../lib/error-text';
import { showError, tell } from '../lib/errors';
import { declarationsQuery, groupSettingsQuery } from '../lib/queries';
import classes from './admin.module.css';
import { UnsavedGuard } from './guard';
import { SettingValue, settingName, settingText } from './setting-value';

const SECTIONS = ['sessions', 'actions', 'clipboard', 'containers'] as const;

type Values = Readonly<Record<string, unknown>>;

/** What a group sets; the form is made of the settings' declarations. */
export function GroupSettingsForm({ id }: { id: string }) {
  const declarations = useQuery(declarationsQuery);
  const settings = useQuery(groupSettingsQuery(id));
  if (!declarations.data || !settings.data) return <Skeleton height={320} maw={760} />;
  const { data: saved } = settings;
  // Reading the same again leaves what is being filled in.
  return <Form key={JSON.stringify(saved)} id={id} declared={declarations.data} saved={saved} />;
}

function Form(props: { id: string; declared: readonly GroupSetting[]; saved: Values }) {
  const { id, declared, saved } = props;
  const { t } = useTranslation();
  const client = useQueryClient();
  const [values, setValues] = useState<Values>(saved);
  const [errors, setErrors] = useState<Readonly<Record<string, string>>>({});
  const [busy, setBusy] = useState(false);
  const differs = (name: string) => JSON.stringify(values[name]) !== JSON.stringify(saved[name]);
  const changes = declared.filter((setting) => differs(setting.name));

  function set(name: string, value: unknown) {
    const { [name]: _, ...others } = values;
    setValues(value === undefined ? others : { ...others, [name]: value });
    const { [name]: __, ...rest } = errors;
    setErrors(rest);
  }

  async function save() {
    setBusy(true);
    const faults: Record<string, string> = {};
    let failed = false;
    for (const { name } of changes) {
      try {
        await api.setGroupSetting(id, name, values[name]);
      } catch (error) {
        failed = true;
        const message =
          error instanceof ApiError ? Object.values(error.fields).join(' ') : undefined;
        if (message) faults[name] = sentence(message);
        else showError(error);
      }
    }
    setBusy(false);
    setErrors(faults);
    if (failed) return;
    await client.invalidateQueries({ queryKey: ['group', id, 'settings'] });
    void client.invalidateQueries({ queryKey: ['user'] });
    void client.invalidateQueries({ queryKey: ['workspaces', 'own'] });
    tell(t('common.saved'));
  }

  return (
    <form
      className={classes.wideForm}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <Text size="sm" c="dimmed" mb="md">
        {t('groups.settingsHint')}
      </Text>
      {SECTIONS.map((section) => (
        <Stack key={section} gap={0} mb="lg" component="section">
          <Title order={2} size="h5">
            {t(`policy.section.${section}`)}
          </Title>
          {declared
            .filter((setting) => setting.section === section)
            .map((setting) => (
              <SettingRow
                key={setting.name}
                setting={setting}
                value={values[setting.name]}
                error={errors[setting.name]}
                onChange={(value) => set(setting.name, value)}
              />
            ))}
        </Stack>
      ))}
      <Row>
        <Button type="submit" loading={busy} disabled={changes.length === 0}>
          {t('common.save')}
        </Button>
      </Row>
      <UnsavedGuard dirty={() => changes.length > 0 && !busy} />
    </form>
  );
}

function SettingRow(props: {
  setting: GroupSetting;
  value: unknown;
  error: string | undefined;
  onChange(value: unknown): void;
}) {
  const { setting, value, error, onChange } = props;
  const { t } = useTranslation();
  const name = settingName(setting.name);
  const isSet = value !== undefined;
  // Where there is no default to begin with, the field has one of its own.
  const first = setting.default ?? { type: 'per_user', interval: 'weekly', hours: 20 };
  return (
    <div className={classes.setting} data-setting={setting.name}>
      <div>
        <Checkbox
          label={name}
          description={declaredText(setting.name, setting.description)}
          checked={isSet}
          onChange={(event) => onChange(event.currentTarget.checked ? first : undefined)}
        />
      </div>
      <div>
        {isSet ? (
          <SettingValue
            declared={setting}
            value={value}
            label={name}
            error={error}
            onChange={onChange}
          />
        ) : (
          <Text size="sm" c="dimmed">
            {t('groups.byDefault', { value: settingText(t, setting, setting.default) })}
          </Text>
        )}
        {setting.merge === 'combine' && (
          <Text size="xs" c="dimmed">
            {t('groups.combined')}
          </Text>
        )}
      </div>
    </div>
  );
}
