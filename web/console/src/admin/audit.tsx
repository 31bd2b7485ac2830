import { Anchor, Badge, Button, Center, Group, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import type { AuditEvent } from '@porthole/api';
import { IconDownload, IconSearch, IconUpload } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { bytes, exact, moment } from '../lib/format';
import { auditQuery } from '../lib/queries';
import { PageHead } from './page-head';
import { Rows } from './rows';

const COLORS: Record<AuditEvent['details']['outcome'], string> = {
  completed: 'teal.9',
  refused: 'red.8',
  cancelled: 'gray.7',
  interrupted: 'gray.7',
  failed: 'red.8',
};

const ICONS = { upload: IconUpload, download: IconDownload };

/** Who did what, newest first. Searched and paged by the server: it grows for ever. */
export function AuditPage() {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const [search] = useDebouncedValue(text.trim(), 250);
  const log = useInfiniteQuery(auditQuery(search));
  const parts = log.data?.pages;
  // What happens between two parts moves the second one on.
  const events = parts && [
    ...new Map(parts.flatMap((part) => part.items).map((event) => [event.id, event])).values(),
  ];
  const count = parts?.at(-1)?.total ?? 0;
  return (
    <>
      <PageHead
        title={t('admin.audit')}
        error={log.error}
        onRetry={() => void log.refetch()}
        action={
          <Button
            variant="default"
            size="xs"
            loading={log.isRefetching}
            onClick={() => void log.refetch()}
          >
            {t('audit.refresh')}
          </Button>
        }
      />
      <Group mb="sm" gap="sm">
        <TextInput
          type="search"
          aria-label={t('audit.search')}
          placeholder={t('audit.search')}
          leftSection={<IconSearch size={16} aria-hidden />}
          w={{ base: '100%', xs: 320 }}
          maxLength={128}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Text size="sm" c="dimmed" ml="auto" role="status">
          {parts ? t('admin.rows', { count }) : ''}
        </Text>
      </Group>
      <Rows
        label={t('admin.audit')}
        rows={events}
        id={(event) => event.id}
        empty={search === '' ? t('admin.empty') : t('common.nothingFound', { query: search })}
        columns={[
          {
            key: 'at',
            title: t('audit.at'),
            cell: (event) => <span title={exact(event.at)}>{moment(event.at)}</span>,
          },
          {
            key: 'user',
            title: t('sessions.user'),
            cell: (event) => (
              <Anchor component={Link} to={`/admin/users/${event.user_id}`} size="sm">
                {event.username}
              </Anchor>
            ),
          },
          {
            key: 'workspace',
            title: t('sessions.workspace'),
            cell: (event) => event.workspace_name ?? '–',
          },
          {
            key: 'event',
            title: t('audit.event'),
            cell: ({ details }) => {
              const Icon = ICONS[details.direction];
              return (
                <Group gap={6} wrap="nowrap">
                  <Icon size={15} aria-hidden />
                  {t(`audit.${details.direction}`)}
                </Group>
              );
            },
          },
          {
            key: 'target',
            title: t('audit.target'),
            cell: ({ target, details }) => (
              <div style={{ overflowWrap: 'anywhere' }}>
                {target}
                <Text size="xs" c="dimmed">
                  {[bytes(details.size), details.media_type].filter(Boolean).join(' · ')}
                </Text>
              </div>
            ),
          },
          {
            key: 'outcome',
            title: t('audit.outcome'),
            cell: ({ details }) => (
              <div>
                <Badge color={COLORS[details.outcome]} variant="filled" size="sm" tt="none">
                  {t(`audit.${details.outcome}`)}
                </Badge>
                {details.reason && (
                  <Text size="xs" c="dimmed" maw={280}>
                    {details.reason}
                  </Text>
                )}
              </div>
            ),
          },
        ]}
      />
      {log.hasNextPage && (
        <Center mt="sm">
          <Button
            variant="default"
            size="xs"
            loading={log.isFetchingNextPage}
            onClick={() => void log.fetchNextPage()}
          >
            {t('audit.older')}
          </Button>
        </Center>
      )}
    </>
  );
}
