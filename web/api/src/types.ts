/** The v1 API's shapes, under short names. Times are RFC 3339 texts. */

import type { components } from './schema';

type Schemas = components['schemas'];

export type Agent = Schemas['Agent'];
export type AgentCreated = Schemas['CreatedAgent'];
export type AgentPatch = Schemas['AgentPatch'];
export type Connect = Schemas['Connect'];
export type Failure = Schemas['Failure'];
export type Group = Schemas['Group'];
export type GroupPatch = Schemas['GroupPatch'];
export type GroupSetting = Schemas['GroupSetting'];
export type GroupWorkspace = Schemas['GroupWorkspace'];
export type LaunchStep = Schemas['LaunchStep'];
export type Me = Schemas['Me'];
export type NewUser = Schemas['NewUser'];

export type Permission = Schemas['Permission'];
export type DescribedPermission = Schemas['DescribedPermission'];
export type PolicySetting = Schemas['PolicySetting'];
export type Progress = Schemas['Progress'];
export type Protection = Schemas['Protection'];
export type Region = Schemas['Region'];
export type Session = Schemas['Session'];
export type SessionRequest = Schemas['NewSession'];
export type SessionState = Schemas['SessionState'];
export type StreamStatistics = Schemas['StreamStatistics'];
export type UsageLimit = Schemas['UsageLimit'];
export type User = Schemas['User'];
export type UserPatch = Schemas['UserPatch'];
export type UserPolicy = Schemas['UserPolicy'];
export type Workspace = Schemas['Workspace'];
export type WorkspacePatch = Schemas['WorkspacePatch'];

/** An error as RFC 9457 has it; partial where something else than our server answered. */
export type Problem = Partial<Schemas['Problem']>;
