import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { call, open, picture, signIn } from '../support/browser';
import { desktopReady, openPanel } from '../support/desktop';
import { admin } from '../support/settings';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

interface Violation {
  id: string;
  help: string;
  nodes: { target: unknown[]; failureSummary: string }[];
}

/** What axe-core finds against WCAG 2.2 A and AA. */
async function violations(page: Page, where: string): Promise<string[]> {
  // Through the protocol, since the page's policy rightly refuses a script element.
  const { readFile } = await import('node:fs/promises');
  await page.evaluate(await readFile(AXE, 'utf8'));
  const found = await page.evaluate(async () => {
    const axe = (globalThis as unknown as { axe: { run(o: object): Promise<unknown> } }).axe;
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
    const { violations } = (await axe.run({ runOnly: tags })) as { violations: Violation[] };
    return violations;
  });
  return found.flatMap((v) =>
    v.nodes.map(
      (n) => `${where}: ${v.id} (${v.help}) at ${n.target.join(' ')}\n${n.failureSummary}`,
    ),
  );
}

const ALL_USERS = '68d557ac-4cac-42cc-a9f3-1c7c853de0f3';

const PAGES: Record<string, string> = {
  dashboard: '/',
  account: '/account',
  'API page': '/api/docs',
  'admin sessions': '/admin/sessions',
  'admin users': '/admin/users',
  'new user': '/admin/users/new',
  'admin workspaces': '/admin/workspaces',
  'new workspace': '/admin/workspaces/new',
  'admin agents': '/admin/agents',
  'admin audit': '/admin/audit',
  'admin groups': '/admin/groups',
  'new group': '/admin/groups/new',
  'group settings': `/admin/groups/${ALL_USERS}`,
  'group members': `/admin/groups/${ALL_USERS}?tab=members`,
  'group permissions': `/admin/groups/${ALL_USERS}?tab=permissions`,
};

/** Those and the page of whoever is signed in. */
async function pages(page: Page): Promise<[string, string][]> {
  const me = await call<{ user: { id: string } }>(page, 'GET', '/me');
  return [...Object.entries(PAGES), ['user', `/admin/users/${me.body.user.id}`]];
}

async function settled(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).first().waitFor({ state: 'attached' });
  await page.waitForLoadState('load');
  await page.waitForFunction(() => !document.querySelector('.mantine-Skeleton-root'));
  // What fades in is judged when it is there.
  await page.waitForFunction(() =>
    document.getAnimations().every((a) => a.playState !== 'running'),
  );
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`accessibility by axe-core, ${colorScheme}`, { timeout: 180_000 }, async (t) => {
    const { page, faults } = await open(t, { colorScheme, reducedMotion: 'reduce' });
    await page.goto('/login');
    await settled(page);
    await picture(page, `login ${colorScheme}`);
    const found = await violations(page, 'login');
    await signIn(page, admin);
    for (const [name, path] of await pages(page)) {
      await page.goto(path);
      await settled(page);
      await picture(page, `${name} ${colorScheme}`);
      found.push(...(await violations(page, name)));
    }
    assert.deepEqual(found, []);
    assert.deepEqual(faults, []);
  });
}

test('the session panel is accessible', { timeout: 120_000 }, async (t) => {
  const { page, atEnd } = await open(t, { reducedMotion: 'reduce' });
  await signIn(page, admin);
  await page.getByRole('button', { name: 'Launch Terminal' }).click();
  await page.waitForURL(/\/session\/[0-9a-f-]{36}/);
  const session = page.url().split('/').at(-1);
  atEnd(() => call(page, 'DELETE', `/sessions/${session}`));
  await desktopReady(page);
  await openPanel(page);
  await settled(page);
  await picture(page, 'session panel');
  assert.deepEqual(await violations(page, 'session panel'), []);
  await page.setViewportSize({ width: 360, height: 740 });
  await page.waitForFunction(() => document.documentElement.scrollWidth <= innerWidth);
  await picture(page, 'session panel small');
  // By keyboard alone: Escape closes it, the shortcut opens it.
  await page.keyboard.press('Escape');
  await page.waitForSelector('[data-panel]', { state: 'detached' });
  await page.keyboard.press('Control+Alt+Shift');
  await page.waitForSelector('[data-panel]');
});

test('no page scrolls sideways at 360 pixels', { timeout: 120_000 }, async (t) => {
  const { page } = await open(t, { viewport: { width: 360, height: 740 } });
  const wide: string[] = [];
  const judge = async (name: string) => {
    await settled(page);
    await picture(page, `${name} small`);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (over > 0) wide.push(`${name}: ${over} px`);
  };
  await page.goto('/login');
  await judge('login');
  await signIn(page, admin);
  for (const [name, path] of await pages(page)) {
    await page.goto(path);
    await judge(name);
  }
  assert.deepEqual(wide, []);
});

test('German texts', async (t) => {
  const { page } = await open(t, { locale: 'de-DE' });
  await page.goto('/login');
  await page.getByRole('button', { name: 'Anmelden' }).waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'de');
});
