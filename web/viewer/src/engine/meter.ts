/** Counts what one connection does. A few additions for each update: it always runs. */

import { CODECS, type Codec, type Totals } from '../statistics';

/** Counts; see {@link Totals}. */
export class Meter {
  bytes = 0;
  decoding = 0;
  drawing = 0;
  readonly pixels = Object.fromEntries(CODECS.map((codec) => [codec, 0])) as Record<Codec, number>;
  private readonly since = performance.now();
  private updates = 0;
  private dropped = 0;
  private encoding = 0;
  private encoded = 0;
  private roundTrips = 0;
  private pings = 0;
  /** Updates that were drawn since the screen showed the last one. */
  private unseen = 0;

  /** `nextFrame` calls back when the screen shows what was drawn; it may take its time. */
  constructor(private readonly nextFrame: (then: () => void) => void) {}

  /** A whole update was drawn. */
  updated(): void {
    this.updates += 1;
    this.unseen += 1;
    if (this.unseen > 1) return;
    this.nextFrame(() => {
      this.dropped += this.unseen - 1;
      this.unseen = 0;
    });
  }

  /** A ping was answered. */
  answered(milliseconds: number): void {
    this.roundTrips += milliseconds;
    this.pings += 1;
  }

  /** A fence of the display: after its number the microseconds that encoding took. */
  fence(payload: Uint8Array): void {
    if (payload.length !== 8) return;
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    this.encoding += view.getUint32(4) / 1000;
    this.encoded += 1;
  }

  get totals(): Totals {
    const { bytes, updates, dropped, decoding, drawing } = this;
    const { encoding, encoded, roundTrips, pings } = this;
    return {
      ...{ connection: performance.timeOrigin + this.since, age: performance.now() - this.since },
      ...{ bytes, updates, dropped, decoding, drawing, encoding, encoded, roundTrips, pings },
      pixels: { ...this.pixels },
    };
  }
}
