/** Modifiers pressed with a finger on the screen: they stay down for the next key, or until let go. */

import type { Key } from '../keys';

/** A modifier's state. */
export type Sticky =
  /** Down for the next key. */
  | 'once'
  /** Down until it is pressed again. */
  | 'locked';

/** Which modifiers are down, by their DOM code. */
export type StickyState = Readonly<Record<string, Sticky>>;

/** The modifiers of one connection. */
export class StickyKeys {
  private readonly down = new Map<string, { key: Key; sticky: Sticky }>();

  constructor(
    private readonly send: (key: Key, down: boolean) => void,
    private readonly changed: (state: StickyState) => void,
  ) {}

  /** Off, for the next key, until pressed again, off. */
  press(key: Key): void {
    const before = this.down.get(key.code)?.sticky;
    if (before === 'locked') {
      this.release(key.code);
    } else {
      if (before === undefined) this.send(key, true);
      this.down.set(key.code, { key, sticky: before === 'once' ? 'locked' : 'once' });
    }
    this.tell();
  }

  /** Another key was pressed and released. */
  used(): void {
    const before = this.down.size;
    for (const [code, { sticky }] of this.down) if (sticky === 'once') this.release(code);
    if (this.down.size !== before) this.tell();
  }

  /** All come up. */
  releaseAll(): void {
    if (this.down.size === 0) return;
    for (const code of this.down.keys()) this.release(code);
    this.tell();
  }

  private release(code: string): void {
    const held = this.down.get(code);
    this.down.delete(code);
    if (held) this.send(held.key, false);
  }

  private tell(): void {
    this.changed(Object.fromEntries([...this.down].map(([code, { sticky }]) => [code, sticky])));
  }
}
