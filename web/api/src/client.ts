/** One function for each call of the v1 API that the console makes. */

import { ApiError, errorOf } from './error';
import type {
  Agent,
  AgentCreated,
  Connect,
  Group,
  Me,
  Page,
  Session,
  SessionRequest,
  User,
  UserCreate,
  UserPatch,
  Workspace,
  WorkspaceWrite,
} from './types';

type Query = Record<string, string | number | boolean | undefined>;

async function call<T>(
  method: string,
  path: string,
  options: { body?: unknown; query?: Query; signal?: AbortSignal } = {},
): Promise<T> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options.query ?? {})) {
    if (value !== undefined && value !== '') query.set(name, String(value));
  }
  const tail = query.size > 0 ? `?${query}` : '';
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}${tail}`, {
      method,
      credentials: 'same-origin',
      headers: {
        accept: 'application/json',
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      signal: options.signal,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, { title: 'unreachable' });
  }
  const text = await response.text();
  let data: unknown;
  try {
    data = text === '' ? undefined : JSON.parse(text);
  } catch {
    data = undefined;
  }
  if (!response.ok) throw await errorOf(response, data);
  return data as T;
}

const get = <T>(path: string, query?: Query, signal?: AbortSignal) =>
  call<T>('GET', path, { query, signal });
const post = <T>(path: string, body?: unknown, signal?: AbortSignal) =>
  call<T>('POST', path, { body, signal });
const patch = <T>(path: string, body: unknown) => call<T>('PATCH', path, { body });
const remove = (path: string) => call<void>('DELETE', path);

/** What a list may be asked for. */
export interface ListQuery extends Query {
  limit?: number;
  cursor?: string;
  search?: string;
  all?: boolean;
}

async function everything<T>(path: string, query: ListQuery): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const page: Page<T> = await get<Page<T>>(path, { limit: 200, ...query, cursor });
    items.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined && items.length < 10_000);
  return items;
}

export const api = {
  login: (username: string, password: string) =>
    post<{ user: { id: string } }>('/auth/login', { username, password }),
  tokenLogin: (token: string) => post<unknown>('/auth/token-login', { token }),
  logout: () => post<void>('/auth/logout'),
  logoutEverywhere: () => post<void>('/auth/logout-everywhere'),
  changePassword: (current_password: string, new_password: string) =>
    post<void>('/auth/password', { current_password, new_password }),
  me: () => get<Me>('/me'),

  sessions: (all = false) => everything<Session>('/sessions', all ? { all } : {}),
  session: (id: string, signal?: AbortSignal) => get<Session>(`/sessions/${id}`, undefined, signal),
  createSession: (request: SessionRequest) => post<Session>('/sessions', request),
  sessionAction: (id: string, action: 'stop' | 'resume' | 'extend' | 'retry') =>
    post<Session>(`/sessions/${id}/${action}`),
  deleteSession: (id: string) => remove(`/sessions/${id}`),
  connect: (id: string, signal?: AbortSignal) =>
    post<Connect>(`/sessions/${id}/connect`, undefined, signal),
  thumbnail: async (id: string, width: number, height: number, signal: AbortSignal) => {
    const response = await fetch(
      `/api/v1/sessions/${id}/thumbnail?width=${width}&height=${height}`,
      { signal, cache: 'no-store' },
    );
    if (!response.ok) throw await errorOf(response);
    return response.blob();
  },
  eventsUrl: (all: boolean) => `/api/v1/events${all ? '?all=true' : ''}`,

  workspaces: (all = false) => everything<Workspace>('/workspaces', all ? { all } : {}),
  workspace: (id: string) => get<Workspace>(`/workspaces/${id}`),
  createWorkspace: (body: WorkspaceWrite) => post<Workspace>('/workspaces', body),
  updateWorkspace: (id: string, body: Partial<WorkspaceWrite>) =>
    patch<Workspace>(`/workspaces/${id}`, body),
  deleteWorkspace: (id: string) => remove(`/workspaces/${id}`),

  users: () => everything<User>('/users', {}),
  user: (id: string) => get<User>(`/users/${id}`),
  createUser: (body: UserCreate) => post<User>('/users', body),
  updateUser: (id: string, body: UserPatch) => patch<User>(`/users/${id}`, body),
  /** With the user's sessions. */
  deleteUser: (id: string) => remove(`/users/${id}?force=true`),
  logoutUser: (id: string) => post<undefined>(`/users/${id}/logout`),
  groups: () => everything<Group>('/groups', {}),

  agents: () => everything<Agent>('/agents', {}),
  createAgent: (name: string) => post<AgentCreated>('/agents', { name }),
  updateAgent: (id: string, body: { name?: string; enabled?: boolean }) =>
    patch<Agent>(`/agents/${id}`, body),
  deleteAgent: (id: string) => remove(`/agents/${id}`),

  openapi: () => get<unknown>('/openapi.json'),
};
