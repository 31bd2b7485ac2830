import { expect, test, vi } from 'vitest';
import { type FilesClient, FilesError, type Standing } from '../src/session/files/client';
import { Unreadable, Uploads } from '../src/session/files/uploads';

/** A session that keeps what it is sent, and fails when it is told to. */
class Session {
  readonly parts = new Map<string, number>();
  readonly faults: unknown[] = [];
  asked = 0;
  discarded = 0;
  hang = false;

  offset = async (id: string): Promise<Standing> => ({ offset: this.parts.get(id) ?? 0 });

  discard = async (id: string): Promise<Standing> => {
    this.discarded += 1;
    this.parts.delete(id);
    return { offset: 0 };
  };

  append = async (
    id: string,
    query: Record<string, string | number>,
    piece: Blob,
    progress: (bytes: number) => void,
    signal: AbortSignal,
  ): Promise<Standing> => {
    this.asked += 1;
    if (this.hang) {
      await new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(new DOMException('', 'AbortError'))),
      );
    }
    const fault = this.faults.shift();
    if (fault) throw fault;
    const there = this.parts.get(id) ?? 0;
    if (query.offset !== there) throw new FilesError(409, 'elsewhere', undefined, there);
    progress(piece.size);
    const offset = there + piece.size;
    this.parts.set(id, offset);
    return offset === query.size ? { offset, path: `Uploads/${query.path}` } : { offset };
  };
}

const make = () => {
  const session = new Session();
  return { session, uploads: new Uploads(session as unknown as FilesClient) };
};

const item = (size: number, path = 'a b') => ({
  path,
  file: new File([new Uint8Array(size)], 'a b', { lastModified: 5 }),
});

const settled = (uploads: Uploads) => vi.waitFor(() => expect(uploads.active).toBe(false), 10_000);

test('a file goes in pieces, and its name goes encoded', async () => {
  const { session, uploads } = make();
  uploads.add([item(40_000_000), item(0, 'ä/%')]);
  await settled(uploads);
  expect(session.asked).toBe(4);
  expect(uploads.snapshot().map(({ state, stored }) => [state, stored])).toEqual([
    ['done', 'Uploads/a b'],
    ['done', 'Uploads/ä/%'],
  ]);
});

test('after a cut it goes on from what is there', async () => {
  const { session, uploads } = make();
  session.faults.push(undefined, new FilesError(0, ''), new FilesError(503, ''));
  uploads.add([item(20_000_000)]);
  await settled(uploads);
  expect(uploads.snapshot()[0]?.state).toBe('done');
  // One piece, two failures, and the rest in smaller pieces: a proxy may have been the cause.
  expect(session.asked).toBe(7);
});

test('a file that cannot be read any more is not tried again', async () => {
  const { session, uploads } = make();
  session.faults.push(new FilesError(0, ''));
  const gone = item(1000);
  gone.file.slice = () => {
    const blob = new Blob();
    blob.arrayBuffer = () => Promise.reject(new DOMException('', 'NotFoundError'));
    return blob;
  };
  uploads.add([gone]);
  await settled(uploads);
  const [upload] = uploads.snapshot();
  expect([upload?.state, session.asked]).toEqual(['failed', 1]);
  expect(upload?.error).toBeInstanceOf(Unreadable);
});

test('what a rule refuses is not tried again', async () => {
  const { session, uploads } = make();
  session.faults.push(new FilesError(403, 'no', { rule: 'size', max: 5 }));
  uploads.add([item(10)]);
  await settled(uploads);
  expect(session.asked).toBe(1);
  const upload = uploads.snapshot()[0];
  expect(upload?.state).toBe('failed');
  expect(upload?.error).toMatchObject({ refusal: { rule: 'size' } });
  uploads.retry(upload?.key ?? 0);
  await settled(uploads);
  expect(uploads.snapshot()[0]?.state).toBe('done');
});

test('a cancelled one is given up at the session, too', async () => {
  const { session, uploads } = make();
  session.hang = true;
  uploads.add([item(10), item(10, 'b'), item(10, 'waits')]);
  await vi.waitFor(() => expect(session.asked).toBe(2));
  const states = () => uploads.snapshot().map(({ state }) => state);
  expect(states()).toEqual(['sending', 'sending', 'waiting']);
  uploads.cancel(3);
  uploads.cancel(1);
  uploads.cancel(2);
  await settled(uploads);
  expect(states()).toEqual(['cancelled', 'cancelled', 'cancelled']);
  await vi.waitFor(() => expect(session.discarded).toBe(2));
  uploads.clear();
  expect(uploads.snapshot()).toEqual([]);
});
