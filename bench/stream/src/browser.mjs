/** Headless Chromium, a fresh one per cell, and the probe in its pages and workers. */

import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { descendants, until } from './process.mjs';

const WIDTH = 1920;
const HEIGHT = 1080;
let counter = 0;
/** Each page's probe. */
const probes = new WeakMap();

export class Browser {
  static async launch({ network, here, url, stub = false }) {
    const self = new Browser();
    counter += 1;
    const mark = `--porthole-bench=${process.pid}-${counter}`;
    self.browser = await chromium.launch({
      executablePath: network.chromium,
      headless: true,
      // main.mjs ends things in order.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
      timeout: 30_000,
      args: [
        '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync', mark,
        // WebCodecs wants a secure context; the far end of a shaped link has no name of its own.
        `--unsafely-treat-insecure-origin-as-secure=${new URL(url).origin}`,
      ],
    });
    const all = descendants([process.pid]);
    self.root = all.find((pid) => commandLine(pid).includes(mark));
    self.probe = readFileSync(`${here}/pages/${stub ? 'stub' : 'probe'}.js`, 'utf8');
    self.url = url;
    return self;
  }

  /** A new page with the probe; not yet anywhere. */
  async page() {
    const context = await this.browser.newContext({ viewport: { width: WIDTH, height: HEIGHT }, deviceScaleFactor: 1, ignoreHTTPSErrors: true });
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    probes.set(page, this.probe);
    await page.addInitScript({ content: this.probe });
    page.on('worker', (worker) => worker.evaluate(this.probe).catch(() => {}));
    return page;
  }

  /** Processor time of the browser's processes so far is of these. */
  pids() {
    return this.root ? descendants([this.root]) : [];
  }

  async close() {
    await Promise.race([this.browser.close(), new Promise((resolve) => setTimeout(resolve, 5000))]);
    for (const pid of this.pids()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {}
    }
  }
}

/** Opens the page; again where a container's network coming up made Chromium give the load up. */
export async function visit(page, url, waitUntil = 'domcontentloaded') {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await page.goto(url, { waitUntil });
    } catch (error) {
      if (attempt === 3 || !error.message.includes('ERR_NETWORK_CHANGED')) throw error;
    }
  }
}

function commandLine(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/**
 * The frame or worker that holds the remote screen. `flip(bright)` paints the whole display white
 * or black; the screen is the element that follows.
 */
export async function findScreen(page, flip, milliseconds = 20_000) {
  const hosts = () => [...page.frames(), ...page.workers()];
  const look = async (host) => {
    try {
      const values = await host.evaluate(([w, h, x, y]) => globalThis.__bench?.look(w, h, x, y), [WIDTH, HEIGHT, 301, 201]);
      // A worker that came while the page was busy may have missed its probe.
      if (!values) await host.evaluate(probes.get(page));
      return values ?? [];
    } catch {
      return [];
    }
  };
  /** For the message when there is none: the page's words, and what each place shows. */
  const state = async () => {
    const text = await page.evaluate(() => document.body?.innerText ?? '').catch((error) => error.message);
    const shown = await Promise.all(hosts().map(async (host) => `${host.url()}: ${await look(host)}`));
    return `${text.replaceAll(/\s+/g, ' ').slice(0, 200)} [${shown.join(' | ')}]`;
  };
  const followed = new Map();
  let bright = false;
  return until('the remote screen in the page', async () => {
    bright = !bright;
    await flip(bright);
    const leading = Math.max(0, ...followed.values());
    const matching = new Map();
    // A busy machine takes its time; what does not follow within a second and a half is not it.
    await until('', async () => {
      for (const [at, host] of hosts().entries()) {
        for (const [index, value] of (await look(host)).entries()) {
          if (value >= 0 && value > 128 === bright) matching.set(`${at}.${index}`, { host, index });
        }
      }
      return [...matching.keys()].some((key) => (followed.get(key) ?? 0) === leading);
    }, 1500, 50).catch(() => {});
    const before = new Map(followed);
    followed.clear();
    for (const [key, { host, index }] of matching) {
      followed.set(key, (before.get(key) ?? 0) + 1);
      if (followed.get(key) < 4) continue;
      await host.evaluate(([w, h, i]) => globalThis.__bench.choose(w, h, i), [WIDTH, HEIGHT, index]);
      return host;
    }
    return undefined;
  }, milliseconds, 0).catch(async (error) => { throw new Error(`${error.message}; ${await state()}`); });
}
