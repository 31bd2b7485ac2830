import { ApiError } from '@porthole/api';
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { meQuery, queries } from './lib/queries';
import { LoginPage } from './login/page';
import { Pending, RouteError, RouteNotFound } from './shell/fallbacks';

const root = createRootRoute({ component: Outlet, notFoundComponent: RouteNotFound });

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: (search): { to?: string; expired?: boolean } => ({
    // Only places of our own: a link must not lead a fresh login elsewhere.
    to: /^\/(?![/\\])/.test(text(search.to) ?? '') ? text(search.to) : undefined,
    expired: search.expired === true ? true : undefined,
  }),
  component: LoginPage,
});

const connect = createRoute({
  getParentRoute: () => root,
  path: '/connect',
  component: lazyRouteComponent(() => import('./login/connect'), 'ConnectPage'),
});

const signedIn = createRoute({
  getParentRoute: () => root,
  id: 'signed-in',
  beforeLoad: async ({ location }) => {
    try {
      await queries.ensureQueryData(meQuery);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        const to = location.href === '/' ? undefined : location.href;
        throw redirect({ to: '/login', search: { to }, replace: true });
      }
      throw error;
    }
  },
  component: lazyRouteComponent(() => import('./shell/signed-in'), 'SignedIn'),
});

const shell = createRoute({
  getParentRoute: () => signedIn,
  id: 'shell',
  component: lazyRouteComponent(() => import('./shell/shell'), 'Shell'),
});

const dashboard = createRoute({
  getParentRoute: () => shell,
  path: '/',
  component: lazyRouteComponent(() => import('./dashboard/page'), 'DashboardPage'),
});

const account = createRoute({
  getParentRoute: () => shell,
  path: '/account',
  component: lazyRouteComponent(() => import('./account/page'), 'AccountPage'),
});

const docs = createRoute({
  getParentRoute: () => shell,
  path: '/api/docs',
  component: lazyRouteComponent(() => import('./docs/page'), 'DocsPage'),
});

const launch = createRoute({
  getParentRoute: () => signedIn,
  path: '/session/new',
  validateSearch: (search): { workspace: string; size?: string } => ({
    workspace: text(search.workspace) ?? '',
    size: text(search.size),
  }),
  component: lazyRouteComponent(() => import('./session/launch-page'), 'LaunchPage'),
});

const session = createRoute({
  getParentRoute: () => signedIn,
  path: '/session/$id',
  component: lazyRouteComponent(() => import('./session/page'), 'SessionPage'),
});

const admin = createRoute({
  getParentRoute: () => shell,
  path: '/admin',
  component: lazyRouteComponent(() => import('./admin/index'), 'AdminGate'),
});

const adminHome = createRoute({
  getParentRoute: () => admin,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/admin/sessions', replace: true });
  },
});

const adminSessions = createRoute({
  getParentRoute: () => admin,
  path: '/sessions',
  component: lazyRouteComponent(() => import('./admin/index'), 'SessionsPage'),
});

const adminUsers = createRoute({
  getParentRoute: () => admin,
  path: '/users',
  component: lazyRouteComponent(() => import('./admin/index'), 'UsersPage'),
});

const adminUser = createRoute({
  getParentRoute: () => admin,
  path: '/users/$id',
  component: lazyRouteComponent(() => import('./admin/index'), 'UserPage'),
});

const adminGroups = createRoute({
  getParentRoute: () => admin,
  path: '/groups',
  component: lazyRouteComponent(() => import('./admin/index'), 'GroupsPage'),
});

const adminGroup = createRoute({
  getParentRoute: () => admin,
  path: '/groups/$id',
  validateSearch: (search): { tab?: string } => ({ tab: text(search.tab) }),
  component: lazyRouteComponent(() => import('./admin/index'), 'GroupPage'),
});

const adminWorkspaces = createRoute({
  getParentRoute: () => admin,
  path: '/workspaces',
  component: lazyRouteComponent(() => import('./admin/index'), 'WorkspacesPage'),
});

const adminWorkspace = createRoute({
  getParentRoute: () => admin,
  path: '/workspaces/$id',
  component: lazyRouteComponent(() => import('./admin/index'), 'WorkspacePage'),
});

const adminAgents = createRoute({
  getParentRoute: () => admin,
  path: '/agents',
  component: lazyRouteComponent(() => import('./admin/index'), 'AgentsPage'),
});

export const router = createRouter({
  routeTree: root.addChildren([
    login,
    connect,
    signedIn.addChildren([
      launch,
      session,
      shell.addChildren([
        dashboard,
        account,
        docs,
        admin.addChildren([
          adminHome,
          adminSessions,
          adminUsers,
          adminUser,
          adminGroups,
          adminGroup,
          adminWorkspaces,
          adminWorkspace,
          adminAgents,
        ]),
      ]),
    ]),
  ]),
  defaultPreload: 'intent',
  defaultPendingMs: 150,
  defaultPendingMinMs: 0,
  defaultPendingComponent: Pending,
  defaultErrorComponent: RouteError,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
