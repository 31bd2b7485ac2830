/** Mouse, pen and fingers on the desktop's picture. */

import { MotionMessages } from './motion-messages';
import {
  Button,
  buttonsOf,
  type Place,
  PointerMessages,
  penButtonsOf,
  type SendPointer,
} from './pointer-messages';
import type { Surface } from './surface';
import { Touch, type TouchMode } from './touch';
import { WheelAxis } from './wheel';

/** What the picture's events become. */
export interface PointerActions {
  /** The pointer is at a place. */
  readonly place: SendPointer;
  /** The pointer, held by the picture, moved. */
  readonly motion: SendPointer;
  /** The picture was pressed. */
  press(event: PointerEvent): void;
}

/** Listens at the picture. */
export class Pointer {
  private readonly messages: PointerMessages;
  private readonly motion: MotionMessages;
  private readonly touch: Touch;
  private readonly across = new WheelAxis();
  private readonly along = new WheelAxis();

  constructor(
    private readonly picture: HTMLElement,
    private readonly surface: Surface,
    private readonly actions: PointerActions,
    signal: AbortSignal,
  ) {
    const nextFrame = (then: () => void) => void requestAnimationFrame(then);
    this.messages = new PointerMessages(actions.place, nextFrame);
    this.motion = new MotionMessages(actions.motion, nextFrame);
    this.touch = new Touch(this.messages, surface);
    const on = <K extends keyof HTMLElementEventMap>(
      name: K,
      listener: (event: HTMLElementEventMap[K]) => void,
    ) => picture.addEventListener(name, listener, { signal, passive: false });
    on('pointerdown', (event) => this.down(event));
    on('pointermove', (event) => this.move(event));
    on('pointerup', (event) => this.up(event));
    on('pointercancel', (event) => this.cancel(event));
    on('wheel', (event) => this.wheel(event));
    on('contextmenu', (event) => event.preventDefault());
    // The keyboard stays where it is; back and forward are the desktop's buttons.
    on('mousedown', (event) => event.preventDefault());
    on('mouseup', (event) => event.preventDefault());
    on('auxclick', (event) => event.preventDefault());
    // No zooming, no second click made of a tap.
    on('touchstart', (event) => event.preventDefault());
    on('touchmove', (event) => {
      event.preventDefault();
      // It comes after the pointers of all its fingers (Pointer Events, 11).
      this.touch.told();
    });
  }

  /** How fingers point. */
  set touchMode(mode: TouchMode) {
    this.touch.mode = mode;
  }

  /** Everything comes up. */
  release(): void {
    this.touch.cancel();
    this.messages.release();
    this.motion.release();
  }

  /** Whether the picture holds the pointer, so that it has no place. */
  private get held(): boolean {
    return document.pointerLockElement === this.picture;
  }

  private place(event: MouseEvent): Place {
    return this.surface.placeOf(event.clientX, event.clientY);
  }

  private finger(event: PointerEvent) {
    return { pageX: event.clientX, pageY: event.clientY, place: this.place(event) };
  }

  private down(event: PointerEvent): void {
    this.actions.press(event);
    try {
      // Until the button comes up, moves outside the picture count too.
      if (!this.held) this.picture.setPointerCapture(event.pointerId);
    } catch {
      // The pointer is gone already.
    }
    if (event.pointerType === 'touch') this.touch.down(event.pointerId, this.finger(event));
    else this.press(event);
  }

  private move(event: PointerEvent): void {
    if (event.pointerType === 'touch') {
      this.touch.move(event.pointerId, this.finger(event));
      return;
    }
    this.surface.showPointer(undefined);
    if (this.held) {
      const density = this.surface.density();
      this.motion.move(event.movementX * density, event.movementY * density);
    }
    // Further buttons come and go as moves.
    if (event.button !== -1) this.press(event);
    else if (!this.held) this.messages.move(this.place(event));
  }

  private up(event: PointerEvent): void {
    if (event.pointerType === 'touch') this.touch.up(event.pointerId);
    else this.press(event);
  }

  private cancel(event: PointerEvent): void {
    if (event.pointerType === 'touch') this.touch.cancel();
    else this.messages.release();
  }

  private press(event: PointerEvent): void {
    const { buttons } = event;
    const pressed = event.pointerType === 'pen' ? penButtonsOf(buttons) : buttonsOf(buttons);
    if (this.held) this.motion.press(pressed);
    else this.messages.press(pressed, this.place(event));
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const { deltaX, deltaY, deltaMode, timeStamp } = event;
    const { wheelDeltaX, wheelDeltaY } = event as { wheelDeltaX?: number; wheelDeltaY?: number };
    const place = this.place(event);
    const steps = (count: number, back: number, forth: number) => {
      const button = count < 0 ? back : forth;
      for (let left = Math.abs(count); left > 0; left -= 1) {
        if (this.held) this.motion.step(button);
        else this.messages.step(button, place);
      }
    };
    const right = this.across.steps(deltaX, deltaMode, timeStamp, wheelDeltaX);
    const down = this.along.steps(deltaY, deltaMode, timeStamp, wheelDeltaY);
    steps(right, Button.wheelLeft, Button.wheelRight);
    steps(down, Button.wheelUp, Button.wheelDown);
  }
}
