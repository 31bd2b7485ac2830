/** The wheel: distances of any size become the steps that X knows. */

/** Pixels of one step when a wheel or pad scrolls smoothly. */
const SMOOTH = 50;
/** From this distance on an event is a wheel's notch, or several. */
const NOTCH = 40;
/** Pixels of a whole notch. */
const WHOLE_NOTCH = 120;
/** Pixels of a line and of a page, where the browser counts in those. */
const UNITS = [1, 40, 800];
/** After such a pause, in milliseconds, what was left over counts no more. */
const PAUSE = 300;

/** Steps along one axis. */
export class WheelAxis {
  private rest = 0;
  private last = Number.NEGATIVE_INFINITY;

  /** The steps for a distance in units of `mode` (as `WheelEvent` has it); negative: back. */
  steps(distance: number, mode: number, now: number): number {
    const pixels = distance * (UNITS[mode] ?? 1);
    if (pixels === 0) return 0;
    if (now - this.last > PAUSE || Math.sign(pixels) !== Math.sign(this.rest)) this.rest = 0;
    this.last = now;
    if (Math.abs(pixels) >= NOTCH) {
      this.rest = 0;
      return Math.sign(pixels) * Math.max(1, Math.round(Math.abs(pixels) / WHOLE_NOTCH));
    }
    this.rest += pixels;
    // Without the sign that a zero may have.
    const steps = Math.trunc(this.rest / SMOOTH) + 0;
    this.rest -= steps * SMOOTH;
    return steps;
  }
}
