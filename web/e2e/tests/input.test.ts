import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open, picture, signIn } from '../support/browser';
import { closePanel, focusDesktop, openPanel } from '../support/desktop';
import { compose, LAYOUTS, typeWith } from '../support/layouts';
import { launchTerminal, readWhile, type Terminal } from '../support/session';
import { admin } from '../support/settings';
import { until } from '../support/until';
import { Mask, pointer } from '../support/x11';

/** One sentence for each, with what only that layout makes hard. */
const SENTENCES = {
  US: 'The quick brown fox, (jumps) over 13 "lazy" dogs! #@$%^&*[]{}<>\\|~`\'',
  German: 'Zwölf Boxkämpfer jagen Viktor über den großen Sylter Deich: ÄÖÜ €5 @{[]}\\~|µ²',
  French: 'Déjà Noël où le maïs mûr, l\'âne rêve: "ê, ñ, é" à 10/20 ? çà [@|\\]',
} as const;

test('keyboards and pointers', { timeout: 300_000 }, async (t) => {
  const watched = await open(t, { viewport: { width: 1000, height: 700 } });
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
      await closePanel(page);
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
