/** Shows how areas of the picture were coded: outlines that fade, on a canvas of their own. */

import type { Size } from '../geometry';
import { CODEC_COLOURS, type Codec } from '../statistics';
import { type Canvas, type Context, contextOf } from './canvas';
import type { Area } from './video';

/** How long an outline is seen, in milliseconds. */
const SEEN_FOR = 600;
/** Outlines at one time, at most; of more the oldest go. */
const MOST = 2048;
/** Their width, in pixels of the desktop. */
const LINE = 2;

interface Outline extends Area {
  readonly codec: Codec;
  readonly since: number;
}

/** The outlines of one picture. */
export class Outlines {
  private readonly context: Context;
  /** By their places, the oldest first: an area that comes again is outlined once. */
  private readonly shown = new Map<string, Outline>();
  private waiting = false;
  private closed = false;

  /** `nextFrame` calls back when the screen is drawn next. */
  constructor(
    private readonly canvas: Canvas,
    private readonly nextFrame: (then: () => void) => void,
  ) {
    this.context = contextOf(canvas);
  }

  /** An area was drawn. */
  add(codec: Codec, { x, y, width, height }: Area): void {
    const place = `${x},${y},${width},${height}`;
    this.shown.delete(place);
    this.shown.set(place, { codec, x, y, width, height, since: performance.now() });
    for (const oldest of this.shown.keys()) {
      if (this.shown.size <= MOST) break;
      this.shown.delete(oldest);
    }
  }

  /** Draws what was added, and goes on until all have faded. */
  draw(picture: Size): void {
    if (this.waiting || this.closed || this.shown.size === 0) return;
    this.waiting = true;
    this.nextFrame(() => {
      this.waiting = false;
      this.paint(picture);
      this.draw(picture);
    });
  }

  close(): void {
    this.closed = true;
    this.shown.clear();
  }

  private paint({ width, height }: Size): void {
    const { canvas, context } = this;
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    } else {
      context.clearRect(0, 0, width, height);
    }
    context.lineWidth = LINE;
    const now = performance.now();
    for (const [place, outline] of this.shown) {
      const left = 1 - (now - outline.since) / SEEN_FOR;
      if (left <= 0) {
        this.shown.delete(place);
        continue;
      }
      const { codec, x, y, width, height } = outline;
      context.fillStyle = CODEC_COLOURS[codec];
      context.strokeStyle = CODEC_COLOURS[codec];
      context.globalAlpha = left * 0.18;
      context.fillRect(x, y, width, height);
      context.globalAlpha = left;
      const inset = LINE / 2;
      context.strokeRect(
        ...([x + inset, y + inset] as const),
        ...([Math.max(0, width - LINE), Math.max(0, height - LINE)] as const),
      );
    }
  }
}
