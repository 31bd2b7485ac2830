/** A session's page as a person sees it. */

import type { Page } from 'playwright-core';
import { PATIENCE } from './browser';

const SCREEN = '[data-screen]';

/** Waits for a connected viewer with a picture, and for no card over it. */
export async function desktopReady(page: Page, timeout = 60_000): Promise<void> {
  await page.waitForSelector(`${SCREEN}[data-state="connected"][data-painted]`, { timeout });
  await page.waitForSelector('[data-overlay]', { state: 'detached', timeout });
}

/** The desktop's size, `1280x720`, as the viewer has it. */
export async function remoteSize(page: Page): Promise<string> {
  return (await page.locator(SCREEN).getAttribute('data-remote-size')) ?? '';
}

/** Waits until the viewer's desktop has a size. */
export async function sizeBecomes(page: Page, size: string): Promise<void> {
  await page.waitForSelector(`${SCREEN}[data-remote-size="${size}"]`, { timeout: PATIENCE });
}

/** How many different colours the picture has; a blank one has one. */
export function colours(page: Page): Promise<number> {
  return page.evaluate((selector) => {
    const canvas = document.querySelector<HTMLCanvasElement>(`${selector} canvas`);
    if (!canvas || canvas.width === 0) return 0;
    // A worker draws on it: its picture can be looked at on another canvas.
    const context = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
    if (!context) return 0;
    context.drawImage(canvas, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set<number>();
    for (let i = 0; i < data.length; i += 4) {
      seen.add(((data[i] ?? 0) << 16) | ((data[i + 1] ?? 0) << 8) | (data[i + 2] ?? 0));
    }
    return seen.size;
  }, SCREEN);
}

/** Puts the pointer into the terminal and the keyboard with it. */
export async function focusDesktop(page: Page): Promise<void> {
  const box = await page.locator(`${SCREEN} canvas`).first().boundingBox();
  if (!box) throw new Error('the desktop has no picture');
  await page.mouse.click(box.x + box.width / 3, box.y + box.height / 3);
}

/** Keys of a German and a Spanish keyboard, as their layouts report them. */
const KEYS: Record<string, string> = {
  ä: 'Quote',
  ö: 'Semicolon',
  ü: 'BracketLeft',
  ß: 'Minus',
  '€': 'KeyE',
  ñ: 'Semicolon',
  ç: 'Backslash',
};

/** Types a text; what the US layout lacks, by the keys of the layouts that have it. */
export async function typeText(page: Page, text: string): Promise<void> {
  const protocol = await page.context().newCDPSession(page);
  for (const part of text.match(/[\x20-\x7e]+|./gu) ?? []) {
    const code = KEYS[part];
    if (code === undefined) {
      await page.keyboard.type(part, { delay: 12 });
      continue;
    }
    const event = { key: part, code, text: part, unmodifiedText: part };
    await protocol.send('Input.dispatchKeyEvent', { type: 'keyDown', ...event });
    await protocol.send('Input.dispatchKeyEvent', { type: 'keyUp', key: part, code });
  }
  await protocol.detach();
}

/** Types a command line into the terminal. */
export async function typeLine(page: Page, line: string): Promise<void> {
  await typeText(page, line);
  await page.keyboard.press('Enter');
}

/** Opens the session panel by its handle. */
export async function openPanel(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Open the session panel' }).click();
  await page.waitForSelector('[data-panel]');
}

/** Closes it by its key. */
export async function closePanel(page: Page): Promise<void> {
  await page.keyboard.press('Escape');
  await page.waitForSelector('[data-panel]', { state: 'detached' });
}
