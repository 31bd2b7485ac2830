/** H.264 rectangles: each area of the screen has a decoder of its own. */

/** Places and sizes, in pixels of the desktop. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The area's decoder starts anew. */
const RESET = 1;
/** All decoders are forgotten. */
const RESET_ALL = 2;
/** As many areas as the encoding's description has a viewer remember. */
const MOST = 64;
/** How long a picture is waited for, in milliseconds: a decoder's first one, and each further. */
const FIRST_WITHIN = 1000;
const NEXT_WITHIN = 100;

const PROFILE = 'avc1.42E01F';

/** Whether the browser decodes what the display sends. */
export async function decodesVideo(): Promise<boolean> {
  if (typeof VideoDecoder === 'undefined') return false;
  try {
    const config = { codec: PROFILE, optimizeForLatency: true };
    return (await VideoDecoder.isConfigSupported(config)).supported === true;
  } catch {
    return false;
  }
}

/** The decoders of all areas; of too many the one that was used longest ago goes. */
export class VideoAreas {
  private readonly areas = new Map<string, VideoArea>();

  /** `onBroken`: an area's stream cannot be decoded. */
  constructor(private readonly onBroken: () => void) {}

  /** Decodes a piece of an area's stream; undefined where no picture comes of it. */
  decode(
    area: Area,
    flags: number,
    data: Uint8Array<ArrayBuffer>,
  ): Promise<VideoFrame | undefined> {
    if (flags & RESET_ALL) this.close();
    const name = `${area.x},${area.y},${area.width},${area.height}`;
    let video = this.areas.get(name);
    this.areas.delete(name);
    if (video && (flags & RESET || video.broken)) {
      video.close();
      video = undefined;
    }
    if (data.length === 0) return Promise.resolve(undefined);
    video ??= new VideoArea(this.onBroken);
    this.areas.set(name, video);
    for (const [oldest, other] of this.areas) {
      if (this.areas.size <= MOST) break;
      other.close();
      this.areas.delete(oldest);
    }
    return video.decode(data);
  }

  close(): void {
    for (const video of this.areas.values()) video.close();
    this.areas.clear();
  }
}

/** One stream. */
class VideoArea {
  broken = false;
  private readonly decoder: VideoDecoder;
  private configured = false;
  private count = 0;
  /** The newest picture that nobody has taken. */
  private picture: VideoFrame | undefined;
  private waiting: (() => void) | undefined;
  private before: Promise<VideoFrame | undefined> = Promise.resolve(undefined);
  private patience = FIRST_WITHIN;

  constructor(private readonly onBroken: () => void) {
    this.decoder = new VideoDecoder({
      output: (frame) => {
        this.picture?.close();
        this.picture = frame;
        this.waiting?.();
      },
      error: () => this.fail(),
    });
  }

  /** One piece after the other. */
  decode(data: Uint8Array<ArrayBuffer>): Promise<VideoFrame | undefined> {
    this.before = this.before.then(() => this.decodeNext(data));
    return this.before;
  }

  private async decodeNext(data: Uint8Array<ArrayBuffer>): Promise<VideoFrame | undefined> {
    if (this.broken || this.decoder.state === 'closed') return undefined;
    const head = readHead(data);
    if (!this.configured) {
      // Nothing can be shown before a key frame with its parameters.
      if (!head.key || !head.codec) {
        this.fail();
        return undefined;
      }
      // Without a description the data is what we have: Annex B.
      this.decoder.configure({ codec: head.codec, optimizeForLatency: true });
      this.configured = true;
    }
    try {
      const type = head.key ? 'key' : 'delta';
      this.decoder.decode(new EncodedVideoChunk({ type, timestamp: this.count * 1000, data }));
      this.count += 1;
    } catch {
      this.fail();
      return undefined;
    }
    await this.nextPicture();
    const picture = this.picture;
    this.picture = undefined;
    return picture;
  }

  private async nextPicture(): Promise<void> {
    if (this.picture) return;
    let late = false;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        late = true;
        resolve();
      }, this.patience);
      this.waiting = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.waiting = undefined;
    // A decoder that keeps pictures back gives each with the next piece: waiting helps nothing.
    this.patience = late ? 0 : NEXT_WITHIN;
  }

  close(): void {
    if (this.decoder.state !== 'closed') this.decoder.close();
    this.picture?.close();
    this.picture = undefined;
    this.waiting?.();
  }

  private fail(): void {
    if (this.broken) return;
    this.broken = true;
    this.waiting?.();
    this.onBroken();
  }
}

/** Whether there is a key frame among the units of Annex B, and the codec that its parameters name. */
export function readHead(data: Uint8Array): { key: boolean; codec: string | undefined } {
  let key = false;
  let codec: string | undefined;
  for (let at = 0; at + 3 < data.length; at += 1) {
    if (data[at] !== 0 || data[at + 1] !== 0 || data[at + 2] !== 1) continue;
    const type = (data[at + 3] ?? 0) & 0x1f;
    if (type === 7 && at + 6 < data.length) {
      const hex = [...data.subarray(at + 4, at + 7)].map((b) => b.toString(16).padStart(2, '0'));
      codec = `avc1.${hex.join('')}`;
    }
    // What follows the first picture's beginning is the picture.
    if (type === 5 || type === 1) {
      key = type === 5;
      break;
    }
    at += 3;
  }
  return { key, codec };
}
