/** The v1 API's shapes, as crates/porthole-control writes them. Times are RFC 3339 texts. */

export interface Progress {
  step: LaunchStep;
  percent?: number | null;
  detail?: string | null;
}

export type LaunchStep = 'placed' | 'display' | 'pull' | 'start' | 'window' | 'ready';

export type SessionState =
  | 'requested'
  | 'starting'
  | 'running'
  | 'stopping'
  | 'stopped'
  | 'deleting'
  | 'failed';

export interface Failure {
  what: string;
  part: string;
  advice: string;
}

export interface Session {
  id: string;
  workspace: { id: string; name: string; icon: string };
  user: { id: string; username: string };
  state: SessionState;
  wanted: 'running' | 'stopped' | 'deleted';
  progress?: Progress | null;
  failure?: Failure | null;
  agent?: { id: string; name: string; connected: boolean } | null;
  created_at: string;
  started_at?: string | null;
  expires_at?: string | null;
  expiry_reason?: string | null;
  viewers: number;
}

export interface SessionRequest {
  workspace_id: string;
  width?: number;
  height?: number;
  device_pixel_ratio?: number;
}

export interface Connect {
  url: string;
  ticket: string;
  access: 'control' | 'view';
  clipboard_up: boolean;
  clipboard_down: boolean;
  expires_at: string;
}

export interface GroupRef {
  id: string;
  name: string;
}

export interface User {
  id: string;
  username: string;
  first_name?: string | null;
  last_name?: string | null;
  email?: string | null;
  notes?: string | null;
  disabled: boolean;
  locked: boolean;
  groups: GroupRef[];
  created_at: string;
  last_login_at?: string | null;
  sessions: number;
}

export interface UserCreate {
  username: string;
  password: string;
  first_name?: string;
  last_name?: string;
  email?: string;
  notes?: string;
  group_ids?: string[];
}

export interface UserPatch {
  username?: string;
  first_name?: string;
  last_name?: string;
  email?: string;
  notes?: string;
  disabled?: boolean;
  locked?: boolean;
  password?: string;
  group_ids?: string[];
}

export interface Group {
  id: string;
  name: string;
  description?: string | null;
  priority: number;
}

export interface Workspace {
  id: string;
  name: string;
  description: string;
  image: string;
  icon: string;
  categories: string[];
  cores: number;
  memory_bytes: number;
  shm_size_bytes: number;
  enabled: boolean;
  hidden?: boolean;
  environment: Record<string, string>;
  available: boolean;
  unavailable_reason?: string | null;
  group_ids: string[];
  created_at: string;
  updated_at: string;
}

export interface WorkspaceWrite {
  name: string;
  description: string;
  image: string;
  icon: string;
  categories: string[];
  cores: number;
  memory_bytes: number;
  shm_size_bytes: number;
  enabled: boolean;
  environment: Record<string, string>;
  group_ids?: string[];
}

export interface Agent {
  id: string;
  name: string;
  hostname: string;
  connected: boolean;
  enabled: boolean;
  local: boolean;
  version: string;
  engine: string;
  offered: { cores: number; memory_bytes: number };
  reserved: { cores: number; memory_bytes: number };
  sessions: number;
  cores: number;
  cores_used: number;
  memory_bytes: number;
  memory_used_bytes: number;
  disk_bytes: number;
  disk_used_bytes: number;
  containers: number;
  warm_displays: number;
  images: { image: string; size_bytes: number }[];
  pulls: AgentPull[];
  problems: Failure[];
  last_seen_at: string | null;
}

export interface AgentPull {
  image: string;
  done_bytes: number;
  total_bytes: number;
  failure: Failure | null;
}

export interface AgentCreated {
  agent: Agent;
  token: string;
  command: string;
}

export interface Me {
  user: {
    id: string;
    username: string;
    first_name?: string | null;
    last_name?: string | null;
    email?: string | null;
  };
  permissions: string[];
  is_admin: boolean;
  server: { name: string; version: string };
}

export interface Page<T> {
  items: T[];
  total: number;
  next_cursor?: string | null;
}

/** RFC 9457, with the fields of a refused form. */
export interface Problem {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  request_id?: string;
  errors?: { field: string; message: string }[];
}
