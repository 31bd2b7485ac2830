/** Where browser and server meet: loopback, or a link with a rate, a delay and loss. */

import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { start, stop, until } from './process.mjs';

const run = promisify(execFile);
const CHROMIUM = process.env.PORTHOLE_CHROMIUM ?? '/usr/bin/chromium';
const OURS = '10.213.77.1';
const THEIRS = '10.213.77.2';

/** Rate in bit/s each way, round trip in ms (half of it each way), share of packets lost each way. */
export const PROFILES = {
  local: undefined,
  wan20: { rate: 20e6, roundTrip: 40, loss: 0 },
  wan5: { rate: 5e6, roundTrip: 100, loss: 0.01 },
};

let counter = 0;

/**
 * Makes the link. The browser runs in a network namespace of its own, the servers stay where they
 * are and listen on `address`. Uses netem where the kernel has it; else packets pass through
 * shape.py between two TUN devices, so that the kernels' own TCP sees real delay and real loss.
 */
export async function open(name, folder) {
  const profile = PROFILES[name];
  if (!profile) return { name, address: '127.0.0.1', kind: 'loopback', chromium: CHROMIUM, close: async () => {} };
  if (process.getuid() !== 0) throw new Error('shaped links need root for a network namespace');
  counter += 1;
  const tag = `ph${process.pid % 100000}x${counter}`;
  const space = `porthole-bench-${process.pid}-${counter}`;
  const ip = (...args) => run('ip', args);
  await ip('netns', 'add', space);
  let shaper;
  const close = async () => {
    await stop(shaper);
    await ip('link', 'del', `${tag}a`).catch(() => {});
    await ip('netns', 'del', space).catch(() => {});
  };
  try {
    await ip('-n', space, 'link', 'set', 'lo', 'up');
    const netem = hasNetem(space);
    if (netem) {
      await ip('link', 'add', `${tag}a`, 'type', 'veth', 'peer', 'name', `${tag}b`);
      await ip('link', 'set', `${tag}b`, 'netns', space);
      const discipline = (device) => [
        'qdisc', 'add', 'dev', device, 'root', 'netem', 'rate', `${profile.rate}bit`,
        'delay', `${profile.roundTrip / 2}ms`, 'loss', `${profile.loss * 100}%`, 'limit', String(packets(profile)),
      ];
      await run('tc', discipline(`${tag}a`));
      await run('tc', ['-n', space, ...discipline(`${tag}b`)]);
    } else {
      shaper = start('python3', [
        new URL('../shape.py', import.meta.url).pathname, `${tag}a`, `${tag}b`, String(profile.rate),
        String(profile.roundTrip / 2), String(profile.loss), String(QUEUE),
      ], { stdio: ['pipe', 'pipe', 'inherit'] });
      let said = '';
      shaper.stdout.on('data', (part) => { said += part; });
      await until('shape.py', () => said.includes('ready') || (shaper.exitCode !== null && Promise.reject(new Error('shape.py ended: is there /dev/net/tun?'))), 5000);
      await ip('link', 'set', `${tag}b`, 'netns', space);
    }
    await ip('addr', 'add', OURS, 'peer', `${THEIRS}/32`, 'dev', `${tag}a`);
    await ip('link', 'set', `${tag}a`, 'up');
    await ip('-n', space, 'addr', 'add', THEIRS, 'peer', `${OURS}/32`, 'dev', `${tag}b`);
    await ip('-n', space, 'link', 'set', `${tag}b`, 'up');
    const chromium = path.join(folder, `chromium-${tag}`);
    writeFileSync(chromium, `#!/bin/sh\nexec ip netns exec ${space} ${CHROMIUM} "$@"\n`);
    chmodSync(chromium, 0o755);
    return { name, address: OURS, kind: netem ? 'netem' : 'TUN, user space (no netem in this kernel)', chromium, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Milliseconds that packets may queue before the link drops them. */
const QUEUE = 200;
const packets = (profile) => Math.ceil((profile.rate * (QUEUE + profile.roundTrip / 2)) / 1000 / 8 / 1500);

function hasNetem(space) {
  const probe = spawnSync('tc', ['-n', space, 'qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'delay', '1ms']);
  if (probe.status !== 0) return false;
  execFileSync('tc', ['-n', space, 'qdisc', 'del', 'dev', 'lo', 'root']);
  return true;
}

/** Bytes that the kernel has sent on this port's open connections. */
export async function bytesSent(port) {
  const { stdout } = await run('ss', ['-Htin', 'state', 'established', `sport = :${port}`]);
  let sum = 0;
  for (const match of stdout.matchAll(/bytes_sent:(\d+)/g)) sum += Number(match[1]);
  return sum;
}
