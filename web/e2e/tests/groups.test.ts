import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, open, picture, signIn } from '../support/browser';
import { admin } from '../support/settings';

const stamp = Date.now();

interface Session {
  id: string;
  denied: { setting: string; group: string | null }[];
}

test('a group’s settings reach its member, who is told which group decides', async (t) => {
  const { page, faults, atEnd } = await open(t);
  await signIn(page, admin, '/admin/groups');
  const name = `Contractors ${stamp}`;
  const person = { username: `contractor-${stamp}@example.com`, password: 'a long enough one' };
  const made = await call<{ id: string }>(page, 'POST', '/users', person);
  atEnd(() => call(page, 'DELETE', `/users/${made.body.id}?force=true`));

  await page.getByRole('link', { name: 'New group' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill(name);
  await page.getByRole('textbox', { name: 'Priority' }).fill('10');
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('heading', { name: `Group ${name}` }).waitFor();
  const group = page.url().split('/').at(-1)?.split('?')[0] ?? '';
  atEnd(() => call(page, 'DELETE', `/groups/${group}`));

  // What it does not set says its default.
  const most = page.locator('[data-setting="max_kasms_per_user"]');
  await most.getByText('Default: 5 sessions').waitFor();
  await most.getByRole('checkbox').check();
  await most.getByRole('textbox').fill('5000');
  await page.getByRole('button', { name: 'Save' }).click();
  await most.getByText('A whole number from 1 to 1000').waitFor();
  await most.getByRole('textbox').fill('1');
  const copy = page.locator('[data-setting="allow_kasm_clipboard_down"]');
  await copy.getByRole('checkbox').check();
  await copy.getByRole('switch').click();
  await picture(page, 'group settings');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved').first().waitFor();

  await page.getByRole('tab', { name: 'Members' }).click();
  await page.getByRole('combobox', { name: 'Add a member' }).fill(person.username);
  await page.getByRole('option', { name: person.username }).click();
  await page.getByRole('link', { name: person.username }).waitFor();
  await picture(page, 'group members');

  // The user's page names the group behind each value.
  await page.getByRole('link', { name: person.username }).click();
  const line = page.locator('[data-policy] [data-setting="max_kasms_per_user"]');
  await line.getByText('1 session', { exact: true }).waitFor();
  await line.getByRole('link', { name }).waitFor();
  await page
    .locator('[data-policy] [data-setting="allow_kasm_clipboard_up"]')
    .getByText('Default')
    .waitFor();
  await picture(page, 'user policy');
  assert.deepEqual(faults, []);

  const theirs = await open(t);
  await signIn(theirs.page, person);
  const tile = theirs.page.locator('[data-workspace]').filter({ hasText: 'Terminal' });
  await tile.getByRole('button', { name: 'Launch Terminal' }).click();
  await theirs.page.waitForURL(/\/session\/[0-9a-f-]{36}/);
  const id = theirs.page.url().split('/').at(-1)?.split('?')[0] ?? '';
  atEnd(() => call(page, 'DELETE', `/sessions/${id}`));
  const session = await call<Session>(theirs.page, 'GET', `/sessions/${id}`);
  assert.deepEqual(session.body.denied, [{ setting: 'allow_kasm_clipboard_down', group: name }]);
  await theirs.page.keyboard.press('Control+Alt+Shift');
  await theirs.page.getByText(`It is off for the group ${name}.`).waitFor();
  await picture(theirs.page, 'panel with a lock');

  // The limit is told before anybody runs into it.
  await theirs.page.goto('/');
  await theirs.page.getByText('You have 1 session and may have 1').first().waitFor();
  await picture(theirs.page, 'tile at the limit');
  assert.deepEqual(theirs.faults, []);
});

test('what the server declares is told in German', async (t) => {
  const { page, faults } = await open(t, { reducedMotion: 'reduce' });
  await signIn(page, admin, '/account');
  await page.getByText('Deutsch', { exact: true }).first().click();
  await page.locator('html[lang="de"]').waitFor();
  await page.goto('/admin/groups');
  await page.getByRole('heading', { name: 'Gruppen' }).waitFor();
  await picture(page, 'groups German');
  await page.getByRole('link', { name: 'All Users' }).click();
  const most = page.locator('[data-setting="max_kasms_per_user"]');
  await most.getByText('Wie viele Sitzungen ein Benutzer gleichzeitig haben darf').waitFor();
  await most.getByText('Vorgabe: 5 Sitzungen').waitFor();
  await picture(page, 'group settings German');
  await page.getByRole('tab', { name: 'Rechte' }).click();
  await page.getByText('Arbeitsplätze starten und eigene Sitzungen benutzen').waitFor();
  await picture(page, 'group permissions German');
  // Nothing that is declared is left in the server's own English.
  const { readFile } = await import('node:fs/promises');
  const table = await readFile(
    new URL('../../console/src/i18n/de-declared.ts', import.meta.url),
    'utf8',
  );
  for (const path of ['/group-settings', '/permissions']) {
    const list = await call<{ items: { name: string }[] }>(page, 'GET', path);
    for (const { name } of list.body.items) assert.match(table, new RegExp(`^  ${name}:`, 'm'));
  }
  assert.deepEqual(faults, []);
});
