/**
 * One connection: socket, protocol, decoding, drawing. Runs in a worker, or on the page's own
 * thread where a canvas cannot be given to a worker.
 */

import type { Size } from '../geometry';
import type { Canvas } from './canvas';
import { ClipboardExchange } from './clipboard-exchange';
import { cursorPicture } from './cursor';
import { Decoder, Next } from './decoder';
import type { DisplayEvent } from './events';
import * as messages from './messages';
import { Encoding, Fence, type Screen } from './messages';
import { Meter } from './meter';
import { Outlines } from './outlines';
import { Painter } from './painter';
import type { Command, Levels, Report, SizeBy } from './talk';
import { decodesVideo } from './video';

/** What our fences carry: one kind measures, the other waits. */
const PING = 'ping';
const SETTLE = 'settle';
/** The page is told that the display is alive this often, in milliseconds. */
const HEARD_EVERY = 500;
/** As large as a picture can be: the display gives what there is of it. */
const WHATEVER: Size = { width: 65_535, height: 65_535 };
/** The security type without any. */
const NO_SECURITY = 1;

/** Calls back when the screen is drawn next. */
function nextFrame(then: () => void): void {
  if (typeof requestAnimationFrame === 'undefined') setTimeout(then);
  else requestAnimationFrame(then);
}

/** See the module's description. */
export class Engine {
  private decoder: Decoder | undefined;
  private painter: Painter | undefined;
  private socket: WebSocket | undefined;
  private received: ArrayBuffer[] = [];
  private pumping = false;
  private closed = false;

  private size: Size = { width: 0, height: 0 };
  private wanted: Size | undefined;
  private screen: Screen | undefined;
  private resizable = false;
  private levels: Levels = { quality: 7, compression: 2 };
  private video = false;
  private spoken = false;
  private ready = false;
  private continuous = false;
  private painted = false;

  private fences = false;
  private qemuKeys = false;
  /** The pointer shall tell of motion; the display said that it takes it. */
  private relativeWanted = false;
  private relative = false;
  private extendedButtons = false;
  private pingAt: number | undefined;
  private heardAt = 0;
  private cursors = 0;
  private readonly meter = new Meter(nextFrame);
  private readonly clipboard = new ClipboardExchange((message) => this.send(message));

  constructor(private readonly report: (report: Report) => void) {
    Decoder.load().then(
      (decoder) => {
        this.decoder = decoder;
        void this.pump();
      },
      () => this.end(undefined),
    );
    void decodesVideo().then((video) => {
      this.video = video;
      if (video && this.spoken) this.sendEncodings();
    });
  }

  /** Does what the page says. */
  obey(command: Command): void {
    switch (command.kind) {
      case 'canvas':
        this.painter = new Painter(command.canvas, this.meter, () => this.renew());
        break;
      case 'outline':
        this.outline(command.canvas);
        break;
      case 'open':
        this.open(command.url);
        break;
      case 'levels':
        this.levels = command.levels;
        if (this.spoken) this.sendEncodings();
        break;
      case 'size':
        this.wanted = command.size;
        this.requestSize();
        break;
      case 'key': {
        const { down, keysym, scancode } = command;
        if (!this.ready) break;
        if (this.qemuKeys && scancode !== 0) this.send(messages.qemuKey(down, keysym, scancode));
        else if (keysym !== 0) this.send(messages.key(down, keysym));
        break;
      }
      case 'pointer': {
        const { buttons, x, y } = command;
        if (!this.ready || this.relativeWanted) break;
        this.send(messages.pointer(buttons, x, y, this.extendedButtons));
        break;
      }
      case 'relative':
        if (command.on === this.relativeWanted) break;
        this.relativeWanted = command.on;
        this.relative = false;
        if (this.spoken) this.sendEncodings();
        break;
      case 'motion': {
        const { buttons, x, y } = command;
        // Until the display says so it would take motion for places.
        if (this.relative) this.send(messages.motion(buttons, x, y, this.extendedButtons));
        break;
      }
      case 'measure':
        this.report({ kind: 'totals', totals: this.meter.totals });
        break;
      case 'clipboard':
        if (this.ready) this.clipboard.offer(command.text);
        break;
      case 'ping':
        this.ping();
        break;
      case 'settle':
        if (this.ready && this.fences) this.sendFence(SETTLE);
        else this.report({ kind: 'settled' });
        break;
      case 'close':
        this.end(undefined);
        break;
    }
  }

  private outline(canvas: Canvas | undefined): void {
    const { painter } = this;
    painter?.outlines?.close();
    if (painter) painter.outlines = canvas && new Outlines(canvas, nextFrame);
  }

  private open(url: string): void {
    const socket = new WebSocket(url, ['binary']);
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer>) => {
      this.heard();
      this.meter.bytes += data.byteLength;
      this.received.push(data);
      void this.pump();
    });
    socket.addEventListener('close', ({ code }) => this.end(code));
    this.socket = socket;
  }

  private heard(): void {
    const now = performance.now();
    if (now - this.heardAt < HEARD_EVERY) return;
    this.heardAt = now;
    this.report({ kind: 'heard' });
  }

  private send(message: Uint8Array<ArrayBuffer>): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(message);
  }

  private end(code: number | undefined): void {
    if (this.closed) return;
    this.closed = true;
    this.received = [];
    this.socket?.close();
    this.painter?.close();
    this.report({ kind: 'closed', code });
  }

  /** Something is wrong here, not with the network. */
  private crash(why: string): void {
    if (this.closed) return;
    console.error(why);
    this.report({ kind: 'crashed', why });
    this.end(undefined);
  }

  /** Works on what was received, one thing after the other, however long each takes. */
  private async pump(): Promise<void> {
    const { decoder, painter } = this;
    if (this.pumping || !decoder || !painter) return;
    this.pumping = true;
    try {
      while (!this.closed) {
        const began = performance.now();
        const next = decoder.next();
        if (next === Next.wait) {
          const data = this.received.shift();
          if (!data) break;
          decoder.feed(new Uint8Array(data));
          this.meter.decoding += performance.now() - began;
        } else if (next === Next.draw || next === Next.finish) {
          this.meter.decoding += performance.now() - began;
          const drawn = painter.draw(decoder.ops());
          // Waiting for nothing would still let other tasks in between.
          if (drawn) await drawn;
          if (next === Next.finish) this.finished();
        } else {
          this.handle(decoder.event());
        }
      }
    } catch (error) {
      this.crash(String(error));
    } finally {
      this.pumping = false;
    }
  }

  /** A whole update is drawn. */
  private finished(): void {
    if (!this.continuous) this.send(messages.updateRequest(true, this.size));
    this.meter.updated();
    // An update may tell of names and cursors only.
    if (this.painted || !this.painter?.drawn) return;
    this.painted = true;
    this.report({ kind: 'painted' });
  }

  private handle(event: DisplayEvent): void {
    switch (event.kind) {
      case 'broken':
        this.crash(`The stream cannot go on: ${event.reason}`);
        break;
      case 'version':
        // All at once: no answer of the display changes what this side says.
        this.send(messages.together(messages.handshake(), messages.setPixelFormat()));
        this.spoken = true;
        this.sendEncodings();
        // The first picture comes with the answer to all this, whatever its size is.
        this.send(messages.updateRequest(false, WHATEVER));
        break;
      case 'security':
        if (!event.types.includes(NO_SECURITY)) this.end(undefined);
        break;
      case 'allowed':
        break;
      case 'init':
        this.ready = true;
        this.resized(event, 'display');
        this.report({ kind: 'connected' });
        this.report({ kind: 'name', name: event.name });
        break;
      case 'size': {
        const first = !this.resizable;
        this.resizable ||= event.extended !== undefined;
        this.screen = event.screen ?? this.screen;
        this.resized(event, event.extended?.by ?? 'display');
        if (first) this.requestSize();
        break;
      }
      case 'name':
        this.report({ kind: 'name', name: event.name });
        break;
      case 'cursor':
        void this.showCursor(event);
        break;
      case 'serves':
        this.qemuKeys ||= event.encoding === Encoding.qemuKey;
        this.extendedButtons ||= event.encoding === Encoding.extendedMouseButtons;
        break;
      case 'bell':
        this.report({ kind: 'bell' });
        break;
      case 'text':
        this.report({ kind: 'clipboard', text: event.text });
        break;
      case 'clipboard-caps':
        this.clipboard.capable();
        break;
      case 'clipboard-request':
        this.clipboard.requested(event.formats);
        break;
      case 'clipboard-peek':
        this.clipboard.peeked();
        break;
      case 'clipboard-notify':
        this.clipboard.notified(event.formats);
        break;
      case 'fence':
        this.fence(event.flags, event.payload);
        break;
      case 'continuous':
        this.continuous = true;
        this.send(messages.continuousUpdates(this.size));
        break;
      case 'pointer-motion':
        this.relative = !event.absolute && this.relativeWanted;
        this.report({ kind: 'relative', on: this.relative });
        break;
      case 'locks':
        this.report({ kind: 'locks', locks: event.locks });
        break;
    }
  }

  private sendEncodings(): void {
    const { quality, compression } = this.levels;
    this.send(
      messages.setEncodings([
        ...[Encoding.copyRect, Encoding.tight, Encoding.zrle, Encoding.raw],
        Encoding.predicted,
        ...(this.video ? [Encoding.openH264] : []),
        ...[Encoding.quality(quality), Encoding.compression(compression)],
        ...[Encoding.desktopSize, Encoding.extendedDesktopSize, Encoding.lastRect],
        ...[Encoding.cursorWithAlpha, Encoding.cursor, Encoding.desktopName],
        ...[Encoding.fence, Encoding.continuousUpdates, Encoding.extendedClipboard],
        ...[Encoding.qemuKey, Encoding.ledState, Encoding.extendedMouseButtons],
        Encoding.pointerMotion,
        ...(this.relativeWanted ? [Encoding.relativePointer] : []),
      ]),
    );
  }

  private resized({ width, height }: Size, by: SizeBy): void {
    if (width === this.size.width && height === this.size.height) return;
    this.size = { width, height };
    if (this.continuous) this.send(messages.continuousUpdates(this.size));
    this.report({ kind: 'size', size: this.size, by });
  }

  private requestSize(): void {
    const { wanted, size } = this;
    if (!this.resizable || !wanted) return;
    if (wanted.width === size.width && wanted.height === size.height) return;
    this.send(messages.setDesktopSize(wanted, this.screen ?? { id: 0, flags: 0 }));
  }

  /** Asks for all of the picture again. */
  private renew(): void {
    if (this.ready && !this.closed) this.send(messages.updateRequest(false, this.size));
  }

  private async showCursor(event: Extract<DisplayEvent, { kind: 'cursor' }>): Promise<void> {
    const number = ++this.cursors;
    const cursor = await cursorPicture(event);
    // A newer one may have been made sooner.
    if (number === this.cursors) this.report({ kind: 'cursor', cursor });
  }

  private sendFence(payload: string): void {
    this.send(messages.fence(Fence.request, new TextEncoder().encode(payload)));
  }

  private ping(): void {
    if (!this.ready || !this.fences || this.pingAt !== undefined) return;
    this.pingAt = performance.now();
    this.sendFence(PING);
  }

  private fence(flags: number, payload: Uint8Array<ArrayBuffer>): void {
    this.fences = true;
    if (flags & Fence.request) {
      this.meter.fence(payload);
      this.send(messages.fence(flags & Fence.kept, payload));
      return;
    }
    const text = new TextDecoder().decode(payload);
    if (text === PING && this.pingAt !== undefined) {
      const milliseconds = performance.now() - this.pingAt;
      this.pingAt = undefined;
      this.meter.answered(milliseconds);
      this.report({ kind: 'pong', milliseconds });
    } else if (text === SETTLE) {
      this.report({ kind: 'settled' });
    }
  }
}
