import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { call, launchBrowser, open, picture, signIn } from '../support/browser';
import { desktopReady, sizeBecomes } from '../support/desktop';
import { admin } from '../support/settings';
import { until } from '../support/until';

let browser: Browser;
before(async () => {
  browser = await launchBrowser();
});
after(() => browser.close());

/** What is counted in a picture of the desktop. */
interface Counts {
  /** Pixels of the watermark's colour. */
  marked: number;
  /** In how many of nine parts of the picture there are such. */
  parts: number;
  /** Pixels in the area of the upper 40 rows that are not black. */
  bright: number;
}

/** Reads pixels of the session's canvas, or of a picture from the server. */
function pixels(page: Page, source: string | undefined): Promise<Counts> {
  return page.evaluate(async (source) => {
    let image: CanvasImageSource & { width: number; height: number };
    if (source === undefined) {
      const canvas = document.querySelector<HTMLCanvasElement>('[data-screen] canvas');
      if (!canvas) throw new Error('no canvas');
      image = canvas;
    } else {
      const answer = await fetch(source);
      if (!answer.ok) throw new Error(`${source}: ${answer.status}`);
      image = await createImageBitmap(await answer.blob());
    }
    const { width, height } = image;
    const context = new OffscreenCanvas(width, height).getContext('2d');
    if (!context) throw new Error('no context');
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    const parts = new Set<number>();
    let marked = 0;
    let bright = 0;
    // A picture is smaller than the desktop; its edges are blurred.
    const black = (source === undefined ? 40 : 30) * (source === undefined ? 1 : height / 700);
    for (let at = 0; at < data.length; at += 4) {
      const [red = 0, green = 0, blue = 0] = [data[at], data[at + 1], data[at + 2]];
      const [x, y] = [(at / 4) % width, Math.floor(at / 4 / width)];
      if (red > 200 && green < 70 && blue > 200) {
        marked += 1;
        parts.add(Math.floor((x * 3) / width) * 3 + Math.floor((y * 3) / height));
      }
      if (y < black && red + green + blue > 60) bright += 1;
    }
    return { marked, parts: parts.size, bright };
  }, source);
}

test('a watermark set in the form is in every pixel source', { timeout: 300_000 }, async (t) => {
  const { page, faults, atEnd } = await open(t, browser, {
    viewport: { width: 1100, height: 700 },
    reducedMotion: 'reduce',
  });
  await signIn(page, admin, '/admin/workspaces');
  const name = `Marked ${Date.now()}`;
  await page.getByRole('link', { name: 'New workspace' }).click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill(name);
  await page.getByRole('textbox', { name: 'Image', exact: true }).fill('porthole/terminal:1.0');
  const protection = page.getByRole('group', { name: 'Data protection' });
  await protection.getByText('Text', { exact: true }).click();
  const text = protection.getByRole('textbox', { name: 'Watermark text' });
  await text.fill('{who} %H:%M');
  await protection.getByLabel('Opacity in per cent').fill('100');
  await protection.getByLabel('Colour').fill('#ff00ff');
  await protection.getByLabel('Pixels between copies').fill('40');
  await protection.getByRole('button', { name: 'Add black area' }).click();
  await protection.getByLabel('Black area 1: To bottom').fill('far');
  await page.getByRole('button', { name: 'Create' }).click();
  await protection.getByText('Pixels such as 120 or -120').waitFor();
  await protection.getByLabel('Black area 1: To bottom').fill('40');
  await page.getByRole('button', { name: 'Create' }).click();
  // The server's judgement stands at its field.
  await protection.getByText('{who} is not known').waitFor();
  await picture(page, 'protection fault');
  await text.fill('{username} {address}\n%Y-%m-%d %H:%M');
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('heading', { name: `Workspace ${name}` }).waitFor();
  const id = page.url().split('/').at(-1) ?? '';
  atEnd(() => call(page, 'DELETE', `/workspaces/${id}`));
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await protection.scrollIntoViewIfNeeded();
    await picture(page, `protection form ${colorScheme}`);
    await page.setViewportSize({ width: 360, height: 740 });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(over <= 0, `the form is ${over} px too wide`);
    await protection.scrollIntoViewIfNeeded();
    await picture(page, `protection form ${colorScheme} small`);
    await page.setViewportSize({ width: 1100, height: 700 });
  }

  await page.goto('/');
  await page.getByRole('button', { name: `Launch ${name}` }).click();
  await page.waitForURL(/\/session\/[0-9a-f-]{36}/);
  const session = page.url().split('/').at(-1) ?? '';
  atEnd(() => call(page, 'DELETE', `/sessions/${session}`));
  await desktopReady(page);
  const seen = await until('the watermark in the canvas', async () => {
    const counts = await pixels(page, undefined);
    return counts.marked > 3000 && counts.bright === 0 ? counts : undefined;
  });
  assert.ok(seen.parts >= 7, `it is in ${seen.parts} of nine parts`);
  // Over what the terminal draws, too.
  await until('the terminal below it', async () => {
    const { body } = await call<{ state: string }>(page, 'GET', `/sessions/${session}`);
    return body.state === 'running';
  });
  assert.ok((await pixels(page, undefined)).marked > 3000);
  await picture(page, 'marked session');
  const thumbnail = await until('the watermark in the thumbnail', async () => {
    const path = `/api/v1/sessions/${session}/thumbnail?width=1100&height=700`;
    const counts = await pixels(page, path);
    return counts.marked > 500 ? counts : undefined;
  });
  assert.equal(thumbnail.bright, 0);
  await page.setViewportSize({ width: 360, height: 740 });
  await sizeBecomes(page, '360x740');
  await until('the watermark at a phone’s size', async () => {
    const counts = await pixels(page, undefined);
    return counts.marked > 500 && counts.bright === 0;
  });
  await picture(page, 'marked session small');
  assert.deepEqual(faults, []);
});
