import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, open, signIn } from '../support/browser';
import { admin } from '../support/settings';

const stamp = Date.now();

test('users: create, refuse, edit, disable, reset, delete', async (t) => {
  const { page, faults } = await open(t);
  await signIn(page, admin, '/admin/users');
  const username = `person-${stamp}@example.com`;

  await page.getByRole('link', { name: 'New user' }).click();
  await page.getByRole('textbox', { name: 'User name' }).fill(admin.username);
  await page.getByRole('textbox', { name: 'Password' }).fill('a long enough one');
  await page.getByRole('button', { name: 'Create' }).click();
  // The server's judgement stands at the field, or as a message where it names none.
  await page.locator('[role="alert"], .mantine-InputWrapper-error').first().waitFor();
  await page.getByRole('textbox', { name: 'User name' }).fill(username);
  await page.getByLabel('First name').fill('Ada');
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('heading', { name: `User ${username}` }).waitFor();

  await page.getByLabel('Last name').fill('Byron');
  await page.getByRole('link', { name: 'Sessions' }).click();
  await page.getByText('Changes are not saved').waitFor();
  await page.getByRole('button', { name: 'Keep editing' }).click();
  await page.getByRole('switch', { name: 'Disabled' }).click();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved').first().waitFor();

  await page.getByRole('button', { name: 'Reset password' }).click();
  await page.getByRole('textbox', { name: 'New password' }).fill('another long one');
  await page.getByRole('dialog').getByRole('button', { name: 'Reset password' }).click();
  await page.getByText('The new password is set').waitFor();

  await page.getByRole('link', { name: 'Users' }).click();
  await page.getByRole('searchbox').fill(String(stamp));
  const row = page.getByRole('row', { name: new RegExp(username) });
  await row.getByText('Ada Byron').waitFor();
  await row.getByText('Disabled').waitFor();
  await row.getByText('Ada Byron').click();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByRole('heading', { name: 'Users', level: 1 }).waitFor();
  await page.getByRole('searchbox').fill(String(stamp));
  await page.getByText('Nothing matches').waitFor();
  assert.deepEqual(faults, []);
});

test('workspaces: an image needs its tag; create, edit, disable, delete', async (t) => {
  const { page, faults } = await open(t);
  await signIn(page, admin, '/admin/workspaces');
  const name = `Probe ${stamp}`;

  await page.getByRole('link', { name: 'New workspace' }).click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill(name);
  const image = page.getByRole('textbox', { name: 'Image', exact: true });
  await image.fill('porthole/terminal');
  await image.blur();
  await page.getByText('A tag is needed').waitFor();
  await image.fill('porthole/terminal:1.0');
  await page.getByRole('radio', { name: 'terminal' }).click();
  await page.getByRole('combobox', { name: 'Categories' }).fill('Probes');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Add variable' }).click();
  await page.getByLabel('Variable 1').fill('1BAD');
  await page.getByLabel('Value 1').fill('x');
  await page.getByText('Letters, digits and underscores').waitFor();
  await page.getByLabel('Variable 1').fill('PROBE');
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('heading', { name: `Workspace ${name}` }).waitFor();
  const id = page.url().split('/').at(-1) ?? '';
  const made = await call<{ environment: Record<string, string>; categories: string[] }>(
    page,
    'GET',
    `/workspaces/${id}`,
  );
  assert.deepEqual(made.body.environment, { PROBE: 'x' });
  assert.deepEqual(made.body.categories, ['Probes']);

  await page.getByRole('textbox', { name: 'Description' }).fill('Made by a test');
  await page.getByRole('switch', { name: 'Enabled' }).click();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved').first().waitFor();
  const kept = await call<{ enabled: boolean; description: string }>(
    page,
    'GET',
    `/workspaces/${id}`,
  );
  assert.equal(kept.body.enabled, false);
  assert.equal(kept.body.description, 'Made by a test');

  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByRole('heading', { name: 'Workspaces', level: 1 }).waitFor();
  assert.equal((await call(page, 'GET', `/workspaces/${id}`)).status, 404);
  assert.deepEqual(faults, []);
});

test('agents: the local one reports; a new one’s token is shown once', async (t) => {
  const { page, faults } = await open(t);
  await signIn(page, admin, '/admin/agents');
  await page.getByText('Connected', { exact: true }).first().waitFor();
  const name = `probe-${stamp}`;
  await page.getByRole('button', { name: 'Add agent' }).click();
  await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill(name);
  await page.getByRole('dialog').getByRole('button', { name: 'Add agent' }).click();
  await page.getByRole('dialog').getByText('porthole agent').waitFor();
  await page
    .getByRole('dialog')
    .getByText(/^pha\./)
    .waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();
  const card = page.locator('[data-agent]', { hasText: name });
  await card.getByText('Not connected').waitFor();
  await card.getByRole('button', { name: 'Disable' }).click();
  await card.getByText('Disabled').waitFor();
  await card.getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await card.waitFor({ state: 'detached' });
  assert.deepEqual(faults, []);
});

test('the API page lists operations and tries one', async (t) => {
  const { page, faults } = await open(t);
  await signIn(page, admin, '/api/docs');
  await page.getByRole('searchbox').fill('get /api/v1/me');
  await page.getByText('/api/v1/me', { exact: true }).click();
  await page.getByRole('button', { name: 'Send' }).click();
  await page.getByText('Answer: 200').waitFor();
  await page.getByText('"is_admin": true').waitFor();
  assert.deepEqual(faults, []);
});
