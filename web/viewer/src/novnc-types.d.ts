/** The part of noVNC 1.7 that the adapter in `novnc.ts` stands on, private members included. */
declare module '@novnc/novnc' {
  interface Sock {
    rQwait(what: string, bytes: number, goBack?: number): boolean;
    rQpeekBytes(length: number): Uint8Array;
    rQskipBytes(length: number): void;
    rQshiftStr(length: number): string;
  }

  interface Display {
    scale: number;
  }

  export default class RFB extends EventTarget {
    constructor(
      target: HTMLElement,
      channel: WebSocket | string,
      options?: { shared?: boolean; wsProtocols?: string[] },
    );
    static messages: { clientFence(sock: Sock, flags: number, payload: string): void };
    viewOnly: boolean;
    focusOnClick: boolean;
    scaleViewport: boolean;
    resizeSession: boolean;
    qualityLevel: number;
    compressionLevel: number;
    background: string;
    disconnect(): void;
    focus(options?: FocusOptions): void;
    blur(): void;
    sendKey(keysym: number, code: string, down?: boolean): void;
    clipboardPasteFrom(text: string): void;

    protected _sock: Sock;
    protected _display: Display;
    protected _keyboard: { _allKeysUp(): void };
    protected _screen: HTMLDivElement;
    protected _canvas: HTMLCanvasElement;
    protected _fbWidth: number;
    protected _fbHeight: number;
    protected _supportsFence: boolean;
    protected _supportsSetDesktopSize: boolean;
    protected _pendingRemoteResize: boolean;
    protected _rfbConnectionState: string;
    protected _framebufferUpdate(): boolean;
    protected _handleMessage(): void;
    protected _handleResize(): void;
    protected _handleServerFenceMsg(): boolean;
    protected _requestRemoteResize(): void;
    protected _screenSize(): { w: number; h: number };
    protected _updateClip(): void;
    protected _updateScale(): void;
  }
}
