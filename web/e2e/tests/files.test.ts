import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { call, open, picture, signIn } from '../support/browser';
import { openPanel } from '../support/desktop';
import { inside } from '../support/engine';
import { launch, launchTerminal } from '../support/session';
import { admin } from '../support/settings';
import { until } from '../support/until';

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'porthole-files-'));
});
after(() => {
  rmSync(folder, { recursive: true });
});

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

const state = (page: Page, which: string, name: string) =>
  page.locator(`[data-upload="${which}"]`, { hasText: name });

async function fetched(page: Page, button: string): Promise<Buffer> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: button, exact: true }).click(),
  ]);
  const path = join(folder, 'fetched');
  await download.saveAs(path);
  return readFileSync(path);
}

test('files go into a session and come back', { timeout: 300_000 }, async (t) => {
  const watched = await open(t, { acceptDownloads: true });
  const { page, faults } = watched;
  await signIn(page, admin);
  const { containers } = await launchTerminal(watched);
  const { workspace } = containers;
  const large = randomBytes(40_000_000);
  const odd = 'ä ö – (1) %41.bin';

  await t.test('by button, with odd names and in several pieces', async () => {
    writeFileSync(join(folder, odd), large);
    writeFileSync(join(folder, '-rf'), 'dash');
    await openPanel(page);
    await page
      .locator('[data-upload-files]')
      .setInputFiles([join(folder, odd), join(folder, '-rf')]);
    await state(page, 'done', odd).waitFor();
    await state(page, 'done', '-rf').waitFor();
    await picture(page, 'files uploaded');
    const sum = await inside(workspace, 'sha256sum', `/home/kasm-user/Uploads/${odd}`);
    assert.equal(sum.split(' ')[0], sha256(large));
    const owner = await inside(workspace, 'stat', '-c', '%u %s', '/home/kasm-user/Uploads/-rf');
    assert.equal(owner.trim(), '1000 4');
  });

  await t.test('a folder keeps its shape', async () => {
    mkdirSync(join(folder, 'tree/below'), { recursive: true });
    writeFileSync(join(folder, 'tree/below/leaf.txt'), 'leaf');
    await page.locator('[data-upload-folder]').setInputFiles(join(folder, 'tree'));
    await state(page, 'done', 'leaf.txt').waitFor();
    const path = '/home/kasm-user/Uploads/tree/below/leaf.txt';
    assert.equal(await inside(workspace, 'cat', path), 'leaf');
  });

  await t.test('dropped onto the desktop, with a word on what would happen', async () => {
    const data = await page.evaluateHandle(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(['dropped'], 'dropped.txt'));
      return transfer;
    });
    const desktop = page.locator('[data-screen]');
    await desktop.dispatchEvent('dragenter', { dataTransfer: data });
    await page.locator('[data-drop-zone]').waitFor();
    await picture(page, 'files drop zone');
    await desktop.dispatchEvent('drop', { dataTransfer: data });
    await page.locator('[data-drop-zone]').waitFor({ state: 'detached' });
    await state(page, 'done', 'dropped.txt').waitFor();
    const path = '/home/kasm-user/Uploads/dropped.txt';
    assert.equal(await inside(workspace, 'cat', path), 'dropped');
  });

  await t.test('what a rule refuses says which', async () => {
    writeFileSync(join(folder, 'a.refused'), 'x');
    await page.locator('[data-upload-files]').setInputFiles(join(folder, 'a.refused'));
    const failed = state(page, 'failed', 'a.refused');
    await failed.getByText('names like *.refused may not go').waitFor();
    await picture(page, 'files refused');
  });

  await t.test('a cancelled one leaves nothing', async () => {
    const protocol = await page.context().newCDPSession(page);
    await protocol.send('Network.enable');
    const limits = { offline: false, latency: 0, downloadThroughput: -1 };
    await protocol.send('Network.emulateNetworkConditions', { ...limits, uploadThroughput: 2e6 });
    writeFileSync(join(folder, 'slow.bin'), large);
    await page.locator('[data-upload-files]').setInputFiles(join(folder, 'slow.bin'));
    await state(page, 'sending', 'slow.bin').waitFor();
    await until('a part of it', async () =>
      (await inside(workspace, 'ls', '-A', '/home/kasm-user/Uploads')).includes('.porthole'),
    );
    await picture(page, 'files under way');
    await page.getByRole('button', { name: 'Cancel the upload of slow.bin' }).click();
    await state(page, 'cancelled', 'slow.bin').waitFor();
    await protocol.send('Network.emulateNetworkConditions', { ...limits, uploadThroughput: -1 });
    await until('nothing of it', async () => {
      const there = await inside(workspace, 'ls', '-A', '/home/kasm-user/Uploads');
      return !there.includes('.porthole') && !there.includes('slow.bin');
    });
  });

  await t.test('back again, byte for byte', async () => {
    const script = 'cp ~/Uploads/*.bin ~/Downloads/ && cp -r ~/Uploads/tree ~/Downloads/';
    await inside(workspace, 'sh', '-c', script);
    await page.getByRole('button', { name: 'Read the folder again' }).click();
    const back = await fetched(page, `Download ${odd}`);
    assert.equal(sha256(back), sha256(large));
    await picture(page, 'files listed');
  });

  await t.test('a folder as zip', async () => {
    const zip = await fetched(page, 'Download Downloads as zip');
    // The end of a zip's directory (APPNOTE 4.3.16), and how many files there are.
    const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
    assert.equal(zip.readUInt16LE(end + 10), 2);
    assert.ok(zip.includes(Buffer.from('Downloads/tree/below/leaf.txt')));
  });

  await t.test('each transfer is in the audit log', async () => {
    await page.goto('/admin/audit');
    const row = (...texts: string[]) =>
      texts.reduce((rows, hasText) => rows.filter({ hasText }), page.locator('[data-row]'));
    await row('Upload', odd, 'Completed').waitFor();
    await row('Download', odd, 'Completed').first().waitFor();
    await row('Upload', 'slow.bin', 'Cancelled').waitFor();
    await row('Upload', 'a.refused', 'names like *.refused may not go').waitFor();
    await row('Download', 'leaf.txt', 'Terminal', admin.username).waitFor();
    await picture(page, 'audit log');
    await page.getByRole('searchbox').fill('SLOW');
    await row(odd).first().waitFor({ state: 'detached' });
    await row('slow.bin').waitFor();
    await picture(page, 'audit log searched');
  });
  assert.deepEqual(faults, []);
});

test('what a group forbids is not offered, and its panel names the group', async (t) => {
  const watched = await open(t);
  const { page, faults, atEnd } = watched;
  await signIn(page, admin);
  const groups = await call<{ items: { id: string; name: string }[] }>(page, 'GET', '/groups');
  const everybody = groups.body.items.find((group) => group.name === 'All Users')?.id;
  const setting = `/groups/${everybody}/settings/allow_kasm_uploads`;
  const set = await call(page, 'PUT', setting, { value: false });
  assert.equal(set.status, 204);
  atEnd(() => call(page, 'DELETE', setting));
  await launch(watched, 'Terminal');
  await openPanel(page);
  await page.getByText('Files into the session are switched off by policy.').waitFor();
  await page.getByText('It is off for the group All Users.').waitFor();
  await page.getByRole('button', { name: 'Read the folder again' }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Upload files' }).count(), 0);
  await picture(page, 'files locked');
  assert.deepEqual(faults, []);
});
