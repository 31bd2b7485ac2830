/** One function for each call of the v1 API that the console makes, typed by its description. */

import createClient from 'openapi-fetch';
import { ApiError, errorOf } from './error';
import type { paths } from './schema';
import type {
  Agent,
  AgentPatch,
  GroupPatch,
  NewUser,
  Session,
  SessionRequest,
  StreamStatistics,
  User,
  UserPatch,
  Workspace,
  WorkspacePatch,
} from './types';

const client = createClient<paths>({ credentials: 'same-origin' });

interface Outcome<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The answer's body; anything but a success becomes an `ApiError`. */
async function done<T>(answer: Promise<Outcome<T>>): Promise<T> {
  let outcome: Outcome<T>;
  try {
    outcome = await answer;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, { title: 'unreachable' });
  }
  const { data, error, response } = outcome;
  if (!response.ok) throw errorOf(response, error);
  return data as T;
}

/** The largest part of a list that one call gives. */
const PART = 200;
/** More than this is for a search on the server, not for a page. */
const ENOUGH = 10_000;

interface Part<T> {
  items: T[];
  next_cursor?: string | null;
}

async function everything<T>(
  part: (query: { limit: number; cursor?: string }) => Promise<Part<T>>,
): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await part({ limit: PART, cursor });
    items.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined && items.length < ENOUGH);
  return items;
}

const at = (id: string) => ({ params: { path: { id } } });

export const api = {
  login: (username: string, password: string) =>
    done(client.POST('/api/v1/auth/login', { body: { username, password } })),
  tokenLogin: (token: string) => done(client.POST('/api/v1/auth/token-login', { body: { token } })),
  logout: () => done(client.POST('/api/v1/auth/logout')),
  logoutEverywhere: () => done(client.POST('/api/v1/auth/logout-everywhere')),
  changePassword: (current_password: string, new_password: string) =>
    done(client.POST('/api/v1/auth/password', { body: { current_password, new_password } })),
  me: () => done(client.GET('/api/v1/me')),

  sessions: (all = false) =>
    everything<Session>((query) =>
      done(client.GET('/api/v1/sessions', { params: { query: { ...query, all } } })),
    ),
  session: (id: string, signal?: AbortSignal): Promise<Session> =>
    done(client.GET('/api/v1/sessions/{id}', { ...at(id), signal })),
  createSession: (body: SessionRequest) => done(client.POST('/api/v1/sessions', { body })),
  sessionAction: (id: string, action: 'stop' | 'resume' | 'extend' | 'retry') =>
    done(client.POST(`/api/v1/sessions/{id}/${action}`, at(id))),
  deleteSession: (id: string) => done(client.DELETE('/api/v1/sessions/{id}', at(id))),
  /** `asked`: the answer to the same call, where it was made already. */
  connect: (id: string, signal?: AbortSignal, asked?: Promise<Response>) =>
    done(
      client.POST('/api/v1/sessions/{id}/connect', {
        ...at(id),
        signal,
        ...(asked && { fetch: () => asked }),
      }),
    ),
  connectFiles: (id: string) => done(client.POST('/api/v1/sessions/{id}/files', at(id))),
  /** Goes on when the page is left. */
  noteStatistics: (id: string, body: StreamStatistics) =>
    done(client.POST('/api/v1/sessions/{id}/statistics', { ...at(id), body, keepalive: true })),
  thumbnail: (id: string, width: number, height: number, signal: AbortSignal): Promise<Blob> =>
    done(
      client.GET('/api/v1/sessions/{id}/thumbnail', {
        params: { path: { id }, query: { width, height } },
        parseAs: 'blob',
        cache: 'no-store',
        signal,
      }),
    ),
  eventsUrl: (all: boolean) => `/api/v1/events${all ? '?all=true' : ''}`,

  workspaces: (all = false) =>
    everything<Workspace>((query) =>
      done(client.GET('/api/v1/workspaces', { params: { query: { ...query, all } } })),
    ),
  workspace: (id: string) => done(client.GET('/api/v1/workspaces/{id}', at(id))),
  createWorkspace: (body: WorkspacePatch) => done(client.POST('/api/v1/workspaces', { body })),
  updateWorkspace: (id: string, body: WorkspacePatch) =>
    done(client.PATCH('/api/v1/workspaces/{id}', { ...at(id), body })),
  deleteWorkspace: (id: string) => done(client.DELETE('/api/v1/workspaces/{id}', at(id))),

  users: () =>
    everything<User>((query) => done(client.GET('/api/v1/users', { params: { query } }))),
  user: (id: string) => done(client.GET('/api/v1/users/{id}', at(id))),
  createUser: (body: NewUser) => done(client.POST('/api/v1/users', { body })),
  updateUser: (id: string, body: UserPatch) =>
    done(client.PATCH('/api/v1/users/{id}', { ...at(id), body })),
  /** With the user's sessions. */
  deleteUser: (id: string) =>
    done(client.DELETE('/api/v1/users/{id}', { params: { path: { id }, query: { force: true } } })),
  logoutUser: (id: string) => done(client.POST('/api/v1/users/{id}/logout', at(id))),
  userPolicy: (id: string, workspace_id?: string) =>
    done(
      client.GET('/api/v1/users/{id}/policy', {
        params: { path: { id }, query: { workspace_id } },
      }),
    ),

  groups: () => done(client.GET('/api/v1/groups')).then((list) => list.items),
  group: (id: string) => done(client.GET('/api/v1/groups/{id}', at(id))),
  createGroup: (body: GroupPatch) => done(client.POST('/api/v1/groups', { body })),
  updateGroup: (id: string, body: GroupPatch) =>
    done(client.PATCH('/api/v1/groups/{id}', { ...at(id), body })),
  deleteGroup: (id: string) => done(client.DELETE('/api/v1/groups/{id}', at(id))),
  groupMembers: (id: string) =>
    everything<User>((query) =>
      done(client.GET('/api/v1/groups/{id}/members', { params: { path: { id }, query } })),
    ),
  setGroupMember: (id: string, user_id: string, member: boolean) => {
    const path = { params: { path: { id, user_id } } };
    return member
      ? done(client.PUT('/api/v1/groups/{id}/members/{user_id}', path))
      : done(client.DELETE('/api/v1/groups/{id}/members/{user_id}', path));
  },
  groupWorkspaces: (id: string) =>
    done(client.GET('/api/v1/groups/{id}/workspaces', at(id))).then((list) => list.items),
  setGroupWorkspace: (id: string, workspace_id: string, launchable: boolean) => {
    const path = { params: { path: { id, workspace_id } } };
    return launchable
      ? done(client.PUT('/api/v1/groups/{id}/workspaces/{workspace_id}', path))
      : done(client.DELETE('/api/v1/groups/{id}/workspaces/{workspace_id}', path));
  },
  groupSettings: (id: string): Promise<Record<string, unknown>> =>
    done(client.GET('/api/v1/groups/{id}/settings', at(id))).then((answer) => answer.values),
  /** Undefined leaves the setting to other groups and the default. */
  setGroupSetting: (id: string, name: string, value: unknown) => {
    const path = { params: { path: { id, name } } };
    return value === undefined
      ? done(client.DELETE('/api/v1/groups/{id}/settings/{name}', path))
      : done(client.PUT('/api/v1/groups/{id}/settings/{name}', { ...path, body: { value } }));
  },
  groupSettingDeclarations: () =>
    done(client.GET('/api/v1/group-settings')).then((list) => list.items),
  permissions: () => done(client.GET('/api/v1/permissions')).then((list) => list.items),

  agents: (): Promise<Agent[]> => done(client.GET('/api/v1/agents')).then((list) => list.items),
  createAgent: (name: string) => done(client.POST('/api/v1/agents', { body: { name } })),
  updateAgent: (id: string, body: AgentPatch) =>
    done(client.PATCH('/api/v1/agents/{id}', { ...at(id), body })),
  deleteAgent: (id: string) => done(client.DELETE('/api/v1/agents/{id}', at(id))),

  auditEvents: (query: { search: string; cursor: string }, signal?: AbortSignal) =>
    done(client.GET('/api/v1/audit-events', { params: { query }, signal })),

  openapi: (): Promise<unknown> => done(client.GET('/api/v1/openapi.json')),
};
