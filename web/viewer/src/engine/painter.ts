/** Draws the decoder's operations (crates/porthole-viewer-wasm/src/ops.rs), always in order. */

import { type Canvas, type Context, contextOf, unseen } from './canvas';
import type { Ops } from './decoder';
import { decodeJpeg } from './jpeg';
import type { Meter } from './meter';
import type { Outlines } from './outlines';
import { type Area, VideoAreas } from './video';

/** Numbers of one operation. */
const WORDS = 8;
const RESIZE = 0;
const PUT = 1;
const FILL = 2;
const COPY = 3;
const JPEG = 4;
const H264 = 5;
/** The operations' names in statistics. */
const CODEC_OF = [undefined, 'lossless', 'fill', 'copy', 'jpeg', 'video'] as const;

type Picture = ImageBitmap | VideoFrame;

/** A canvas that is the desktop's picture: copies read it, so that whatever was drawn is copied. */
export class Painter {
  /** Whether anything was drawn yet. */
  drawn = false;
  /** What shows how areas were coded, while somebody wants to see that. */
  outlines: Outlines | undefined;
  private readonly context: Context;
  private readonly videos: VideoAreas;
  /** As large as the picture, once something was copied: what is copied goes over it. */
  private aside: ReturnType<typeof unseen> | undefined;

  /** `onBroken`: a video cannot be decoded; what it should have shown must come anew. */
  constructor(
    private readonly canvas: Canvas,
    private readonly meter: Meter,
    onBroken: () => void,
  ) {
    this.context = contextOf(canvas, { alpha: false, desynchronized: true });
    this.context.imageSmoothingEnabled = false;
    // What a worker's canvas draws with comes from the page's thread, at the first drawing. Now
    // that thread is free; when the first picture is there it may be busy.
    this.context.fillRect(0, 0, 1, 1);
    this.videos = new VideoAreas(onBroken);
  }

  /**
   * Draws, at once where nothing has to be decoded by the browser first. What has is decoded side
   * by side; then all is drawn in one go, so that no half picture is ever shown.
   */
  draw(ops: Ops): Promise<void> | undefined {
    const began = performance.now();
    const pictures = this.decode(ops);
    if (pictures.length === 0) {
      this.drawAll(ops, []);
      return undefined;
    }
    return Promise.all(pictures).then((ready) => {
      this.meter.decoding += performance.now() - began;
      this.drawAll(ops, ready);
      for (const picture of ready) picture?.close();
    });
  }

  close(): void {
    this.videos.close();
  }

  private decode({ words, memory, bytes }: Ops): Promise<Picture | undefined>[] {
    const pictures: Promise<Picture | undefined>[] = [];
    for (let at = 0; at < words.length; at += WORDS) {
      const kind = words[at];
      if (kind !== JPEG && kind !== H264) continue;
      const [x, y, width, height, start, length, flags] = words.subarray(
        at + 1,
        at + WORDS,
      ) as unknown as [number, number, number, number, number, number, number];
      const data = new Uint8Array(memory, bytes + start, length);
      const area = { x, y, width, height };
      pictures.push(kind === JPEG ? decodeJpeg(data) : this.videos.decode(area, flags, data));
    }
    return pictures;
  }

  private drawAll({ words, memory, bytes }: Ops, pictures: (Picture | undefined)[]): void {
    const { context, canvas, meter, outlines } = this;
    const began = performance.now();
    let picture = 0;
    for (let at = 0; at < words.length; at += WORDS) {
      const kind = words[at] as number;
      const x = words[at + 1] as number;
      const y = words[at + 2] as number;
      const width = words[at + 3] as number;
      const height = words[at + 4] as number;
      const first = words[at + 5] as number;
      this.drawn ||= kind !== RESIZE;
      const codec = CODEC_OF[kind ?? 0];
      if (codec) {
        meter.pixels[codec] += width * height;
        outlines?.add(codec, { x, y, width, height });
      }
      if (kind === PUT) {
        const pixels = new Uint8ClampedArray(memory, bytes + first, width * height * 4);
        context.putImageData(new ImageData(pixels, width, height), x, y);
      } else if (kind === FILL) {
        context.fillStyle = `#${first.toString(16).padStart(6, '0')}`;
        context.fillRect(x, y, width, height);
      } else if (kind === COPY) {
        this.copy({ x: first, y: words[at + 6] as number }, { x, y, width, height });
      } else if (kind === RESIZE) {
        this.resize(width, height);
      } else {
        const image = pictures[picture];
        picture += 1;
        if (image) context.drawImage(image, 0, 0, width, height, x, y, width, height);
      }
    }
    meter.drawing += performance.now() - began;
    outlines?.draw({ width: canvas.width, height: canvas.height });
  }

  /**
   * Over another canvas: one that is drawn on itself is first copied as a whole by the browser, for
   * each rectangle anew.
   */
  private copy(from: { x: number; y: number }, { x, y, width, height }: Area): void {
    const { canvas, context } = this;
    this.aside ??= unseen(canvas.width, canvas.height, { alpha: false });
    const { aside } = this;
    aside.context.imageSmoothingEnabled = false;
    aside.context.drawImage(canvas, from.x, from.y, width, height, 0, 0, width, height);
    context.drawImage(aside.canvas, 0, 0, width, height, x, y, width, height);
  }

  private resize(width: number, height: number): void {
    const { canvas } = this;
    if (canvas.width === width && canvas.height === height) return;
    // Read back, the picture would leave the graphics card for good.
    const kept = unseen(canvas.width, canvas.height);
    kept.context.drawImage(canvas, 0, 0);
    canvas.width = width;
    canvas.height = height;
    this.aside = undefined;
    // Forgotten with the old size. Nothing is ever scaled here.
    this.context.imageSmoothingEnabled = false;
    this.context.drawImage(kept.canvas, 0, 0);
  }
}
