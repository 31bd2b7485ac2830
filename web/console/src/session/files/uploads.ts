/** Uploads of a session: what is sent, how far it is, and what came of it. */

import { type FilesClient, FilesError, type Standing } from './client';
import type { Item } from './collect';

/** How much goes in one request, in bytes. */
const PIECE = 16 * 1024 * 1024;
/** What goes where a proxy takes no more: nginx without a word on it. In bytes. */
const SMALL_PIECE = 1024 * 1024;
/** Uploads under way at a time. */
const AT_ONCE = 2;
/** Failures in a row without any progress between them before it is left to the user. */
const TRIES = 6;
/** The first wait after a failure, in milliseconds; each next is twice as long. */
const WAIT = 500;

export type UploadState = 'waiting' | 'sending' | 'done' | 'failed' | 'cancelled';

export interface Upload {
  key: number;
  path: string;
  size: number;
  sent: number;
  state: UploadState;
  /** Where it is now, for people. */
  stored?: string;
  error?: unknown;
}

/** The browser cannot read the file any more: it was moved, changed or deleted since it was chosen. */
export class Unreadable extends Error {}

interface Job {
  item: Item;
  ending: AbortController;
}

/** A proxy that takes no such body says so, or just closes while it is still sent. */
function tooLarge(error: unknown): boolean {
  return error instanceof FilesError && (error.status === 413 || error.status === 0);
}

/** Final: trying again by itself would only fail again. */
function final(error: unknown): boolean {
  if (!(error instanceof FilesError)) return !(error instanceof TypeError);
  return ![0, 401, 408, 410, 413, 429, 502, 503, 504].includes(error.status);
}

export class Uploads {
  private list: readonly Upload[] = [];
  private readonly jobs = new Map<number, Job>();
  private readonly listeners = new Set<() => void>();
  private next = 1;
  private piece = PIECE;

  constructor(private readonly client: FilesClient) {}

  readonly snapshot = (): readonly Upload[] => this.list;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  get active(): boolean {
    return this.list.some(({ state }) => state === 'waiting' || state === 'sending');
  }

  add(items: readonly Item[]): void {
    for (const item of items) {
      const key = this.next++;
      this.jobs.set(key, { item, ending: new AbortController() });
      const { path, file } = item;
      this.list = [...this.list, { key, path, size: file.size, sent: 0, state: 'waiting' }];
    }
    this.tell();
    this.go();
  }

  cancel(key: number): void {
    const upload = this.list.find((one) => one.key === key);
    this.jobs.get(key)?.ending.abort();
    if (upload?.state === 'waiting') this.change(key, { state: 'cancelled' });
  }

  retry(key: number): void {
    const job = this.jobs.get(key);
    if (!job) return;
    job.ending = new AbortController();
    this.change(key, { state: 'waiting', error: undefined });
    this.go();
  }

  /** Takes what has ended off the list. */
  clear(): void {
    const ended = (state: UploadState) => state !== 'waiting' && state !== 'sending';
    for (const { key, state } of this.list) if (ended(state)) this.jobs.delete(key);
    this.list = this.list.filter(({ state }) => !ended(state));
    this.tell();
  }

  private tell() {
    for (const listener of this.listeners) listener();
  }

  private change(key: number, change: Partial<Upload>) {
    this.list = this.list.map((one) => (one.key === key ? { ...one, ...change } : one));
    this.tell();
  }

  private go() {
    while (this.list.filter(({ state }) => state === 'sending').length < AT_ONCE) {
      const waiting = this.list.find(({ state }) => state === 'waiting');
      const job = waiting && this.jobs.get(waiting.key);
      if (!job) return;
      this.change(waiting.key, { state: 'sending' });
      void this.run(waiting.key, job).finally(() => this.go());
    }
  }

  private async run(key: number, { item, ending }: Job) {
    const id = await uploadId(item);
    try {
      const stored = await this.send(key, id, item, ending.signal);
      this.change(key, { state: 'done', sent: item.file.size, stored: readable(stored) });
    } catch (error) {
      if (!ending.signal.aborted) {
        this.change(key, { state: 'failed', error });
        return;
      }
      this.change(key, { state: 'cancelled' });
      // Where this does not arrive, the session removes what is there after a day.
      await this.client.discard(id).catch(() => {});
    }
  }

  private async send(key: number, id: string, { file, path }: Item, signal: AbortSignal) {
    const query = {
      path: path.split('/').map(encodeURIComponent).join('/'),
      size: file.size,
      modified: file.lastModified,
    };
    let failures = 0;
    let offset: number | undefined;
    for (;;) {
      try {
        offset ??= await this.begin(id, file.size);
        const from: number = offset;
        this.change(key, { sent: from });
        const piece = file.slice(from, from + this.piece);
        const progress = (bytes: number) => this.change(key, { sent: from + bytes });
        const standing: Standing = await this.client.append(
          id,
          { ...query, offset: from },
          piece,
          progress,
          signal,
        );
        if (standing.path !== undefined) return standing.path;
        failures = standing.offset > from ? 0 : failures + 1;
        offset = standing.offset;
      } catch (error) {
        if (signal.aborted) throw error;
        // A request breaks off in the same way, whichever end it is that fails.
        if (error instanceof FilesError && error.status === 0) await checkReadable(file);
        const elsewhere = error instanceof FilesError && error.status === 409;
        if (tooLarge(error)) this.piece = SMALL_PIECE;
        failures += 1;
        if ((final(error) && !elsewhere) || failures >= TRIES) throw error;
        // Where it stands is asked anew.
        offset = undefined;
        await pause(WAIT * 2 ** (failures - 1), signal);
      }
      if (failures >= TRIES) throw new FilesError(0, '');
    }
  }

  /** How much of it is there; of another file that had its name, nothing. */
  private async begin(id: string, size: number): Promise<number> {
    const { offset } = await this.client.offset(id);
    if (offset <= size) return offset;
    return (await this.client.discard(id)).offset;
  }
}

async function checkReadable(file: File): Promise<void> {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    throw new Unreadable();
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new DOMException('', 'AbortError'));
    });
  });
}

/** The same file gets the same id, so that its upload goes on after the page was left. */
async function uploadId({ file, path }: Item): Promise<string> {
  const what = `${path}\n${file.size}\n${file.lastModified}`;
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(what));
  return [...new Uint8Array(digest).slice(0, 16)]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}

/** A path from the gateway for people. */
export function readable(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // Bytes that are no UTF-8.
    return path;
  }
}
