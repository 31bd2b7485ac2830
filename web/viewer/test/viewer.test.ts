// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConnectionListener } from '../src/connection';
import { GrantError, type StreamGrant, Viewer, type ViewerState } from '../src/viewer';

/** Stands for the connection: opens and closes when told, draws nothing. */
interface FakeConnection {
  listener: ConnectionListener;
  url: URL | undefined;
  sent: string[];
  silence: number;
  owed: number;
  ended: boolean;
  /** Whether its window decides on the desktop's size. */
  decides: boolean | undefined;
}

const connections = vi.hoisted(() => [] as FakeConnection[]);

vi.mock('../src/connection', () => ({
  Connection: class {
    url: URL | undefined;
    sent: string[] = [];
    silence = 0;
    owed = 0;
    ended = false;
    decides: boolean | undefined;
    canvas = document.createElement('canvas');
    pictureBox = undefined;
    remoteSize = { width: 800, height: 600 };
    constructor(
      _target: HTMLElement,
      _mode: string,
      _decides: boolean,
      _modes: unknown,
      readonly listener: ConnectionListener,
    ) {
      connections.push(this);
    }
    open(url: URL) {
      this.url = url;
    }
    close() {
      this.ended = true;
    }
    ping() {}
    layout() {}
    setMode() {}
    setLevels() {}
    setOutlines() {}
    setDecides(decides: boolean) {
      this.decides = decides;
    }
    setModes() {}
    usedSticky() {}
    sendKey(_keysym: number, code: string, down: boolean) {
      this.sent.push(`${down ? '+' : '-'}${code}`);
    }
    paste(text: string) {
      this.sent.push(text);
    }
  },
}));

/** The gateway ends a stream. */
function end(connection: FakeConnection, code: number): void {
  connection.listener.closed(code);
}

let viewer: Viewer;
let states: ViewerState[];
let grants: (() => Promise<StreamGrant>)[];
let asked: number;

const last = () => {
  const connection = connections.at(-1);
  if (!connection) throw new Error('there is no connection');
  return connection;
};
const state = () => states.at(-1);

/** Starts, and brings the first connection up. */
async function connected(): Promise<FakeConnection> {
  viewer.start();
  await vi.advanceTimersByTimeAsync(0);
  last().listener.connected();
  expect(state()?.kind).toBe('connected');
  return last();
}

beforeEach(() => {
  vi.useFakeTimers();
  connections.length = 0;
  states = [];
  grants = [];
  asked = 0;
  viewer = new Viewer(
    document.createElement('div'),
    () => {
      asked += 1;
      const next = grants.shift();
      return next ? next() : Promise.resolve({ url: `/stream?ticket=${asked}`, access: 'control' });
    },
    { state: (next) => states.push(next) },
  );
});

afterEach(() => {
  viewer.dispose();
  vi.useRealTimers();
});

describe('Viewer', () => {
  it('reconnects with a new ticket after the network failed', async () => {
    const first = await connected();
    end(first, 1006);
    await vi.advanceTimersByTimeAsync(0);
    expect(state()).toMatchObject({ kind: 'waiting', reason: 'network' });
    await vi.advanceTimersByTimeAsync(600);
    expect(connections).toHaveLength(2);
    expect(String(last().url)).toContain('ticket=2');
    expect(last().url?.protocol).toBe('ws:');
  });

  it('goes on for ever, ever less often', async () => {
    grants = Array.from({ length: 40 }, () => () => Promise.reject(new TypeError('offline')));
    viewer.start();
    await vi.advanceTimersByTimeAsync(60_000);
    const after = asked;
    expect(after).toBeGreaterThan(5);
    expect(after).toBeLessThan(14);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toBeGreaterThan(after);
    expect(asked - after).toBeLessThan(7);
  });

  it.each([
    [4403, 'revoked'],
    [4409, 'stopped'],
    [4410, 'ended'],
    [4411, 'idle'],
    [4404, 'no-session'],
    [1002, 'protocol'],
  ])('stops for good when told by code %d', async (code, reason) => {
    end(await connected(), code);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(state()).toEqual({ kind: 'ended', reason });
    expect(connections).toHaveLength(1);
    viewer.start();
    await vi.advanceTimersByTimeAsync(0);
    expect(connections).toHaveLength(2);
  });

  it('asks again soon while a session is being prepared', async () => {
    const notReady = () => Promise.reject(new GrantError('not-ready', true));
    grants = [notReady, notReady, notReady];
    viewer.start();
    await vi.advanceTimersByTimeAsync(1300);
    expect(asked).toBe(4);
    expect(connections).toHaveLength(1);
  });

  it('notices silence where the socket notices nothing', async () => {
    const first = await connected();
    first.silence = 16_000;
    await vi.advanceTimersByTimeAsync(2000);
    expect(first.ended).toBe(true);
    expect(state()).toMatchObject({ kind: 'waiting', reason: 'network' });
  });

  it('starts an engine that crashed once again, and then says so', async () => {
    const first = await connected();
    first.listener.crashed();
    expect(first.ended).toBe(true);
    expect(state()).toMatchObject({ kind: 'waiting', reason: 'crashed' });
    await vi.advanceTimersByTimeAsync(1000);
    expect(connections).toHaveLength(2);
    last().listener.connected();
    last().listener.crashed();
    expect(state()).toEqual({ kind: 'ended', reason: 'crashed' });
    await vi.advanceTimersByTimeAsync(120_000);
    expect(connections).toHaveLength(2);
  });

  it('takes crashes that are far apart for chance', async () => {
    (await connected()).listener.crashed();
    await vi.advanceTimersByTimeAsync(1000);
    last().listener.connected();
    await vi.advanceTimersByTimeAsync(100_000);
    last().listener.crashed();
    expect(state()).toMatchObject({ kind: 'waiting', reason: 'crashed' });
  });

  it('gives a socket up that does not open', async () => {
    viewer.start();
    await vi.advanceTimersByTimeAsync(10_001);
    expect(states.some((s) => s.kind === 'waiting')).toBe(true);
  });

  it('takes the browser’s word for being offline, and online', async () => {
    await connected();
    window.dispatchEvent(new Event('offline'));
    expect(state()?.kind).toBe('waiting');
    window.dispatchEvent(new Event('online'));
    await vi.advanceTimersByTimeAsync(0);
    expect(connections).toHaveLength(2);
  });

  it('hears nothing of a connection that it has left', async () => {
    const first = await connected();
    window.dispatchEvent(new Event('offline'));
    window.dispatchEvent(new Event('online'));
    await vi.advanceTimersByTimeAsync(0);
    last().listener.connected();
    end(first, 4410);
    await vi.advanceTimersByTimeAsync(0);
    expect(state()?.kind).toBe('connected');
  });

  describe('among several viewers', () => {
    const size = { width: 640, height: 480 };

    it('leaves the size to another that has decided, across connections', async () => {
      const first = await connected();
      expect(first.decides).toBe(true);
      first.listener.resized(size, 'display');
      expect(first.decides).toBe(true);
      first.listener.resized(size, 'other');
      expect(first.decides).toBe(false);
      end(first, 1006);
      await vi.advanceTimersByTimeAsync(1000);
      expect(connections).toHaveLength(2);
      expect(last().decides).toBe(false);
    });

    it.each<[string, (connection: FakeConnection) => void]>([
      ['pressed', ({ listener }) => listener.used()],
      ['focused', () => window.dispatchEvent(new Event('focus'))],
      ['told to match its window', () => viewer.setMode('match')],
    ])('decides again once it is %s', async (_, use) => {
      const connection = await connected();
      viewer.setMode('fit');
      connection.listener.resized(size, 'other');
      expect(connection.decides).toBe(false);
      window.dispatchEvent(new Event('resize'));
      expect(connection.decides).toBe(false);
      use(connection);
      expect(connection.decides).toBe(true);
    });

    it('does not take a size of its own for a mere answer', async () => {
      const connection = await connected();
      connection.listener.resized(size, 'other');
      connection.listener.resized(size, 'this');
      expect(connection.decides).toBe(true);
    });
  });

  it('presses combinations in order and releases them in reverse', async () => {
    const connection = await connected();
    viewer.send({
      label: 'x',
      keys: [
        { keysym: 1, code: 'A' },
        { keysym: 2, code: 'B' },
      ],
    });
    expect(connection.sent).toEqual(['+A', '+B', '-B', '-A']);
  });

  it('pastes only into a connection', async () => {
    expect(viewer.paste('early')).toBe(false);
    const connection = await connected();
    expect(viewer.paste('text')).toBe(true);
    end(connection, 1006);
    await vi.advanceTimersByTimeAsync(0);
    expect(viewer.paste('late')).toBe(false);
    expect(connection.sent).toEqual(['text']);
  });
});
