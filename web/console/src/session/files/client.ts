/** A session's files at the gateway. */

import { api } from '@porthole/api';

/** What may go, each way. */
export interface Rights {
  upload: boolean;
  download: boolean;
}

/** Something in a folder. */
export interface Entry {
  name: string;
  /** For requests: percent-encoded bytes, below the home. */
  path: string;
  kind: 'file' | 'folder' | 'other';
  link: boolean;
  size: number;
  modified_ms: number;
}

export interface Listing {
  path: string;
  entries: Entry[];
  truncated: boolean;
}

/** The rule that refused a file. */
export interface Refusal {
  rule:
    | 'direction'
    | 'size'
    | 'name_denied'
    | 'name_not_allowed'
    | 'type_denied'
    | 'type_not_allowed';
  direction?: 'upload' | 'download';
  max?: number;
  pattern?: string;
  media_type?: string;
}

/** Where an upload stands. */
export interface Standing {
  offset: number;
  /** Set once it is whole. */
  path?: string;
}

/** An answer that is not a success; status 0 when there was none. */
export class FilesError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly refusal?: Refusal,
    readonly offset?: number,
  ) {
    super(message);
    this.name = 'FilesError';
  }
}

interface Problem {
  detail?: string;
  title?: string;
  refusal?: Refusal;
  offset?: number;
}

function errorOf(status: number, text: string): FilesError {
  let problem: Problem = {};
  try {
    problem = JSON.parse(text) as Problem;
  } catch {
    // A proxy's own page, or nothing.
  }
  const message = problem.detail ?? problem.title ?? `HTTP ${status}`;
  return new FilesError(status, message, problem.refusal, problem.offset);
}

/** Opens a session's files when they are first needed, and again when they were closed. */
export class FilesClient {
  private opening: Promise<Rights> | undefined;

  constructor(private readonly session: string) {}

  private url(rest: string): string {
    return `/gateway/v1/sessions/${this.session}/files${rest}`;
  }

  /** Opens the files and tells what may go. */
  open(): Promise<Rights> {
    this.opening ??= this.reopen().catch((error: unknown) => {
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }

  private async reopen(): Promise<Rights> {
    const { url, ticket, upload, download } = await api.connectFiles(this.session);
    const response = await fetch(url, { method: 'POST', body: JSON.stringify({ ticket }) });
    if (!response.ok) throw errorOf(response.status, await response.text());
    return { upload, download };
  }

  /** Asks; where the files were closed meanwhile they are opened again, once. */
  private async retried<T>(ask: () => Promise<T>): Promise<T> {
    await this.open();
    try {
      return await ask();
    } catch (error) {
      const closed = error instanceof FilesError && (error.status === 401 || error.status === 410);
      if (!closed) throw error;
      this.opening = undefined;
      await this.open();
      return ask();
    }
  }

  private request<T>(rest: string, init: RequestInit = {}): Promise<T> {
    return this.retried(async () => {
      const response = await fetch(this.url(rest), { cache: 'no-store', ...init });
      if (!response.ok) throw errorOf(response.status, await response.text());
      return (await response.json()) as T;
    });
  }

  list(path: string, signal?: AbortSignal): Promise<Listing> {
    return this.request(`/list?path=${path}`, { signal: signal ?? null });
  }

  offset(id: string): Promise<Standing> {
    return this.request(`/uploads/${id}`);
  }

  discard(id: string): Promise<Standing> {
    return this.request(`/uploads/${id}`, { method: 'DELETE' });
  }

  /** Sends a piece of an upload. */
  append(
    id: string,
    query: Record<string, string | number>,
    piece: Blob,
    progress: (bytes: number) => void,
    signal: AbortSignal,
  ): Promise<Standing> {
    const parameters = Object.entries(query).map(([name, value]) => `${name}=${value}`);
    const url = this.url(`/uploads/${id}?${parameters.join('&')}`);
    return this.retried(() => put(url, piece, progress, signal));
  }

  /** Asks whether a download may go, and lets the browser fetch it. */
  async download(kind: 'content' | 'archive', path: string): Promise<void> {
    await this.request(`/${kind}?path=${path}&check=1`);
    const link = document.createElement('a');
    link.href = this.url(`/${kind}?path=${path}`);
    link.download = '';
    link.click();
  }
}

/** `fetch` tells nothing of how far a body is sent. */
function put(
  url: string,
  piece: Blob,
  progress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Standing> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    request.open('PUT', url);
    request.upload.onprogress = (event) => progress(event.loaded);
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) {
        resolve(JSON.parse(request.responseText) as Standing);
      } else {
        reject(errorOf(request.status, request.responseText));
      }
    };
    request.onerror = () => reject(new FilesError(0, ''));
    request.onabort = () => reject(new DOMException('', 'AbortError'));
    request.onloadend = () => signal.removeEventListener('abort', abort);
    signal.addEventListener('abort', abort);
    if (signal.aborted) reject(new DOMException('', 'AbortError'));
    else request.send(piece);
  });
}
