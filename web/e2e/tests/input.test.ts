import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { launchBrowser, open, picture, signIn } from '../support/browser';
import { desktopReady, focusDesktop, openPanel, typeLine } from '../support/desktop';
import { inside } from '../support/engine';
import { compose, LAYOUTS, typeWith } from '../support/layouts';
import { launchTerminal, readWhile, type Terminal } from '../support/session';
import { admin } from '../support/settings';
import { until } from '../support/until';
import { Mask, pointer } from '../support/x11';

let browser: Browser;
before(async () => {
  browser = await launchBrowser();
});
after(() => browser.close());

/** One sentence for each, with what only that layout makes hard. */
const SENTENCES = {
  US: 'The quick brown fox, (jumps) over 13 "lazy" dogs! #@$%^&*[]{}<>\\|~`\'',
  German: 'Zwölf Boxkämpfer jagen Viktor über den großen Sylter Deich: ÄÖÜ €5 @{[]}\\~|µ²',
  French: 'Déjà Noël où le maïs mûr, l\'âne rêve: "ê, ñ, é" à 10/20 ? çà [@|\\]',
} as const;

async function panelClosed(page: Page): Promise<void> {
  await page.keyboard.press('Escape');
  await page.waitForSelector('[data-panel]', { state: 'detached' });
}

test('keyboards and pointers', { timeout: 300_000 }, async (t) => {
  const watched = await open(t, browser, { viewport: { width: 1000, height: 700 } });
  const { page, faults } = watched;
  await signIn(page, admin);
  const { containers }: Terminal = await launchTerminal(watched);
  const { workspace } = containers;

  for (const name of ['US', 'German', 'French'] as const) {
    await t.test(`a ${name} keyboard`, async () => {
      const text = await readWhile(page, workspace, `${name}.txt`, () =>
        typeWith(page, LAYOUTS[name], SENTENCES[name]),
      );
      assert.equal(text, SENTENCES[name]);
    });
  }

  await t.test('a Japanese input method', async () => {
    const text = await readWhile(page, workspace, 'Japanese.txt', () =>
      compose(page, [
        { steps: ['n', 'に', 'にほ', 'にほんご', '日本語'], written: '日本語' },
        { steps: ['の', 'のぶん', 'の文'], written: 'の文' },
        { steps: ['。'], written: '。' },
      ]),
    );
    assert.equal(text, '日本語の文。');
  });

  await t.test('a dead key as Macs have it', async () => {
    const text = await readWhile(page, workspace, 'Mac.txt', () =>
      compose(page, [
        { steps: ['ˆ'], written: 'ê' },
        { steps: ['˜'], written: 'ñ' },
      ]),
    );
    assert.equal(text, 'êñ');
  });

  await t.test('keys by their places, where that is chosen', async () => {
    const choose = async (mode: string) => {
      await openPanel(page);
      await page.getByText(mode, { exact: true }).click();
      if (mode !== 'Text') await picture(page, 'panel input');
      await panelClosed(page);
    };
    const text = await readWhile(page, workspace, 'places.txt', async () => {
      await choose('Key places');
      await typeWith(page, LAYOUTS.German, 'zyä');
      await choose('Text');
    });
    // The desktop has a US layout.
    assert.equal(text, "yz'");
  });

  await t.test('the desktop’s locks follow those here', async () => {
    await focusDesktop(page);
    await page.keyboard.press('CapsLock');
    await until('Caps Lock', async () => (await pointer(workspace)).mask & Mask.capsLock);
    // This browser has no lock that is on, as after it was turned off in another window.
    await page.keyboard.press('Shift');
    await until('no Caps Lock', async () => !((await pointer(workspace)).mask & Mask.capsLock));
  });

  await t.test('nothing stays down when the focus goes', async () => {
    await focusDesktop(page);
    await page.keyboard.down('Shift');
    await until('Shift', async () => (await pointer(workspace)).mask & 1);
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await until('no Shift', async () => !((await pointer(workspace)).mask & 1));
    await page.keyboard.up('Shift');
  });

  await t.test('the desktop holds the pointer', async () => {
    await openPanel(page);
    await page.getByRole('button', { name: 'Let the desktop hold the pointer' }).click();
    await page.waitForSelector('[data-held]');
    await picture(page, 'held');
    await page.mouse.move(300, 300);
    // As a game does: the pointer is put into the middle, whatever the hand does.
    const moved = await until('motion', async () => {
      const from = await pointer(workspace, [500, 350]);
      await page.mouse.move(300, 300);
      await page.mouse.move(340, 280);
      const to = await pointer(workspace);
      return (to.x !== from.x || to.y !== from.y) && { x: to.x - from.x, y: to.y - from.y };
    });
    assert.ok(Math.abs(moved.x) <= 60 && Math.abs(moved.y) <= 60, JSON.stringify(moved));
    await page.mouse.down();
    await until('a button', async () => (await pointer(workspace)).mask & Mask.left);
    await page.mouse.up();
    await until('no button', async () => !((await pointer(workspace)).mask & Mask.left));
    await page.evaluate(() => document.exitPointerLock());
    await page.waitForSelector('[data-held]', { state: 'detached' });
    await until('a place again', async () => {
      await page.mouse.move(120, 130);
      await page.mouse.move(123, 131);
      const { x, y } = await pointer(workspace);
      return x === 123 && y === 131;
    });
    // The shortcut does the same.
    await focusDesktop(page);
    await page.keyboard.press('Control+Alt+Shift+P');
    await page.waitForSelector('[data-held]');
    assert.equal(await page.locator('[data-panel]').count(), 0);
    await page.evaluate(() => document.exitPointerLock());
  });

  assert.deepEqual(faults, []);
});

/** Fingers on the page. */
class Fingers {
  constructor(private readonly protocol: CDPSession) {}

  /** All at these places; none: all are gone. */
  private async at(type: 'touchStart' | 'touchMove' | 'touchEnd', places: [number, number][]) {
    const touchPoints = places.map(([x, y], id) => ({ x, y, id }));
    await this.protocol.send('Input.dispatchTouchEvent', { type, touchPoints });
  }

  /** Comes down at the first places, goes through the others, and up. */
  async draw(...way: [number, number][][]): Promise<void> {
    const [first = [], ...rest] = way;
    await this.at('touchStart', first);
    for (const places of rest) await this.at('touchMove', places);
    await this.at('touchEnd', []);
  }
}

test('fingers on a phone', { timeout: 200_000 }, async (t) => {
  const watched = await open(t, browser, {
    ...{ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 },
    ...{ hasTouch: true, isMobile: true, colorScheme: 'dark' },
  });
  const { page, context } = watched;
  await signIn(page, admin);
  const { containers } = await launchTerminal(watched);
  const { workspace } = containers;
  // The first visit's hint lies over the desktop.
  await page.getByRole('button', { name: 'Understood' }).tap();
  const fingers = new Fingers(await context.newCDPSession(page));
  const width = async () =>
    (await page.locator('[data-screen] canvas').first().boundingBox())?.width;

  await t.test('a tap clicks where it is', async () => {
    await fingers.draw([[100, 400]]);
    await until('the place', async () => {
      const { x, y } = await pointer(workspace);
      return Math.abs(x - 200) <= 1 && Math.abs(y - 800) <= 1;
    });
  });

  await t.test('two fingers that go apart zoom the view, and back', async () => {
    const before = (await width()) ?? 0;
    const apart = [0, 10, 20, 40, 60, 80].map((by): [number, number][] => [
      [150 - by, 400],
      [250 + by, 400],
    ]);
    await fingers.draw(...apart);
    const zoomed = (await width()) ?? 0;
    assert.ok(zoomed > before * 1.5, `${before} became ${zoomed}`);
    await picture(page, 'phone zoomed');
    await fingers.draw(...apart.toReversed());
    await fingers.draw(...apart.toReversed());
    assert.equal(await width(), before);
  });

  await t.test('a trackpad moves the pointer from where it is', async () => {
    await openPanel(page);
    await page.getByText('Trackpad', { exact: true }).click();
    await page.getByText('Row of keys on the screen').click();
    await picture(page, 'phone panel');
    await page.getByRole('button', { name: 'Close' }).first().click();
    const from = await pointer(workspace);
    await fingers.draw([[200, 600]], [[215, 600]], [[250, 600]]);
    const to = await until('motion', async () => {
      const now = await pointer(workspace);
      return now.x > from.x + 50 && now;
    });
    assert.equal(to.y, from.y);
    assert.equal(await page.locator('[data-pointer]').isVisible(), true);
    await picture(page, 'phone trackpad');
    // It is remembered.
    await page.reload();
    await desktopReady(page);
    await openPanel(page);
    assert.equal(await page.getByRole('radio', { name: 'Trackpad' }).isChecked(), true);
    await page.getByRole('button', { name: 'Close' }).first().click();
  });

  await t.test('the row of keys has a Control for the next key', async () => {
    await page.evaluate(() =>
      document.querySelector<HTMLTextAreaElement>('[data-keyboard]')?.focus(),
    );
    await typeLine(page, 'sleep 1000');
    await until('sleep', async () => (await inside(workspace, 'ps', 'ax')).includes('sleep 1000'));
    const control = page.getByRole('button', { name: 'Ctrl', exact: true });
    await control.tap();
    assert.equal(await control.getAttribute('aria-pressed'), 'true');
    await picture(page, 'phone keys');
    await page.keyboard.press('c');
    await until('no sleep', async () => {
      return !(await inside(workspace, 'ps', 'ax')).includes('sleep 1000');
    });
    await until('Control up', async () => (await control.getAttribute('aria-pressed')) === 'false');
  });
});
