/** Sizes: CSS pixels of the page against the device's and the remote desktop's pixels. */

/** A width and a height; the unit is named where it is used. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** How the picture is fitted into the window. */
export type ScaleMode =
  /** The remote desktop follows the window, one remote pixel to one device pixel. */
  | 'match'
  /** The remote desktop keeps its size; the picture is scaled into the window. */
  | 'fit';

/** The smallest desktop that is asked for, in pixels: less is a window being folded away. */
export const MIN_SIDE = 64;
/** RFB sends sizes as 16 bits. */
export const MAX_SIDE = 65535;

/** The desktop's size in device pixels for an area of the page. */
export function devicePixels(css: Size, ratio: number): Size {
  return { width: side(css.width * ratio), height: side(css.height * ratio) };
}

function side(pixels: number): number {
  if (!Number.isFinite(pixels)) return MIN_SIDE;
  return Math.min(MAX_SIDE, Math.max(MIN_SIDE, Math.round(pixels)));
}

/**
 * Which of `pixels` side by side in a `length` of the page lies at `at`; the nearest one, outside.
 *
 * A place on a pixel's edge belongs to that pixel, although 379 is what 380 / 700 * 700 comes to.
 */
export function pixelAt(at: number, length: number, pixels: number): number {
  const HAIR = 1e-6;
  const pixel = Math.floor((at * pixels) / length + HAIR);
  return Math.min(Math.max(0, pixels - 1), Math.max(0, pixel));
}

/** CSS pixels per remote pixel, and whether that is exactly one device pixel each. */
export interface Scale {
  readonly factor: number;
  readonly exact: boolean;
}

/**
 * The scale at which a desktop of `remote` pixels is shown in an area of `css` pixels.
 *
 * In `match` mode a desktop of the wanted size is shown pixel by pixel. Any other size is that of
 * another viewer's window or of a limit, and is fitted until this window's turn comes.
 */
export function pictureScale(remote: Size, css: Size, ratio: number, mode: ScaleMode): Scale {
  if (remote.width <= 0 || remote.height <= 0 || css.width <= 0 || css.height <= 0) {
    return { factor: 1 / ratio, exact: false };
  }
  const wanted = devicePixels(css, ratio);
  if (mode === 'match' && wanted.width === remote.width && wanted.height === remote.height) {
    return { factor: 1 / ratio, exact: true };
  }
  const factor = Math.min(css.width / remote.width, css.height / remote.height);
  return { factor, exact: Math.abs(factor * ratio - 1) < 1e-9 };
}
