import { NumberInput, Group as Row, Select, Stack, Switch, Text, Textarea } from '@mantine/core';
import type { GroupSetting, UsageLimit } from '@porthole/api';
import { type TFunction, t as translate } from 'i18next';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { declaredText } from '../i18n';

/** A setting's name for people; the server's own where this console knows none. */
export function settingName(name: string): string {
  return translate(`policy.name.${name}` as 'policy.name.run_config', { defaultValue: name });
}

/** A value for people to read. */
export function settingText(t: TFunction, declared: GroupSetting | undefined, value: unknown) {
  if (value === true) return t('policy.on');
  if (value === false) return t('policy.off');
  if (value === null || value === undefined) return t('policy.none');
  const kind = declared?.kind;
  if (kind?.type === 'number') {
    // What zero means is the server's to say.
    if (value === 0 && kind.zero) return declaredText(kind.zero, kind.zero);
    return t(`policy.amount.${kind.unit}`, { count: value as number });
  }
  if (kind?.type === 'usage_limit') {
    const { hours, interval, type } = value as UsageLimit;
    return t('policy.usageValue', {
      hours,
      interval: t(`policy.${interval}`),
      scope: t(`policy.${type}`),
    });
  }
  if (kind?.type === 'choice') return t(`policy.${value as 'delete' | 'stop'}`);
  if (typeof value === 'object')
    return Object.keys(value).length === 0 ? t('policy.none') : JSON.stringify(value);
  return String(value);
}

interface Props {
  declared: GroupSetting;
  value: unknown;
  label: string;
  error?: string;
  onChange(value: unknown): void;
}

/** The field that a setting's declaration asks for. */
export function SettingValue({ declared, value, label, error, onChange }: Props) {
  const { t } = useTranslation();
  const { kind } = declared;
  switch (kind.type) {
    case 'switch':
      return (
        <Switch
          label={t(value === true ? 'policy.on' : 'policy.off')}
          aria-label={label}
          checked={value === true}
          error={error}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      );
    case 'number':
      return (
        <NumberInput
          aria-label={label}
          description={kind.zero ? `0: ${declaredText(kind.zero, kind.zero)}` : undefined}
          suffix={` ${t(`policy.unit.${kind.unit}`)}`}
          min={kind.zero ? 0 : kind.least}
          max={kind.most}
          clampBehavior="none"
          allowDecimal={false}
          allowNegative={false}
          error={error}
          value={typeof value === 'number' ? value : ''}
          onChange={(next) => onChange(typeof next === 'number' ? next : Number.NaN)}
        />
      );
    case 'choice':
      return (
        <Select
          aria-label={label}
          allowDeselect={false}
          error={error}
          value={String(value)}
          data={kind.words.map((word) => ({
            value: word,
            label: settingText(t, declared, word),
          }))}
          onChange={(next) => onChange(next)}
        />
      );
    case 'usage_limit':
      return <UsageFields {...{ declared, value, label, error, onChange }} />;
    case 'run_config':
      return <JsonField {...{ declared, value, label, error, onChange }} />;
  }
}

const NO_LIMIT: UsageLimit = { type: 'per_user', interval: 'weekly', hours: 20 };

function UsageFields({ value, label, error, onChange }: Props) {
  const { t } = useTranslation();
  const limit = (value ?? NO_LIMIT) as UsageLimit;
  const set = (change: Partial<UsageLimit>) => onChange({ ...limit, ...change });
  return (
    <Stack gap={6} role="group" aria-label={label}>
      <Row grow gap={6} align="flex-start">
        <NumberInput
          label={t('policy.hours')}
          min={0}
          max={1_000_000}
          decimalScale={2}
          value={limit.hours}
          onChange={(hours) => set({ hours: Number(hours) })}
        />
        <Select
          label={t('policy.interval')}
          allowDeselect={false}
          value={limit.interval}
          data={(['daily', 'weekly', 'monthly', 'total'] as const).map((one) => ({
            value: one,
            label: t(`policy.${one}`),
          }))}
          onChange={(interval) => interval && set({ interval })}
        />
      </Row>
      <Select
        label={t('policy.scope')}
        allowDeselect={false}
        value={limit.type}
        data={(['per_user', 'per_group'] as const).map((one) => ({
          value: one,
          label: t(`policy.${one}`),
        }))}
        onChange={(type) => type && set({ type })}
      />
      {error && (
        <Text size="xs" c="var(--mantine-color-error)">
          {error}
        </Text>
      )}
    </Stack>
  );
}

function JsonField({ value, label, error, onChange }: Props) {
  const { t } = useTranslation();
  const [text, setText] = useState(() => JSON.stringify(value ?? {}, null, 2));
  const [broken, setBroken] = useState(false);
  return (
    <Textarea
      aria-label={label}
      classNames={{ input: 'mono' }}
      autosize
      minRows={3}
      maxRows={14}
      spellCheck={false}
      error={broken ? t('policy.notJson') : error}
      value={text}
      onChange={(event) => {
        const next = event.currentTarget.value;
        setText(next);
        try {
          onChange(JSON.parse(next));
          setBroken(false);
        } catch {
          // The server refuses a text; what was right before is not what stands there now.
          onChange(next);
          setBroken(true);
        }
      }}
    />
  );
}
