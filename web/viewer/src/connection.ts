/** One connection in an element: the engine that draws it, its place on the page, its input. */

import { type EngineHandle, startEngine } from './engine/start';
import type { Command, Levels, Report, SizeBy } from './engine/talk';
import { devicePixels, pictureScale, pixelAt, type ScaleMode, type Size } from './geometry';
import { LocalCursor } from './input/cursor';
import { Keyboard, type KeyboardMode } from './input/keyboard';
import { platform } from './input/keysyms';
import { isModifier } from './input/modifiers';
import { Pointer } from './input/pointer';
import type { Place } from './input/pointer-messages';
import { scancodeOf } from './input/scancodes';
import { ShownCursor } from './input/shown-cursor';
import { StickyKeys, type StickyState } from './input/sticky';
import type { Surface } from './input/surface';
import type { TouchMode } from './input/touch';
import type { Key } from './keys';
import type { Totals } from './statistics';
import { type Box, kept, NO_ZOOM, type Pinch, pinched, type Zoom, zoomed } from './zoom';

/** What the connection tells its owner. */
export interface ConnectionListener {
  connected(): void;
  /** The first whole update is drawn. */
  painted(): void;
  /** The remote desktop's size, in its own pixels, and who has decided on it. */
  resized(size: Size, by: SizeBy): void;
  /** The user has pressed a key, a button or the picture. */
  used(): void;
  clipboard(text: string): void;
  /** An answer to `ping`, after so many milliseconds. */
  pong(milliseconds: number): void;
  /** The desktop holds the pointer, or not any more. */
  held(held: boolean): void;
  /** Which modifiers of the screen's keys are down. */
  sticky(state: StickyState): void;
  /** The connection is over; the socket's close code, where there is one. */
  closed(code: number | undefined): void;
  /** The connection is over because the engine stopped working. */
  crashed(): void;
}

/** How the user points and types. */
export interface InputModes {
  readonly touch: TouchMode;
  readonly keyboard: KeyboardMode;
}

/** A window that is being drawn larger is asked for when it has rested so long, in milliseconds. */
const RESIZE_AFTER = 120;
/** A display that does not take motion by then does not know it; the pointer is let go. */
const HOLD_WITHIN = 2_000;

/**
 * Made before it is known where to connect, so that the engine is ready by then; ends for good
 * when its socket does.
 */
export class Connection implements Surface {
  /** The picture. Only the engine draws on it. */
  readonly canvas = document.createElement('canvas');
  private readonly frame = document.createElement('div');
  private readonly field = document.createElement('textarea');
  private readonly engine: EngineHandle;
  private readonly cursor = new LocalCursor(this.canvas);
  private readonly shownCursor = new ShownCursor();
  private readonly sticky: StickyKeys;
  private outlines: HTMLCanvasElement | undefined;
  private keyboard: Keyboard | undefined;
  private pointer: Pointer | undefined;
  private readonly ending = new AbortController();

  private size: Size = { width: 0, height: 0 };
  private box: Box | undefined;
  private zoom: Zoom = NO_ZOOM;
  private pointerAt: Place | undefined;
  private holdTimer: number | undefined;
  private pingAt: number | undefined;
  private heardAt = 0;
  private readonly settling: (() => void)[] = [];
  private readonly measuring: ((totals: Totals | undefined) => void)[] = [];
  private resizeTimer: number | undefined;
  private viewOnly = false;
  private over = false;

  constructor(
    private readonly target: HTMLElement,
    private mode: ScaleMode,
    private decides: boolean,
    private modes: InputModes,
    private readonly listener: ConnectionListener,
  ) {
    const { frame, canvas, field } = this;
    Object.assign(frame.style, { position: 'absolute', inset: '0', overflow: 'hidden' });
    Object.assign(canvas.style, {
      position: 'absolute',
      display: 'block',
      // Until there is something to see.
      opacity: '0',
      touchAction: 'none',
    });
    // Never seen, but where input methods look for a caret. Browsers zoom to smaller letters.
    Object.assign(field.style, {
      position: 'absolute',
      width: '1px',
      height: '1px',
      padding: '0',
      border: '0',
      opacity: '0',
      resize: 'none',
      overflow: 'hidden',
      pointerEvents: 'none',
      fontSize: '16px',
    });
    Object.assign(field, { autocapitalize: 'off', autocomplete: 'off', spellcheck: false });
    field.setAttribute('autocorrect', 'off');
    field.ariaLabel = target.dataset.label ?? 'Desktop';
    // A finger on the picture asks for no keyboard; `showKeyboard` does.
    field.inputMode = 'none';
    field.dataset.keyboard = '';
    frame.append(canvas, field, this.shownCursor.element);
    target.prepend(frame);
    this.sticky = new StickyKeys(
      (key, down) => this.sendKey(key.keysym, key.code, down),
      (state) => listener.sticky(state),
    );
    this.engine = startEngine(canvas, (report) => this.hear(report));
  }

  /** Connects. Input is sent unless the grant is for watching only. */
  open(url: URL, viewOnly: boolean): void {
    this.viewOnly = viewOnly;
    if (!viewOnly) this.listen();
    this.tell({ kind: 'size', size: this.wanted() });
    this.tell({ kind: 'open', url: url.href });
  }

  /** Where the picture is, or was while it was in the page. */
  get pictureBox(): Box | undefined {
    return this.box;
  }

  /** The remote desktop's size, in its own pixels. */
  get remoteSize(): Size {
    return this.size;
  }

  /** Ends the connection and frees everything. */
  close(): void {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.resizeTimer);
    clearTimeout(this.holdTimer);
    if (document.pointerLockElement === this.canvas) document.exitPointerLock();
    this.listener.held(false);
    this.sticky.releaseAll();
    this.ending.abort();
    this.engine.stop();
    this.cursor.close();
    this.shownCursor.close();
    for (const settled of this.settling.splice(0)) settled();
    for (const measured of this.measuring.splice(0)) measured(undefined);
    this.frame.remove();
  }

  /** Gives the keyboard to the desktop. */
  focus(): void {
    this.field.focus({ preventScroll: true });
  }

  /** Asks for the keyboard on the screen, where there is one. */
  showKeyboard(): void {
    this.field.inputMode = 'text';
    this.field.blur();
    this.focus();
  }

  /** How the picture is fitted into the window; `match` asks the server for the window's size. */
  setMode(mode: ScaleMode): void {
    this.mode = mode;
    this.place();
    this.tell({ kind: 'size', size: this.wanted() });
  }

  /** Whether this viewer's window decides on the desktop's size, or another's. */
  setDecides(decides: boolean): void {
    this.decides = decides;
    this.tell({ kind: 'size', size: this.wanted() });
  }

  /** Whether outlines over the picture show how its areas are coded. */
  setOutlines(on: boolean): void {
    if (on === (this.outlines !== undefined)) return;
    this.outlines?.remove();
    this.outlines = on ? document.createElement('canvas') : undefined;
    if (this.outlines) {
      this.outlines.dataset.outlines = '';
      Object.assign(this.outlines.style, { position: 'absolute', pointerEvents: 'none' });
      this.canvas.after(this.outlines);
      this.place();
    }
    this.engine.outline(this.outlines);
  }

  /** How the user points and types, from now on. */
  setModes(modes: InputModes): void {
    this.modes = modes;
    if (this.pointer) this.pointer.touchMode = modes.touch;
    this.setKeyboardMode();
    if (modes.touch === 'direct') this.showPointer(undefined);
  }

  /**
   * Has the desktop hold the pointer, for games and the like; the browser lets go of it when Esc is
   * pressed. Only as an answer to what the user does. False where the browser does not do it.
   */
  async holdPointer(): Promise<boolean> {
    if (!this.pointer || !this.canvas.requestPointerLock) return false;
    this.focus();
    try {
      // As the hand moves the mouse, without the local system's acceleration, where it can do that.
      await this.canvas.requestPointerLock({ unadjustedMovement: true });
    } catch {
      try {
        await this.canvas.requestPointerLock();
      } catch {
        return false;
      }
    }
    return true;
  }

  /** Presses a modifier of the screen's keys: for the next key, for good, not at all. */
  pressSticky(key: Key): void {
    this.sticky.press(key);
  }

  /** Another key than those modifiers was pressed and released. */
  usedSticky(): void {
    this.sticky.used();
  }

  /** The view as it was before fingers zoomed it. */
  unzoom(): void {
    this.zoom = NO_ZOOM;
    this.place();
  }

  /** What the connection has done so far; undefined when it ends first. */
  totals(): Promise<Totals | undefined> {
    if (this.over) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.measuring.push(resolve);
      this.tell({ kind: 'measure' });
    });
  }

  setLevels(levels: Levels): void {
    this.tell({ kind: 'levels', levels });
  }

  /** The window, its zoom, or its screen has changed: draw at once, ask for the new size soon. */
  layout(): void {
    this.place();
    clearTimeout(this.resizeTimer);
    this.resizeTimer = window.setTimeout(
      () => this.tell({ kind: 'size', size: this.wanted() }),
      RESIZE_AFTER,
    );
  }

  /** Presses or releases a key. */
  sendKey(keysym: number, code: string, down: boolean): void {
    this.tell({ kind: 'key', down, keysym, scancode: scancodeOf(code) });
  }

  /** Makes a text the content of the desktop's clipboard. */
  paste(text: string): void {
    this.tell({ kind: 'clipboard', text });
  }

  /** Asks for an answer, unless the last is still owed. */
  ping(): void {
    if (this.pingAt !== undefined) return;
    this.pingAt = performance.now();
    this.tell({ kind: 'ping' });
  }

  /**
   * Resolves when the server has worked on everything sent so far, and what it asked in return is
   * answered; at once where it cannot tell.
   */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.settling.push(resolve);
      this.tell({ kind: 'settle' });
    });
  }

  /** How long an answer is owed, in milliseconds; 0 when none is. */
  get owed(): number {
    return this.pingAt === undefined ? 0 : performance.now() - this.pingAt;
  }

  /** How long nothing at all has come while an answer is owed, in milliseconds. */
  get silence(): number {
    if (this.pingAt === undefined) return 0;
    return performance.now() - Math.max(this.pingAt, this.heardAt);
  }

  private tell(command: Command): void {
    if (!this.over) this.engine.tell(command);
  }

  private hear(report: Report): void {
    if (this.over) return;
    this.heardAt = performance.now();
    switch (report.kind) {
      case 'connected':
        this.listener.connected();
        break;
      case 'painted':
        this.canvas.style.opacity = '';
        this.listener.painted();
        break;
      case 'size':
        this.size = report.size;
        this.place();
        this.listener.resized(report.size, report.by);
        break;
      case 'cursor':
        this.cursor.show(report.cursor);
        this.shownCursor.show(report.cursor);
        break;
      case 'clipboard':
        this.listener.clipboard(report.text);
        break;
      case 'pong':
        this.pingAt = undefined;
        this.listener.pong(report.milliseconds);
        break;
      case 'settled':
        this.settling.shift()?.();
        break;
      case 'relative':
        if (report.on) clearTimeout(this.holdTimer);
        break;
      case 'locks':
        this.keyboard?.locksAre(report.locks);
        break;
      case 'totals':
        this.measuring.shift()?.(report.totals);
        break;
      case 'crashed':
        this.listener.crashed();
        break;
      case 'closed':
        this.listener.closed(report.code);
        break;
      case 'heard':
      case 'name':
      case 'bell':
        break;
    }
  }

  private listen(): void {
    const { signal } = this.ending;
    this.keyboard = new Keyboard(
      this.field,
      (down, keysym, scancode) => {
        this.tell({ kind: 'key', down, keysym, scancode });
        if (down) this.listener.used();
        if (!down && !isModifier(keysym)) this.sticky.used();
      },
      platform(),
      /Android/.test(navigator.userAgent),
      signal,
    );
    const pointer = new Pointer(
      this.canvas,
      this,
      {
        place: (buttons, x, y) => this.tell({ kind: 'pointer', buttons, x, y }),
        motion: (buttons, x, y) => this.tell({ kind: 'motion', buttons, x, y }),
        press: (event) => {
          const box = this.frame.getBoundingClientRect();
          this.field.style.left = `${event.clientX - box.left}px`;
          this.field.style.top = `${event.clientY - box.top}px`;
          this.focus();
          this.listener.used();
        },
      },
      signal,
    );
    this.pointer = pointer;
    this.setModes(this.modes);
    // A button that comes up while another window has the pointer is never told.
    window.addEventListener('blur', () => pointer.release(), { signal });
    document.addEventListener('pointerlockchange', () => this.pointerLockChanged(), { signal });
  }

  private pointerLockChanged(): void {
    const held = document.pointerLockElement === this.canvas;
    clearTimeout(this.holdTimer);
    // Buttons come up in the messages in which they went down.
    this.pointer?.release();
    this.tell({ kind: 'relative', on: held });
    if (held) {
      this.holdTimer = window.setTimeout(() => document.exitPointerLock(), HOLD_WITHIN);
    }
    this.setKeyboardMode();
    this.listener.held(held);
  }

  /** Whoever holds the pointer means keys by their places: games have them side by side. */
  private setKeyboardMode(): void {
    if (!this.keyboard) return;
    const held = document.pointerLockElement === this.canvas;
    this.keyboard.mode = held ? 'physical' : this.modes.keyboard;
  }

  private area(): Size {
    const { width, height } = this.target.getBoundingClientRect();
    return { width, height };
  }

  /** The size to ask for; undefined where any will do, or where it is not this window's to say. */
  private wanted(): Size | undefined {
    const area = this.area();
    // Out of the page there is no area, and nothing to ask for.
    if (this.viewOnly || !this.decides) return undefined;
    if (this.mode !== 'match' || area.width === 0) return undefined;
    return devicePixels(area, window.devicePixelRatio);
  }

  density(): number {
    return this.box && this.box.width > 0 ? this.size.width / this.box.width : 1;
  }

  within({ x, y }: Place): Place {
    const along = (at: number, pixels: number) =>
      Math.min(Math.max(0, pixels - 1), Math.max(0, at));
    return { x: along(x, this.size.width), y: along(y, this.size.height) };
  }

  pinch(pinch: Pinch): void {
    const around = this.target.getBoundingClientRect();
    this.zoom = pinched(this.zoom, {
      ...pinch,
      pageX: pinch.pageX - around.left,
      pageY: pinch.pageY - around.top,
    });
    this.place();
  }

  showPointer(place: Place | undefined): void {
    this.pointerAt = place;
    const { box, size } = this;
    if (!place || !box || size.width === 0) {
      this.shownCursor.place(undefined);
      return;
    }
    this.shownCursor.place({
      x: box.left + (place.x / size.width) * box.width,
      y: box.top + (place.y / size.height) * box.height,
    });
  }

  placeOf(pageX: number, pageY: number): Place {
    const box = this.canvas.getBoundingClientRect();
    return {
      x: pixelAt(pageX - box.left, box.width, this.size.width),
      y: pixelAt(pageY - box.top, box.height, this.size.height),
    };
  }

  private place(): void {
    const { size, canvas } = this;
    const area = this.area();
    if (area.width === 0 || size.width === 0) return;
    const scale = pictureScale(size, area, window.devicePixelRatio, this.mode);
    const width = size.width * scale.factor;
    const height = size.height * scale.factor;
    // An exact picture starts at the corner: centred it might fall between two device pixels.
    const left = scale.exact ? 0 : (area.width - width) / 2;
    const top = scale.exact ? 0 : (area.height - height) / 2;
    const whole = { left, top, width, height };
    this.zoom = kept(this.zoom, whole, area);
    const box = zoomed(this.zoom, whole);
    this.box = box;
    const where = {
      left: `${box.left}px`,
      top: `${box.top}px`,
      width: `${box.width}px`,
      height: `${box.height}px`,
    };
    if (this.outlines) Object.assign(this.outlines.style, where);
    Object.assign(canvas.style, {
      ...where,
      imageRendering: scale.exact && this.zoom.factor === 1 ? 'pixelated' : 'auto',
    });
    this.showPointer(this.pointerAt);
  }
}
