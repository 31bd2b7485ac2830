import { Anchor, Badge, Button, Group, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { bytes, cores } from '../lib/format';
import { WorkspaceIcon } from '../lib/icon';
import { workspacesQuery } from '../lib/queries';
import { PageHead } from './page-head';
import { DataTable } from './table';

export function WorkspacesPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const workspaces = useQuery(workspacesQuery(true));
  return (
    <>
      <PageHead
        title={t('admin.workspaces')}
        error={workspaces.error}
        onRetry={() => void workspaces.refetch()}
        action={
          <Button
            component={Link}
            to="/admin/workspaces/new"
            leftSection={<IconPlus size={16} aria-hidden />}
          >
            {t('workspaces.new')}
          </Button>
        }
      />
      <DataTable
        name="workspaces"
        label={t('admin.workspaces')}
        rows={workspaces.data}
        id={(w) => w.id}
        text={(w) => [w.name, w.image, w.description, ...w.categories].join(' ')}
        searchLabel={t('workspaces.search')}
        onOpen={(w) => void navigate({ to: '/admin/workspaces/$id', params: { id: w.id } })}
        columns={[
          {
            key: 'name',
            title: t('common.name'),
            by: (w) => w.name,
            cell: (w) => (
              <Group gap="sm" wrap="nowrap">
                <WorkspaceIcon src={w.icon} size={26} />
                <Anchor component={Link} to={`/admin/workspaces/${w.id}`} size="sm">
                  {w.name}
                </Anchor>
              </Group>
            ),
          },
          {
            key: 'image',
            title: t('workspaces.image'),
            by: (w) => w.image,
            cell: (w) => <span className="mono">{w.image}</span>,
          },
          {
            key: 'categories',
            title: t('workspaces.categories'),
            by: (w) => w.categories.join(', '),
            cell: (w) => w.categories.join(', ') || '–',
          },
          {
            key: 'cores',
            title: t('workspaces.cores'),
            by: (w) => w.cores,
            cell: (w) => cores(w.cores),
          },
          {
            key: 'memory',
            title: t('workspaces.memory'),
            by: (w) => w.memory_bytes,
            cell: (w) => bytes(w.memory_bytes),
          },
          {
            key: 'state',
            title: t('workspaces.state'),
            by: (w) => Number(w.enabled),
            cell: (w) => (
              <div>
                <Badge color={w.enabled ? 'teal.9' : 'gray.7'} variant="filled" size="sm" tt="none">
                  {w.enabled ? t('workspaces.on') : t('workspaces.off')}
                </Badge>
                {w.enabled && !w.available && w.unavailable_reason && (
                  <Text size="xs" c="var(--mantine-color-error)" maw={260}>
                    {w.unavailable_reason}
                  </Text>
                )}
              </div>
            ),
          },
        ]}
      />
    </>
  );
}
