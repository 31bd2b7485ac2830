import { beforeEach, expect, test, vi } from 'vitest';
import { CLIPBOARD_LIMIT, ClipboardSync } from '../src/clipboard';

let local = '';
let readable: Promise<void> | undefined;
let desktop: string[] = [];
const sync = () =>
  new ClipboardSync((text) => {
    desktop.push(text);
    return true;
  });

beforeEach(() => {
  local = '';
  readable = undefined;
  desktop = [];
  vi.stubGlobal('document', { hasFocus: () => true });
  vi.stubGlobal('navigator', {
    permissions: { query: async () => ({ state: 'granted' }) },
    clipboard: {
      readText: async () => {
        const text = local;
        await readable;
        return text;
      },
      writeText: async (text: string) => {
        local = text;
      },
    },
  });
});

test('a new local text goes to the desktop once', async () => {
  const clipboard = sync();
  local = 'one';
  await clipboard.fromLocal();
  await clipboard.fromLocal();
  expect(desktop).toEqual(['one']);
});

test('what came from the desktop is not sent back', async () => {
  const clipboard = sync();
  await clipboard.fromRemote('inside');
  expect(local).toBe('inside');
  await clipboard.fromLocal();
  expect(desktop).toEqual([]);
});

test('what was typed into the panel stands until the local clipboard changes', async () => {
  const clipboard = sync();
  await clipboard.fromRemote('inside');
  clipboard.fromUser('typed');
  await clipboard.fromLocal();
  expect(desktop).toEqual(['typed']);
  local = 'copied elsewhere';
  await clipboard.fromLocal();
  expect(desktop).toEqual(['typed', 'copied elsewhere']);
});

test('a reading that was overtaken changes nothing', async () => {
  const clipboard = sync();
  local = 'old';
  let done = () => {};
  readable = new Promise((resolve) => {
    done = resolve;
  });
  const reading = clipboard.fromLocal();
  clipboard.fromUser('typed meanwhile');
  done();
  await reading;
  expect(desktop).toEqual(['typed meanwhile']);
});

test('after a reconnect only the desktop’s missing text is sent again', async () => {
  const clipboard = sync();
  clipboard.renew();
  clipboard.fromUser('mine');
  clipboard.renew();
  expect(desktop).toEqual(['mine', 'mine']);
  await clipboard.fromRemote('inside');
  clipboard.renew();
  expect(desktop).toEqual(['mine', 'mine']);
});

test('a text that is too long is refused', () => {
  expect(sync().fromUser('x'.repeat(CLIPBOARD_LIMIT + 1))).toBe(false);
  expect(desktop).toEqual([]);
});
