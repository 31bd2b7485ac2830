/** Mouse, pen and fingers on the desktop's picture. */

import {
  Button,
  buttonsOf,
  type Place,
  PointerMessages,
  type SendPointer,
} from './pointer-messages';
import { Touch } from './touch';
import { WheelAxis } from './wheel';

/** Listens at the picture; `placeOf` tells which pixel of the desktop a place of the page shows. */
export class Pointer {
  private readonly messages: PointerMessages;
  private readonly touch: Touch;
  private readonly across = new WheelAxis();
  private readonly along = new WheelAxis();

  constructor(
    private readonly picture: HTMLElement,
    private readonly placeOf: (pageX: number, pageY: number) => Place,
    send: SendPointer,
    /** The picture was pressed. */
    private readonly onPress: (event: PointerEvent) => void,
    signal: AbortSignal,
  ) {
    this.messages = new PointerMessages(send, (then) => requestAnimationFrame(then));
    this.touch = new Touch(this.messages);
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
    on('touchmove', (event) => event.preventDefault());
  }

  /** Everything comes up. */
  release(): void {
    this.touch.cancel();
    this.messages.release();
  }

  private place(event: MouseEvent): Place {
    return this.placeOf(event.clientX, event.clientY);
  }

  private finger(event: PointerEvent) {
    return { pageX: event.clientX, pageY: event.clientY, place: this.place(event) };
  }

  private down(event: PointerEvent): void {
    this.onPress(event);
    try {
      // Until the button comes up, moves outside the picture count too.
      this.picture.setPointerCapture(event.pointerId);
    } catch {
      // The pointer is gone already.
    }
    if (event.pointerType === 'touch') this.touch.down(event.pointerId, this.finger(event));
    else this.messages.press(buttonsOf(event.buttons), this.place(event));
  }

  private move(event: PointerEvent): void {
    if (event.pointerType === 'touch') {
      this.touch.move(event.pointerId, this.finger(event));
      return;
    }
    // Further buttons come and go as moves.
    if (event.button !== -1) this.messages.press(buttonsOf(event.buttons), this.place(event));
    else this.messages.move(this.place(event));
  }

  private up(event: PointerEvent): void {
    if (event.pointerType === 'touch') this.touch.up(event.pointerId);
    else this.messages.press(buttonsOf(event.buttons), this.place(event));
  }

  private cancel(event: PointerEvent): void {
    if (event.pointerType === 'touch') this.touch.cancel();
    else this.messages.release();
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const { deltaX, deltaY, deltaMode, timeStamp } = event;
    const place = this.place(event);
    const steps = (count: number, back: number, forth: number) => {
      for (let left = Math.abs(count); left > 0; left -= 1) {
        this.messages.step(count < 0 ? back : forth, place);
      }
    };
    const right = this.across.steps(deltaX, deltaMode, timeStamp);
    const down = this.along.steps(deltaY, deltaMode, timeStamp);
    steps(right, Button.wheelLeft, Button.wheelRight);
    steps(down, Button.wheelUp, Button.wheelDown);
  }
}
