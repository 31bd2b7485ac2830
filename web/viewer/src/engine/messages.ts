/** The messages that a viewer sends, as bytes (RFC 6143, section 7.5, and the registered extensions). */

import type { Size } from '../geometry';

/** Encodings and extensions by their numbers in the registry. */
export const Encoding = {
  raw: 0,
  copyRect: 1,
  tight: 7,
  zrle: 16,
  openH264: 50,
  /** Porthole’s own: exact pixels, predicted from their neighbours. */
  predicted: 0x50480001,
  /** Porthole’s own: the pointer shall tell of motion, as long as this is listed. */
  relativePointer: 0x50480002,
  desktopSize: -223,
  lastRect: -224,
  cursor: -239,
  pointerMotion: -257,
  qemuKey: -258,
  ledState: -261,
  desktopName: -307,
  extendedDesktopSize: -308,
  fence: -312,
  continuousUpdates: -313,
  cursorWithAlpha: -314,
  extendedMouseButtons: -316,
  extendedClipboard: 0xc0a1e5ce | 0,
  /** JPEG quality 0 to 9. */
  quality: (level: number) => -32 + level,
  /** Compression 0 to 9. */
  compression: (level: number) => -256 + level,
} as const;

/** Flags of the extended clipboard. */
export const Clip = {
  text: 1,
  caps: 1 << 24,
  request: 1 << 25,
  peek: 1 << 26,
  notify: 1 << 27,
  provide: 1 << 28,
} as const;

/** Flags of a fence that its answer keeps; the highest asks for an answer. */
export const Fence = { kept: 0b111, request: 0x80000000 } as const;

/** One screen of a desktop. */
export interface Screen {
  readonly id: number;
  readonly flags: number;
}

type Field = readonly [bytes: 1 | 2 | 4, value: number];
const u8 = (value: number): Field => [1, value];
const u16 = (value: number): Field => [2, value];
const u32 = (value: number): Field => [4, value];

function message(...fields: Field[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [bytes]) => sum + bytes, 0)));
  let at = 0;
  for (const [bytes, value] of fields) {
    if (bytes === 1) view.setUint8(at, value);
    else if (bytes === 2) view.setUint16(at, value);
    else view.setUint32(at, value);
    at += bytes;
  }
  return new Uint8Array(view.buffer);
}

/** All of several messages. */
export function together(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The viewer's whole handshake: version 3.8, no security, others may stay. */
export function handshake(): Uint8Array<ArrayBuffer> {
  return together(new TextEncoder().encode('RFB 003.008\n'), Uint8Array.of(1, 1));
}

/** Pixels of 32 bits: blue, green, red, nothing; as the display has them. */
export function setPixelFormat(): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0);
}

export function setEncodings(list: readonly number[]): Uint8Array<ArrayBuffer> {
  return message(u8(2), u8(0), u16(list.length), ...list.map(u32));
}

/** Asks for the whole desktop, or for its changes. */
export function updateRequest(incremental: boolean, size: Size): Uint8Array<ArrayBuffer> {
  return message(u8(3), u8(incremental ? 1 : 0), u16(0), u16(0), u16(size.width), u16(size.height));
}

export function continuousUpdates(size: Size): Uint8Array<ArrayBuffer> {
  return message(u8(150), u8(1), u16(0), u16(0), u16(size.width), u16(size.height));
}

export function key(down: boolean, keysym: number): Uint8Array<ArrayBuffer> {
  return message(u8(4), u8(down ? 1 : 0), u16(0), u32(keysym));
}

/** A key with its place on the keyboard as well. */
export function qemuKey(down: boolean, keysym: number, scancode: number): Uint8Array<ArrayBuffer> {
  return message(u8(255), u8(0), u16(down ? 1 : 0), u32(keysym), u32(scancode));
}

/** The pointer; buttons above the eighth need the extended form. */
export function pointer(
  buttons: number,
  x: number,
  y: number,
  extended: boolean,
): Uint8Array<ArrayBuffer> {
  const high = (buttons >> 7) & 3;
  if (!extended || high === 0) return message(u8(5), u8(buttons & 0xff), u16(x), u16(y));
  return message(u8(5), u8((buttons & 0x7f) | 0x80), u16(x), u16(y), u8(high));
}

/** The pointer's motion, where the display takes that for places. */
export function motion(
  buttons: number,
  x: number,
  y: number,
  extended: boolean,
): Uint8Array<ArrayBuffer> {
  const NONE = 0x7fff;
  const by = (pixels: number) => NONE + Math.max(-NONE, Math.min(NONE, pixels));
  return pointer(buttons, by(x), by(y), extended);
}

export function fence(flags: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  return together(message(u8(248), u8(0), u16(0), u32(flags >>> 0), u8(payload.length)), payload);
}

/** Asks for a desktop of this size, on one screen. */
export function setDesktopSize(size: Size, screen: Screen): Uint8Array<ArrayBuffer> {
  const sides = [u16(size.width), u16(size.height)];
  return message(
    ...[u8(251), u8(0), ...sides, u8(1), u8(0)],
    ...[u32(screen.id), u16(0), u16(0), ...sides, u32(screen.flags)],
  );
}

/** A message of the extended clipboard with its flags and further numbers. */
export function clipboard(flags: number, ...numbers: number[]): Uint8Array<ArrayBuffer> {
  const length = 4 + 4 * numbers.length;
  return message(u8(6), u8(0), u16(0), u32(-length >>> 0), u32(flags), ...numbers.map(u32));
}
