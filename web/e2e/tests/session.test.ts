import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { call, open, PATIENCE, picture, signIn } from '../support/browser';
import {
  closePanel,
  colours,
  desktopReady,
  focusDesktop,
  openPanel,
  remoteSize,
  sizeBecomes,
  typeLine,
} from '../support/desktop';
import { type Containers, containersOf, exists, inside, runs, xSize } from '../support/engine';
import { launchTerminal } from '../support/session';
import { admin } from '../support/settings';
import { until } from '../support/until';

interface AgentsPage {
  items: { name: string; reserved: { cores: number; memory_bytes: number } }[];
}

async function reserved(page: Page): Promise<string> {
  const { body } = await call<AgentsPage>(page, 'GET', '/agents');
  return JSON.stringify(body.items.map((agent) => [agent.name, agent.reserved]));
}

const sessionId = (page: Page) => /\/session\/([0-9a-f-]{36})/.exec(page.url())?.[1] ?? '';

test('a session from click to gone', { timeout: 600_000 }, async (t) => {
  const { page, context, faults, atEnd } = await open(t, {
    viewport: { width: 1101, height: 703 },
  });
  await signIn(page, admin);
  const before = await reserved(page);
  let session = '';
  let containers: Containers;
  let failed = false;
  /** Each step stands on those before it: after a failure the rest says nothing. */
  const step = (name: string, task: () => Promise<void>) =>
    t.test(name, { skip: failed ? 'an earlier step failed' : false }, async () => {
      failed = true;
      await task();
      failed = false;
    });
  atEnd(async () => {
    if (session) await call(page, 'DELETE', `/sessions/${session}`);
  });

  await step('the click goes to the session at once, and a picture comes', async () => {
    await page.getByRole('button', { name: 'Launch Terminal' }).click();
    await page.waitForURL(/\/session\//, { timeout: 1000 });
    await page.waitForURL(/\/session\/[0-9a-f-]{36}/);
    session = sessionId(page);
    await desktopReady(page);
    await until('more than a blank picture', async () => (await colours(page)) > 8);
    containers = await until('both containers', () => containersOf(session));
    await picture(page, 'terminal');
  });

  await step('the desktop has the window’s size exactly', async () => {
    await sizeBecomes(page, '1101x703');
    assert.equal(await xSize(containers.workspace), '1101x703');
  });

  await step('typing runs a command, with symbols of several layouts', async () => {
    await focusDesktop(page);
    const text = 'a-Z 0 ~@#{}[]|\\$%^&*() äöüß€ñç';
    await typeLine(page, `printf '%s' '${text}' > ~/typed.txt`);
    const typed = await until('the file in the container', async () => {
      const found = await inside(containers.workspace, 'cat', '/home/kasm-user/typed.txt');
      return found === '' ? undefined : found;
    });
    assert.equal(typed, text);
  });

  await step('text pasted outside arrives inside', async () => {
    const text = `from outside äöü ${Date.now()}`;
    await page.evaluate((t) => navigator.clipboard.writeText(t), text);
    await focusDesktop(page);
    // The page reads the clipboard when a shortcut begins.
    await page.keyboard.press('Control');
    await until('the text on the desktop’s clipboard', async () => {
      const there = await inside(
        ...([containers.workspace, 'xclip', '-o', '-selection', 'clipboard'] as const),
      );
      return there === text;
    });
    // Else the shell marks what is pasted, or not, as it is in its line editor at that moment.
    await typeLine(page, "bind 'set enable-bracketed-paste off'");
    await typeLine(page, 'x=; while [ -z "$x" ]; do read -r x; done; echo "$x" > ~/pasted.txt');
    await page.keyboard.press('Control+Shift+V');
    // A program fetches the clipboard when it gets to it; the line is ended when it has.
    const pasted = await until('the pasted text in a file', async () => {
      await page.keyboard.press('Enter');
      const found = await inside(containers.workspace, 'cat', '/home/kasm-user/pasted.txt');
      return found === '' ? undefined : found.trim();
    });
    assert.equal(pasted, text);
  });

  await step('text copied inside arrives outside, and in the panel', async () => {
    const text = `from inside ${Date.now()}`;
    await focusDesktop(page);
    await typeLine(page, `printf '%s' '${text}' | xclip -selection clipboard`);
    await until('the text on the local clipboard', async () => {
      return (await page.evaluate(() => navigator.clipboard.readText())) === text;
    });
    await openPanel(page);
    const field = page.getByLabel('Text on the desktop’s clipboard');
    await until('the text in the panel', async () => (await field.inputValue()) === text);
    const typed = `typed into the panel ${Date.now()}`;
    await field.fill(typed);
    await until('the panel’s text inside', async () => {
      const there = await inside(
        ...([containers.workspace, 'xclip', '-o', '-selection', 'clipboard'] as const),
      );
      return there === typed;
    });
    await closePanel(page);
  });

  await step('the desktop follows the window, odd sizes included', async () => {
    for (const [width, height] of [
      [903, 611],
      [1280, 720],
      [777, 555],
    ] as const) {
      await page.setViewportSize({ width, height });
      await sizeBecomes(page, `${width}x${height}`);
      await until('the X server’s size', async () => {
        return (await xSize(containers.workspace)) === `${width}x${height}`;
      });
      const overflow = await page.evaluate(() => [
        document.documentElement.scrollWidth - innerWidth,
        document.documentElement.scrollHeight - innerHeight,
      ]);
      assert.deepEqual(overflow, [0, 0], 'no scroll bars');
    }
  });

  await step('a reload goes on with the same session', async () => {
    await page.reload();
    await desktopReady(page);
    assert.equal(sessionId(page), session);
    await focusDesktop(page);
    await typeLine(page, 'echo after-reload > ~/reload.txt');
    await until('the file of after the reload', async () => {
      const found = await inside(containers.workspace, 'cat', '/home/kasm-user/reload.txt');
      return found.trim() === 'after-reload';
    });
  });

  await step('its address, opened by somebody not signed in, asks first', async () => {
    const other = await open(t, { viewport: page.viewportSize() });
    await signIn(other.page, admin, `/session/${session}`);
    await desktopReady(other.page);
    assert.equal(sessionId(other.page), session);
    await until('more than a blank picture', async () => (await colours(other.page)) > 8);
    assert.deepEqual(other.faults, []);
    await other.context.close();
  });

  await step('a network cut keeps the picture, and goes on by itself', async () => {
    const shown = await remoteSize(page);
    await context.setOffline(true);
    await page.waitForSelector('[data-banner]');
    await page.locator('[data-banner]', { hasText: 'Reconnecting' }).waitFor();
    await page.waitForSelector('[data-screen] canvas[data-still]');
    // What is typed now must not arrive later.
    await page.keyboard.type('echo lost > ~/lost.txt');
    await page.keyboard.press('Enter');
    await context.setOffline(false);
    await desktopReady(page);
    await page.waitForSelector('[data-banner]', { state: 'detached' });
    assert.equal(await remoteSize(page), shown);
    await focusDesktop(page);
    await typeLine(page, 'echo after-cut > ~/cut.txt');
    await until('the file of after the cut', async () => {
      const found = await inside(containers.workspace, 'cat', '/home/kasm-user/cut.txt');
      return found.trim() === 'after-cut';
    });
    await assert.rejects(inside(containers.workspace, 'cat', '/home/kasm-user/lost.txt'));
  });

  await step('a second tab shows and drives the same session', async () => {
    const second = await context.newPage();
    await second.setViewportSize({ width: 777, height: 555 });
    await second.goto(`/session/${session}`);
    await desktopReady(second);
    await focusDesktop(second);
    await typeLine(second, 'echo second-tab > ~/second.txt');
    await until('the second tab’s file', async () => {
      const found = await inside(containers.workspace, 'cat', '/home/kasm-user/second.txt');
      return found.trim() === 'second-tab';
    });
    assert.equal(await page.locator('[data-screen]').getAttribute('data-state'), 'connected');
    await second.close();
  });

  await step('the dashboard shows it with a live picture', async () => {
    await page.goto('/');
    const card = page.locator(`[data-session="${session}"]`);
    await card.getByText('Running').waitFor();
    await card.getByRole('img', { name: 'Screen of Terminal' }).waitFor();
    await picture(page, 'dashboard');
    await card.getByRole('link', { name: /Continue Terminal/ }).click();
    await desktopReady(page);
  });

  await step('extending gives more time', async () => {
    await openPanel(page);
    await page.locator('[data-panel]').getByRole('button', { name: 'Extend' }).click();
    await page.getByText(/Extended: .* left/).waitFor();
  });

  await step('stop ends the programs, keeps the files, frees the reservation', async () => {
    await page.locator('[data-panel]').getByRole('button', { name: 'Stop', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Stop', exact: true }).click();
    await page.getByText('Terminal is stopped').waitFor();
    await until('stopped containers', async () => {
      return !(await runs(containers.workspace)) && !(await runs(containers.display));
    });
    await until('the reservation freed', async () => (await reserved(page)) === before);
  });

  await step('resume brings the files back', async () => {
    await page.getByRole('button', { name: 'Resume' }).click();
    await desktopReady(page);
    const again = await until('both containers again', () => containersOf(session));
    const found = await inside(again.workspace, 'cat', '/home/kasm-user/second.txt');
    assert.equal(found.trim(), 'second-tab');
  });

  await step('delete leaves no container, no socket, no reservation', async () => {
    const last = (await containersOf(session)) ?? containers;
    await openPanel(page);
    await page.locator('[data-panel]').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('This session has ended').waitFor({ timeout: 60_000 });
    await until('no container', async () => {
      return !(await exists(last.workspace)) && !(await exists(last.display));
    });
    if (last.directory !== '') {
      await until('no sockets', () => !existsSync(last.directory));
    }
    await until('the reservation freed', async () => (await reserved(page)) === before);
    assert.equal((await call(page, 'GET', `/sessions/${session}`)).status, 404);
    session = '';
  });

  assert.deepEqual(faults, [], 'no uncaught errors, nothing refused by the CSP');
});

test('device pixels: a desktop at the screen’s ratio', { timeout: 120_000 }, async (t) => {
  const watched = await open(t, {
    viewport: { width: 801, height: 601 },
    deviceScaleFactor: 1.5,
  });
  const { page } = watched;
  await signIn(page, admin);
  const { containers } = await launchTerminal(watched);
  await sizeBecomes(page, '1202x902');
  // The worker's canvas takes its size with its next picture.
  await until('one pixel of the desktop to one of the device', async () => {
    const ratios = await page.evaluate(() => {
      const canvas = document.querySelector<HTMLCanvasElement>('[data-screen] canvas');
      const box = canvas?.getBoundingClientRect();
      return canvas && box ? [canvas.width / box.width, canvas.height / box.height] : [];
    });
    return ratios.length === 2 && ratios.every((ratio) => Math.abs(ratio - 1.5) < 1e-3);
  });
  assert.equal(await xSize(containers.workspace), '1202x902');
});

test('a browser that gives workers no canvas', { timeout: 120_000 }, async (t) => {
  const watched = await open(t);
  const { page, context, faults } = watched;
  await context.addInitScript(() => {
    Reflect.deleteProperty(HTMLCanvasElement.prototype, 'transferControlToOffscreen');
  });
  await signIn(page, admin);
  const { containers } = await launchTerminal(watched);
  await until('more than a blank picture', async () => (await colours(page)) > 8);
  await focusDesktop(page);
  await typeLine(page, 'echo drawn-by-the-page > ~/typed.txt');
  await until('the file in the container', async () => {
    const found = await inside(containers.workspace, 'cat', '/home/kasm-user/typed.txt');
    return found.trim() === 'drawn-by-the-page';
  });
  assert.equal(page.workers().length, 0);
  assert.deepEqual(faults, []);
});

test('a session that is none says so', async (t) => {
  const { page } = await open(t);
  await signIn(page, admin);
  await page.goto('/session/00000000-0000-4000-8000-000000000000');
  await page.getByText('This session has ended').waitFor({ timeout: PATIENCE });
  await page.getByRole('link', { name: 'Return to the dashboard' }).click();
  await page.getByRole('heading', { name: 'Workspaces' }).waitFor();
});
