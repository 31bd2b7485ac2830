/** The decoder in WebAssembly (crates/porthole-viewer-wasm): bytes in, operations and events out. */

import wasmUrl from '../../wasm/porthole_viewer.wasm?url';
import { type DisplayEvent, readEvent } from './events';

interface Exports {
  readonly memory: WebAssembly.Memory;
  viewer_input(length: number): number;
  viewer_feed(): void;
  viewer_next(): number;
  viewer_ops(): number;
  viewer_ops_len(): number;
  viewer_bytes(): number;
  viewer_event(): number;
  viewer_event_len(): number;
}

/** What is to be done next. */
export const Next = { wait: 0, draw: 1, finish: 2, event: 3, broken: 4 } as const;

/** Operations to be drawn, and where in memory their bytes are; true until `next` is called. */
export interface Ops {
  readonly words: Uint32Array<ArrayBuffer>;
  readonly memory: ArrayBuffer;
  readonly bytes: number;
}

/** A connection's decoder. */
export class Decoder {
  private constructor(private readonly wasm: Exports) {}

  /** Loads the module, which the browser compiles while it comes. */
  static async load(): Promise<Decoder> {
    const { instance } = await WebAssembly.instantiateStreaming(fetch(wasmUrl));
    return new Decoder(instance.exports as unknown as Exports);
  }

  /** Adds received bytes. */
  feed(bytes: Uint8Array): void {
    const at = this.wasm.viewer_input(bytes.length);
    new Uint8Array(this.buffer(), at, bytes.length).set(bytes);
    this.wasm.viewer_feed();
  }

  /** Goes on; a number of {@link Next}. */
  next(): number {
    return this.wasm.viewer_next();
  }

  /** What is to be drawn. */
  ops(): Ops {
    const memory = this.buffer();
    const words = new Uint32Array(memory, this.wasm.viewer_ops(), this.wasm.viewer_ops_len());
    return { words, memory, bytes: this.wasm.viewer_bytes() };
  }

  /** What has happened. */
  event(): DisplayEvent {
    const { viewer_event, viewer_event_len } = this.wasm;
    return readEvent(new Uint8Array(this.buffer(), viewer_event(), viewer_event_len()));
  }

  /** Looked up each time: growing moves it. */
  private buffer(): ArrayBuffer {
    return this.wasm.memory.buffer as ArrayBuffer;
  }
}
