/** The view's zoom: a part of the picture drawn larger, as with two fingers on a small screen. */

import type { Size } from './geometry';

/** What two fingers did, in CSS pixels of the page. */
export interface Pinch {
  /** How much larger the picture becomes. */
  readonly by: number;
  /** Between the fingers. */
  readonly pageX: number;
  readonly pageY: number;
  /** How far that moved. */
  readonly x: number;
  readonly y: number;
}

/** A place of the unzoomed picture, times `factor`, plus this, is where it is shown. */
export interface Zoom {
  readonly factor: number;
  readonly x: number;
  readonly y: number;
}

/** Where the picture is in its element, in CSS pixels. */
export interface Box extends Size {
  readonly left: number;
  readonly top: number;
}

export const NO_ZOOM: Zoom = { factor: 1, x: 0, y: 0 };

/** The largest zoom: beyond it a few letters fill a phone. */
const LARGEST = 6;

/** The zoom after a pinch around a place of the element. */
export function pinched(zoom: Zoom, pinch: Pinch): Zoom {
  const factor = Math.min(LARGEST, Math.max(1, zoom.factor * pinch.by));
  const by = factor / zoom.factor;
  const along = (at: number, offset: number, moved: number) => at - (at - moved - offset) * by;
  return {
    factor,
    x: along(pinch.pageX, zoom.x, pinch.x),
    y: along(pinch.pageY, zoom.y, pinch.y),
  };
}

/** Keeps the picture over the whole area, or in its middle where it is smaller. */
export function kept(zoom: Zoom, box: Box, area: Size): Zoom {
  if (zoom.factor === 1) return NO_ZOOM;
  const along = (offset: number, from: number, length: number, room: number) => {
    const larger = length * zoom.factor;
    if (larger <= room) return (room - larger) / 2 - from * zoom.factor;
    const first = -from * zoom.factor;
    return Math.min(first, Math.max(first + room - larger, offset));
  };
  return {
    factor: zoom.factor,
    x: along(zoom.x, box.left, box.width, area.width),
    y: along(zoom.y, box.top, box.height, area.height),
  };
}

/** Where the zoomed picture is. */
export function zoomed(zoom: Zoom, box: Box): Box {
  return {
    left: box.left * zoom.factor + zoom.x,
    top: box.top * zoom.factor + zoom.y,
    width: box.width * zoom.factor,
    height: box.height * zoom.factor,
  };
}
