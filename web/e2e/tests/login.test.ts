import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, open, signIn } from '../support/browser';
import { admin, user } from '../support/settings';

test('a wrong password is told without saying which part was wrong', async (t) => {
  const { page } = await open(t);
  const told: string[] = [];
  for (const username of ['nobody@example.com', user.username]) {
    await page.goto('/login');
    await page.getByLabel('User name').fill(username);
    await page.getByRole('textbox', { name: 'Password' }).fill('not the password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    told.push((await page.getByRole('alert').first().textContent()) ?? '');
  }
  assert.equal(told[0], 'User name or password is wrong.');
  assert.equal(told[1], told[0]);
});

test('an account is locked after failures, says so, and an administrator unlocks it', async (t) => {
  const { page: office } = await open(t);
  await signIn(office, admin);
  const username = `lock-${Date.now()}@example.com`;
  const made = await call<{ id: string }>(office, 'POST', '/users', {
    username,
    password: 'right-horse-battery',
  });
  assert.equal(made.status, 201);

  const { page } = await open(t);
  await page.goto('/login');
  await page.getByLabel('User name').fill(username);
  const statuses: number[] = [];
  for (let n = 0; n < 12 && !statuses.includes(423); n += 1) {
    await page.getByRole('textbox', { name: 'Password' }).fill(`wrong ${n}`);
    const answer = page.waitForResponse((r) => r.url().endsWith('/auth/login'));
    const button = page.getByRole('button', { name: 'Sign in' });
    // A throttled page counts down and then lets one try again.
    await button.and(page.locator(':enabled')).waitFor({ timeout: 60_000 });
    await button.click();
    statuses.push((await answer).status());
  }
  assert.ok(statuses.includes(423), `never locked: ${statuses.join(' ')}`);
  await page.getByText('This account is locked').waitFor();

  await office.goto(`/admin/users/${made.body.id}`);
  await office.getByRole('button', { name: 'Unlock' }).click();
  await office.getByText('can sign in again').waitFor();
  const gone = await call(office, 'DELETE', `/users/${made.body.id}`);
  assert.equal(gone.status, 204);
});

test('after signing in one is where one wanted to go, and signing out ends it', async (t) => {
  const { page, faults } = await open(t);
  await signIn(page, user, '/account');
  assert.equal(new URL(page.url()).pathname, '/account');
  await page.getByRole('heading', { name: 'My account' }).waitFor();
  await page.getByRole('button', { name: /Account menu/ }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.waitForURL(/\/login/);
  await page.goto('/account');
  await page.waitForURL(/\/login/);
  assert.deepEqual(faults, []);
});

test('a server that cannot be reached is told, and what was typed is kept', async (t) => {
  const { page, context } = await open(t);
  await page.goto('/login');
  await page.getByLabel('User name').fill(user.username);
  await page.getByRole('textbox', { name: 'Password' }).fill('something');
  await context.setOffline(true);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('The server cannot be reached').waitFor();
  assert.equal(await page.getByLabel('User name').inputValue(), user.username);
});

test('a link of request_kasm with a bad token says what to do', async (t) => {
  const { page } = await open(t);
  await page.goto(`/#/connect/kasm/${'0'.repeat(32)}/${'0'.repeat(32)}/not-a-token`);
  await page.getByText('This link does not work any more').waitFor();
  assert.ok(!page.url().includes('not-a-token'), 'the token stays out of the history');
});

test('users see no administration', async (t) => {
  const { page } = await open(t);
  await signIn(page, user);
  await page.getByRole('heading', { name: 'Workspaces' }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'Administration' }).count(), 0);
  await page.goto('/admin/users');
  await page.getByText('These pages are for administrators').waitFor();
  assert.equal((await call(page, 'GET', '/users')).status, 403);
});
