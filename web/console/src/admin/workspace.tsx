import {
  Button,
  Fieldset,
  Group,
  MultiSelect,
  NumberInput,
  Skeleton,
  Stack,
  Switch,
  TagsInput,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import { type UseFormReturnType, useForm } from '@mantine/form';
import { api, type Workspace, type WorkspacePatch } from '@porthole/api';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { type ReactNode, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { placeErrors, showError, tell } from '../lib/errors';
import { WorkspaceIcon } from '../lib/icon';
import { imageFault } from '../lib/image';
import { groupsQuery, workspaceQuery, workspacesQuery } from '../lib/queries';
import classes from './admin.module.css';
import { confirmDelete } from './confirm';
import { FormList } from './form-list';
import { UnsavedGuard } from './guard';
import { PageHead } from './page-head';
import { ProtectionFields } from './protection';
import { isEdge, PROTECTION_FIELDS, protectionOf, protectionValues } from './protection-form';

const MIB = 1024 ** 2;
/** The built-in group of everybody. */
const ALL_USERS = '68d557ac-4cac-42cc-a9f3-1c7c853de0f3';
const ICONS = ['desktop', 'terminal', 'firefox', 'chromium', 'libreoffice', 'app'].map(
  (name) => `/icons/${name}.svg`,
);
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** One workspace: made anew, or edited. */
export function WorkspacePage() {
  const { id } = useParams({ from: '/signed-in/shell/admin/workspaces/$id' });
  return id === 'new' ? <WorkspaceForm /> : <ExistingWorkspace key={id} id={id} />;
}

function ExistingWorkspace({ id }: { id: string }) {
  const { t } = useTranslation();
  const workspace = useQuery(workspaceQuery(id));
  if (workspace.data) return <WorkspaceForm key={id} workspace={workspace.data} />;
  return (
    <>
      <PageHead
        title={t('admin.workspaces')}
        error={workspace.error}
        onRetry={() => void workspace.refetch()}
      />
      {workspace.isPending && <Skeleton height={420} maw={640} />}
    </>
  );
}

function initial(workspace?: Workspace) {
  return {
    name: workspace?.name ?? '',
    description: workspace?.description ?? '',
    image: workspace?.image ?? '',
    icon: workspace?.icon ?? '/icons/app.svg',
    categories: workspace?.categories ?? [],
    cores: workspace?.cores ?? 2,
    memory: Math.round((workspace?.memory_bytes ?? 2048 * MIB) / MIB),
    shm: Math.round((workspace?.shm_size_bytes ?? 512 * MIB) / MIB),
    enabled: workspace?.enabled ?? true,
    environment: Object.entries(workspace?.environment ?? {}).map(([key, value]) => ({
      key,
      value,
    })),
    group_ids: workspace?.group_ids ?? [ALL_USERS],
    protection: protectionValues(workspace?.protection),
  };
}

export type WorkspaceFormOf = UseFormReturnType<ReturnType<typeof initial>>;

/** The server's names of fields, and where the form has them. */
const SERVER_FIELDS = {
  memory_bytes: 'memory',
  shm_size_bytes: 'shm',
  ...PROTECTION_FIELDS,
} as Record<string, string>;

function WorkspaceForm({ workspace }: { workspace?: Workspace }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const groups = useQuery(groupsQuery);
  const others = useQuery(workspacesQuery(true));
  const [busy, setBusy] = useState(false);
  const finished = useRef(false);
  const edge = (value: string) => (isEdge(value) ? null : t('protection.edgeFault'));
  const shownEdge = (value: string, { protection }: ReturnType<typeof initial>) =>
    protection.onlyShown ? edge(value) : null;
  const form = useForm({
    initialValues: initial(workspace),
    validateInputOnBlur: true,
    validate: {
      name: (value) => (value.trim() === '' ? t('common.required') : null),
      image: (value) => {
        const fault = imageFault(value);
        if (fault === 'empty') return t('workspaces.imageEmpty');
        if (fault === 'no-tag') return t('workspaces.imageNoTag', { image: value.trim() });
        return fault === 'malformed' ? t('workspaces.imageMalformed') : null;
      },
      environment: {
        key: (value) => (VARIABLE.test(value) ? null : t('workspaces.variableName')),
      },
      protection: {
        text: (value, { protection }) =>
          protection.watermark === 'text' && value.trim() === '' ? t('common.required') : null,
        png: (value, { protection }) =>
          protection.watermark === 'picture' && value === '' ? t('common.required') : null,
        blackOut: { left: edge, top: edge, right: edge, bottom: edge },
        shown: { left: shownEdge, top: shownEdge, right: shownEdge, bottom: shownEdge },
      },
    },
  });
  const categories = [...new Set((others.data ?? []).flatMap((w) => w.categories))].sort();

  function changed(next?: Workspace) {
    void client.invalidateQueries({ queryKey: ['workspaces'] });
    if (next) client.setQueryData(['workspace', next.id], next);
  }

  async function save() {
    const { memory, shm, environment, protection, ...rest } = form.getValues();
    const body: WorkspacePatch = {
      ...rest,
      image: rest.image.trim(),
      cores: Number(rest.cores),
      memory_bytes: Math.round(Number(memory) * MIB),
      shm_size_bytes: Math.round(Number(shm) * MIB),
      environment: Object.fromEntries(environment.map(({ key, value }) => [key, value])),
      protection: protectionOf(protection),
    };
    setBusy(true);
    try {
      if (workspace) {
        changed(await api.updateWorkspace(workspace.id, body));
        form.resetDirty();
        tell(t('common.saved'));
      } else {
        const made = await api.createWorkspace(body);
        changed(made);
        finished.current = true;
        tell(t('common.saved'));
        await navigate({ to: '/admin/workspaces/$id', params: { id: made.id }, replace: true });
      }
    } catch (error) {
      placeErrors(
        error,
        [
          ...Object.keys(rest),
          'memory_bytes',
          'shm_size_bytes',
          'environment',
          ...Object.keys(PROTECTION_FIELDS),
        ],
        (errors) =>
          form.setErrors(
            Object.fromEntries(
              Object.entries(errors).map(([name, text]) => [SERVER_FIELDS[name] ?? name, text]),
            ),
          ),
      );
    } finally {
      setBusy(false);
    }
  }

  function remove(target: Workspace) {
    confirmDelete({
      title: t('workspaces.deleteTitle', { name: target.name }),
      text: t('workspaces.deleteText'),
      confirm: t('common.delete'),
      instead: target.enabled
        ? {
            label: t('workspaces.disableInstead'),
            onChoose: () => {
              api.updateWorkspace(target.id, { enabled: false }).then((next) => {
                form.setFieldValue('enabled', false);
                changed(next);
                tell(t('common.saved'));
              }, showError);
            },
          }
        : undefined,
      onConfirm: () => {
        api.deleteWorkspace(target.id).then(() => {
          finished.current = true;
          changed();
          tell(t('common.deleted'));
          void navigate({ to: '/admin/workspaces' });
        }, showError);
      },
    });
  }

  return (
    <>
      <PageHead
        title={
          workspace ? t('workspaces.editTitle', { name: workspace.name }) : t('workspaces.new')
        }
      />
      <form className={classes.form} onSubmit={form.onSubmit(() => void save())} noValidate>
        <Stack>
          <Fieldset legend={t('workspaces.appearance')}>
            <Stack gap="sm">
              <TextInput
                label={t('common.name')}
                required
                maxLength={255}
                {...form.getInputProps('name')}
              />
              <Textarea
                label={t('common.description')}
                autosize
                minRows={2}
                {...form.getInputProps('description')}
              />
              <TagsInput
                label={t('workspaces.categories')}
                description={t('workspaces.categoriesHint')}
                data={categories}
                acceptValueOnBlur
                {...form.getInputProps('categories')}
              />
              <IconChoice
                value={form.getValues().icon}
                error={form.errors.icon}
                onChange={(icon) => form.setFieldValue('icon', icon)}
              />
              <Switch
                label={t('workspaces.enabled')}
                description={t('workspaces.enabledHint')}
                {...form.getInputProps('enabled', { type: 'checkbox' })}
              />
              <MultiSelect
                label={t('workspaces.groups')}
                searchable
                data={(groups.data ?? []).map((g) => ({ value: g.id, label: g.name }))}
                {...form.getInputProps('group_ids')}
              />
            </Stack>
          </Fieldset>
          <Fieldset legend={t('workspaces.container')}>
            <Stack gap="sm">
              <TextInput
                label={t('workspaces.image')}
                description={t('workspaces.imageHint')}
                required
                maxLength={384}
                spellCheck={false}
                autoCapitalize="none"
                {...form.getInputProps('image')}
              />
              <Group grow align="flex-start">
                <NumberInput
                  label={t('workspaces.cores')}
                  min={0.05}
                  max={1024}
                  step={0.5}
                  decimalScale={3}
                  {...form.getInputProps('cores')}
                />
                <NumberInput
                  label={t('workspaces.memoryUnit')}
                  min={16}
                  step={256}
                  allowDecimal={false}
                  {...form.getInputProps('memory')}
                />
              </Group>
              <NumberInput
                label={t('workspaces.shm')}
                description={t('workspaces.shmHint')}
                min={1}
                step={64}
                allowDecimal={false}
                {...form.getInputProps('shm')}
              />
              <FormList
                title={t('workspaces.environment')}
                hint={t('workspaces.environmentHint')}
                error={form.errors.environment}
                count={form.getValues().environment.length}
                row={(index) => (
                  <>
                    <TextInput
                      aria-label={`${t('workspaces.variable')} ${index + 1}`}
                      placeholder={t('workspaces.variable')}
                      flex={2}
                      spellCheck={false}
                      {...form.getInputProps(`environment.${index}.key`)}
                    />
                    <TextInput
                      aria-label={`${t('workspaces.value')} ${index + 1}`}
                      placeholder={t('workspaces.value')}
                      flex={3}
                      spellCheck={false}
                      {...form.getInputProps(`environment.${index}.value`)}
                    />
                  </>
                )}
                align="flex-start"
                removeLabel={(index) =>
                  t('workspaces.removeVariable', {
                    name: form.getValues().environment[index]?.key || index + 1,
                  })
                }
                onRemove={(index) => form.removeListItem('environment', index)}
                addLabel={t('workspaces.addVariable')}
                onAdd={() => form.insertListItem('environment', { key: '', value: '' })}
              />
            </Stack>
          </Fieldset>
          <ProtectionFields form={form} />
          <Group justify="space-between">
            <Group gap="xs">
              <Button type="submit" loading={busy}>
                {workspace ? t('common.save') : t('common.create')}
              </Button>
              <Button variant="default" onClick={() => void navigate({ to: '/admin/workspaces' })}>
                {t('common.back')}
              </Button>
            </Group>
            {workspace && (
              <Button color="red.8" onClick={() => remove(workspace)}>
                {t('common.delete')}
              </Button>
            )}
          </Group>
        </Stack>
      </form>
      <UnsavedGuard dirty={() => form.isDirty() && !finished.current} />
    </>
  );
}

function IconChoice(props: { value: string; error?: ReactNode; onChange(icon: string): void }) {
  const { t } = useTranslation();
  return (
    <div>
      <Text size="sm" fw={500} mb={4} id="icon-label">
        {t('workspaces.icon')}
      </Text>
      <div className={classes.icons} role="radiogroup" aria-labelledby="icon-label">
        {ICONS.map((icon) => (
          // biome-ignore lint/a11y/useSemanticElements: a picture as a choice; the input below takes any other
          <button
            key={icon}
            type="button"
            role="radio"
            className={classes.icon}
            aria-checked={props.value === icon}
            aria-label={icon.slice('/icons/'.length, -'.svg'.length)}
            onClick={() => props.onChange(icon)}
          >
            <WorkspaceIcon src={icon} size={32} />
          </button>
        ))}
      </div>
      <TextInput
        mt={6}
        label={t('workspaces.iconCustom')}
        spellCheck={false}
        value={props.value}
        error={props.error}
        onChange={(event) => props.onChange(event.currentTarget.value)}
      />
    </div>
  );
}
