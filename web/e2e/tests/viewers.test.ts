import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { open, picture, signIn } from '../support/browser';
import { desktopReady, focusDesktop, remoteSize, sizeBecomes, typeLine } from '../support/desktop';
import { inside, xSize } from '../support/engine';
import { launchTerminal } from '../support/session';
import { admin } from '../support/settings';
import { until } from '../support/until';
import { pointer } from '../support/x11';

/** Longer than a viewer waits until it asks for the size of its window, in milliseconds. */
const ASKED_BY = 500;

/** Where the picture is on the page, in whole CSS pixels: left, top, width, height. */
async function box(page: Page): Promise<number[]> {
  const found = await page.locator('[data-screen] canvas').first().boundingBox();
  return found ? [found.x, found.y, found.width, found.height].map(Math.round) : [];
}

/** What tells its picture from another. */
function digest(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const canvas = document.querySelector<HTMLCanvasElement>('[data-screen] canvas');
    if (!canvas) throw new Error('no canvas');
    const { width, height } = canvas;
    const context = new OffscreenCanvas(width, height).getContext('2d');
    context?.drawImage(canvas, 0, 0);
    const { data } = context?.getImageData(0, 0, width, height) ?? {};
    if (!data) throw new Error('no pixels');
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
    return `${width}x${height} ${[...hash]}`;
  });
}

test('several viewers of one session', { timeout: 200_000 }, async (t) => {
  const owner = await open(t, { viewport: { width: 1000, height: 700 } });
  await signIn(owner.page, admin);
  const { session, containers } = await launchTerminal(owner);
  const { workspace } = containers;
  await sizeBecomes(owner.page, '1000x700');

  await t.test('a picture that was scrolled is the one that a new viewer gets', async () => {
    await focusDesktop(owner.page);
    const lines = 'for i in $(seq 90); do echo $i $((i * i * i)); sleep 0.02; done';
    await typeLine(owner.page, `${lines}; touch /tmp/scrolled`);
    await until('the last line', async () => {
      return (await inside(workspace, 'ls', '/tmp')).includes('scrolled');
    });
    const fresh = await open(t, { viewport: { width: 1000, height: 700 } });
    await signIn(fresh.page, admin, `/session/${session}`);
    await desktopReady(fresh.page);
    await until('the same picture', async () => {
      const [one, two] = await Promise.all([owner.page, fresh.page].map(digest));
      return one === two;
    });
    await fresh.context.close();
  });

  const another = await open(t, { viewport: { width: 640, height: 480 } });

  await t.test('who opens another has its size; the first one’s picture is scaled', async () => {
    await signIn(another.page, admin, `/session/${session}`);
    await desktopReady(another.page);
    await sizeBecomes(another.page, '640x480');
    await sizeBecomes(owner.page, '640x480');
    assert.equal(await xSize(workspace), '640x480');
    assert.deepEqual(await box(another.page), [0, 0, 640, 480]);
    // 700 / 480 of it, in the middle.
    assert.deepEqual(await box(owner.page), [33, 0, 933, 700]);
    await picture(owner.page, 'scaled viewer');
  });

  await t.test('a window that is not used may have any size', async () => {
    await owner.page.setViewportSize({ width: 900, height: 650 });
    await owner.page.waitForTimeout(ASKED_BY);
    assert.equal(await xSize(workspace), '640x480');
    await another.page.setViewportSize({ width: 660, height: 500 });
    await sizeBecomes(owner.page, '660x500');
    await until('the scaled picture', async () => {
      return String(await box(owner.page)) === '21,0,858,650';
    });
  });

  await t.test('who uses it has its size, by pointer or by key', async () => {
    await focusDesktop(owner.page);
    await sizeBecomes(owner.page, '900x650');
    await sizeBecomes(another.page, '900x650');
    await until('the scaled picture', async () => {
      return String(await box(another.page)) === '0,12,660,477';
    });
    await another.page.keyboard.press('Shift');
    await sizeBecomes(owner.page, '660x500');
    assert.deepEqual(await box(another.page), [0, 0, 660, 500]);
  });

  await t.test('a viewer that may only watch never decides', async () => {
    const watcher = await open(t, { viewport: { width: 500, height: 400 } });
    const { page } = watcher;
    await page.route('**/api/v1/sessions/*/connect', async (route) => {
      const answer = await route.fetch();
      const json = (await answer.json()) as object;
      await route.fulfill({ response: answer, json: { ...json, access: 'view' } });
    });
    await signIn(page, admin, `/session/${session}`);
    await desktopReady(page);
    assert.equal(await remoteSize(page), '660x500');
    // 500 / 660 of it.
    assert.deepEqual(await box(page), [0, 11, 500, 379]);
    const before = await pointer(workspace);
    await focusDesktop(page);
    await page.keyboard.press('a');
    await page.setViewportSize({ width: 550, height: 420 });
    await page.waitForTimeout(ASKED_BY);
    assert.equal(await xSize(workspace), '660x500');
    const after = await pointer(workspace);
    assert.deepEqual([after.x, after.y], [before.x, before.y]);
    await until('the scaled picture', async () => String(await box(page)) === '0,2,550,417');
    await picture(page, 'watching viewer');
    assert.deepEqual(watcher.faults, []);
  });

  assert.deepEqual([...owner.faults, ...another.faults], []);
});
