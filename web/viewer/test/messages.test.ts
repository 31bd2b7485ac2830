import { describe, expect, it } from 'vitest';
import { ClipboardExchange, provide } from '../src/engine/clipboard-exchange';
import { readEvent } from '../src/engine/events';
import * as messages from '../src/engine/messages';
import { Clip, Encoding } from '../src/engine/messages';
import { readHead } from '../src/engine/video';

const hex = (bytes: Uint8Array) => [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('');
const size = { width: 0x0102, height: 0x0304 };

describe('messages', () => {
  it.each([
    ['setEncodings', messages.setEncodings([7, -223]), '0200000200000007ffffff21'],
    ['updateRequest', messages.updateRequest(true, size), '03010000000001020304'],
    ['continuousUpdates', messages.continuousUpdates(size), '96010000000001020304'],
    ['key', messages.key(true, 0xff0d), '040100000000ff0d'],
    ['qemuKey', messages.qemuKey(false, 0x61, 0x1e), 'ff000000000000610000001e'],
    ['pointer', messages.pointer(0x81, 1, 2, false), '058100010002'],
    ['pointer, extended', messages.pointer(0x101, 1, 2, true), '05810001000202'],
    ['pointer, not needed', messages.pointer(0x41, 1, 2, true), '054100010002'],
    ['motion', messages.motion(1, -1, 2, false), '05017ffe8001'],
    ['motion, too far', messages.motion(0, 1e6, -1e6, true), '0500fffe0000'],
    ['fence', messages.fence(0x80000000, Uint8Array.of(7)), 'f8000000800000000107'],
    [
      'setDesktopSize',
      messages.setDesktopSize(size, { id: 5, flags: 6 }),
      'fb000102030401000000000500000000' + '0102030400000006',
    ],
    ['clipboard', messages.clipboard(Clip.notify | Clip.text), '06000000fffffffc08000001'],
    ['clipboard, caps', messages.clipboard(Clip.caps | 1, 9), '06000000fffffff80100000100000009'],
    ['setPixelFormat', messages.setPixelFormat(), '0000000020180001' + '00ff00ff00ff100800000000'],
  ])('%s', (_, bytes, expected) => {
    expect(hex(bytes)).toBe(expected);
  });

  it('has the registry’s numbers', () => {
    expect(Encoding.extendedClipboard >>> 0).toBe(0xc0a1e5ce);
    expect([Encoding.quality(9), Encoding.compression(2)]).toEqual([-23, -254]);
  });
});

describe('readEvent', () => {
  it('reads sizes with and without screens', () => {
    expect(readEvent(Uint8Array.of(5, 0, 20, 0, 30))).toMatchObject({
      ...{ kind: 'size', width: 20, height: 30, extended: undefined, screen: undefined },
    });
    const screen = [0, 0, 0, 7, 0, 0, 0, 0, 0, 20, 0, 30, 0, 0, 0, 1];
    expect(readEvent(Uint8Array.of(5, 0, 20, 0, 30, 0, 0, 0, 0, ...screen))).toMatchObject({
      ...{ extended: { by: 'display' }, screen: { id: 7, flags: 1 } },
    });
  });

  it('reads who has decided on a size', () => {
    const by = (reason: number, status: number) => {
      const event = readEvent(Uint8Array.of(5, 0, 20, 0, 30, 0, reason, 0, status));
      return event.kind === 'size' && event.extended?.by;
    };
    expect([by(0, 0), by(1, 0), by(2, 0)]).toEqual(['display', 'this', 'other']);
    // A refusal is nobody's decision; neither is what nobody has thought of.
    expect([by(1, 1), by(3, 0)]).toEqual(['display', 'display']);
  });

  it('reads texts, numbers and pictures', () => {
    expect(readEvent(Uint8Array.of(17, 0))).toEqual({ kind: 'pointer-motion', absolute: false });
    expect(readEvent(Uint8Array.of(18, 6))).toEqual({ kind: 'locks', locks: 6 });
    expect(readEvent(Uint8Array.of(10, 0xc3, 0xa4))).toEqual({ kind: 'text', text: 'ä' });
    expect(readEvent(Uint8Array.of(8, 0xff, 0xff, 0xfe, 0xfe))).toEqual({
      ...{ kind: 'serves', encoding: Encoding.qemuKey },
    });
    expect(readEvent(Uint8Array.of(7, 0, 1, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4))).toMatchObject({
      ...{ kind: 'cursor', width: 1, hotX: 0, rgba: Uint8ClampedArray.of(1, 2, 3, 4) },
    });
  });
});

describe('ClipboardExchange', () => {
  const exchange = () => {
    const sent: string[] = [];
    const clipboard = new ClipboardExchange((message) => sent.push(hex(message.subarray(8, 12))));
    clipboard.capable();
    sent.length = 0;
    return { sent, clipboard };
  };
  const notify = '08000001';
  const request = '02000001';
  const given = '10000001';

  it('announces a text and gives it whenever it is wanted', async () => {
    const { sent, clipboard } = exchange();
    clipboard.offer('mine');
    clipboard.requested(Clip.text);
    clipboard.requested(Clip.text);
    await expect.poll(() => sent).toEqual([notify, given, given]);
  });

  it('keeps its text when the display’s crosses it', async () => {
    const { sent, clipboard } = exchange();
    clipboard.offer('mine');
    // Announced by the display before it heard of ours; its text comes in between.
    clipboard.notified(Clip.text);
    clipboard.requested(Clip.text);
    await expect.poll(() => sent).toEqual([notify, request, given]);
  });

  it('fetches nothing from an empty clipboard', () => {
    const { sent, clipboard } = exchange();
    clipboard.notified(0);
    expect(sent).toEqual([]);
  });

  it('packs a text as the extension has it', async () => {
    const message = await provide('one\ntwö');
    const view = new DataView(message.buffer);
    expect(view.getInt32(4)).toBe(8 - message.length);
    const stream = new Blob([message.subarray(12)]).stream();
    const plain = stream.pipeThrough(new DecompressionStream('deflate'));
    const bytes = new Uint8Array(await new Response(plain).arrayBuffer());
    expect(new DataView(bytes.buffer).getUint32(0)).toBe(bytes.length - 4);
    expect(new TextDecoder().decode(bytes.subarray(4))).toBe('one\r\ntwö\0');
  });
});

it('readHead finds key frames and the codec they name', () => {
  const unit = (type: number, ...more: number[]) => [0, 0, 0, 1, type, ...more];
  const key = [...unit(0x67, 0x42, 0xe0, 0x1f, 9), ...unit(0x68, 1, 2), ...unit(0x65, 1, 2)];
  expect(readHead(Uint8Array.from(key))).toEqual({ key: true, codec: 'avc1.42e01f' });
  expect(readHead(Uint8Array.from(unit(0x41, 1, 2)))).toEqual({ key: false, codec: undefined });
  expect(readHead(new Uint8Array(3))).toEqual({ key: false, codec: undefined });
});
