/** X displays for the targets: free numbers, and servers that are up. */

import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { start, until } from '../process.mjs';

/** A display number that nothing uses. */
export function freeDisplay() {
  for (let number = 40; number < 400; number += 1) {
    if (!existsSync(`/tmp/.X11-unix/X${number}`) && !existsSync(`/tmp/.X${number}-lock`)) return number;
  }
  throw new Error('no free X display number below 400');
}

/** A TCP port that nothing listens on. */
export function freePort(address) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, address, () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Waits until a display's socket is there; throws when its server ended. */
export async function displayUp(number, server) {
  await until(`X display :${number}`, () => {
    if (server.exitCode !== null) throw new Error(`X server ended with ${server.exitCode}`);
    return existsSync(`/tmp/.X11-unix/X${number}`);
  });
}

/** Xvfb at 1920×1080. */
export async function xvfb(log) {
  const number = freeDisplay();
  const server = start('Xvfb', [`:${number}`, '-screen', '0', '1920x1080x24', '-nolisten', 'tcp', '-ac', '-noreset'], { log });
  await displayUp(number, server);
  return { number, server };
}

/** Waits until a TCP port answers. */
export async function portUp(address, port, child) {
  const { connect } = await import('node:net');
  await until(`${address}:${port}`, () => {
    if (child.exitCode !== null) throw new Error(`'${child.name}' ended with ${child.exitCode}`);
    return new Promise((resolve) => {
      const socket = connect(port, address, () => { socket.destroy(); resolve(true); });
      socket.once('error', () => resolve(false));
    });
  }, 30_000, 50);
}
