/** What the page and the engine (a worker, where there are workers) say to each other. */

import type { Size } from '../geometry';
import type { Totals } from '../statistics';

/** JPEG quality and compression, 0 to 9 each. */
export interface Levels {
  readonly quality: number;
  readonly compression: number;
}

/** The page to the engine. */
export type Command =
  /** The canvas to draw on; the first. */
  | { readonly kind: 'canvas'; readonly canvas: OffscreenCanvas | HTMLCanvasElement }
  /** A canvas over the picture for outlines of how areas were coded; undefined: no outlines. */
  | { readonly kind: 'outline'; readonly canvas: OffscreenCanvas | HTMLCanvasElement | undefined }
  | { readonly kind: 'open'; readonly url: string }
  | { readonly kind: 'levels'; readonly levels: Levels }
  /** The size that the desktop should have; undefined: whatever it has. */
  | { readonly kind: 'size'; readonly size: Size | undefined }
  | {
      readonly kind: 'key';
      readonly down: boolean;
      readonly keysym: number;
      readonly scancode: number;
    }
  | {
      readonly kind: 'pointer';
      readonly buttons: number;
      readonly x: number;
      readonly y: number;
    }
  /** The pointer tells of motion, or of places again. */
  | { readonly kind: 'relative'; readonly on: boolean }
  | {
      readonly kind: 'motion';
      readonly buttons: number;
      readonly x: number;
      readonly y: number;
    }
  | { readonly kind: 'clipboard'; readonly text: string }
  | { readonly kind: 'ping' }
  /** Asks for a `totals`. */
  | { readonly kind: 'measure' }
  | { readonly kind: 'settle' }
  | { readonly kind: 'close' };

/** Who has decided on the desktop's size. */
export type SizeBy = 'display' | 'this' | 'other';

/** The engine to the page. */
export type Report =
  | { readonly kind: 'connected' }
  /** The first whole update is drawn. */
  | { readonly kind: 'painted' }
  /** Something came from the display; now and then, not each time. */
  | { readonly kind: 'heard' }
  | { readonly kind: 'size'; readonly size: Size; readonly by: SizeBy }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'cursor'; readonly cursor: CursorPicture }
  | { readonly kind: 'clipboard'; readonly text: string }
  | { readonly kind: 'pong'; readonly milliseconds: number }
  /** Motion is taken from now on, or places. */
  | { readonly kind: 'relative'; readonly on: boolean }
  /** The keyboard's locks, flags of QEMU's LED state. */
  | { readonly kind: 'locks'; readonly locks: number }
  | { readonly kind: 'totals'; readonly totals: Totals }
  /** One answer to each `settle`, in order. */
  | { readonly kind: 'settled' }
  | { readonly kind: 'bell' }
  /** The last: the socket's close code, where there is one. */
  | { readonly kind: 'closed'; readonly code: number | undefined }
  /** The last as well: what this side cannot go on with, whatever the network does. */
  | { readonly kind: 'crashed'; readonly why: string };

/** The pointer's picture as a PNG, in device pixels of the desktop. */
export interface CursorPicture extends Size {
  readonly png: Blob;
  readonly hotX: number;
  readonly hotY: number;
}
