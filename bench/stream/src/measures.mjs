/** The scenes: each returns its figures by name. `cell` is what main.mjs made for it. */

import { openSync, readSync, closeSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Browser, findScreen, visit } from './browser.mjs';
import { descendants, pssOf, until } from './process.mjs';
import { median, percentile } from './statistics.mjs';
import { WireClient } from './wire.mjs';

const WIDTH = 1920;
const HEIGHT = 1080;
const BOX = [960, 540];

/** Waits until nothing has been sent for a moment. */
async function quiet(cell, milliseconds = 700, limit = 8000) {
  const { bytesSent } = await import('./network.mjs');
  const end = performance.now() + limit;
  let last = await bytesSent(cell.target.port);
  let since = performance.now();
  while (performance.now() - since < milliseconds && performance.now() < end) {
    await pause(100);
    const now = await bytesSent(cell.target.port);
    // Pings and statistics are no picture.
    if (now - last > 2000) since = performance.now();
    last = now;
  }
}

/** Opens the page and finds the screen in it. */
async function look(cell) {
  const { page, target } = cell;
  const flipper = await cell.scene('flip');
  await visit(page, target.url);
  const host = await findScreen(page, (bright) => flipper.command(`color ${bright ? 'ffffff' : '000000'}`));
  return { host, flipper };
}

async function press(cell, full) {
  const { host, flipper } = await look(cell);
  const { page } = cell;
  await flipper.command(`mode ${full ? 'full' : 'box'}`);
  await flipper.command('color 000000');
  await page.mouse.move(400, 400);
  await page.mouse.down();
  await page.mouse.up();
  await quiet(cell);
  const points = full ? [[40, 40], BOX, [WIDTH - 40, HEIGHT - 40]] : [BOX];
  await host.evaluate((job) => globalThis.__bench.watch(job), { kind: 'flip', points, width: WIDTH, height: HEIGHT });
  await pause(300);
  const key = async (wait) => {
    const index = await host.evaluate(() => globalThis.__bench.changes.length);
    const before = await page.evaluate(() => globalThis.__bench.keys.length);
    const from = flipper.events.length;
    const change = host.evaluate(([i, ms]) => globalThis.__bench.change(i, ms), [index, wait]);
    await page.keyboard.down('a');
    const changed = await change;
    await page.keyboard.up('a');
    const [pressed] = await page.evaluate((i) => globalThis.__bench.keys.slice(i), before);
    const event = flipper.events.slice(from).find((one) => one.ev === 'key');
    return { pressed, changed: changed?.[0], came: event && event.t / 1000 };
  };
  // The first ones wake the connection up.
  for (let warm = 0; warm < 4; warm += 1) await key(2000);
  const all = [];
  let lost = 0;
  const meter = await cell.during(async () => {
    let random = 12345;
    for (let index = 0; index < cell.plan.events; index += 1) {
      const one = await key(3000);
      if (one.changed === undefined || one.pressed === undefined || one.came === undefined) lost += 1;
      else all.push(one);
      random = (random * 1103515245 + 12345) % 2147483648;
      await pause(40 + (random % 80));
    }
  });
  const total = all.map((one) => one.changed - one.pressed);
  return {
    p50: percentile(total, 0.5), p95: percentile(total, 0.95), p99: percentile(total, 0.99),
    input: median(all.map((one) => one.came - one.pressed)),
    picture: median(all.map((one) => one.changed - one.came)),
    lost, events: all.length, bytes: meter.bytes / cell.plan.events, read: await readCost(host),
  };
}

const readCost = (host) => host.evaluate(() => globalThis.__bench.cost.ms / Math.max(1, globalThis.__bench.cost.count));

export const key = (cell) => press(cell, false);
export const flip = (cell) => press(cell, true);

/** Matches what the page showed with what the scene drew. */
export function shown(changes, drawn) {
  const times = new Map(drawn.map((event) => [event.n, event.t / 1000]));
  const delays = [];
  const gaps = [];
  const numbers = new Set();
  let last;
  for (const [t, n] of changes) {
    const from = times.get(n);
    // A torn barcode gives numbers that were never drawn, or long ago.
    if (from === undefined || numbers.has(n) || t - from < -1 || t - from > 5000) continue;
    numbers.add(n);
    delays.push(t - from);
    if (last !== undefined) gaps.push(t - last);
    last = t;
  }
  return { count: delays.length, p50: percentile(delays, 0.5), p95: percentile(delays, 0.95), gap: percentile(gaps, 0.95) };
}

/** Lets a scene play and watches its barcode; the first second is not counted. */
async function watch(cell, host, scene, command, seconds, points, kind) {
  await quiet(cell);
  // Blind, CPU and bytes show what the reading itself costs.
  if (!cell.plan.blind) await host.evaluate((job) => globalThis.__bench.watch(job), { kind: 'code', points, width: WIDTH, height: HEIGHT });
  const from = scene.events.length;
  scene.send(`${command} ${seconds + 2}`);
  await pause(1000);
  const begin = Date.now();
  const cost = await cell.during(() => pause(seconds * 1000));
  const end = Date.now();
  await scene.wait('end', 20_000, from);
  await pause(500);
  const changes = await host.evaluate(() => globalThis.__bench.unwatch());
  const drawn = scene.events.slice(from).filter((event) => event.ev === kind);
  const counted = drawn.filter((event) => event.t / 1000 >= begin && event.t / 1000 < end);
  const result = shown(changes, counted);
  return {
    rate: (result.count / counted.length) * 30, drawn: counted.length / seconds, p50: result.p50, p95: result.p95, gap: result.gap,
    mbit: (cost.bytes * 8) / cost.seconds / 1e6, server: cost.server, browser: cost.browser,
    bytesEach: cost.bytes / Math.max(1, result.count), cpuEach: (cost.server * 10 * cost.seconds) / Math.max(1, result.count),
    read: await readCost(host),
  };
}

export async function scroll(cell) {
  const { host, flipper } = await look(cell);
  await flipper.command('color 203040');
  const scene = await cell.scene('scroll');
  const { x, y, height, row, bit, bits } = scene.ready;
  const line = y + height - Math.ceil(row / 2);
  const points = Array.from({ length: bits }, (_, index) => [x + index * bit + bit / 2, line]);
  await pause(500);
  return watch(cell, host, scene, 'start 30', cell.plan.seconds, points, 'line');
}

async function play(cell, width, height, x, y) {
  const { host, flipper } = await look(cell);
  await flipper.command('color 203040');
  const windowed = width < WIDTH;
  if (windowed) await showStill(cell, host);
  const scene = await cell.scene('video', '--width', width, '--height', height, '--x', x, '--y', y, '--cache', cell.cache);
  const { bit, bits, frames } = scene.ready;
  const points = Array.from({ length: bits }, (_, index) => [x + index * bit + bit / 2, y + bit / 2]);
  const result = await watch(cell, host, scene, 'start', cell.plan.seconds, points, 'frame');
  // Fidelity apart from the clock: grabbing whole frames costs time of its own.
  const file = openSync(path.join(cell.cache, `clip-${width}x${height}-v2.raw`), 'r');
  const size = width * height * 4;
  const quality = [];
  try {
    const from = scene.events.length;
    scene.send('start 4');
    await pause(1500);
    for (let index = 0; index < 3; index += 1) {
      const text = await host.evaluate(([a, b, c, d]) => globalThis.__bench.grab(a, b, c, d), [x, y, width, height]);
      const frame = Buffer.from(text, 'base64');
      const code = Array.from({ length: bits }, (_, at) => (frame[((bit / 2) * width + at * bit + bit / 2) * 4 + 1] > 128 ? 1 : 0));
      if (code[0] !== 1 || code[1] !== 0) continue;
      const number = code.slice(2).reduce((sum, one) => sum * 2 + one, 0) % frames;
      const original = Buffer.alloc(size);
      readSync(file, original, 0, size, number * size);
      let sum = 0;
      for (let at = bit * width * 4; at < size; at += 4) {
        sum += (frame[at] - original[at + 2]) ** 2 + (frame[at + 1] - original[at + 1]) ** 2 + (frame[at + 2] - original[at]) ** 2;
      }
      quality.push(Math.min(99, 10 * Math.log10((255 ** 2 * width * (height - bit) * 3) / Math.max(sum, 1e-9))));
    }
    // What stands still beside the video, while it plays.
    const around = windowed ? await host.evaluate((job) => globalThis.__bench.around(...job), [WIDTH, HEIGHT, x, y, width, height]) : undefined;
    await scene.wait('end', 20_000, from);
    return { ...result, psnr: median(quality), around: around && around.exact * 100, aroundWrong: around?.wrong };
  } finally {
    closeSync(file);
  }
}

/** Shows the still picture, and gives the page its original. */
async function showStill(cell, host) {
  const scene = await cell.scene('still');
  const file = path.join(cell.folder, 'still.rgba');
  await scene.command(`dump ${file}`);
  await host.evaluate((text) => globalThis.__bench.reference(text), readFileSync(file).toString('base64'));
  await scene.command('show');
}

export const video = (cell) => play(cell, 1280, 720, 320, 180);
export const fullscreen = (cell) => play(cell, 1920, 1080, 0, 0);

export async function idle(cell) {
  const { flipper } = await look(cell);
  await flipper.command('color 203040');
  await pause(cell.plan.quick ? 2000 : 4000);
  const cost = await cell.during(() => pause(cell.plan.seconds * 1000));
  return { kbyte: cost.bytes / cost.seconds / 1000, server: cost.server, browser: cost.browser };
}

export async function still(cell) {
  const { host, flipper } = await look(cell);
  await flipper.command('color 203040');
  const scene = await cell.scene('still');
  const file = path.join(cell.folder, 'still.rgba');
  await scene.command(`dump ${file}`);
  await host.evaluate((text) => globalThis.__bench.reference(text), readFileSync(file).toString('base64'));
  await quiet(cell);
  const results = [];
  const compare = (full) => host.evaluate(([w, h, f]) => globalThis.__bench.compare(w, h, f), [WIDTH, HEIGHT, full]);
  let exactAt;
  let early;
  const cost = await cell.during(async () => {
    const begin = performance.now();
    const { t } = await scene.command('show');
    while (performance.now() - begin < 3000) {
      const result = await compare(false);
      result.after = result.t - t / 1000;
      results.push(result);
      if (result.after <= 450) early = result;
      if (result.exact === 1) {
        exactAt ??= result.after;
      }
      await pause(exactAt === undefined && result.after < 1000 ? 30 : 250);
    }
  });
  const atThree = await compare(true);
  await pause(cell.plan.quick ? 0 : 6000);
  const last = await compare(true);
  return {
    exactAt, exactEarly: early && early.exact * 100, exact3: atThree.exact * 100, exact9: last.exact * 100, psnr3: atThree.psnr,
    text: atThree.quarters[0], colored: atThree.quarters[1], gradient: atThree.quarters[2], photo: atThree.quarters[3], kbyte: cost.bytes / 1000,
    wrong: last.wrong, where: last.edge?.join(' '),
  };
}

export async function first(cell) {
  const { page, target } = cell;
  const scene = await cell.scene('still');
  const file = path.join(cell.folder, 'still.rgba');
  await scene.command(`dump ${file}`);
  await scene.command('show');
  const original = readFileSync(file);
  // Gradient, photo, and the flat margins of the text: places where a coder is not far off.
  const points = [];
  for (let y = 620; y < HEIGHT; y += 140) for (let x = 60; x < WIDTH; x += 360) points.push([x, y]);
  for (const place of [[2, 300], [WIDTH - 3, 300], [WIDTH / 2 - 3, 200], [WIDTH / 2 + 3, 200]]) points.push(place);
  const luma = (x, y) => {
    const at = (y * WIDTH + x) * 4;
    return 0.2126 * original[at] + 0.7152 * original[at + 1] + 0.0722 * original[at + 2];
  };
  const job = { kind: 'near', points, values: points.map(([x, y]) => luma(x, y)), within: 60, enough: points.length - 1, width: WIDTH, height: HEIGHT };
  let weight = 0;
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  session.on('Network.loadingFinished', (event) => { weight += event.encodedDataLength; });
  await page.addInitScript(`globalThis.__bench.watch(${JSON.stringify(job)})`);
  page.on('worker', (worker) => worker.evaluate((one) => globalThis.__bench.watch(one), job).catch(() => {}));
  await visit(page, target.url, 'commit');
  const origin = await page.evaluate(() => performance.timeOrigin);
  const change = await until('first full frame', async () => {
    for (const host of [...page.frames(), ...page.workers()]) {
      const changes = await host.evaluate(() => globalThis.__bench?.changes ?? []).catch(() => []);
      if (changes.length > 0) return changes[0];
    }
    return undefined;
  }, 15_000, 100);
  await pause(500);
  return { ms: change[0] - origin, kbyte: weight / 1000 };
}

/** One viewer and then five more: memory, and processor time per delivered frame. */
export async function viewers(cell) {
  const { host, flipper } = await look(cell);
  await flipper.command('color 203040');
  const scene = await cell.scene('video', '--cache', cell.cache);
  const { bit, bits, x, y } = scene.ready;
  const points = Array.from({ length: bits }, (_, index) => [x + index * bit + bit / 2, y + bit / 2]);
  const memory = () => pssOf(descendants(cell.target.roots())) / 1e6;
  const one = await watch(cell, host, scene, 'start', cell.plan.seconds, points, 'frame');
  const memoryOne = memory();
  const further = [];
  let stubs;
  try {
    if (cell.target.viewer) {
      for (let index = 0; index < 5; index += 1) further.push(await WireClient.connect(cell.target.viewer));
    } else {
      stubs = await Browser.launch({ network: cell.network, here: cell.here, url: cell.target.url, stub: true });
      for (let index = 0; index < 5; index += 1) {
        const page = await stubs.page();
        await cell.target.prepare?.(page);
        await visit(page, cell.target.further ?? cell.target.url);
        further.push(page);
      }
    }
    await pause(2000);
    const delivered = async () => {
      const counts = [];
      for (const viewer of further) {
        counts.push(viewer instanceof WireClient ? viewer.updates : await viewer.evaluate(() => globalThis.__viewer?.messages ?? 0));
      }
      return counts;
    };
    await host.evaluate((job) => globalThis.__bench.watch(job), { kind: 'code', points, width: WIDTH, height: HEIGHT });
    const from = scene.events.length;
    scene.send(`start ${cell.plan.seconds + 2}`);
    await pause(1000);
    const before = await delivered();
    const begin = Date.now();
    const cost = await cell.during(() => pause(cell.plan.seconds * 1000));
    const end = Date.now();
    const after = await delivered();
    const memorySix = memory();
    await scene.wait('end', 20_000, from);
    const changes = await host.evaluate(() => globalThis.__bench.unwatch());
    const drawn = scene.events.slice(from).filter((event) => event.ev === 'frame' && event.t / 1000 >= begin && event.t / 1000 < end);
    const own = shown(changes, drawn).count;
    const others = after.map((count, index) => count - before[index]);
    const frames = own + others.reduce((sum, count) => sum + count, 0);
    return {
      memoryOne, memorySix, memoryEach: (memorySix - memoryOne) / 5, cpuOne: one.cpuEach,
      cpuSix: (cost.server * 10 * cost.seconds) / Math.max(1, frames), rate: own / cost.seconds,
      ratesOthers: median(others) / cost.seconds, serving: others.filter((count) => count > 0).length,
    };
  } finally {
    for (const viewer of further) if (viewer instanceof WireClient) viewer.close();
    await stubs?.close();
  }
}

/** Without a browser: key → update and damage → update on the wire. */
export async function wire(cell) {
  if (!cell.target.wire) return undefined;
  const flipper = await cell.scene('flip');
  await flipper.command('mode box');
  await flipper.command('color 000000');
  const client = await WireClient.connect(cell.target.wire);
  try {
    await until('the first update', () => client.updates > 0);
    await pause(1000);
    const fromKey = [];
    const fromDamage = [];
    let lost = 0;
    for (let index = 0; index < cell.plan.events; index += 1) {
      const from = flipper.events.length;
      const next = client.next(2000);
      const pressed = performance.timeOrigin + performance.now();
      client.key(0x61, true);
      const at = await next;
      client.key(0x61, false);
      const event = await flipper.wait('key', 2000, from).catch(() => undefined);
      if (at === undefined || !event) {
        lost += 1;
        continue;
      }
      fromKey.push(at - pressed);
      fromDamage.push(at - event.drawn / 1000);
      await pause(35 + ((index * 37) % 60));
    }
    return { key: median(fromKey), key95: percentile(fromKey, 0.95), damage: median(fromDamage), damage95: percentile(fromDamage, 0.95), lost };
  } finally {
    client.close();
  }
}
