/** What is asked of the server, once for all pages. */

import { ApiError, api } from '@porthole/api';
import { QueryClient, queryOptions } from '@tanstack/react-query';

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (count, error) =>
        count < 3 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
      retryDelay: (count) => Math.min(500 * 2 ** count, 5000),
    },
    mutations: { retry: false },
  },
});

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: () => api.me(),
  staleTime: 60_000,
});

export const sessionsQuery = (all: boolean) =>
  queryOptions({
    queryKey: ['sessions', all ? 'all' : 'own'],
    queryFn: () => api.sessions(all),
    // The event stream brings news; this is for the case that it cannot.
    refetchInterval: 30_000,
  });

export const sessionQuery = (id: string) =>
  queryOptions({
    queryKey: ['session', id],
    queryFn: ({ signal }) => api.session(id, signal),
    refetchInterval: (query) => {
      const state = query.state.data?.state;
      return state === 'running' || state === 'stopped' || state === 'failed' ? 15_000 : 1_500;
    },
  });

export const workspacesQuery = (all: boolean) =>
  queryOptions({
    queryKey: ['workspaces', all ? 'all' : 'own'],
    queryFn: () => api.workspaces(all),
  });

export const workspaceQuery = (id: string) =>
  queryOptions({ queryKey: ['workspace', id], queryFn: () => api.workspace(id) });

export const usersQuery = queryOptions({ queryKey: ['users'], queryFn: () => api.users() });

export const userQuery = (id: string) =>
  queryOptions({ queryKey: ['user', id], queryFn: () => api.user(id) });

export const groupsQuery = queryOptions({ queryKey: ['groups'], queryFn: () => api.groups() });

export const groupQuery = (id: string) =>
  queryOptions({ queryKey: ['group', id], queryFn: () => api.group(id) });

export const groupMembersQuery = (id: string) =>
  queryOptions({ queryKey: ['group', id, 'members'], queryFn: () => api.groupMembers(id) });

export const groupWorkspacesQuery = (id: string) =>
  queryOptions({ queryKey: ['group', id, 'workspaces'], queryFn: () => api.groupWorkspaces(id) });

export const groupSettingsQuery = (id: string) =>
  queryOptions({ queryKey: ['group', id, 'settings'], queryFn: () => api.groupSettings(id) });

/** The server's own; they change with its version only. */
export const declarationsQuery = queryOptions({
  queryKey: ['group-settings'],
  queryFn: () => api.groupSettingDeclarations(),
  staleTime: Number.POSITIVE_INFINITY,
});

export const permissionsQuery = queryOptions({
  queryKey: ['permissions'],
  queryFn: () => api.permissions(),
  staleTime: Number.POSITIVE_INFINITY,
});

export const userPolicyQuery = (id: string, workspace?: string) =>
  queryOptions({
    queryKey: ['user', id, 'policy', workspace ?? ''],
    queryFn: () => api.userPolicy(id, workspace),
  });

export const agentsQuery = queryOptions({
  queryKey: ['agents'],
  queryFn: () => api.agents(),
  refetchInterval: 5_000,
});
