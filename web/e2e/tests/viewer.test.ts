import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { call, open, picture, signIn } from '../support/browser';
import { desktopReady, focusDesktop, openPanel, typeLine } from '../support/desktop';
import { launchTerminal } from '../support/session';
import { admin } from '../support/settings';
import { until } from '../support/until';

/** The overlay's figures by their names. */
function figures(page: Page): Promise<Record<string, string>> {
  return page
    .locator('[data-statistics] dl:not([data-codecs]) > div')
    .evaluateAll((rows) =>
      Object.fromEntries(
        rows.map((row) => [
          row.querySelector('dt')?.textContent ?? '',
          row.querySelector('dd')?.textContent ?? '',
        ]),
      ),
    );
}

/** Pixels that outlines colour. */
function outlined(page: Page): Promise<number> {
  return page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('canvas[data-outlines]');
    if (!canvas || canvas.width === 0) return 0;
    const context = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
    context?.drawImage(canvas, 0, 0);
    const data = context?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    let count = 0;
    for (let at = 3; at < data.length; at += 4) if (data[at]) count += 1;
    return count;
  });
}

test('statistics over the desktop', { timeout: 200_000 }, async (t) => {
  const watched = await open(t, { viewport: { width: 1000, height: 700 } });
  const { page, faults } = watched;
  await signIn(page, admin);
  const { session } = await launchTerminal(watched);
  assert.equal(await page.locator('[data-statistics]').count(), 0);
  await openPanel(page);
  await page.getByText('Show statistics').click();
  await page.keyboard.press('Escape');
  await focusDesktop(page);
  await typeLine(page, 'while sleep 0.1; do date +%s%N; done');
  const shown = await until('figures of all parts', async () => {
    const all = await figures(page);
    const known = Object.values(all).every((value) => value !== '–');
    return Object.keys(all).length === 8 && known && all.Pictures !== '0/s' && all;
  });
  assert.match(shown.Data ?? '', /bit\/s$/);
  for (const part of ['Network, there and back', 'Encoding (server)', 'Decoding', 'Drawing']) {
    assert.match(shown[part] ?? '', /^[\d.]+ ms$/, part);
  }
  assert.equal(shown.Size, '1000 × 700');
  const codecs = page.locator('[data-codecs] > div');
  assert.match((await codecs.first().textContent()) ?? '', /^\w+.* % · [\d.]+ [kM]P\/s$/);
  await picture(page, 'statistics');

  await page.getByText('Show how areas are coded').click();
  assert.equal(await codecs.count(), 5, 'all colours are explained');
  // The prompt's line is outlined while it changes, in the colour of exact pixels or of moved ones.
  await until('outlines', async () => (await outlined(page)) > 0);
  await picture(page, 'outlines');
  // The switch has not taken the keyboard from the desktop.
  await page.keyboard.press('Control+c');
  // A cursor that blinks is outlined each time.
  await typeLine(page, 'tput civis; clear');
  await until('outlines that have faded', async () => (await outlined(page)) === 0);
  await typeLine(page, 'while sleep 0.1; do date +%s%N; done');
  await page.emulateMedia({ colorScheme: 'dark' });
  await picture(page, 'statistics dark');
  await page.setViewportSize({ width: 390, height: 844 });
  await until('the new size', async () => (await figures(page)).Size === '390 × 844');
  await until('outlines', async () => (await outlined(page)) > 0);
  await picture(page, 'statistics phone');
  // It is remembered.
  await page.reload();
  await desktopReady(page);
  await page.waitForSelector('[data-statistics]');
  await page.waitForSelector('[data-outlines]', { state: 'attached' });
  await page.getByText('Show how areas are coded').click();
  await page.waitForSelector('[data-outlines]', { state: 'detached' });
  // What was measured is kept with the session when its page is left, for administrators.
  const told = page.waitForResponse((answer) => answer.url().endsWith('/statistics'));
  await focusDesktop(page);
  await typeLine(page, 'while sleep 0.1; do date +%s%N; done');
  // Figures are taken every ten seconds; those of two times are the first.
  await told;
  const kept = await call<{ statistics: Record<string, number> }>(
    ...([page, 'GET', `/sessions/${session}`] as const),
  );
  assert.equal(kept.body.statistics.width, 390);
  assert.ok((kept.body.statistics.frame_rate ?? 0) > 0, JSON.stringify(kept.body));
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto('/admin/sessions');
  await page.getByText('Mbit/s').first().waitFor();
  await picture(page, 'sessions with figures');
  assert.deepEqual(faults, []);
});

test('an engine that breaks', { timeout: 200_000 }, async (t) => {
  const watched = await open(t);
  const { page } = watched;
  await signIn(page, admin);
  await launchTerminal(watched);
  const crash = async () => {
    const worker = page.workers()[0];
    assert.ok(worker, 'the engine is in a worker');
    await worker.evaluate(() => {
      setTimeout(() => {
        throw new Error('as a trap would');
      });
    });
    return worker;
  };
  const first = await crash();
  await page.getByText('The viewer in this page stopped working.').waitFor();
  await until('another worker', () => page.workers().length > 0 && !page.workers().includes(first));
  await desktopReady(page);
  await crash();
  const card = page.locator('[data-overlay]');
  await card.getByText('The viewer in this page stopped working.').waitFor();
  await card.getByRole('button', { name: 'Load anew' }).waitFor();
  await picture(page, 'crashed');
  await card.getByRole('button', { name: 'Load anew' }).click();
  await desktopReady(page);
});
