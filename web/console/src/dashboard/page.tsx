import { Button, Group, Kbd, Skeleton, Stack, Text, TextInput, Title } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import type { Workspace } from '@porthole/api';
import { IconSearch } from '@tabler/icons-react';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { errorText } from '../lib/error-text';
import { type LaunchOptions, launchOptions } from '../lib/preferences';
import { meQuery, sessionsQuery, workspacesQuery } from '../lib/queries';
import { useRemembered } from '../lib/use-remembered';
import { arrange, matches } from './arrange';
import classes from './dashboard.module.css';
import { LaunchOptionsDialog } from './launch-options';
import { SessionCard } from './session-card';
import { WorkspaceTile } from './workspace-tile';

export function DashboardPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { data: me } = useSuspenseQuery(meQuery);
  const sessions = useQuery(sessionsQuery(false));
  const workspaces = useQuery(workspacesQuery(false));
  const [search, setSearch] = useState('');
  const [choosing, setChoosing] = useState<Workspace>();
  const [kept, keep] = useRemembered<string[]>(`favourites-${me.user.id}`, []);
  const favourites = useMemo(() => new Set(kept), [kept]);
  const field = useRef<HTMLInputElement>(null);

  useHotkeys([['/', () => field.current?.focus()]]);
  useEffect(() => {
    document.title = `${t('shell.dashboard')} · Porthole`;
    // The viewer is fetched while the user looks around, so that a click finds it here.
    const timer = window.setTimeout(() => void import('../session/page').catch(() => {}), 1500);
    return () => window.clearTimeout(timer);
  }, [t]);

  const found = (workspaces.data ?? []).filter((w) => matches(w, search.trim()));
  const shelves = arrange(found, favourites, {
    favourites: t('dashboard.favourites'),
    other: t('dashboard.other'),
  });

  function launch(workspace: Workspace, options?: LaunchOptions) {
    const { newTab, size } = options ?? launchOptions(me.user.id, workspace.id);
    const query = { workspace: workspace.id, ...(size === 'window' ? {} : { size }) };
    setChoosing(undefined);
    if (newTab) window.open(`/session/new?${new URLSearchParams(query)}`, '_blank', 'noopener');
    else void navigate({ to: '/session/new', search: query });
  }

  function toggle(id: string) {
    keep(favourites.has(id) ? kept.filter((f) => f !== id) : [...kept, id]);
  }

  // What runs comes first; the sort keeps the server's order within.
  const own = (sessions.data ?? []).toSorted(
    (a, b) => Number(b.state === 'running') - Number(a.state === 'running'),
  );
  return (
    <div className={classes.page}>
      <h1 className="visually-hidden">{t('shell.dashboard')}</h1>
      {sessions.isPending && (
        <div className={classes.sessions} style={{ marginBottom: 28 }} aria-hidden>
          <Skeleton height={220} radius={12} />
        </div>
      )}
      {sessions.isError && <Failed error={sessions.error} retry={() => void sessions.refetch()} />}
      {own.length > 0 && (
        <section aria-labelledby="sessions-title" style={{ marginBottom: 28 }}>
          <Title order={2} size="h4" mb="sm" id="sessions-title">
            {t('dashboard.sessions')}
          </Title>
          <div className={classes.sessions}>
            {own.map((session) => (
              <SessionCard key={session.id} session={session} />
            ))}
          </div>
        </section>
      )}
      <section aria-labelledby="workspaces-title">
        <Group justify="space-between" mb="sm">
          <Title order={2} size="h4" id="workspaces-title">
            {t('dashboard.workspaces')}
          </Title>
          <TextInput
            ref={field}
            type="search"
            aria-label={t('dashboard.searchPlaceholder')}
            placeholder={t('dashboard.searchPlaceholder')}
            leftSection={<IconSearch size={16} aria-hidden />}
            rightSection={search === '' ? <Kbd size="xs">/</Kbd> : null}
            w={{ base: '100%', xs: 280 }}
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === 'Escape') setSearch('');
              const [only] = found;
              if (event.key === 'Enter' && found.length === 1 && only?.available) launch(only);
            }}
          />
        </Group>
        {workspaces.isPending && (
          <div className={classes.tiles} aria-hidden>
            {[1, 2, 3, 4, 5].map((n) => (
              <Skeleton key={n} height={96} radius={12} />
            ))}
          </div>
        )}
        {workspaces.isError && (
          <Failed error={workspaces.error} retry={() => void workspaces.refetch()} />
        )}
        {workspaces.data?.length === 0 && (
          <Stack gap={4} py="xl" align="center">
            <Text fw={600}>{t('dashboard.noWorkspaces')}</Text>
            <Text c="dimmed" ta="center">
              {me.is_admin ? t('dashboard.noWorkspacesAdmin') : t('dashboard.noWorkspacesAdvice')}
            </Text>
          </Stack>
        )}
        {workspaces.data && workspaces.data.length > 0 && found.length === 0 && (
          <Text c="dimmed" py="xl" ta="center" role="status">
            {t('common.nothingFound', { query: search })}
          </Text>
        )}
        {shelves.map((shelf) => (
          <div key={shelf.title} style={{ marginBottom: 20 }}>
            <Title order={3} size="sm" c="dimmed" mb={8}>
              {shelf.title}
            </Title>
            <div className={classes.tiles}>
              {shelf.workspaces.map((workspace) => (
                <WorkspaceTile
                  key={workspace.id}
                  workspace={workspace}
                  favourite={favourites.has(workspace.id)}
                  onFavourite={() => toggle(workspace.id)}
                  onLaunch={() => launch(workspace)}
                  onOptions={() => setChoosing(workspace)}
                />
              ))}
            </div>
          </div>
        ))}
      </section>
      {choosing && (
        <LaunchOptionsDialog
          user={me.user.id}
          workspace={choosing}
          onClose={() => setChoosing(undefined)}
          onLaunch={(options) => launch(choosing, options)}
        />
      )}
    </div>
  );
}

function Failed({ error, retry }: { error: unknown; retry(): void }) {
  const { t } = useTranslation();
  return (
    <Stack align="flex-start" gap="xs" mb="lg" role="alert">
      <Text>{errorText(error)}</Text>
      <Button variant="default" size="xs" onClick={retry}>
        {t('common.retry')}
      </Button>
    </Stack>
  );
}
