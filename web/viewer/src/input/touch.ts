/**
 * Fingers as a mouse: a tap clicks, two fingers' tap clicks right, a finger held presses right, a
 * finger drawn drags left, two fingers drawn scroll.
 */

import { Button, type Place, type PointerMessages } from './pointer-messages';
import { WheelAxis } from './wheel';

/** CSS pixels that a resting finger may tremble. */
const TREMBLE = 10;
/** Milliseconds until a finger is held. */
const HELD = 600;

/** A finger: where it is on the page, and on the desktop. */
interface Finger {
  readonly pageX: number;
  readonly pageY: number;
  readonly place: Place;
}

type State =
  | 'none'
  /** One finger, nothing sent yet. */
  | 'waiting'
  | 'dragging'
  /** Two fingers, not drawn yet. */
  | 'two'
  | 'scrolling'
  /** What was to be done is done; waits until all fingers are gone. */
  | 'done';

/** The gestures of one screen. */
export class Touch {
  private readonly fingers = new Map<number, { begin: Finger; now: Finger }>();
  private state: State = 'none';
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly across = new WheelAxis();
  private readonly along = new WheelAxis();

  constructor(private readonly pointer: PointerMessages) {}

  down(id: number, finger: Finger): void {
    this.fingers.set(id, { begin: finger, now: finger });
    clearTimeout(this.timer);
    if (this.fingers.size === 1) {
      this.state = 'waiting';
      this.pointer.move(finger.place);
      this.timer = setTimeout(() => this.drag(Button.right), HELD);
    } else if (this.fingers.size === 2 && this.state === 'waiting') {
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
    const { begin } = known;
    const drawn = Math.hypot(finger.pageX - begin.pageX, finger.pageY - begin.pageY) > TREMBLE;
    if (this.state === 'waiting' && drawn) this.drag(Button.left);
    else if (this.state === 'two' && drawn) this.state = 'scrolling';
    if (this.state === 'dragging') this.pointer.move(finger.place);
    // Both fingers tell of the same movement.
    else if (this.state === 'scrolling') this.scroll(before, finger, this.fingers.size);
  }

  up(id: number): void {
    const finger = this.fingers.get(id);
    if (!finger) return;
    this.fingers.delete(id);
    clearTimeout(this.timer);
    if (this.state === 'waiting') this.click(Button.left, finger.begin.place);
    else if (this.state === 'two') this.click(Button.right, finger.begin.place);
    else if (this.state === 'dragging') this.pointer.release();
    this.state = this.fingers.size === 0 ? 'none' : 'done';
  }

  /** The system has taken the fingers. */
  cancel(): void {
    this.fingers.clear();
    this.end();
    this.state = 'none';
  }

  private end(): void {
    clearTimeout(this.timer);
    if (this.state === 'dragging') this.pointer.release();
    this.state = 'done';
  }

  private click(button: number, place: Place): void {
    this.pointer.press(button, place);
    this.pointer.press(0, place);
  }

  private drag(button: number): void {
    clearTimeout(this.timer);
    const [finger] = this.fingers.values();
    if (!finger) return;
    this.state = 'dragging';
    this.pointer.press(button, finger.begin.place);
  }

  private scroll(before: Finger, after: Finger, fingers: number): void {
    const now = performance.now();
    const right = (before.pageX - after.pageX) / fingers;
    const down = (before.pageY - after.pageY) / fingers;
    this.steps(this.across.steps(right, 0, now), Button.wheelLeft, Button.wheelRight, after);
    this.steps(this.along.steps(down, 0, now), Button.wheelUp, Button.wheelDown, after);
  }

  private steps(count: number, back: number, forth: number, { place }: Finger): void {
    const button = count < 0 ? back : forth;
    for (let left = Math.abs(count); left > 0; left -= 1) this.pointer.step(button, place);
  }
}
