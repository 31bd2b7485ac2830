/** Key combinations that a browser or the local desktop keeps for itself, to be sent by hand. */

/** One key: its X keysym and its DOM `code`. */
export interface Key {
  readonly keysym: number;
  readonly code: string;
}

const CTRL: Key = { keysym: 0xffe3, code: 'ControlLeft' };
const ALT: Key = { keysym: 0xffe9, code: 'AltLeft' };
const SHIFT: Key = { keysym: 0xffe1, code: 'ShiftLeft' };
const SUPER: Key = { keysym: 0xffeb, code: 'MetaLeft' };
const f = (n: number): Key => ({ keysym: 0xffbe + n - 1, code: `F${n}` });
const letter = (c: string): Key => ({ keysym: c.charCodeAt(0), code: `Key${c.toUpperCase()}` });

/** A combination with the name that people know it by. */
export interface Combination {
  readonly label: string;
  /** In the order in which they are pressed; released in reverse. */
  readonly keys: readonly Key[];
}

/** Modifiers for a row of keys on the screen. */
export const MODIFIERS: readonly Combination[] = [
  { label: 'Ctrl', keys: [CTRL] },
  { label: 'Alt', keys: [ALT] },
  { label: 'Shift', keys: [SHIFT] },
  { label: 'Super', keys: [SUPER] },
];

/** Keys that keyboards on the screen lack. */
export const ROW_KEYS: readonly Combination[] = [
  { label: 'Esc', keys: [{ keysym: 0xff1b, code: 'Escape' }] },
  { label: 'Tab', keys: [{ keysym: 0xff09, code: 'Tab' }] },
  { label: '←', keys: [{ keysym: 0xff51, code: 'ArrowLeft' }] },
  { label: '↑', keys: [{ keysym: 0xff52, code: 'ArrowUp' }] },
  { label: '↓', keys: [{ keysym: 0xff54, code: 'ArrowDown' }] },
  { label: '→', keys: [{ keysym: 0xff53, code: 'ArrowRight' }] },
  { label: 'Home', keys: [{ keysym: 0xff50, code: 'Home' }] },
  { label: 'End', keys: [{ keysym: 0xff57, code: 'End' }] },
  { label: 'PgUp', keys: [{ keysym: 0xff55, code: 'PageUp' }] },
  { label: 'PgDn', keys: [{ keysym: 0xff56, code: 'PageDown' }] },
  { label: 'Del', keys: [{ keysym: 0xffff, code: 'Delete' }] },
  ...Array.from({ length: 12 }, (_, at): Combination => {
    return { label: `F${at + 1}`, keys: [f(at + 1)] };
  }),
];

/** The paste shortcut; terminals take it with Shift. */
export function pasteShortcut(shift: boolean): Combination {
  const v: Key = { keysym: (shift ? 'V' : 'v').charCodeAt(0), code: 'KeyV' };
  return { label: 'Ctrl+V', keys: shift ? [CTRL, SHIFT, v] : [CTRL, v] };
}

/** The combinations on offer. */
export const COMBINATIONS: readonly Combination[] = [
  { label: 'Ctrl+Alt+Del', keys: [CTRL, ALT, { keysym: 0xffff, code: 'Delete' }] },
  { label: 'Super', keys: [SUPER] },
  { label: 'Alt+Tab', keys: [ALT, { keysym: 0xff09, code: 'Tab' }] },
  { label: 'Alt+F4', keys: [ALT, f(4)] },
  { label: 'Ctrl+W', keys: [CTRL, letter('w')] },
  { label: 'Ctrl+T', keys: [CTRL, letter('t')] },
  { label: 'Ctrl+N', keys: [CTRL, letter('n')] },
  { label: 'Esc', keys: [{ keysym: 0xff1b, code: 'Escape' }] },
  { label: 'Tab', keys: [{ keysym: 0xff09, code: 'Tab' }] },
  { label: 'F11', keys: [f(11)] },
  { label: 'Print', keys: [{ keysym: 0xff61, code: 'PrintScreen' }] },
];
