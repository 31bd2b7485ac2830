/** What is asked of the server, once for all pages. */

import { ApiError, api } from '@porthole/api';
import {
  infiniteQueryOptions,
  keepPreviousData,
  QueryClient,
  queryOptions,
} from '@tanstack/react-query';

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

export const agentsQuery = queryOptions({
  queryKey: ['agents'],
  queryFn: () => api.agents(),
  refetchInterval: 5_000,
});

export const auditQuery = (search: string) =>
  infiniteQueryOptions({
    queryKey: ['audit', search],
    queryFn: ({ pageParam, signal }) => api.auditEvents({ search, cursor: pageParam }, signal),
    initialPageParam: '',
    getNextPageParam: (part) => part.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
  });
