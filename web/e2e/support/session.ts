/** A session of the Terminal workspace for a test. */

import type { Page } from 'playwright-core';
import { call, type Watched } from './browser';
import { desktopReady, focusDesktop, typeText } from './desktop';
import { type Containers, containersOf, inside } from './engine';
import { until } from './until';

/** A running session, deleted at the test's end. */
export interface Terminal {
  readonly session: string;
  readonly containers: Containers;
}

/** Launches a workspace from the dashboard, and waits until its desktop is there. The session. */
export async function launch({ page, atEnd }: Watched, workspace: string): Promise<string> {
  await page.getByRole('button', { name: `Launch ${workspace}` }).click();
  await page.waitForURL(/\/session\/[0-9a-f-]{36}/);
  const session = /\/session\/([0-9a-f-]{36})/.exec(page.url())?.[1] ?? '';
  atEnd(() => call(page, 'DELETE', `/sessions/${session}`));
  await desktopReady(page);
  return session;
}

/** The same with the Terminal workspace, and its containers. */
export async function launchTerminal(watched: Watched): Promise<Terminal> {
  const session = await launch(watched, 'Terminal');
  const containers = await until('both containers', () => containersOf(session));
  return { session, containers };
}

/** What a program in the terminal reads while `type` types. */
export async function readWhile(
  page: Page,
  workspace: string,
  name: string,
  type: () => Promise<void>,
): Promise<string> {
  const file = `/tmp/${name}`;
  await focusDesktop(page);
  await typeText(page, `cat > ${file}`);
  await page.keyboard.press('Enter');
  await until('cat', async () => (await inside(workspace, 'ls', '/tmp')).includes(name));
  await type();
  await page.keyboard.press('Enter');
  const text = await until('the line', async () => {
    const found = await inside(workspace, 'cat', file);
    return found.endsWith('\n') ? found.slice(0, -1) : undefined;
  });
  await page.keyboard.press('Control+d');
  return text;
}
