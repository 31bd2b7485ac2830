import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { FilesClient, type Rights } from './client';
import { type Upload, Uploads } from './uploads';

export interface FilesView {
  client: FilesClient;
  uploads: Uploads;
  list: readonly Upload[];
  /** Known once the files were opened. */
  rights: Rights | undefined;
  error: unknown;
}

interface Files {
  client: FilesClient;
  uploads: Uploads;
}

/** What goes on when the session's page is left and opened again. */
const all = new Map<string, Files>();

function filesOf(session: string): Files {
  let files = all.get(session);
  if (!files) {
    const client = new FilesClient(session);
    files = { client, uploads: new Uploads(client) };
    all.set(session, files);
  }
  return files;
}

/** A session's files; opened when `needed`. */
export function useFiles(session: string, needed: boolean): FilesView {
  const { client, uploads } = useMemo(() => filesOf(session), [session]);
  const list = useSyncExternalStore(uploads.subscribe, uploads.snapshot);
  const { data: rights, error } = useQuery({
    queryKey: ['files', session],
    queryFn: () => client.open(),
    enabled: needed,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const { active } = uploads;
  useEffect(() => {
    if (!active) return;
    // The browser asks whether to leave.
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, [active]);
  return { client, uploads, list, rights, error };
}
