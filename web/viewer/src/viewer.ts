/** A session's screen in an element of the page: connects, reconnects, keeps the picture. */

import { backoff, RECONNECT } from './backoff';
import { closeReason, type EndReason } from './close';
import { Connection, type InputModes } from './connection';
import type { ScaleMode, Size } from './geometry';
import type { StickyState } from './input/sticky';
import type { Combination } from './keys';
import type { Totals } from './statistics';

/** Where the stream is and the right to it. */
export interface StreamGrant {
  /** The stream's address: a path or URL, with the ticket in it. */
  readonly url: string;
  readonly access: 'control' | 'view';
}

/** A grant could not be had. */
export class GrantError extends Error {
  constructor(
    readonly reason: EndReason,
    /** Whether asking again can help. */
    readonly retry: boolean,
    message?: string,
  ) {
    super(message ?? reason);
  }
}

/** The connection as the page shows it. */
export type ViewerState =
  | { readonly kind: 'connecting'; readonly attempt: number }
  | { readonly kind: 'connected' }
  /** Lost; tries again at `retryAt` (milliseconds as `Date.now()` gives them). */
  | { readonly kind: 'waiting'; readonly reason: EndReason; readonly retryAt: number }
  /** Over; only `start` begins again. */
  | { readonly kind: 'ended'; readonly reason: EndReason };

/** What the viewer tells the page. */
export interface ViewerListener {
  state(state: ViewerState): void;
  /** The first whole picture of this connection is drawn. */
  painted?(): void;
  resized?(size: Size): void;
  clipboard?(text: string): void;
  /** A round trip to the display took so many milliseconds; undefined when an answer is overdue. */
  roundTrip?(milliseconds: number | undefined): void;
  /** The desktop holds the pointer, or not any more. */
  held?(held: boolean): void;
  /** Which modifiers of the screen's keys are down. */
  sticky?(state: StickyState): void;
}

/** Picture quality against traffic. */
export type Quality = 'automatic' | 'sharp' | 'smooth' | 'saving';

/** JPEG quality and compression of RFB's Tight encoding, 0 to 9 each. */
const QUALITIES: Readonly<Record<Quality, { quality: number; compression: number }>> = {
  automatic: { quality: 7, compression: 2 },
  sharp: { quality: 9, compression: 2 },
  smooth: { quality: 5, compression: 1 },
  saving: { quality: 2, compression: 6 },
};

/** How often the connection is tried, in milliseconds. */
const PING_EVERY = 2_000;
/** An answer this late turns the connection's dot amber. */
const SLOW_AFTER = 3_000;
/** Silence this long with an answer owed means that the connection is dead, whatever the socket says. */
const DEAD_AFTER = 15_000;
/** How long a socket may take to open. */
const OPEN_WITHIN = 10_000;
/** An engine that stops working again within this time does not get better by starting it. */
const CRASHES_WITHIN = 60_000;
/** A session that is still being prepared is asked again this soon. */
const NOT_READY_AGAIN = 400;

/** One viewer in one element. Not started by itself. */
export class Viewer {
  private connection: Connection | undefined;
  /** Made, but not connected: the grant is on its way. */
  private prepared: Connection | undefined;
  private still: HTMLCanvasElement | undefined;
  private timer: number | undefined;
  private pinger: number | undefined;
  private attempt = 0;
  /** Each start and each loss begins a new generation; what belongs to an older one is ignored. */
  private generation = 0;
  private running = false;
  private current: ViewerState = { kind: 'connecting', attempt: 0 };
  private mode: ScaleMode = 'match';
  /** Of several viewers the one that was used last decides on the desktop's size. */
  private decides = true;
  private outlines = false;
  private quality: Quality = 'automatic';
  private modes: InputModes = { touch: 'direct', keyboard: 'text' };
  private crashedAt = Number.NEGATIVE_INFINITY;
  private readonly abort = new AbortController();

  /**
   * `grant` is asked for each connection anew, since a ticket opens one stream only. It rejects
   * with a `GrantError` where it knows the reason; any other error counts as the network's.
   */
  constructor(
    private readonly target: HTMLElement,
    private readonly grant: (signal: AbortSignal) => Promise<StreamGrant>,
    private readonly listener: ViewerListener,
  ) {
    const { signal } = this.abort;
    window.addEventListener('offline', () => this.lose('network'), { signal });
    window.addEventListener('online', () => this.retryNow(), { signal });
    window.addEventListener('resize', () => this.connection?.layout(), { signal });
    window.addEventListener('focus', () => this.used(), { signal });
    document.addEventListener(
      'visibilitychange',
      () => document.visibilityState === 'visible' && this.retryNow(),
      { signal },
    );
  }

  /** The connection's state. */
  get state(): ViewerState {
    return this.current;
  }

  /** The remote desktop's size, once known. */
  get remoteSize(): Size | undefined {
    return this.connection?.remoteSize;
  }

  /** Begins, or begins again after an end. */
  start(): void {
    if (this.running) return;
    this.running = true;
    this.attempt = 0;
    void this.connect();
  }

  /** Ends for good and frees everything. */
  dispose(): void {
    this.running = false;
    this.generation += 1;
    this.abort.abort();
    this.drop();
    this.prepared?.close();
    this.still?.remove();
  }

  /** Does not wait for the next attempt's time. */
  retryNow(): void {
    if (!this.running || this.current.kind !== 'waiting') return;
    void this.connect();
  }

  /** Its element is in another place of the page now, perhaps of another size. */
  relayout(): void {
    this.connection?.layout();
  }

  /** Gives the keyboard to the desktop. */
  focus(): void {
    this.connection?.focus();
  }

  /** Asks for the keyboard on the screen, where there is one. */
  showKeyboard(): void {
    this.connection?.showKeyboard();
  }

  /** See {@link ScaleMode}. */
  setMode(mode: ScaleMode): void {
    if (mode === this.mode) return;
    this.mode = mode;
    this.connection?.setMode(mode);
    this.used();
  }

  /** Picture quality against traffic; takes effect with the next frame. */
  setQuality(quality: Quality): void {
    this.quality = quality;
    this.connection?.setLevels(QUALITIES[quality]);
  }

  /** How the user points and types. */
  setModes(modes: InputModes): void {
    this.modes = modes;
    this.connection?.setModes(modes);
  }

  /** Whether outlines over the picture show how its areas are coded. */
  setOutlines(on: boolean): void {
    this.outlines = on;
    this.connection?.setOutlines(on);
  }

  /** See {@link Connection.holdPointer}. */
  async holdPointer(): Promise<boolean> {
    return (await this.connection?.holdPointer()) ?? false;
  }

  /** What the connection has done so far; undefined where there is none. */
  async totals(): Promise<Totals | undefined> {
    return this.current.kind === 'connected' ? this.connection?.totals() : undefined;
  }

  /** Presses and releases a combination. */
  send(combination: Combination): void {
    for (const key of combination.keys) this.connection?.sendKey(key.keysym, key.code, true);
    for (const key of [...combination.keys].reverse()) {
      this.connection?.sendKey(key.keysym, key.code, false);
    }
    this.connection?.usedSticky();
  }

  /** A modifier on the screen was touched: down for the next key, until touched again, up. */
  pressSticky({ keys: [key] }: Combination): void {
    if (key) this.connection?.pressSticky(key);
  }

  /** Makes `text` the content of the desktop's clipboard. False while there is no connection. */
  paste(text: string): boolean {
    if (!this.connection || this.current.kind !== 'connected') return false;
    this.connection.paste(text);
    return true;
  }

  /** Like `paste`, and then presses a combination that uses the text. */
  async pasteAndSend(text: string, combination: Combination): Promise<void> {
    const connection = this.connection;
    if (!connection || !this.paste(text)) return;
    await connection.settled();
    // Another connection is another moment: keys are not replayed into it.
    if (connection === this.connection) this.send(combination);
  }

  /** The user has turned to this viewer. */
  private used(): void {
    this.decide(true);
  }

  private decide(decides: boolean): void {
    if (decides === this.decides) return;
    this.decides = decides;
    this.connection?.setDecides(decides);
  }

  private set(state: ViewerState): void {
    this.current = state;
    this.target.dataset.state = state.kind;
    this.listener.state(state);
  }

  private async connect(): Promise<void> {
    const generation = ++this.generation;
    clearTimeout(this.timer);
    this.set({ kind: 'connecting', attempt: this.attempt });
    // What draws is loaded while the grant is on its way.
    this.prepared ??= this.prepare();
    let grant: StreamGrant;
    try {
      grant = await this.grant(this.abort.signal);
    } catch (error) {
      if (generation !== this.generation) return;
      if (error instanceof GrantError) this.lost(error.reason, error.retry);
      else this.lost('network', true);
      return;
    }
    if (generation !== this.generation) return;
    this.open(grant);
  }

  private open({ url: address, access }: StreamGrant): void {
    const connection = this.prepared ?? this.prepare();
    this.prepared = undefined;
    this.connection = connection;
    const url = new URL(address, window.location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    this.timer = window.setTimeout(
      () => connection === this.connection && this.lose('network'),
      OPEN_WITHIN,
    );
    connection.setMode(this.mode);
    connection.setDecides(this.decides);
    connection.setModes(this.modes);
    connection.setLevels(QUALITIES[this.quality]);
    connection.setOutlines(this.outlines);
    connection.open(url, access === 'view');
  }

  private prepare(): Connection {
    // What an older connection still says is ignored.
    const mine = () => connection === this.connection;
    const connection: Connection = new Connection(
      this.target,
      this.mode,
      this.decides,
      this.modes,
      {
        connected: () => {
          if (!mine()) return;
          clearTimeout(this.timer);
          this.attempt = 0;
          this.set({ kind: 'connected' });
          this.pinger = window.setInterval(() => this.ping(), PING_EVERY);
        },
        painted: () => {
          if (!mine()) return;
          this.still?.remove();
          this.still = undefined;
          this.target.dataset.painted = 'true';
          this.listener.painted?.();
        },
        resized: (size, by) => {
          if (!mine()) return;
          if (by !== 'display') this.decide(by === 'this');
          this.target.dataset.remoteSize = `${size.width}x${size.height}`;
          this.listener.resized?.(size);
        },
        used: () => mine() && this.used(),
        clipboard: (text) => mine() && this.listener.clipboard?.(text),
        held: (held) => mine() && this.listener.held?.(held),
        sticky: (state) => mine() && this.listener.sticky?.(state),
        pong: (milliseconds) => mine() && this.listener.roundTrip?.(milliseconds),
        closed: (code) => {
          if (connection === this.prepared) {
            // It could not even be made; the next attempt makes another.
            this.prepared = undefined;
            connection.close();
          } else if (mine()) {
            const end = closeReason(code);
            this.lost(end.reason, end.retry);
          }
        },
        crashed: () => {
          if (connection === this.prepared) {
            this.prepared = undefined;
            connection.close();
          } else if (mine()) {
            this.crashed();
          }
        },
      },
    );
    return connection;
  }

  private ping(): void {
    const connection = this.connection;
    if (!connection) return;
    if (connection.silence > DEAD_AFTER) this.lose('network');
    else if (connection.owed > SLOW_AFTER) this.listener.roundTrip?.(undefined);
    else connection.ping();
  }

  /** Gives the connection up as dead without waiting for the socket to notice. */
  private lose(reason: EndReason): void {
    if (!this.running || this.current.kind === 'waiting' || this.current.kind === 'ended') return;
    this.lost(reason, true);
  }

  /** Once it may have been chance; the user is told, and it starts again. */
  private crashed(): void {
    const now = Date.now();
    const again = now - this.crashedAt < CRASHES_WITHIN;
    this.crashedAt = now;
    this.lost('crashed', !again);
  }

  private lost(reason: EndReason, retry: boolean): void {
    if (!this.running) return;
    this.generation += 1;
    this.keepPicture();
    this.drop();
    if (!retry) {
      this.running = false;
      this.prepared?.close();
      this.prepared = undefined;
      this.set({ kind: 'ended', reason });
      return;
    }
    const wait =
      reason === 'not-ready' ? NOT_READY_AGAIN : backoff(this.attempt, RECONNECT, Math.random());
    if (reason !== 'not-ready') this.attempt += 1;
    this.set({ kind: 'waiting', reason, retryAt: Date.now() + wait });
    this.timer = window.setTimeout(() => void this.connect(), wait);
  }

  private drop(): void {
    clearTimeout(this.timer);
    clearInterval(this.pinger);
    // Still ours while it closes, so that what it lets go of is told.
    this.connection?.close();
    this.connection = undefined;
  }

  /** Copies the last picture to where it was, for as long as there is no newer one. */
  private keepPicture(): void {
    const canvas = this.connection?.canvas;
    const box = this.connection?.pictureBox;
    if (!canvas || !box || canvas.width === 0 || !this.target.dataset.painted) return;
    const still = document.createElement('canvas');
    still.width = canvas.width;
    still.height = canvas.height;
    still.getContext('2d')?.drawImage(canvas, 0, 0);
    still.dataset.still = 'true';
    Object.assign(still.style, {
      position: 'absolute',
      left: `${box.left}px`,
      top: `${box.top}px`,
      width: `${box.width}px`,
      height: `${box.height}px`,
      pointerEvents: 'none',
    });
    this.still?.remove();
    this.still = still;
    this.target.append(still);
    delete this.target.dataset.painted;
  }
}
