/** The administrator's pages, one bundle: nobody else loads them. */
export { AgentsPage } from './agents';
export { AdminGate } from './gate';
export { GroupPage } from './group';
export { GroupsPage } from './groups';
export { SessionsPage } from './sessions';
export { UserPage } from './user';
export { UsersPage } from './users';
export { WorkspacePage } from './workspace';
export { WorkspacesPage } from './workspaces';
