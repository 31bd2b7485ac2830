/** Porthole's display alone: `porthole-display` with its Xvfb, a thin bridge, and web/viewer. */

import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { start, stop, until } from '../process.mjs';
import { OWN } from '../wire.mjs';
import { freeDisplay, freePort, portUp } from './x11.mjs';

export const name = 'display';
export const label = 'Porthole display';

export function unavailable({ programs }) {
  for (const program of [binary(programs), path.join(programs, 'porthole-bench-bridge')]) {
    if (!existsSync(program)) return `${program} is missing (cargo build --release -p porthole-display -p porthole-scenes)`;
  }
  return undefined;
}

/** The one that goes into the image, static, where it was built; else a plain build. */
function binary(programs) {
  if (process.env.PORTHOLE_DISPLAY_BINARY) return process.env.PORTHOLE_DISPLAY_BINARY;
  const plain = path.join(programs, 'porthole-display');
  const folder = path.join(programs, '../display');
  const built = existsSync(folder) ? readdirSync(folder).map((part) => path.join(folder, part, 'release/porthole-display')) : [];
  return [...built, plain].find(existsSync) ?? plain;
}

export async function open({ address, programs, folder, log, here }) {
  const number = freeDisplay();
  const files = path.join(folder, 'viewer');
  // As the console builds it: the viewer has a worker, and its decoder is a file of its own.
  const web = createRequire(path.join(here, '../../web/console/package.json'));
  const { build } = await import(pathToFileURL(web.resolve('vite')));
  const pages = path.join(here, 'pages');
  await build({
    root: pages, base: './', configFile: false, logLevel: 'error', worker: { format: 'es' },
    build: { outDir: files, target: 'es2022', assetsInlineLimit: 0, rolldownOptions: { input: path.join(pages, 'porthole.html') } },
  });
  const port = await freePort(address);
  const socket = path.join(folder, `display-${number}.sock`);
  // Memory, as /tmp is in the display's container.
  const memory = mkdtempSync('/dev/shm/porthole-bench-');
  const display = start(binary(programs), [], {
    log,
    env: {
      PORTHOLE_DISPLAY_FRAMEBUFFER_DIR: memory, PORTHOLE_DISPLAY_SOCKET: socket, PORTHOLE_DISPLAY_NUMBER: String(number),
      PORTHOLE_DISPLAY_SIZE: '1920x1080', PORTHOLE_DISPLAY_NAME: 'bench',
    },
  });
  let bridge;
  const close = async () => {
    await stop(bridge);
    await stop(display);
    rmSync(memory, { recursive: true, force: true });
  };
  try {
    await until('porthole-display', () => {
      if (display.exitCode !== null) throw new Error(`porthole-display ended with ${display.exitCode}`);
      return existsSync(socket);
    });
    bridge = start(path.join(programs, 'porthole-bench-bridge'), ['--listen', `${address}:${port}`, '--socket', socket, '--files', files], { log });
    await portUp(address, port, bridge);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    display: number, port, url: `http://${address}:${port}/porthole.html`,
    roots: () => [display.pid, bridge.pid],
    wire: { kind: 'websocket', socket, path: '/rfb?access=control', encodings: OWN },
    viewer: { kind: 'websocket', address, port, path: '/rfb?access=control', encodings: OWN },
    close,
  };
}
