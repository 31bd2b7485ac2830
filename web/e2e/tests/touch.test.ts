import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open, picture, signIn } from '../support/browser';
import { desktopReady, openPanel, typeLine } from '../support/desktop';
import { inside } from '../support/engine';
import { EventWindow } from '../support/events';
import { Fingers } from '../support/fingers';
import { launchTerminal } from '../support/session';
import { admin } from '../support/settings';
import { until } from '../support/until';
import { Mask, pointer } from '../support/x11';

test('fingers on a phone', { timeout: 300_000 }, async (t) => {
  const watched = await open(t, {
    ...{ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 },
    ...{ hasTouch: true, isMobile: true, colorScheme: 'dark' },
  });
  const { page } = watched;
  await signIn(page, admin);
  const { workspace } = (await launchTerminal(watched)).containers;
  // The first visit's hint lies over the desktop.
  await page.getByRole('button', { name: 'Understood' }).tap();
  const fingers = await Fingers.on(page);
  const events = await EventWindow.open(workspace, '600x1000+90+300');
  const width = async () =>
    (await page.locator('[data-screen] canvas').first().boundingBox())?.width;
  const pointerAt = (x: number, y: number) =>
    until(`the pointer at ${x}, ${y}`, async () => {
      const at = await pointer(workspace);
      return Math.abs(at.x - x) <= 1 && Math.abs(at.y - y) <= 1;
    });

  await t.test('a tap clicks where it is', async () => {
    await fingers.draw([[100, 400]]);
    await events.got('+1', '-1');
    await pointerAt(200, 800);
  });

  await t.test('a drawn finger drags', async () => {
    await fingers.draw([[120, 300]], [[140, 340]], [[220, 420]]);
    await events.got('+1', '-1');
    await pointerAt(440, 840);
  });

  await t.test('a held finger presses right until it goes', async () => {
    await fingers.hold([[150, 350]], () => events.got('+3'));
    await events.got('-3');
    await pointerAt(300, 700);
  });

  await t.test('two fingers that tap click right', async () => {
    const both = [
      [150, 350],
      [220, 350],
    ] as const;
    await fingers.draw(both);
    await events.got('+3', '-3');
  });

  await t.test('two fingers that go together scroll', async () => {
    const way = Array.from({ length: 20 }, (_, step) => step * 10);
    // The page under the fingers goes with them.
    const up = way.map((by): [number, number][] => [
      [150, 520 - by],
      [220, 520 - by],
    ]);
    const left = way.map((by): [number, number][] => [
      [320 - by, 350],
      [320 - by, 420],
    ]);
    for (const [gesture, step] of [
      [up, 5],
      [up.toReversed(), 4],
      [left, 7],
      [left.toReversed(), 6],
    ] as const) {
      for (const stroke of ['draw', 'swipe'] as const) {
        await fingers[stroke](...gesture);
        // A click tells that all steps are there.
        await fingers.draw([[180, 350]]);
        const seen: string[] = [];
        while (seen.at(-1) !== '-1') seen.push(...(await events.next(1)));
        const steps = Array.from({ length: 3 }, () => [`+${step}`, `-${step}`]).flat();
        assert.deepEqual(seen, [...steps, '+1', '-1'], stroke);
      }
    }
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
    await fingers.draw([[200, 600]], [[185, 600]], [[150, 600]]);
    const to = await until('motion', async () => {
      const now = await pointer(workspace);
      return now.x < from.x - 50 && now;
    });
    assert.equal(to.y, from.y);
    assert.equal(await page.locator('[data-pointer]').isVisible(), true);
    await picture(page, 'phone trackpad');
  });

  await t.test('a tap on the trackpad clicks where the pointer is', async () => {
    const before = await pointer(workspace);
    await fingers.draw([[300, 700]]);
    await events.got('+1', '-1');
    const { x, y } = await pointer(workspace);
    assert.deepEqual([x, y], [before.x, before.y]);
  });

  await t.test('a tap on the trackpad, then a drawn finger: it drags', async () => {
    const before = await pointer(workspace);
    const way: [number, number][][] = [[[200, 600]], [[200, 620]], [[200, 640]]];
    await fingers.tapAndDraw(way, () =>
      until('a drag', async () => {
        const { y, mask } = await pointer(workspace);
        return (mask & Mask.left) !== 0 && y > before.y + 40;
      }),
    );
    await events.got('+1', '-1');
  });

  await t.test('a held finger on the trackpad presses right', async () => {
    await fingers.hold([[200, 600]], () => events.got('+3'));
    await events.got('-3');
  });

  await t.test('the row’s keys, with a modifier that was touched twice', async () => {
    const row = (name: string) =>
      page.locator('[data-key-row]').getByRole('button', { name, exact: true });
    await row('Esc').tap();
    await events.got('+Escape', '-Escape');
    const shift = row('Shift');
    await shift.tap();
    await shift.tap();
    assert.equal(await shift.getAttribute('data-sticky'), 'locked');
    await row('→').tap();
    await row('F5').tap();
    await shift.tap();
    await events.got('+Shift_L', '+Right', '-Right', '+F5', '-F5', '-Shift_L');
    assert.equal(await shift.getAttribute('aria-pressed'), 'false');
    await events.close();
  });

  await t.test('the choice is remembered', async () => {
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
