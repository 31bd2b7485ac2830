/** Processes the bench starts, and what /proc says about them. */

import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const TICKS = 100; // USER_HZ: fixed in Linux's interface.

/** Starts a program; its output goes to `log` (an open file), stdin/stdout stay pipes if asked. */
export function start(command, args, { log, env = {}, stdio } = {}) {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: stdio ?? ['ignore', log ?? 'ignore', log ?? 'ignore'],
  });
  child.name = command;
  child.ended = new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? code));
    child.once('error', (error) => resolve(error.message));
  });
  return child;
}

/** Ends a process and what it started, by id: first politely, after five seconds for good. */
export async function stop(child) {
  if (!child?.pid) return;
  const tree = descendants([child.pid]);
  const marks = new Map(tree.map((pid) => [pid, startTime(pid)]));
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  await Promise.race([child.ended, pause(5000)]);
  for (const [pid, mark] of marks) {
    // The same id and the same start: not another process that got the number since.
    if (mark === undefined || startTime(pid) !== mark) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {}
  }
}

/** Waits for a condition; throws what was awaited when the time is over. */
export async function until(what, condition, milliseconds = 15_000, every = 25) {
  const end = performance.now() + milliseconds;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > end) throw new Error(`${what}: not within ${milliseconds / 1000} s`);
    await pause(every);
  }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The fields of /proc/PID/stat after the name, from the state (field 3) on. */
function stat(pid) {
  const text = read(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

const startTime = (pid) => stat(pid)?.[19];

/** These processes and everything below them. */
export function descendants(roots) {
  const children = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(stat(name)?.[1]);
    if (!children.has(parent)) children.set(parent, []);
    children.get(parent).push(Number(name));
  }
  const found = [];
  const queue = [...roots];
  while (queue.length > 0) {
    const pid = queue.pop();
    if (found.includes(pid)) continue;
    found.push(pid);
    queue.push(...(children.get(pid) ?? []));
  }
  return found;
}

/** Seconds of processor time of these processes, children that ended included. */
export function cpuOf(pids) {
  let ticks = 0;
  for (const pid of pids) {
    const fields = stat(pid);
    if (fields) for (const index of [11, 12, 13, 14]) ticks += Number(fields[index]);
  }
  return ticks / TICKS;
}

/** Proportional memory of these processes in bytes. */
export function pssOf(pids) {
  let sum = 0;
  for (const pid of pids) {
    const match = /^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? '');
    if (match) sum += Number(match[1]) * 1024;
  }
  return sum;
}

/** Seconds of all processors since boot: busy and stolen. */
export function machineCpu() {
  const [, user, nice, system, , , irq, softirq, steal] = read('/proc/stat')
    .split('\n')[0]
    .split(/\s+/)
    .map(Number);
  return { busy: (user + nice + system + irq + softirq + steal) / TICKS, steal: steal / TICKS };
}

/** Milliseconds that a fixed piece of work takes: how fast the machine is at the moment. */
export function speed() {
  const begin = performance.now();
  let value = 1;
  for (let index = 0; index < 3_000_000; index += 1) value = (value * 1103515245 + index) | 0;
  return performance.now() - begin + (value === 0 ? 1 : 0) * 0;
}
