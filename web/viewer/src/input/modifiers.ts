/** Modifiers and locks of a keyboard, as events tell of them. */

/** A lock by its DOM name, its flag in QEMU's LED state, and its key symbol. */
export const LOCKS = [
  { name: 'CapsLock', flag: 4, keysym: 0xffe5 },
  { name: 'NumLock', flag: 2, keysym: 0xff7f },
] as const;

/** Whether a key symbol is a modifier's or a lock's. */
export function isModifier(keysym: number): boolean {
  const ALT_GR = 0xfe03;
  const NUM_LOCK = 0xff7f;
  return (keysym >= 0xffe1 && keysym <= 0xffee) || keysym === ALT_GR || keysym === NUM_LOCK;
}

/** Whether a modifier's key can be down, by what another key's event says; undefined: no modifier. */
export function isHeld(code: string, event: KeyboardEvent): boolean | undefined {
  if (code.startsWith('Shift')) return event.shiftKey;
  if (code.startsWith('Control')) return event.ctrlKey || event.getModifierState('AltGraph');
  if (code.startsWith('Alt')) return event.altKey || event.getModifierState('AltGraph');
  if (code.startsWith('Meta')) return event.metaKey;
  return undefined;
}
