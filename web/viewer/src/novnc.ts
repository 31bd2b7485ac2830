/**
 * The only file that knows noVNC: its RFB class with sizes in device pixels, a first-frame event
 * and round-trip times. Whatever replaces noVNC's drawing replaces this file.
 */

/// <reference path="./novnc-types.d.ts" />

import RFB from '@novnc/novnc';
import { devicePixels, pictureScale, type ScaleMode, type Size } from './geometry';

/** What the connection tells its owner. */
export interface RfbListener {
  connected(): void;
  /** A whole frame was drawn. */
  frame(): void;
  /** The remote desktop's size, in its own pixels. */
  resized(size: Size): void;
  clipboard(text: string): void;
  name(name: string): void;
  /** An answer to `ping`, after so many milliseconds. */
  pong(milliseconds: number): void;
  bell(): void;
  closed(): void;
}

const FENCE_REQUEST = 0x80000000;
/** What our fences carry: one kind measures, the other waits. */
const PING = 'ping';
const SETTLE = 'settle';

/** Where the picture is in its element, in CSS pixels. */
export interface Box extends Size {
  readonly left: number;
  readonly top: number;
}

/** One RFB connection drawn into an element; ends for good when its socket does. */
export class RfbConnection extends RFB {
  // No initial values: RFB's constructor calls the methods below before they would be set.
  declare private listener: RfbListener | undefined;
  declare private mode: ScaleMode | undefined;
  declare private pingAt: number | undefined;
  declare private heardAt: number | undefined;
  declare private settling: (() => void)[] | undefined;
  declare private resizeTimer: number | undefined;
  declare private lastSize: string | undefined;
  declare private box: Box | undefined;

  constructor(target: HTMLElement, socket: WebSocket, mode: ScaleMode, listener: RfbListener) {
    super(target, socket, { shared: true });
    this.listener = listener;
    this.mode = mode;
    this.background = 'transparent';
    this._screen.style.overflow = 'hidden';
    // A key that is down when the focus goes elsewhere comes up there: release it here.
    this._canvas.addEventListener('blur', () => this._keyboard._allKeysUp());
    this.addEventListener('connect', () => listener.connected());
    this.addEventListener('disconnect', () => {
      clearTimeout(this.resizeTimer);
      listener.closed();
    });
    this.addEventListener('clipboard', (event) =>
      listener.clipboard((event as CustomEvent<{ text: string }>).detail.text),
    );
    this.addEventListener('desktopname', (event) =>
      listener.name((event as CustomEvent<{ name: string }>).detail.name),
    );
    this.addEventListener('bell', () => listener.bell());
    this.resizeSession = mode === 'match';
  }

  /** The canvas, to keep its picture when the connection is gone. */
  get canvas(): HTMLCanvasElement {
    return this._canvas;
  }

  /** Where the picture is, or was while it was in the page. */
  get pictureBox(): Box | undefined {
    return this.box;
  }

  /** The remote desktop's size, in its own pixels. */
  get remoteSize(): Size {
    return { width: this._fbWidth, height: this._fbHeight };
  }

  /** Ends the connection, if it has not ended by itself. */
  close(): void {
    clearTimeout(this.resizeTimer);
    if (!this._rfbConnectionState.startsWith('disconnect')) this.disconnect();
  }

  /** How the picture is fitted into the window; `match` asks the server for the window's size. */
  setMode(mode: ScaleMode): void {
    this.mode = mode;
    this.resizeSession = mode === 'match';
    this._updateScale();
  }

  /** The window, its zoom, or its screen has changed: draw at once, ask for the new size soon. */
  layout(): void {
    this._updateScale();
    clearTimeout(this.resizeTimer);
    this.resizeTimer = window.setTimeout(() => this._requestRemoteResize(), 120);
  }

  /** Asks for an answer; false where the server cannot give one or still owes the last. */
  ping(): boolean {
    if (!this._supportsFence || this.pingAt !== undefined) return false;
    this.pingAt = performance.now();
    RFB.messages.clientFence(this._sock, FENCE_REQUEST, PING);
    return true;
  }

  /**
   * Resolves when the server has worked on everything sent so far, and what it asked in return is
   * answered; at once where it cannot tell.
   */
  settled(): Promise<void> {
    if (!this._supportsFence) return Promise.resolve();
    return new Promise((resolve) => {
      this.settling = [...(this.settling ?? []), resolve];
      RFB.messages.clientFence(this._sock, FENCE_REQUEST, SETTLE);
    });
  }

  /** How long an answer is owed, in milliseconds; 0 when none is. */
  get owed(): number {
    return this.pingAt === undefined ? 0 : performance.now() - this.pingAt;
  }

  /** How long nothing at all has come while an answer is owed, in milliseconds. */
  get silence(): number {
    if (this.pingAt === undefined) return 0;
    return performance.now() - Math.max(this.pingAt, this.heardAt ?? 0);
  }

  /** noVNC asks for this size: the area in device pixels. */
  protected override _screenSize(): { w: number; h: number } {
    const wanted = devicePixels(this.area(), window.devicePixelRatio);
    return { w: wanted.width, h: wanted.height };
  }

  protected override _updateScale(): void {
    const remote = this.remoteSize;
    const area = this.area();
    // Out of the page there is no area, and nothing to lay out.
    if (area.width === 0) return;
    const scale = pictureScale(remote, area, window.devicePixelRatio, this.mode ?? 'match');
    this._display.scale = scale.factor;
    const width = remote.width * scale.factor;
    const height = remote.height * scale.factor;
    this.box = {
      left: scale.exact ? 0 : (area.width - width) / 2,
      top: scale.exact ? 0 : (area.height - height) / 2,
      width,
      height,
    };
    // An exact picture starts at the corner: centred it might fall between two device pixels.
    this._canvas.style.margin = scale.exact ? '0' : 'auto';
    this._canvas.style.flexShrink = '0';
    this._canvas.style.imageRendering = scale.exact ? 'pixelated' : 'auto';
    const text = `${remote.width}x${remote.height}`;
    if (remote.width > 0 && text !== this.lastSize) {
      this.lastSize = text;
      this.listener?.resized(remote);
    }
  }

  // The picture is never clipped: scaling covers every size.
  protected override _updateClip(): void {}

  protected override _handleMessage(): void {
    this.heardAt = performance.now();
    super._handleMessage();
  }

  protected override _handleResize(): void {
    this.layout();
  }

  protected override _framebufferUpdate(): boolean {
    const whole = super._framebufferUpdate();
    if (whole) this.listener?.frame();
    return whole;
  }

  // noVNC answers the server's fences but takes an answer to ours for an error.
  protected override _handleServerFenceMsg(): boolean {
    if (this._sock.rQwait('fence', 8, 1)) return false;
    const head = this._sock.rQpeekBytes(8);
    if (((head[3] ?? 0) & 0x80) !== 0) return super._handleServerFenceMsg();
    const length = head[7] ?? 0;
    if (this._sock.rQwait('fence payload', 8 + length, 1)) return false;
    this._sock.rQskipBytes(8);
    const payload = this._sock.rQshiftStr(length);
    if (payload === PING && this.pingAt !== undefined) {
      const took = performance.now() - this.pingAt;
      this.pingAt = undefined;
      this.listener?.pong(took);
    }
    if (payload === SETTLE) this.settling?.shift()?.();
    return true;
  }

  private area(): Size {
    const box = this._screen.getBoundingClientRect();
    return { width: box.width, height: box.height };
  }
}
