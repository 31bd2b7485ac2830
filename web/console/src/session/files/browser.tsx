import { ActionIcon, Button, Group, Loader, Text } from '@mantine/core';
import {
  IconArrowUp,
  IconDownload,
  IconFile,
  IconFileZip,
  IconFolder,
  IconRefresh,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { showError } from '../../lib/errors';
import { bytes } from '../../lib/format';
import { type Entry, type FilesClient, FilesError } from './client';
import classes from './files.module.css';
import { whyNot } from './refusal';
import { readable } from './uploads';

/** Folders first, then by name; hidden ones are left out. */
function arranged(entries: readonly Entry[]): Entry[] {
  const order = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
  const rank = (entry: Entry) => (entry.kind === 'folder' ? 0 : 1);
  return entries
    .filter(({ name, kind }) => !name.startsWith('.') && kind !== 'other')
    .sort((a, b) => rank(a) - rank(b) || order.compare(a.name, b.name));
}

/** The session's files below its home, to be downloaded. */
export function Browser({ session, client }: { session: string; client: FilesClient }) {
  const { t } = useTranslation();
  const [path, setPath] = useState('Downloads');
  const [busy, setBusy] = useState<string>();
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: ['files', session, path],
    queryFn: ({ signal }) => client.list(path, signal),
    staleTime: 0,
    retry: false,
  });
  const missing = error instanceof FilesError && error.status === 404;
  const entries = error ? [] : arranged(data?.entries ?? []);
  const above = path.split('/').slice(0, -1).join('/');
  const name = path === '' ? t('files.home') : readable(path);

  async function download(kind: 'content' | 'archive', what: string) {
    setBusy(what);
    try {
      await client.download(kind, what);
    } catch (error) {
      showError(new Error(whyNot(error)));
    } finally {
      setBusy(undefined);
    }
  }

  return (
    <div className={classes.browser}>
      <Group gap={4} px={6} py={4} wrap="nowrap" bg="var(--mantine-color-default-hover)">
        <ActionIcon
          size="sm"
          disabled={path === ''}
          aria-label={t('files.up')}
          onClick={() => setPath(above)}
        >
          <IconArrowUp size={15} />
        </ActionIcon>
        <Text size="sm" fw={550} truncate className={classes.name} title={name}>
          {name}
        </Text>
        <ActionIcon size="sm" aria-label={t('files.refresh')} onClick={() => void refetch()}>
          {isFetching ? <Loader size={13} /> : <IconRefresh size={15} />}
        </ActionIcon>
        <ActionIcon
          size="sm"
          aria-label={t('files.zip', { name })}
          disabled={entries.length === 0}
          loading={busy === path}
          onClick={() => void download('archive', path)}
        >
          <IconFileZip size={15} />
        </ActionIcon>
      </Group>
      <ul className={classes.entries} aria-label={t('files.entries', { name })}>
        {entries.map((entry) => (
          <li key={entry.path} className={classes.row}>
            <button
              type="button"
              className={classes.open}
              aria-label={
                entry.kind === 'folder'
                  ? t('files.openFolder', { name: entry.name })
                  : t('files.download', { name: entry.name })
              }
              disabled={busy === entry.path}
              onClick={() =>
                entry.kind === 'folder' ? setPath(entry.path) : void download('content', entry.path)
              }
            >
              {entry.kind === 'folder' ? (
                <IconFolder size={16} style={{ flexShrink: 0 }} aria-hidden />
              ) : (
                <IconFile size={16} style={{ flexShrink: 0 }} aria-hidden />
              )}
              <Text size="sm" truncate className={classes.name} title={entry.name}>
                {entry.name}
              </Text>
              {entry.kind === 'file' && (
                <>
                  <Text size="xs" c="dimmed" style={{ flexShrink: 0 }}>
                    {bytes(entry.size)}
                  </Text>
                  <IconDownload size={14} style={{ flexShrink: 0 }} aria-hidden />
                </>
              )}
            </button>
          </li>
        ))}
      </ul>
      {entries.length === 0 && !isFetching && (
        <Text size="xs" c="dimmed" px={10} pb={8}>
          {error && !missing ? whyNot(error) : t('files.empty')}
        </Text>
      )}
      {data?.truncated && (
        <Text size="xs" c="dimmed" px={10} pb={8}>
          {t('files.truncated')}
        </Text>
      )}
      {path === 'Downloads' && (
        <Button variant="subtle" size="compact-xs" m={4} onClick={() => setPath('')}>
          {t('files.toHome')}
        </Button>
      )}
    </div>
  );
}
