/** The browser under test, and the pages that every test walks over. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';
import { browserPath, pictures, url } from './settings';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Longest wait for anything on a page, in milliseconds. */
export const PATIENCE = 40_000;

/** One for all tests of a file: each file runs in a process of its own. */
let browser: Promise<Browser> | undefined;
after(async () => (await browser)?.close());

/** What went wrong on a page without being asked for. */
export interface Watched {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Uncaught errors and refusals by the content security policy. */
  readonly faults: string[];
  /** Runs something at the test's end while the page is still there; the last first. */
  atEnd(task: () => Promise<unknown>): void;
}

/** A fresh browser profile with one page; closed, and pictured if the test failed, at its end. */
export async function open(t: TestContext, options: BrowserContextOptions = {}): Promise<Watched> {
  browser ??= chromium.launch({
    executablePath: browserPath,
    args: FLAGS,
    // As on a person's machine: without a locale it finds no file whose name is not ASCII.
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  const context = await (await browser).newContext({
    ignoreHTTPSErrors: true,
    baseURL: url,
    locale: 'en-GB',
    viewport: { width: 1200, height: 800 },
    permissions: ['clipboard-read', 'clipboard-write'],
    ...options,
  });
  context.setDefaultTimeout(PATIENCE);
  const faults: string[] = [];
  const watch = (page: Page) => {
    page.on('pageerror', (error) => faults.push(String(error)));
    page.on('console', (message) => {
      if (/Content Security Policy/.test(message.text())) faults.push(message.text());
    });
  };
  context.on('page', watch);
  const page = await context.newPage();
  const go = page.goto.bind(page);
  // Each container brings an interface, and the browser drops what it is loading just then; its
  // own page about that may come so late that it is what breaks off the next try.
  const dropped = /ERR_NETWORK_CHANGED|another navigation to "chrome-error:/;
  page.goto = async (...where) => {
    for (let tries = 0; ; tries += 1) {
      try {
        return await go(...where);
      } catch (error) {
        if (tries === 3 || !dropped.test(String(error))) throw error;
      }
    }
  };
  const tasks: (() => Promise<unknown>)[] = [];
  t.after(async () => {
    await picture(page, `end of ${t.name}`);
    try {
      for (const task of tasks.reverse()) await task();
    } finally {
      await context.close();
    }
  });
  return { context, page, faults, atEnd: (task) => tasks.push(task) };
}

/** Keeps a picture of a page where pictures are wanted. */
export async function picture(page: Page, name: string): Promise<void> {
  if (!pictures || page.isClosed()) return;
  mkdirSync(pictures, { recursive: true });
  const file = name.replaceAll(/[^a-z0-9]+/gi, '-').toLowerCase();
  await page.screenshot({ path: join(pictures, `${file}.png`) }).catch(() => {});
}

/** Fills in the login page and waits for what comes after. */
export async function signIn(
  page: Page,
  who: { username: string; password: string },
  path = '/',
): Promise<void> {
  await page.goto(path);
  await page.waitForURL(/\/login/);
  await page.getByLabel('User name').fill(who.username);
  await page.getByRole('textbox', { name: 'Password' }).fill(who.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL((at) => !at.pathname.startsWith('/login'));
}

/** An API call with the page's login. */
export async function call<T>(
  page: Page,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: T }> {
  const ask = () =>
    page.evaluate(
      async ([method, path, body]) => {
        const response = await fetch(`/api/v1${path}`, {
          method,
          headers: body === undefined ? {} : { 'content-type': 'application/json' },
          body: body === undefined ? undefined : JSON.stringify(body),
        });
        const text = await response.text();
        return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
      },
      [method, path, body] as const,
    ) as Promise<{ status: number; body: T }>;
  // The browser drops a request when a container comes or goes just then.
  return method === 'POST' ? ask() : ask().catch(ask);
}
