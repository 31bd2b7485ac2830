/**
 * Fingers as a mouse. A tap clicks, two fingers' tap clicks right, a finger held presses right, two
 * fingers drawn together scroll, drawn apart they zoom the view. A finger drawn drags, or moves the
 * pointer as on a trackpad, where a tap before it drags.
 */

import { Button, type Place, type PointerMessages } from './pointer-messages';
import type { Surface } from './surface';
import { WheelAxis } from './wheel';

/** How fingers point. */
export type TouchMode =
  /** At what they touch. */
  | 'direct'
  /** By moving the pointer from where it is. */
  | 'trackpad';

/** CSS pixels that a resting finger may tremble. */
const TREMBLE = 10;
/** Milliseconds until a finger is held. */
const HELD = 600;
/** A finger this soon after a tap goes on with it, in milliseconds. */
const AGAIN = 300;
/** How much farther the pointer goes than the finger. */
const GAIN = 1.4;
/** CSS pixels after which one finger of two has shown what they do, though the other rests. */
const ALONE = 24;

/** A finger: where it is on the page, and on the desktop. */
interface Finger {
  readonly pageX: number;
  readonly pageY: number;
  readonly place: Place;
}

interface Known {
  readonly begin: Finger;
  now: Finger;
}

type State =
  | 'none'
  /** One finger, nothing sent yet. */
  | 'waiting'
  /** One finger moves the pointer. */
  | 'pointing'
  | 'dragging'
  /** Two fingers, not drawn yet. */
  | 'two'
  | 'scrolling'
  | 'zooming'
  /** What was to be done is done; waits until all fingers are gone. */
  | 'done';

/** The gestures of one screen. */
export class Touch {
  mode: TouchMode = 'direct';
  private readonly fingers = new Map<number, Known>();
  private state: State = 'none';
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** A trackpad's tap holds the button a little: a finger that follows goes on with it. */
  private tap: ReturnType<typeof setTimeout> | undefined;
  private again = false;
  /** The pointer's place with its fractions. */
  private exact: Place = { x: 0, y: 0 };
  private across = new WheelAxis();
  private along = new WheelAxis();

  constructor(
    private readonly pointer: PointerMessages,
    private readonly surface: Surface,
  ) {}

  down(id: number, finger: Finger): void {
    this.fingers.set(id, { begin: finger, now: finger });
    clearTimeout(this.timer);
    if (this.fingers.size === 1) {
      this.state = 'waiting';
      this.again = this.tap !== undefined;
      clearTimeout(this.tap);
      this.tap = undefined;
      if (this.mode === 'direct') this.pointer.move(finger.place);
      else this.surface.showPointer(this.pointer.at);
      this.exact = this.pointer.at;
      this.timer = setTimeout(() => this.drag(Button.right), HELD);
    } else if (this.fingers.size === 2 && this.state === 'waiting') {
      if (this.again) this.pointer.release();
      this.state = 'two';
    } else {
      this.end();
    }
  }

  move(id: number, finger: Finger): void {
    const known = this.fingers.get(id);
    if (!known) return;
    const before = known.now;
    known.now = finger;
    if (this.state === 'waiting' && drawn(known) > TREMBLE) this.begin();
    if (this.state === 'pointing' || this.state === 'dragging') this.pointTo(before, finger);
    else if (this.state === 'scrolling') this.scroll(before, finger);
    else if (this.state === 'zooming') this.zoom(known, before);
  }

  /** All fingers have told where they are now: each tells by itself, a long way one after the other. */
  told(): void {
    if (this.state === 'two') this.beginTwo();
  }

  up(id: number): void {
    const finger = this.fingers.get(id);
    if (!finger) return;
    this.fingers.delete(id);
    clearTimeout(this.timer);
    if (this.state === 'waiting' && this.mode === 'trackpad') {
      this.pointer.release();
      this.pointer.press(Button.left, this.pointer.at);
      this.tap = setTimeout(() => this.endTap(), AGAIN);
    } else if (this.state === 'waiting') {
      this.click(Button.left, finger.begin.place);
    } else if (this.state === 'two') {
      this.click(Button.right, finger.begin.place);
    } else if (this.state === 'dragging') {
      this.pointer.release();
    }
    this.state = this.fingers.size === 0 ? 'none' : 'done';
  }

  /** The system has taken the fingers. */
  cancel(): void {
    this.fingers.clear();
    this.endTap();
    this.end();
    this.state = 'none';
  }

  private end(): void {
    clearTimeout(this.timer);
    if (this.state === 'dragging' || this.again) this.pointer.release();
    this.again = false;
    this.state = 'done';
  }

  private endTap(): void {
    if (this.tap === undefined) return;
    clearTimeout(this.tap);
    this.tap = undefined;
    this.pointer.release();
  }

  /** One finger is drawn. */
  private begin(): void {
    clearTimeout(this.timer);
    if (this.mode === 'direct' || this.again) this.drag(Button.left);
    else this.state = 'pointing';
  }

  private click(button: number, place: Place): void {
    const at = this.mode === 'direct' ? place : this.pointer.at;
    this.pointer.press(button, at);
    this.pointer.press(0, at);
  }

  private drag(button: number): void {
    clearTimeout(this.timer);
    const [finger] = this.fingers.values();
    if (!finger) return;
    this.state = 'dragging';
    const at = this.mode === 'direct' ? finger.begin.place : this.pointer.at;
    this.pointer.press(button, at);
  }

  private pointTo(before: Finger, after: Finger): void {
    if (this.mode === 'direct') {
      this.pointer.move(after.place);
      return;
    }
    const by = GAIN * this.surface.density();
    this.exact = this.surface.within({
      x: this.exact.x + (after.pageX - before.pageX) * by,
      y: this.exact.y + (after.pageY - before.pageY) * by,
    });
    this.pointer.move({ x: Math.floor(this.exact.x), y: Math.floor(this.exact.y) });
    this.surface.showPointer(this.pointer.at);
  }

  /** Two fingers are drawn. */
  private beginTwo(): void {
    const [one, two] = this.fingers.values();
    if (!one || !two) return;
    const [far, near] = [drawn(one), drawn(two)].sort((a, b) => b - a) as [number, number];
    if (far <= TREMBLE || (near < TREMBLE / 2 && far < ALONE)) return;
    const apart = Math.abs(distance(one.now, two.now) - distance(one.begin, two.begin));
    // Side by side they scroll; what brings them apart or together zooms. The way until here counts:
    // of a fast stroke it may be all that is told.
    if (apart > (far + near) / 2) {
      this.state = 'zooming';
      this.pinch([one.begin, two.begin], [one.now, two.now]);
    } else {
      this.state = 'scrolling';
      [this.across, this.along] = [new WheelAxis(), new WheelAxis()];
      for (const { begin, now } of [one, two]) this.scroll(begin, now);
    }
  }

  /** One of two fingers went on; both tell of the same movement. A finger at rest is no pause. */
  private scroll(before: Finger, after: Finger): void {
    const right = (before.pageX - after.pageX) / 2;
    const down = (before.pageY - after.pageY) / 2;
    this.steps(this.across.steps(right, 0, 0), Button.wheelLeft, Button.wheelRight, after);
    this.steps(this.along.steps(down, 0, 0), Button.wheelUp, Button.wheelDown, after);
  }

  private steps(count: number, back: number, forth: number, { place }: Finger): void {
    const button = count < 0 ? back : forth;
    const at = this.mode === 'direct' ? place : this.pointer.at;
    for (let left = Math.abs(count); left > 0; left -= 1) this.pointer.step(button, at);
  }

  private zoom(moved: Known, before: Finger): void {
    const other = [...this.fingers.values()].find((finger) => finger !== moved);
    if (other) this.pinch([before, other.now], [moved.now, other.now]);
  }

  private pinch(before: readonly [Finger, Finger], after: readonly [Finger, Finger]): void {
    const [was, is] = [between(before), between(after)];
    const apart = distance(...before);
    this.surface.pinch({
      by: apart === 0 ? 1 : distance(...after) / apart,
      ...is,
      x: is.pageX - was.pageX,
      y: is.pageY - was.pageY,
    });
  }
}

function between([one, two]: readonly [Finger, Finger]) {
  return { pageX: (one.pageX + two.pageX) / 2, pageY: (one.pageY + two.pageY) / 2 };
}

function distance(one: Finger, two: Finger): number {
  return Math.hypot(one.pageX - two.pageX, one.pageY - two.pageY);
}

function drawn({ begin, now }: Known): number {
  return distance(begin, now);
}
