/** The wheel: distances of any size become the steps that X knows. */

/** Pixels of one step when a wheel or pad scrolls smoothly. */
const SMOOTH = 50;
/** What a wheel's whole notch measures in `wheelDelta`, whatever it is in pixels. */
const NOTCH = 120;
/** Units of a notch where the browser counts in pixels, lines or pages. */
const OF_A_NOTCH = [SMOOTH, 3, 1];
/** The most steps of one event: a pad that was flung would send hundreds. */
const MOST = 5;
/** After such a pause, in milliseconds, what was left over counts no more. */
const PAUSE = 300;

/** Steps along one axis. */
export class WheelAxis {
  private rest = 0;
  private last = Number.NEGATIVE_INFINITY;

  /**
   * The steps for a distance in units of `mode` (as `WheelEvent` has it); negative: back. `ticks`
   * is the event's `wheelDelta`, where there is one.
   */
  steps(distance: number, mode: number, now: number, ticks = 0): number {
    if (distance === 0) return 0;
    const direction = Math.sign(distance);
    if (now - this.last > PAUSE || direction !== Math.sign(this.rest)) this.rest = 0;
    this.last = now;
    if (ticks !== 0 && ticks % NOTCH === 0) {
      this.rest = 0;
      return direction * Math.min(MOST, Math.abs(ticks) / NOTCH);
    }
    this.rest += distance / (OF_A_NOTCH[mode] ?? SMOOTH);
    // Without the sign that a zero may have.
    const steps = Math.trunc(this.rest) + 0;
    this.rest -= steps;
    return direction * Math.min(MOST, Math.abs(steps)) + 0;
  }
}
