/** Pointer messages: buttons at once, moves once for each frame that the screen shows. */

/** RFB's buttons. */
export const Button = {
  left: 1,
  middle: 1 << 1,
  right: 1 << 2,
  wheelUp: 1 << 3,
  wheelDown: 1 << 4,
  wheelLeft: 1 << 5,
  wheelRight: 1 << 6,
  back: 1 << 7,
  forward: 1 << 8,
} as const;

/** The DOM's buttons as RFB's. */
export function buttonsOf(dom: number): number {
  const order = [Button.left, Button.right, Button.middle, Button.back, Button.forward];
  return order.reduce((mask, button, bit) => (dom & (1 << bit) ? mask | button : mask), 0);
}

/** A pen's buttons: with its barrel's the tip presses right, with its other end left. */
export function penButtonsOf(dom: number): number {
  const ERASER = 32;
  if (dom & 2) return Button.right;
  return dom & (1 | ERASER) ? Button.left : 0;
}

/** A place on the desktop, in its pixels; of motion, how far. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

export type SendPointer = (buttons: number, x: number, y: number) => void;
/** Calls back when the screen is drawn next. */
export type NextFrame = (callback: () => void) => void;

/** Knows where the pointer is and what is pressed, and tells no more than needed. */
export class PointerMessages {
  private buttons = 0;
  private place: Place = { x: 0, y: 0 };
  private pending = false;
  private frame = false;

  constructor(
    private readonly send: SendPointer,
    private readonly nextFrame: NextFrame,
  ) {}

  /** Where the pointer is. */
  get at(): Place {
    return this.place;
  }

  /** The first move goes out at once, those until the next frame as one. */
  move(place: Place): void {
    if (place.x === this.place.x && place.y === this.place.y) return;
    this.place = place;
    if (this.frame) {
      this.pending = true;
      return;
    }
    this.tell();
    this.frame = true;
    this.nextFrame(() => this.flush());
  }

  /** Buttons are down now, and the others up. */
  press(buttons: number, place: Place): void {
    const moved = place.x !== this.place.x || place.y !== this.place.y;
    if (buttons === this.buttons && !moved) return;
    this.buttons = buttons;
    this.place = place;
    this.tell();
  }

  /** One step of the wheel. */
  step(button: number, place: Place): void {
    this.place = place;
    this.send(this.buttons | button, place.x, place.y);
    this.tell();
  }

  /** Everything comes up. */
  release(): void {
    if (this.buttons !== 0) this.press(0, this.place);
  }

  private flush(): void {
    this.frame = false;
    if (!this.pending) return;
    this.tell();
    this.frame = true;
    this.nextFrame(() => this.flush());
  }

  private tell(): void {
    this.pending = false;
    this.send(this.buttons, this.place.x, this.place.y);
  }
}
