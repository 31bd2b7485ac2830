/** A look into sessions from the container engine's side. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { docker } from './settings';

const run = promisify(execFile);

async function engine(...args: string[]): Promise<string> {
  const { stdout } = await run(docker, args, { timeout: 20_000, maxBuffer: 4 << 20 });
  return stdout;
}

/** A session's containers. */
export interface Containers {
  readonly workspace: string;
  readonly display: string;
  /** The directory on the host that holds the session's sockets. */
  readonly directory: string;
}

/** The running containers of a session; undefined while there are not both. */
export async function containersOf(session: string): Promise<Containers | undefined> {
  const [workspace] = (
    await engine('ps', '-q', '--no-trunc', '--filter', `label=porthole.session=${session}`)
  ).split('\n');
  if (!workspace) return undefined;
  const label = (
    await engine('inspect', '-f', '{{ index .Config.Labels "porthole.display" }}', workspace)
  ).trim();
  const [display] = (
    await engine(
      ...['ps', '-q', '--no-trunc', '--filter', `label=porthole.display=${label}`],
      ...['--filter', 'label=porthole.role=display'],
    )
  ).split('\n');
  if (!display) return undefined;
  const mounts = await engine(
    'inspect',
    '-f',
    '{{ range .Mounts }}{{ .Destination }} {{ .Source }}\n{{ end }}',
    workspace,
  );
  const x11 = /^\/tmp\/\.X11-unix (.+)\/x11$/m.exec(mounts);
  return { workspace, display, directory: x11?.[1] ?? '' };
}

/** Whether a container is there, running or not. */
export async function exists(container: string): Promise<boolean> {
  return (await engine('ps', '-aq', '--no-trunc')).split('\n').includes(container);
}

/** Whether a container runs. */
export async function runs(container: string): Promise<boolean> {
  return (await engine('ps', '-q', '--no-trunc')).split('\n').includes(container);
}

/** What a command in a container prints. */
export function inside(container: string, ...command: string[]): Promise<string> {
  return engine('exec', '-e', 'DISPLAY=:1', container, ...command);
}

/** The X server's size in pixels, as a program in the workspace sees it. */
export async function xSize(workspace: string): Promise<string> {
  const info = await inside(workspace, 'xdpyinfo');
  return /dimensions:\s+(\d+x\d+)/.exec(info)?.[1] ?? '';
}
