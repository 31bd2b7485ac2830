/** The extended clipboard: texts are announced, and fetched when they are wanted. */

import { Clip, clipboard, together } from './messages';

/** The largest text that may come unasked, in bytes. */
const UNASKED = 1 << 20;

/** One connection's side. What it sends goes to `send`. */
export class ClipboardExchange {
  /**
   * The text last announced. It stays whatever the display announces or gives meanwhile: our
   * notice and its text may cross, and it then still comes to fetch ours.
   */
  private offered: string | undefined;
  private extended = false;

  constructor(private readonly send: (message: Uint8Array<ArrayBuffer>) => void) {}

  /** The display knows the extension; tells it what this side can do. */
  capable(): void {
    this.extended = true;
    const flags = Clip.caps | Clip.text | Clip.request | Clip.peek | Clip.notify | Clip.provide;
    this.send(clipboard(flags, UNASKED));
    if (this.offered !== undefined) this.notify();
  }

  /** A text of this side. */
  offer(text: string): void {
    this.offered = text;
    if (this.extended) this.notify();
    else this.send(plain(text));
  }

  /** The display wants the text. */
  requested(formats: number): void {
    if (formats & Clip.text) void provide(this.offered ?? '').then(this.send);
  }

  /** The display asks what there is. */
  peeked(): void {
    this.notify();
  }

  /** The display has something new; its text is fetched at once. */
  notified(formats: number): void {
    if (formats & Clip.text) this.send(clipboard(Clip.request | Clip.text));
  }

  private notify(): void {
    this.send(clipboard(Clip.notify | (this.offered === undefined ? 0 : Clip.text)));
  }
}

/** The message that gives a text: compressed, its lines ending as the extension wants them. */
export async function provide(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const plain = new TextEncoder().encode(`${text.replace(/\r?\n/g, '\r\n')}\0`);
  const length = new DataView(new ArrayBuffer(4));
  length.setUint32(0, plain.length);
  const packing = new Blob([length, plain]).stream().pipeThrough(new CompressionStream('deflate'));
  const packed = new Uint8Array(await new Response(packing).arrayBuffer());
  const message = together(clipboard(Clip.provide | Clip.text), packed);
  // The length of an extended message is told as a negative one.
  new DataView(message.buffer).setInt32(4, -(4 + packed.length));
  return message;
}

/** A cut text as RFC 6143 has it, in Latin-1; what that lacks becomes a question mark. */
function plain(text: string): Uint8Array<ArrayBuffer> {
  const bytes = Array.from(text, (char) => {
    const code = char.codePointAt(0) ?? 0;
    return code < 256 ? code : 63;
  });
  const message = new Uint8Array(8 + bytes.length);
  message[0] = 6;
  new DataView(message.buffer).setUint32(4, bytes.length);
  message.set(bytes, 8);
  return message;
}
