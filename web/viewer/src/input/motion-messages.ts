/** Messages of a pointer that is held: how far it moved instead of where it is. */

import type { NextFrame, SendPointer } from './pointer-messages';

/** Adds up motion between frames; less than a pixel is kept for later. */
export class MotionMessages {
  private buttons = 0;
  private x = 0;
  private y = 0;
  private frame = false;

  constructor(
    private readonly send: SendPointer,
    private readonly nextFrame: NextFrame,
  ) {}

  /** The first motion goes out at once, that until the next frame as one. */
  move(x: number, y: number): void {
    this.x += x;
    this.y += y;
    if (!this.frame) this.flush();
  }

  /** Buttons are down now, and the others up. */
  press(buttons: number): void {
    if (buttons === this.buttons) return;
    // Where the pointer was when they went down.
    this.tell(this.buttons);
    this.buttons = buttons;
    this.send(buttons, 0, 0);
  }

  /** One step of the wheel. */
  step(button: number): void {
    this.tell(this.buttons);
    this.send(this.buttons | button, 0, 0);
    this.send(this.buttons, 0, 0);
  }

  /** Everything comes up, and what was not told yet is forgotten. */
  release(): void {
    this.x = 0;
    this.y = 0;
    this.press(0);
  }

  private flush(): void {
    this.frame = this.tell(this.buttons);
    if (this.frame) this.nextFrame(() => this.flush());
  }

  private tell(buttons: number): boolean {
    const x = Math.trunc(this.x) + 0;
    const y = Math.trunc(this.y) + 0;
    if (x === 0 && y === 0) return false;
    this.x -= x;
    this.y -= y;
    this.send(buttons, x, y);
    return true;
  }
}
