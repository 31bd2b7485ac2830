import {
  ColorInput,
  Fieldset,
  FileInput,
  Group,
  Image,
  NumberInput,
  SegmentedControl,
  Select,
  SimpleGrid,
  Stack,
  Switch,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Fault, FormList } from './form-list';
import { FIRST_AREA, POSITIONS, type ProtectionValues, type Sides } from './protection-form';
import type { WorkspaceFormOf } from './workspace';

const SIDES: readonly (keyof Sides)[] = ['left', 'top', 'right', 'bottom'];

interface Props {
  form: WorkspaceFormOf;
}

/** What is burnt into the pixels of a workspace's sessions. */
export function ProtectionFields({ form }: Props) {
  const { t } = useTranslation();
  const { watermark, blackOut, onlyShown } = form.getValues().protection;
  return (
    <Fieldset legend={t('protection.title')}>
      <Stack gap="sm">
        <Text size="xs" c="dimmed">
          {t('protection.hint')}
        </Text>
        <div>
          <Text size="sm" fw={500} mb={4} id="watermark-label">
            {t('protection.watermark')}
          </Text>
          <SegmentedControl
            aria-labelledby="watermark-label"
            data={(['none', 'text', 'picture'] as const).map((kind) => ({
              value: kind,
              label: t(`protection.${kind}`),
            }))}
            value={watermark}
            onChange={(kind) =>
              form.setFieldValue('protection.watermark', kind as ProtectionValues['watermark'])
            }
          />
          <Fault text={form.errors['protection.watermark']} />
        </div>
        {watermark === 'text' && <TextMark form={form} />}
        {watermark === 'picture' && <PictureMark form={form} />}
        {watermark !== 'none' && <Look form={form} />}
        <FormList
          title={t('protection.blackOut')}
          hint={t('protection.blackOutHint')}
          error={form.errors['protection.blackOut']}
          count={blackOut.length}
          row={(index) => (
            <Area
              form={form}
              path={`protection.blackOut.${index}`}
              name={t('protection.area', { number: index + 1 })}
            />
          )}
          align="flex-end"
          removeLabel={(index) => t('protection.removeArea', { number: index + 1 })}
          onRemove={(index) => form.removeListItem('protection.blackOut', index)}
          addLabel={t('protection.addArea')}
          onAdd={() => form.insertListItem('protection.blackOut', { ...FIRST_AREA })}
        />
        <Switch
          label={t('protection.onlyShown')}
          description={t('protection.onlyShownHint')}
          {...form.getInputProps('protection.onlyShown', { type: 'checkbox' })}
        />
        {onlyShown && <Area form={form} path="protection.shown" name={t('protection.onlyShown')} />}
      </Stack>
    </Fieldset>
  );
}

function TextMark({ form }: Props) {
  const { t } = useTranslation();
  const zones = useMemo(() => [...new Set(['UTC', ...Intl.supportedValuesOf('timeZone')])], []);
  return (
    <>
      <Textarea
        label={t('protection.template')}
        description={t('protection.templateHint', {
          values: '{username} {name} {email} {workspace} {session} {address}',
          interpolation: { escapeValue: false },
        })}
        autosize
        minRows={2}
        maxRows={6}
        maxLength={256}
        spellCheck={false}
        {...form.getInputProps('protection.text')}
      />
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        <NumberInput
          label={t('protection.size')}
          min={8}
          max={256}
          allowDecimal={false}
          {...form.getInputProps('protection.size')}
        />
        <Select
          label={t('protection.timeZone')}
          searchable
          allowDeselect={false}
          data={zones}
          {...form.getInputProps('protection.timeZone')}
        />
      </SimpleGrid>
    </>
  );
}

/** The bytes of a file in base64. */
async function base64(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

function PictureMark({ form }: Props) {
  const { t } = useTranslation();
  const { png } = form.getValues().protection;
  return (
    <Group align="flex-end" wrap="nowrap">
      <FileInput
        flex={1}
        label={t('protection.pictureFile')}
        description={t('protection.pictureHint')}
        placeholder={png ? t('protection.pictureOther') : t('protection.pictureChoose')}
        accept="image/png"
        error={form.errors['protection.png']}
        onChange={(file) => {
          if (!file) return;
          if (file.size > 64 * 1024) {
            form.setFieldError('protection.png', t('protection.pictureTooLarge'));
            return;
          }
          void base64(file).then((text) => {
            form.clearFieldError('protection.png');
            form.setFieldValue('protection.png', text);
          });
        }}
      />
      {png && (
        <Image
          src={`data:image/png;base64,${png}`}
          alt={t('protection.picture')}
          h={36}
          w={96}
          fit="contain"
          bg="gray.6"
        />
      )}
    </Group>
  );
}

function Look({ form }: Props) {
  const { t } = useTranslation();
  const { place } = form.getValues().protection;
  return (
    <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
      <Select
        label={t('protection.place')}
        allowDeselect={false}
        data={[
          { value: 'tiled', label: t('protection.tiled') },
          ...POSITIONS.map((position) => ({
            value: position as string,
            label: t(`protection.position.${position}`),
          })),
        ]}
        {...form.getInputProps('protection.place')}
      />
      {place === 'tiled' && (
        <NumberInput
          label={t('protection.spacing')}
          min={0}
          max={2000}
          step={20}
          allowDecimal={false}
          {...form.getInputProps('protection.spacing')}
        />
      )}
      <NumberInput
        label={t('protection.angle')}
        description={t('protection.angleHint')}
        min={-180}
        max={180}
        step={5}
        allowDecimal={false}
        {...form.getInputProps('protection.angle')}
      />
      <NumberInput
        label={t('protection.opacity')}
        description={t('protection.opacityHint')}
        min={1}
        max={100}
        step={5}
        allowDecimal={false}
        {...form.getInputProps('protection.opacity')}
      />
      <ColorInput
        label={t('protection.colour')}
        description={t('protection.colourHint')}
        format="hex"
        {...form.getInputProps('protection.colour')}
      />
    </SimpleGrid>
  );
}

/** The four sides of an area. */
function Area({ form, path, name }: Props & { path: string; name: string }) {
  const { t } = useTranslation();
  return (
    <SimpleGrid cols={{ base: 2, xs: 4 }} spacing={6} flex={1} role="group" aria-label={name}>
      {SIDES.map((side) => (
        <TextInput
          key={side}
          label={t(`protection.side.${side}`)}
          aria-label={`${name}: ${t(`protection.side.${side}`)}`}
          spellCheck={false}
          {...form.getInputProps(`${path}.${side}`)}
        />
      ))}
    </SimpleGrid>
  );
}
