/** Selkies with pixelflux (PyPI), full-frame H.264 on change only: its best mode without a GPU. */

import { existsSync } from 'node:fs';
import path from 'node:path';
import { start, stop } from '../process.mjs';
import { freePort, portUp, xvfb } from './x11.mjs';

export const name = 'selkies';
export const label = 'Selkies (calm)';

export function unavailable({ cache }) {
  const program = path.join(cache, 'selkies/bin/selkies');
  return existsSync(program) ? undefined : `${program} is missing (python3 -m venv ${cache}/selkies; pip install selkies==2.1.0)`;
}

export async function open({ address, cache, log, folder }) {
  const { number, server } = await xvfb(log);
  const port = await freePort(address);
  let selkies;
  const close = async () => {
    await stop(selkies);
    await stop(server);
  };
  try {
    selkies = start(path.join(cache, 'selkies/bin/selkies'), [
      '--addr', address, '--port', String(port), '--mode', 'websockets', '--enable-basic-auth=false', '--encoder', 'h264enc',
      '--framerate', '60', '--audio-enabled=false', '--microphone-enabled=false', '--webcam-enabled=false', '--gamepad-enabled=false',
      '--manual-width', '1920', '--manual-height', '1080', '--enable-resize=false', '--wayland=false', '--video-streaming-mode=false',
    ], { log, env: { DISPLAY: `:${number}`, HOME: folder } });
    await portUp(address, port, selkies);
  } catch (error) {
    await close();
    throw error;
  }
  return { display: number, port, url: `http://${address}:${port}/`, further: `http://${address}:${port}/#shared`, roots: () => [server.pid, selkies.pid], close };
}
