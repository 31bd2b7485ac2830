/** Live news from the server by server-sent events, put into the query cache. */

import { api, type Session } from '@porthole/api';
import type { QueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';

const RETRY_FIRST = 1_000;
const RETRY_LONGEST = 15_000;

/** Sessions that are gone, with the reason, for pages that still show them. */
const gone = new Map<string, string>();
const listeners = new Set<() => void>();
let live = true;

function notify(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Why a session is gone; undefined while it is not. */
export function useGone(id: string): string | undefined {
  return useSyncExternalStore(subscribe, () => gone.get(id));
}

/** Whether news arrive. */
export function useLive(): boolean {
  return useSyncExternalStore(subscribe, () => live);
}

/** Puts a session as it is now wherever it is shown. */
export function noteSession(client: QueryClient, session: Session): void {
  client.setQueryData(['session', session.id], session);
  for (const list of ['own', 'all']) {
    client.setQueryData<Session[]>(['sessions', list], (old) => {
      if (!old) return old;
      const at = old.findIndex((s) => s.id === session.id);
      if (at >= 0) return old.with(at, session);
      const mine = client.getQueryData<{ user: { id: string } }>(['me'])?.user.id;
      return list === 'all' || session.user.id === mine ? [session, ...old] : old;
    });
  }
}

/** Removes a session wherever it is shown. */
export function noteGone(client: QueryClient, id: string, reason: string): void {
  gone.set(id, reason);
  for (const list of ['own', 'all']) {
    client.setQueryData<Session[]>(['sessions', list], (old) => old?.filter((s) => s.id !== id));
  }
  notify();
}

/** Listens until the returned function is called. Reads everything anew after each gap. */
export function listen(client: QueryClient, all: boolean): () => void {
  let source: EventSource | undefined;
  let timer: number | undefined;
  let wait = RETRY_FIRST;
  let gap = false;
  let over = false;

  const read = <T>(event: Event): T | undefined => {
    try {
      return JSON.parse((event as MessageEvent<string>).data) as T;
    } catch {
      return undefined;
    }
  };
  const setLive = (now: boolean) => {
    if (live === now) return;
    live = now;
    notify();
  };
  const relist = () => void client.invalidateQueries({ queryKey: ['workspaces', 'own'] });
  const open = () => {
    source = new EventSource(api.eventsUrl(all));
    source.addEventListener('open', () => {
      wait = RETRY_FIRST;
      setLive(true);
      if (gap) void client.invalidateQueries();
      gap = false;
    });
    source.addEventListener('session', (event) => {
      const session = read<Session>(event);
      if (!session) return;
      const before = client.getQueryData<Session>(['session', session.id])?.state;
      noteSession(client, session);
      // What can be launched depends on how many sessions one has.
      if (before !== session.state) relist();
    });
    source.addEventListener('session_gone', (event) => {
      const data = read<{ id: string; reason?: string }>(event);
      if (data) noteGone(client, data.id, data.reason ?? 'unknown');
      relist();
    });
    source.addEventListener('workspaces', () => {
      void client.invalidateQueries({ queryKey: ['workspaces'] });
    });
    source.addEventListener('agents', () => {
      void client.invalidateQueries({ queryKey: ['agents'] });
    });
    source.addEventListener('error', () => {
      source?.close();
      if (over) return;
      gap = true;
      // The browser tells of no status; an expired login shows by the next ordinary call.
      void client.invalidateQueries({ queryKey: ['me'] });
      timer = window.setTimeout(() => {
        setLive(false);
        open();
      }, wait);
      wait = Math.min(wait * 2, RETRY_LONGEST);
    });
  };
  open();
  return () => {
    over = true;
    clearTimeout(timer);
    source?.close();
  };
}
