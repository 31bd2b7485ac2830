/** What the decoder tells beside pixels (crates/porthole-viewer-wasm/src/event.rs). */

import type { Screen } from './messages';
import type { SizeBy } from './talk';

export type DisplayEvent =
  | { readonly kind: 'broken'; readonly reason: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'security'; readonly types: readonly number[] }
  | { readonly kind: 'allowed' }
  | {
      readonly kind: 'init';
      readonly width: number;
      readonly height: number;
      readonly name: string;
    }
  | {
      readonly kind: 'size';
      readonly width: number;
      readonly height: number;
      /** The first screen, where the display takes sizes from viewers. */
      readonly screen: Screen | undefined;
      /** Where the display takes sizes from viewers: who has decided on this one. */
      readonly extended: { readonly by: SizeBy } | undefined;
    }
  | { readonly kind: 'name'; readonly name: string }
  | {
      readonly kind: 'cursor';
      readonly width: number;
      readonly height: number;
      readonly hotX: number;
      readonly hotY: number;
      /** Straight alpha. */
      readonly rgba: Uint8ClampedArray<ArrayBuffer>;
    }
  | { readonly kind: 'serves'; readonly encoding: number }
  | { readonly kind: 'bell' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'clipboard-caps'; readonly flags: number; readonly unasked: number }
  | { readonly kind: 'clipboard-request'; readonly formats: number }
  | { readonly kind: 'clipboard-peek' }
  | { readonly kind: 'clipboard-notify'; readonly formats: number }
  | {
      readonly kind: 'fence';
      readonly flags: number;
      readonly payload: Uint8Array<ArrayBuffer>;
    }
  | { readonly kind: 'continuous' }
  | { readonly kind: 'pointer-motion'; readonly absolute: boolean }
  | { readonly kind: 'locks'; readonly locks: number };

/** Who a size's reason names. A wish that was refused, which has a status, changes nothing. */
function decidedBy(reason: number, status: number): SizeBy {
  if (status !== 0) return 'display';
  return (['display', 'this', 'other'] as const)[reason] ?? 'display';
}

/** Reads an event's bytes. They are copied where they are kept. */
export function readEvent(bytes: Uint8Array): DisplayEvent {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u16 = (at: number) => view.getUint16(at);
  const u32 = (at: number) => view.getUint32(at);
  const text = (at: number) => new TextDecoder().decode(bytes.subarray(at));
  switch (bytes[0]) {
    case 1:
      return { kind: 'version' };
    case 2:
      return { kind: 'security', types: [...bytes.subarray(1)] };
    case 3:
      return { kind: 'allowed' };
    case 4:
      return { kind: 'init', width: u16(1), height: u16(3), name: text(5) };
    case 5: {
      const extended = bytes.length >= 9 ? { by: decidedBy(u16(5), u16(7)) } : undefined;
      const screen = bytes.length >= 25 ? { id: u32(9), flags: u32(21) } : undefined;
      return { kind: 'size', width: u16(1), height: u16(3), screen, extended };
    }
    case 6:
      return { kind: 'name', name: text(1) };
    case 7: {
      const rgba = new Uint8ClampedArray(bytes.subarray(9));
      return {
        ...{ kind: 'cursor', width: u16(1), height: u16(3) },
        ...{ hotX: u16(5), hotY: u16(7), rgba },
      };
    }
    case 8:
      return { kind: 'serves', encoding: view.getInt32(1) };
    case 9:
      return { kind: 'bell' };
    case 10:
      return { kind: 'text', text: text(1) };
    case 11:
      return { kind: 'clipboard-caps', flags: u32(1), unasked: u32(5) };
    case 12:
      return { kind: 'clipboard-request', formats: u32(1) };
    case 13:
      return { kind: 'clipboard-peek' };
    case 14:
      return { kind: 'clipboard-notify', formats: u32(1) };
    case 15:
      return { kind: 'fence', flags: u32(1), payload: bytes.slice(5) };
    case 16:
      return { kind: 'continuous' };
    case 17:
      return { kind: 'pointer-motion', absolute: bytes[1] !== 0 };
    case 18:
      return { kind: 'locks', locks: bytes[1] ?? 0 };
    default:
      return { kind: 'broken', reason: text(1) };
  }
}
