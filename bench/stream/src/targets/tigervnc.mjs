/** TigerVNC's Xvnc, websockify, and a page around noVNC's library with its defaults. */

import { copyFileSync, cpSync, existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { start, stop } from '../process.mjs';
import { displayUp, freeDisplay, freePort, portUp } from './x11.mjs';

export const name = 'tigervnc';
export const label = 'TigerVNC + noVNC';

export function unavailable({ cache }) {
  if (!existsSync('/usr/bin/Xtigervnc')) return 'Xtigervnc is missing (Debian: tigervnc-standalone-server)';
  if (!existsSync(websockify(cache))) return `websockify is missing (python3 -m venv ${cache}/selkies; pip install websockify)`;
  return undefined;
}

const websockify = (cache) => (existsSync('/usr/bin/websockify') ? '/usr/bin/websockify' : path.join(cache, 'selkies/bin/websockify'));

export async function open({ address, cache, folder, log, here }) {
  const number = freeDisplay();
  const files = path.join(folder, 'novnc');
  mkdirSync(files, { recursive: true });
  copyFileSync(path.join(here, 'pages/novnc.html'), path.join(files, 'index.html'));
  // As shipped: noVNC's own page loads its modules one by one too.
  for (const part of ['core', 'vendor']) cpSync(path.join(here, 'node_modules/@novnc/novnc', part), path.join(files, part), { recursive: true });
  const [raw, port] = [await freePort('127.0.0.1'), await freePort(address)];
  const server = start('Xtigervnc', [`:${number}`, '-geometry', '1920x1080', '-depth', '24', '-rfbport', String(raw), '-localhost', '-SecurityTypes', 'None', '-AlwaysShared', '-ac'], { log });
  let proxy;
  const close = async () => {
    await stop(proxy);
    await stop(server);
  };
  try {
    await displayUp(number, server);
    proxy = start(websockify(cache), ['--web', files, `${address}:${port}`, `127.0.0.1:${raw}`], { log });
    await portUp(address, port, proxy);
    await portUp('127.0.0.1', raw, server);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    display: number, port, url: `http://${address}:${port}/index.html`,
    roots: () => [server.pid, proxy.pid],
    wire: { kind: 'tcp', port: raw },
    // A viewer's whole cost: websockify has a process for each.
    viewer: { kind: 'websocket', address, port, path: '/websockify' },
    close,
  };
}
