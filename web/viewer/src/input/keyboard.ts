/** Keys and texts typed into a hidden field, as key presses of the desktop. */

import { keysymOf, keysymOfCharacter, type Platform } from './keysyms';
import { isHeld, LOCKS } from './modifiers';
import { scancodeOf } from './scancodes';
import { typedText } from './typed-text';

/** Sends a key: its symbol and its place (0: unknown), at least one of them. */
export type SendKey = (down: boolean, keysym: number, scancode: number) => void;

/** What a key press means. */
export type KeyboardMode =
  /** What it writes here, whatever the desktop's keyboard layout is. */
  | 'text'
  /** The key at that place, whatever is written on it: for games, and for layouts of the desktop. */
  | 'physical';

/** Windows reports AltGr as a Control that AltGr follows within this time, in milliseconds. */
const ALT_GR_WITHIN = 50;
const SHIFTS = ['ShiftLeft', 'ShiftRight'];
const BACKSPACE = 0xff08;

/** What a held key was pressed as. */
interface Held {
  readonly keysym: number;
  readonly scancode: number;
}

/** Listens at a field; nothing is down any more when the field loses the focus. */
export class Keyboard {
  mode: KeyboardMode = 'text';
  private readonly held = new Map<string, Held>();
  private heldBack: { timer: ReturnType<typeof setTimeout>; press(): void } | undefined;
  /** The desktop's locks, where it tells them. */
  private locks: number | undefined;

  constructor(
    private readonly field: HTMLTextAreaElement,
    private readonly send: SendKey,
    private readonly platform: Platform,
    /** Texts appear as they are typed: there is no other keyboard that would send its keys. */
    private readonly live: boolean,
    signal: AbortSignal,
  ) {
    field.addEventListener('keydown', (event) => this.down(event), { signal });
    field.addEventListener('keyup', (event) => this.up(event), { signal });
    field.addEventListener('blur', () => this.releaseAll(), { signal });
    field.addEventListener('compositionend', () => this.takeText(), { signal });
    field.addEventListener(
      'input',
      (event) => (this.live || !(event as InputEvent).isComposing) && this.takeText(),
      { signal },
    );
    this.empty();
  }

  /** Everything that is down comes up. */
  releaseAll(): void {
    this.pressHeldBack(false);
    for (const id of [...this.held.keys()]) this.release(id);
  }

  /** The desktop's locks are these now. */
  locksAre(locks: number): void {
    this.locks = locks;
  }

  private down(event: KeyboardEvent): void {
    const scancode = scancodeOf(event.code);
    const physical = this.mode === 'physical' && scancode !== 0;
    // The input method's keys, and dead ones: their outcome comes as text.
    if (!physical && (event.isComposing || event.keyCode === 229)) return;
    if (!physical && (event.key === 'Process' || event.key === 'Dead')) return;
    const keysym = physical ? 0 : keysymOf(event, this.platform);
    // A keyboard on the screen that does not say what was pressed: it comes as text.
    if (keysym === 0 && scancode === 0) return;
    event.preventDefault();
    event.stopPropagation();
    this.pressHeldBack(event.key !== 'AltGraph');
    this.releaseStale(event);
    this.agreeOnLocks(event);

    const id = event.code || event.key;
    const { platform } = this;
    if (platform === 'windows' && event.code === 'ControlLeft' && !this.held.has(id)) {
      const press = () => this.press(id, keysym, scancode);
      const timer = setTimeout(() => this.pressHeldBack(true), ALT_GR_WITHIN);
      this.heldBack = { timer, press };
      return;
    }
    const held = this.held.get(id);
    // The desktop would take a modifier's repeat without its symbol for another press.
    if (physical && held && isHeld(id, event)) return;
    // With a repeated key the symbol stays, whatever modifiers have come or gone.
    this.press(id, held?.keysym ?? keysym, held?.scancode ?? scancode);
    const lock = platform === 'mac' && event.code === 'CapsLock';
    // A Mac keeps to itself when keys come up under Command, and tells only of changes of the lock.
    const command = platform === 'mac' && event.metaKey && !event.code.startsWith('Meta');
    if (lock || command) this.release(id);
  }

  private up(event: KeyboardEvent): void {
    this.pressHeldBack(true);
    const id = event.code || event.key;
    if (this.platform === 'mac') {
      if (event.code === 'CapsLock') {
        const keysym = keysymOf(event, this.platform);
        this.press(id, keysym, scancodeOf(event.code));
      } else if (event.code.startsWith('Meta')) {
        this.releaseAll();
      }
    }
    if (this.held.has(id)) {
      event.preventDefault();
      event.stopPropagation();
      this.release(id);
    }
    // Of two Shifts that were down Windows tells the last only.
    if (this.platform === 'windows' && SHIFTS.includes(id)) {
      for (const shift of SHIFTS) this.release(shift);
    }
  }

  private press(id: string, keysym: number, scancode: number): void {
    this.held.set(id, { keysym, scancode });
    this.send(true, keysym, scancode);
  }

  private release(id: string): void {
    const held = this.held.get(id);
    if (!held) return;
    this.held.delete(id);
    this.send(false, held.keysym, held.scancode);
  }

  /** Modifiers that came up unseen, as when the system took the shortcut for itself. */
  private releaseStale(event: KeyboardEvent): void {
    for (const id of [...this.held.keys()]) {
      if (id !== event.code && isHeld(id, event) === false) this.release(id);
    }
  }

  /** Presses a lock that is on at one end only, as after it was changed in another window. */
  private agreeOnLocks(event: KeyboardEvent): void {
    if (this.locks === undefined) return;
    for (const { name, flag, keysym } of LOCKS) {
      // A Mac's number pad has no lock.
      if (name === 'NumLock' && this.platform === 'mac') continue;
      if (event.code === name) {
        if (!this.held.has(name)) this.locks ^= flag;
        continue;
      }
      if (event.getModifierState(name) === ((this.locks & flag) !== 0)) continue;
      this.locks ^= flag;
      this.tap(keysym);
    }
  }

  /** The Control that waits for what follows is pressed, or was a part of AltGr. */
  private pressHeldBack(press: boolean): void {
    const { heldBack } = this;
    if (!heldBack) return;
    clearTimeout(heldBack.timer);
    this.heldBack = undefined;
    if (press) heldBack.press();
  }

  /** Types what has become of the field's text. */
  private takeText(): void {
    const { removed, added } = typedText(this.field.value);
    this.empty();
    // Keys that were sent by their place are not sent as an input method's text as well.
    if (this.mode === 'physical' && !this.live) return;
    for (let count = 0; count < removed; count += 1) this.tap(BACKSPACE);
    for (const character of added) this.tap(keysymOfCharacter(character));
  }

  private tap(keysym: number): void {
    this.send(true, keysym, 0);
    this.send(false, keysym, 0);
  }

  private empty(): void {
    const { field } = this;
    field.value = typedText.filling;
    field.setSelectionRange(field.value.length, field.value.length);
  }
}
