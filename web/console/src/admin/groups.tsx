import { Anchor, Badge, Button, Group as Row } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { groupsQuery } from '../lib/queries';
import { PageHead } from './page-head';
import { DataTable } from './table';

export function GroupsPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const groups = useQuery(groupsQuery);
  return (
    <>
      <PageHead
        title={t('admin.groups')}
        error={groups.error}
        onRetry={() => void groups.refetch()}
        action={
          <Button
            component={Link}
            to="/admin/groups/new"
            leftSection={<IconPlus size={16} aria-hidden />}
          >
            {t('groups.new')}
          </Button>
        }
      />
      <DataTable
        name="groups"
        label={t('admin.groups')}
        rows={groups.data}
        id={(group) => group.id}
        text={(group) => `${group.name} ${group.description}`}
        searchLabel={t('groups.search')}
        onOpen={(group) => void navigate({ to: '/admin/groups/$id', params: { id: group.id } })}
        columns={[
          {
            key: 'priority',
            title: t('groups.priority'),
            by: (group) => group.priority,
            cell: (group) => group.priority,
          },
          {
            key: 'name',
            title: t('groups.name'),
            by: (group) => group.name,
            cell: (group) => (
              <Row gap="xs">
                <Anchor component={Link} to={`/admin/groups/${group.id}`} size="sm">
                  {group.name}
                </Anchor>
                {group.system && (
                  <Badge variant="default" size="sm" tt="none">
                    {t('groups.builtIn')}
                  </Badge>
                )}
              </Row>
            ),
          },
          {
            key: 'description',
            title: t('groups.description'),
            by: (group) => group.description,
            cell: (group) => group.description || '–',
          },
          {
            key: 'members',
            title: t('groups.members'),
            by: (group) => group.members,
            cell: (group) => group.members,
          },
        ]}
      />
    </>
  );
}
