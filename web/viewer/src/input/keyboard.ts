/** Keys and texts typed into a hidden field, as key presses of the desktop. */

import { keysymOf, keysymOfCharacter, type Platform } from './keysyms';
import { scancodeOf } from './scancodes';
import { typedText } from './typed-text';

/** Sends a key: its symbol and its place (0: unknown), at least one of them. */
export type SendKey = (down: boolean, keysym: number, scancode: number) => void;

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
  private readonly held = new Map<string, Held>();
  private heldBack: { timer: ReturnType<typeof setTimeout>; press(): void } | undefined;

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

  private down(event: KeyboardEvent): void {
    // The input method's keys, and dead ones: their outcome comes as text.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === 'Process' || event.key === 'Dead') return;
    const keysym = keysymOf(event, this.platform);
    const scancode = scancodeOf(event.code);
    // A keyboard on the screen that does not say what was pressed: it comes as text.
    if (keysym === 0 && scancode === 0) return;
    event.preventDefault();
    event.stopPropagation();
    this.pressHeldBack(event.key !== 'AltGraph');

    const id = event.code || event.key;
    const { platform } = this;
    if (platform === 'windows' && event.code === 'ControlLeft' && !this.held.has(id)) {
      const press = () => this.press(id, keysym, scancode);
      const timer = setTimeout(() => this.pressHeldBack(true), ALT_GR_WITHIN);
      this.heldBack = { timer, press };
      return;
    }
    // With a repeated key the symbol stays, whatever modifiers have come or gone.
    const held = this.held.get(id);
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
    for (let count = 0; count < removed; count += 1) this.tap(BACKSPACE);
    for (const character of added) this.tap(keysymOfCharacter(character));
    this.empty();
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
