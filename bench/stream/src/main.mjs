/** Measures Porthole and its peers side by side. See ../README.md. */

import { existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Browser } from './browser.mjs';
import * as measures from './measures.mjs';
import { Meter } from './meter.mjs';
import { open as openNetwork, PROFILES } from './network.mjs';
import { start } from './process.mjs';
import { table } from './report.mjs';
import { Scene } from './scene.mjs';
import * as display from './targets/display.mjs';
import * as selkies from './targets/selkies.mjs';
import * as server from './targets/server.mjs';
import * as tigervnc from './targets/tigervnc.mjs';

const TARGETS = [display, server, tigervnc, selkies];
const SCENES = ['key', 'wire', 'flip', 'scroll', 'video', 'fullscreen', 'idle', 'still', 'first', 'viewers'];
const SHAPED = ['key', 'scroll', 'video', 'still', 'first'];
const QUICK = ['key', 'wire', 'scroll', 'video', 'idle', 'still', 'first'];

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    targets: { type: 'string' },
    scenes: { type: 'string' },
    networks: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    events: { type: 'string' },
    out: { type: 'string' },
    blind: { type: 'boolean', default: false },
    nice: { type: 'string' },
  },
});

const here = path.resolve(new URL('..', import.meta.url).pathname);
const base = process.env.PORTHOLE_CACHE ?? path.join(os.homedir(), '.cache/porthole');
const cache = path.join(base, 'bench');
mkdirSync(cache, { recursive: true });
const programs = process.env.PORTHOLE_BENCH_PROGRAMS ?? path.join(process.env.CARGO_TARGET_DIR ?? path.join(base, 'target'), 'release');

const list = (text, all, fallback) => {
  if (!text) return fallback;
  const names = text.split(',');
  const wrong = names.find((name) => !all.includes(name));
  if (wrong) fail(`'${wrong}' is none of: ${all.join(', ')}`);
  return names;
};

function fail(text) {
  console.error(`bench/stream: ${text}`);
  process.exit(1);
}

const names = TARGETS.map((target) => target.name);
const chosen = list(options.targets, names, options.quick ? names.filter((name) => name !== 'server') : names);
const plan = {
  quick: options.quick,
  blind: options.blind,
  rounds: Number(options.rounds ?? (options.quick ? 1 : 3)),
  seconds: Number(options.seconds ?? (options.quick ? 4 : 10)),
  events: Number(options.events ?? (options.quick ? 30 : 200)),
};
if (!Object.values(plan).every((value) => typeof value === 'boolean' || value > 0)) fail('rounds, seconds and events are numbers above 0');

if (!existsSync(path.join(programs, 'porthole-scene'))) {
  fail(`${programs}/porthole-scene is missing. Build it: cargo build --release -p porthole-scenes`);
}

// The same priority for everything in every cell: what is started inherits it.
if (options.nice !== undefined) {
  try {
    os.setPriority(Number(options.nice));
  } catch (error) {
    fail(`--nice ${options.nice}: ${error.message}`);
  }
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'porthole-bench-'));
const surroundings = { cache, programs, folder, here };
const targets = [];
for (const target of TARGETS) {
  if (!chosen.includes(target.name)) continue;
  const reason = target.unavailable(surroundings);
  if (reason) console.error(`skipped ${target.label}: ${reason}`);
  else targets.push(target);
}

/** One scene on one target in a browser of its own. */
async function measure(opened, network, target, scene, round) {
  const begin = performance.now();
  const scenes = [];
  let browser;
  const record = { target: target.name, scene, network: network.name, link: network.kind, round };
  const limit = new AbortController();
  try {
    const cell = {
      target: opened, network, plan, cache, folder, here,
      scene: async (...args) => {
        const child = opened.scene
          ? await opened.scene(args)
          : start(path.join(programs, 'porthole-scene'), args.map(String), { env: { DISPLAY: `:${opened.display}` }, stdio: ['pipe', 'pipe', 'inherit'] });
        const one = new Scene(child);
        scenes.push(one);
        one.ready = await one.wait('ready', 60_000);
        return one;
      },
      during: async (work) => {
        const meter = new Meter({ target: opened, browser, scene: scenes.at(-1) });
        const { cost } = await meter.during(work);
        record.cost = cost;
        return cost;
      },
    };
    if (scene !== 'wire') {
      browser = await Browser.launch({ network, here, url: opened.url });
      cell.page = await browser.page();
      await opened.prepare?.(cell.page);
    }
    const work = measures[scene](cell);
    work.catch(() => {});
    record.figures = await Promise.race([
      work,
      new Promise((_, reject) => {
        const timer = setTimeout(() => reject(new Error('the cell took longer than three minutes')), 180_000);
        limit.signal.addEventListener('abort', () => clearTimeout(timer));
      }),
    ]);
  } catch (error) {
    record.error = error.message.split('\n')[0];
  } finally {
    limit.abort();
    for (const one of scenes) await one.stop();
    await browser?.close().catch(() => {});
  }
  const text = record.error ?? Object.entries(record.figures ?? {}).map(([key, value]) => `${key} ${typeof value === 'number' ? Number(value.toFixed(2)) : value}`).join('  ');
  console.error(`${((performance.now() - begin) / 1000).toFixed(1).padStart(5)} s  ${network.name} ${target.name} ${scene} #${round}: ${text}`);
  return record;
}

const networks = list(options.networks, Object.keys(PROFILES), options.quick ? ['local'] : Object.keys(PROFILES));
const cells = [];
let opened;
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    console.error(`bench/stream: ${signal}; ending after this cell`);
    stopping.abort();
  });
}

try {
  const log = openSync(path.join(cache, 'servers.log'), 'w');
  for (const name of networks) {
    if (stopping.signal.aborted) break;
    let network;
    try {
      network = await openNetwork(name, folder);
    } catch (error) {
      console.error(`skipped network ${name}: ${error.message}`);
      continue;
    }
    try {
      const scenes = list(options.scenes, SCENES, options.quick ? QUICK : name === 'local' ? SCENES : SHAPED).filter((scene) => name === 'local' || scene !== 'wire');
      for (let round = 1; round <= plan.rounds; round += 1) {
        // A B C, then C B A: a drift of the machine meets all alike.
        const order = round % 2 === 1 ? targets : [...targets].reverse();
        const pairs = plan.quick
          ? order.flatMap((target) => scenes.map((scene) => [target, scene]))
          : scenes.flatMap((scene) => order.map((target) => [target, scene]));
        for (const [index, [target, scene]] of pairs.entries()) {
          if (stopping.signal.aborted) break;
          try {
            opened ??= await target.open({ ...surroundings, address: network.address, log });
            cells.push(await measure(opened, network, target, scene, round));
          } catch (error) {
            cells.push({ target: target.name, scene, network: name, link: network.kind, round, error: `start: ${error.message}` });
            console.error(`${target.name} ${scene}: start: ${error.message}`);
          }
          // Others that only idle would still take processor time: one target runs at a time.
          if (pairs[index + 1]?.[0] !== target || !plan.quick) {
            await opened?.close();
            opened = undefined;
          }
        }
      }
    } finally {
      await opened?.close();
      opened = undefined;
      await network.close();
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const cpus = os.cpus();
const machine = `${cpus.length} × ${cpus[0]?.model}, ${Math.round(os.totalmem() / 2 ** 30)} GB, Linux ${os.release()}`;
const command = `bench/stream/run.sh ${process.argv.slice(2).join(' ')}`.trim();
const date = new Date().toISOString();
const markdown = `${date} · ${machine} · \`${command}\` · ${plan.rounds} round(s), ${plan.seconds} s, ${plan.events} events\n${table(cells, targets)}\n`;
const out = options.out ?? path.join(cache, `stream-${date.replace(/[:.]/g, '-')}.json`);
writeFileSync(out, `${JSON.stringify({ date, machine, command, plan, cells }, null, 1)}\n`);
writeFileSync(out.replace(/\.json$/, '') + '.md', markdown);
console.log(markdown);
console.error(`written to ${out}`);
process.exit(cells.some((cell) => !cell.error) ? 0 : 1);
