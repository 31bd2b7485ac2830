import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { call, open, picture, signIn } from '../support/browser';
import { sizeBecomes } from '../support/desktop';
import { launch } from '../support/session';
import { admin } from '../support/settings';
import { until } from '../support/until';

/** What is counted in a picture of the desktop. */
interface Counts {
  /** Pixels of the watermark's colour. */
  marked: number;
  /** Pixels of its other colour, where it is a picture. */
  green: number;
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
    let green = 0;
    let bright = 0;
    // A picture is smaller than the desktop; its edges are blurred.
    const black = (source === undefined ? 40 : 30) * (source === undefined ? 1 : height / 700);
    for (let at = 0; at < data.length; at += 4) {
      const [r = 0, g = 0, b = 0] = [data[at], data[at + 1], data[at + 2]];
      const [x, y] = [(at / 4) % width, Math.floor(at / 4 / width)];
      if (r < 70 && g > 200 && b < 70) green += 1;
      if (r > 200 && g < 70 && b > 200) {
        marked += 1;
        parts.add(Math.floor((x * 3) / width) * 3 + Math.floor((y * 3) / height));
      }
      if (y < black && r + g + b > 60) bright += 1;
    }
    return { marked, green, parts: parts.size, bright };
  }, source);
}

test('a watermark set in the form is in every pixel source', { timeout: 300_000 }, async (t) => {
  const watched = await open(t, {
    viewport: { width: 1100, height: 700 },
    reducedMotion: 'reduce',
  });
  const { page, faults, atEnd } = watched;
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
  const session = await launch(watched, name);
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

test('a picture as the watermark is in the viewer', { timeout: 200_000 }, async (t) => {
  const watched = await open(t, { viewport: { width: 800, height: 600 } });
  const { page, faults, atEnd } = watched;
  await signIn(page, admin, '/admin/workspaces/new');
  const name = `Stamped ${Date.now()}`;
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill(name);
  await page.getByRole('textbox', { name: 'Image', exact: true }).fill('porthole/terminal:1.0');
  const protection = page.getByRole('group', { name: 'Data protection' });
  await protection.getByText('Picture', { exact: true }).click();
  // 40 by 40 pixels, a quarter of them green, the rest magenta.
  const png = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(40, 40);
    const context = canvas.getContext('2d');
    if (!context) throw new Error('no context');
    context.fillStyle = '#ff00ff';
    context.fillRect(0, 0, 40, 40);
    context.fillStyle = '#00ff00';
    context.fillRect(0, 0, 20, 20);
    return [...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())];
  });
  const chosen = page.waitForEvent('filechooser');
  await protection.getByLabel('PNG file').click();
  await (await chosen).setFiles({
    ...{ name: 'mark.png', mimeType: 'image/png', buffer: Buffer.from(png) },
  });
  await protection.getByRole('img', { name: 'Picture' }).waitFor();
  await protection.getByLabel('Opacity in per cent').fill('100');
  await protection.getByLabel('Angle in degrees').fill('0');
  await protection.getByLabel('Pixels between copies').fill('40');
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('heading', { name: `Workspace ${name}` }).waitFor();
  const id = page.url().split('/').at(-1) ?? '';
  atEnd(() => call(page, 'DELETE', `/workspaces/${id}`));
  await protection.scrollIntoViewIfNeeded();
  await picture(page, 'protection picture form');

  await page.goto('/');
  await launch(watched, name);
  const seen = await until('the picture in the canvas', async () => {
    const counts = await pixels(page, undefined);
    return counts.parts === 9 && counts.green > 0 && counts;
  });
  // Copies side by side, with as much between them: a quarter of the screen, less the edges.
  const share = (seen.marked + seen.green) / (800 * 600);
  assert.ok(share > 0.12 && share < 0.3, `it covers ${share}`);
  const ratio = seen.marked / seen.green;
  assert.ok(ratio > 2.5 && ratio < 3.5, `${ratio} times as much magenta as green`);
  await picture(page, 'stamped session');
  assert.deepEqual(faults, []);
});
