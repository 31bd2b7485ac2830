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

/** Keeps the two clipboards alike; each text travels once. */
export class ClipboardSync {
  private last: string | undefined;
  private reading = false;

  /** `push` sends a text to the desktop; false when it could not. */
  constructor(private readonly push: (text: string) => boolean) {}

  /** The desktop's clipboard has changed. Resolves to whether the local one follows. */
  async fromRemote(text: string): Promise<boolean> {
    this.last = text;
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return false;
    }
  }

  /** A text that the user pasted into the page. */
  fromUser(text: string): boolean {
    if (text.length > CLIPBOARD_LIMIT) return false;
    this.last = text;
    return this.push(text);
  }

  /** Reads the local clipboard if that needs no question, and pushes what is new. */
  async fromLocal(): Promise<void> {
    if (this.reading || !document.hasFocus() || (await readAccess()) !== 'granted') return;
    this.reading = true;
    try {
      const text = await navigator.clipboard.readText();
      if (text === '' || text === this.last || text.length > CLIPBOARD_LIMIT) return;
      if (this.push(text)) this.last = text;
    } catch {
      // Focus has gone elsewhere meanwhile; the next occasion comes with it.
    } finally {
      this.reading = false;
    }
  }

  /** After a reconnect the desktop may have missed what was pushed last. */
  forget(): void {
    this.last = undefined;
  }
}
