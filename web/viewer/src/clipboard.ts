/** The local clipboard beside the desktop's, as far as the browser allows. */

/** Longer texts are refused: the gateway would, too. In UTF-16 units. */
export const CLIPBOARD_LIMIT = 1_000_000;

/** What the browser allows without asking. */
export type ClipboardAccess = 'granted' | 'ask' | 'denied';

/** Whether the local clipboard may be read without a question to the user. */
export async function readAccess(): Promise<ClipboardAccess> {
  if (!navigator.clipboard?.readText) return 'denied';
  try {
    const status = await navigator.permissions.query({
      name: 'clipboard-read' as PermissionName,
    });
    return status.state === 'prompt' ? 'ask' : status.state;
  } catch {
    // Firefox and Safari do not know the name: they ask at every reading, so none is done unasked.
    return 'denied';
  }
}

/**
 * Keeps the two clipboards alike: whichever changed last is what both have. The local one is
 * looked at on many occasions; only a text that is new there goes to the desktop, never one that
 * merely differs from what the user has typed into the panel since.
 */
export class ClipboardSync {
  /** What the local clipboard had when it was last looked at or written. */
  private local: string | undefined;
  /** What the desktop has from here; undefined once it has something of its own. */
  private given: string | undefined;
  /** Counts changes from elsewhere, which make a reading in progress out of date. */
  private changes = 0;
  private reading = false;

  /** `push` sends a text to the desktop; false when it could not. */
  constructor(private readonly push: (text: string) => boolean) {}

  /** The desktop's clipboard has changed. Resolves to whether the local one follows. */
  async fromRemote(text: string): Promise<boolean> {
    this.changes += 1;
    this.given = undefined;
    const before = this.local;
    this.local = text;
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      this.local = before;
      return false;
    }
  }

  /** A text that the user typed or pasted into the page. */
  fromUser(text: string): boolean {
    if (text.length > CLIPBOARD_LIMIT || !this.push(text)) return false;
    this.changes += 1;
    this.given = text;
    return true;
  }

  /** Reads the local clipboard if that needs no question, and pushes what is new. */
  async fromLocal(): Promise<void> {
    if (this.reading || !document.hasFocus()) return;
    this.reading = true;
    const changes = this.changes;
    try {
      if ((await readAccess()) !== 'granted') return;
      const text = await navigator.clipboard.readText();
      if (changes !== this.changes) return;
      if (text === '' || text === this.local || text.length > CLIPBOARD_LIMIT) return;
      if (!this.push(text)) return;
      this.local = text;
      this.given = text;
    } catch {
      // Focus has gone elsewhere meanwhile; the next occasion comes with it.
    } finally {
      this.reading = false;
    }
  }

  /** After a reconnect: the desktop fetches texts late, and may have missed what it was offered. */
  renew(): void {
    if (this.given !== undefined) this.push(this.given);
  }
}
