import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open, picture, signIn } from '../support/browser';
import { closePanel, openPanel } from '../support/desktop';
import { EventWindow } from '../support/events';
import { launchTerminal } from '../support/session';
import { admin } from '../support/settings';
import { until } from '../support/until';
import { pointer } from '../support/x11';

/** In the middle of the window that is told of events. */
const [X, Y] = [450, 350];
/** CDP's names of buttons, the DOM's bit of each, and X's number. */
const BUTTONS = [
  ['left', 1, 1],
  ['middle', 4, 2],
  ['right', 2, 3],
  ['back', 8, 8],
  ['forward', 16, 9],
] as const;

test('a mouse and a pen', { timeout: 300_000 }, async (t) => {
  const watched = await open(t, { viewport: { width: 1000, height: 700 } });
  const { page, faults } = watched;
  await signIn(page, admin);
  const { workspace } = (await launchTerminal(watched)).containers;
  const events = await EventWindow.open(workspace, '500x400+200+150');
  const protocol = await page.context().newCDPSession(page);
  const mouse = (
    type: 'mousePressed' | 'mouseReleased' | 'mouseMoved',
    more: { button?: (typeof BUTTONS)[number][0]; buttons?: number; pointerType?: 'pen' } = {},
    [x, y] = [X, Y],
  ) =>
    protocol.send('Input.dispatchMouseEvent', {
      ...{ type, x, y, clickCount: type === 'mouseMoved' ? 0 : 1 },
      ...more,
    });

  await t.test('all five buttons, and none of them leaves the page', async () => {
    const address = page.url();
    const depth = await page.evaluate(() => history.length);
    assert.ok(depth > 1, 'there is a page to go back to');
    for (const [button, bit, number] of BUTTONS) {
      await mouse('mousePressed', { button, buttons: bit });
      await events.got(`+${number}`);
      await mouse('mouseReleased', { button, buttons: 0 });
      await events.got(`-${number}`);
    }
    assert.equal(page.url(), address);
  });

  await t.test('a button that goes down while another is', async () => {
    await mouse('mousePressed', { button: 'left', buttons: 1 });
    await mouse('mousePressed', { button: 'right', buttons: 3 });
    await mouse('mouseReleased', { button: 'left', buttons: 2 });
    await mouse('mouseReleased', { button: 'right', buttons: 0 });
    await events.got('+1', '+3', '-1', '-3');
  });

  await t.test('a wheel’s notches, along and across', async () => {
    await page.mouse.wheel(0, 120);
    await events.got('+5', '-5');
    await page.mouse.wheel(0, -120);
    await events.got('+4', '-4');
    await page.mouse.wheel(120, 0);
    await events.got('+7', '-7');
    await page.mouse.wheel(-120, 0);
    await events.got('+6', '-6');
  });

  await t.test('a pad’s pixels add up to steps', async () => {
    // The protocol's wheel has whole notches only.
    const scroll = (times: number, deltaX: number, deltaY: number) =>
      page.evaluate(
        ({ times, ...wheel }) => {
          const canvas = document.querySelector('[data-screen] canvas');
          const event = { ...wheel, bubbles: true, cancelable: true };
          for (let left = times; left > 0; left -= 1) {
            const taken = !canvas?.dispatchEvent(new WheelEvent('wheel', event));
            if (!taken) throw new Error('the page would scroll');
          }
        },
        { times, deltaX, deltaY, clientX: X, clientY: Y },
      );
    await scroll(10, 0, 13);
    await events.got('+5', '-5', '+5', '-5');
    await scroll(10, -7, 0);
    await events.got('+6', '-6');
  });

  await t.test('Control with the wheel is the desktop’s, not the page’s zoom', async () => {
    const ratio = await page.evaluate(() => devicePixelRatio);
    await page.keyboard.down('Control');
    await page.mouse.wheel(0, 120);
    await page.keyboard.up('Control');
    await events.got('+Control_L', '+5', '-5', '-Control_L');
    assert.equal(await page.evaluate(() => devicePixelRatio), ratio);
  });

  await t.test(
    'a pen points, its tip clicks, with its barrel’s button it clicks right',
    async () => {
      const pen = { pointerType: 'pen' } as const;
      await mouse('mouseMoved', pen, [X + 20, Y + 30]);
      await until('the pointer under the pen', async () => {
        const { x, y } = await pointer(workspace);
        return x === X + 20 && y === Y + 30;
      });
      await mouse('mousePressed', { ...pen, button: 'left', buttons: 1 });
      await mouse('mouseMoved', { ...pen, button: 'left', buttons: 1 }, [X + 40, Y + 50]);
      await mouse('mouseReleased', { ...pen, button: 'left', buttons: 0 }, [X + 40, Y + 50]);
      await events.got('+1', '-1');
      await mouse('mousePressed', { ...pen, button: 'right', buttons: 2 });
      await mouse('mouseReleased', { ...pen, button: 'right', buttons: 0 });
      await events.got('+3', '-3');
    },
  );

  await t.test('a pen’s other end clicks', async () => {
    // The protocol has no such button.
    await page.evaluate(
      ([clientX, clientY]) => {
        const canvas = document.querySelector('[data-screen] canvas');
        const pen = { pointerId: 77, pointerType: 'pen', bubbles: true, cancelable: true };
        const at = { ...pen, clientX, clientY };
        canvas?.dispatchEvent(new PointerEvent('pointerdown', { ...at, button: 5, buttons: 32 }));
        canvas?.dispatchEvent(new PointerEvent('pointerup', { ...at, button: 5, buttons: 0 }));
      },
      [X, Y] as const,
    );
    await events.got('+1', '-1');
  });

  await t.test('Esc is the desktop’s', async () => {
    await page.keyboard.press('Escape');
    await events.got('+Escape', '-Escape');
  });

  await t.test('Esc in the panel closes it, and is not the desktop’s', async () => {
    await openPanel(page);
    await closePanel(page);
    await page.keyboard.press('a');
    await events.got('+a', '-a');
  });

  await t.test('Esc in full screen is the desktop’s', async () => {
    await openPanel(page);
    await page.getByRole('button', { name: 'Full screen' }).click();
    await page.waitForFunction(() => document.fullscreenElement !== null);
    await page.waitForSelector('[data-panel]', { state: 'detached' });
    await page.keyboard.press('Escape');
    await events.got('+Escape', '-Escape');
    assert.ok(await page.evaluate(() => document.fullscreenElement !== null));
    await picture(page, 'full screen');
    await page.evaluate(() => document.exitFullscreen());
  });

  assert.deepEqual(faults, []);
});
