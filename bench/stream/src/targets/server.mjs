/** The whole product through scripts/with-server.sh: sign in, launch a session, open its page. */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { request } from 'node:https';
import path from 'node:path';
import { start, stop, until } from '../process.mjs';
import { OWN } from '../wire.mjs';
import { freeDisplay } from './x11.mjs';

export const name = 'server';
export const label = 'Porthole';
const WORKSPACE = process.env.PORTHOLE_BENCH_WORKSPACE ?? 'Terminal';
const engine = process.env.PORTHOLE_ENGINE_CLI ?? 'docker';

const binary = (programs) => process.env.PORTHOLE_BINARY ?? path.join(programs, 'porthole');

export function unavailable({ programs }) {
  if (!existsSync(binary(programs))) return `${binary(programs)} is missing (cargo build --release -p porthole)`;
  const answer = spawnSync(engine, ['image', 'inspect', 'porthole/display:0.1.0'], { stdio: 'ignore', timeout: 10_000 });
  return answer.status === 0 ? undefined : `${engine} does not answer or has no display image (scripts/images.sh)`;
}

/** One call of the API; the certificate is the server's own. */
function call(base, method, where, { token, body } = {}) {
  return new Promise((resolve, reject) => {
    const text = body ? JSON.stringify(body) : undefined;
    const headers = { ...(text && { 'content-type': 'application/json' }), ...(token && { authorization: `Bearer ${token}` }) };
    const asked = request(new URL(where, base), { method, headers, rejectUnauthorized: false, timeout: 30_000 }, (answer) => {
      let got = '';
      answer.setEncoding('utf8');
      answer.on('data', (part) => { got += part; });
      answer.on('end', () => {
        if (answer.statusCode >= 300) reject(new Error(`${method} ${where}: ${answer.statusCode} ${got.slice(0, 200)}`));
        else resolve(got ? JSON.parse(got) : undefined);
      });
    });
    asked.on('timeout', () => asked.destroy(new Error(`${method} ${where}: no answer within 30 s`)));
    asked.on('error', reject);
    asked.end(text);
  });
}

/** Every socket of a session's display below a folder. */
function displaySockets(folder) {
  const found = [];
  const walk = (at, depth) => {
    let entries = [];
    try {
      entries = readdirSync(at, { withFileTypes: true });
    } catch {}
    for (const entry of entries) {
      const full = path.join(at, entry.name);
      if (entry.isSocket() && entry.name === 'X1') found.push(full);
      else if (entry.isDirectory() && depth < 6) walk(full, depth + 1);
    }
  };
  walk(folder, 0);
  return found;
}

export async function open({ address, programs, here }) {
  if (address !== '127.0.0.1') process.env.PORTHOLE_TEST_ADDRESS = address;
  else delete process.env.PORTHOLE_TEST_ADDRESS;
  // Ends, and takes everything away, when its input ends.
  const server = start(path.join(here, '../../scripts/with-server.sh'), ['sh', '-c', 'env | grep ^PORTHOLE_; echo READY; cat > /dev/null'], {
    env: { PORTHOLE_BINARY: binary(programs) }, stdio: ['pipe', 'pipe', 'inherit'],
  });
  let said = '';
  server.stdout.on('data', (part) => { said += part; });
  server.stdin.on('error', () => {});
  let link;
  const close = async () => {
    if (link) rmSync(link, { force: true });
    server.stdin.end();
    await Promise.race([server.ended, new Promise((resolve) => setTimeout(resolve, 30_000))]);
    await stop(server);
  };
  try {
    await until('scripts/with-server.sh', () => {
      if (server.exitCode !== null) throw new Error(`with-server.sh ended with ${server.exitCode}`);
      return said.includes('READY');
    }, 60_000);
    const env = Object.fromEntries(said.split('\n').filter((line) => line.includes('=')).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
    const base = env.PORTHOLE_URL;
    const credentials = { username: env.PORTHOLE_USER, password: env.PORTHOLE_USER_PASSWORD };
    const { token } = await call(base, 'POST', '/api/v1/auth/login', { body: credentials });
    const { items } = await call(base, 'GET', '/api/v1/workspaces', { token });
    const workspace = items.find((one) => one.name === WORKSPACE);
    if (!workspace) throw new Error(`no workspace is called ${WORKSPACE}`);
    const launch = { workspace_id: workspace.id, width: 1920, height: 1080 };
    // The server answers a little before its agent has told what it has.
    const session = await until('the agent', () => call(base, 'POST', '/api/v1/sessions', { token, body: launch }).catch((error) => {
      if (!/not connected/.test(error.message)) throw error;
    }), 20_000, 200);
    await until('the session to run', async () => {
      const now = await call(base, 'GET', `/api/v1/sessions/${session.id}`, { token });
      if (now.state === 'failed') throw new Error(`the session failed: ${now.failure?.what} ${now.failure?.advice ?? ''}`);
      return now.state === 'running';
    }, 90_000, 250);
    // The session's display is the one whose container is not a warm one: its workspace shares it.
    const container = `porthole-session-${session.id.replaceAll('-', '')}`;
    const inspect = (subject, format) => spawnSync(engine, ['inspect', '--format', format, subject], { encoding: 'utf8', timeout: 10_000 }).stdout.trim();
    const display = inspect(container, '{{index .Config.Labels "porthole.display"}}').replaceAll('-', '');
    const pid = Number(inspect(`porthole-display-${display}`, '{{.State.Pid}}'));
    const mounts = inspect(`porthole-display-${display}`, '{{range .Mounts}}{{.Source}}\n{{end}}').split('\n').filter(Boolean);
    const [socket] = mounts.flatMap((mount) => displaySockets(mount));
    if (!socket || !pid) throw new Error(`the display of ${container} is not found (process ${pid}, mounts ${mounts.join(' ')})`);
    // The scenes run here and draw through a link to the session's X socket.
    const number = freeDisplay();
    link = `/tmp/.X11-unix/X${number}`;
    symlinkSync(socket, link);
    // A ticket is good for one stream.
    const viewer = async () => {
      const { url, ticket } = await call(base, 'POST', `/api/v1/sessions/${session.id}/connect`, { token });
      return { kind: 'websocket', tls: true, address, port: Number(new URL(base).port), path: `${url}?ticket=${ticket}`, encodings: OWN };
    };
    return {
      wire: viewer, viewer,
      display: number, port: Number(new URL(base).port), url: `${base}/session/${session.id}`,
      roots: () => [Number(env.PORTHOLE_SERVER_PID), pid],
      prepare: async (page) => {
        const answer = await page.context().request.post(`${base}/api/v1/auth/login`, { data: credentials });
        if (!answer.ok()) throw new Error(`login: ${answer.status()}`);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
