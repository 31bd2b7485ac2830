import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open, picture } from '../support/browser';

test('a page whose files were broken off on the way loads them again', async (t) => {
  const { page } = await open(t);
  let broken = 0;
  // What a browser does to everything under way when the network changes.
  await page.route(/\/assets\/(main|start)-/, (route) => {
    broken += 1;
    return broken <= 2 ? route.abort('connectionaborted') : route.fallback();
  });
  await page.goto('/login', { waitUntil: 'commit' });
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  assert.ok(broken > 2);
});

test('a page that cannot be loaded says so, and does not try for ever', async (t) => {
  const { page } = await open(t);
  let pages = 0;
  page.on('request', (request) => {
    if (request.isNavigationRequest()) pages += 1;
  });
  let gone = true;
  await page.route(/\/assets\/main-/, (route) =>
    gone ? route.abort('connectionaborted') : route.fallback(),
  );
  await page.goto('/login', { waitUntil: 'commit' });
  await page.getByText('could not be loaded completely').waitFor({ timeout: 30_000 });
  assert.equal(pages, 6);
  await picture(page, 'page not loaded');
  gone = false;
  await page.getByRole('button', { name: 'Reload' }).click();
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
});
