/** An RFB client that decodes nothing: counts updates, answers fences, notes when they came. */

import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { connect as secure } from 'node:tls';

const wall = () => performance.timeOrigin + performance.now();
/** Cursor, desktop size, extended size, fence, continuous updates. */
const EXTENSIONS = [-239, -223, -308, -312, -313];
/** What noVNC asks for: CopyRect, Tight, raw; quality 6, compression 2. */
const COMMON = [1, 7, 0, -26, -254, ...EXTENSIONS];
/**
 * What Porthole's page asks for: CopyRect, Tight, ZRLE, raw, its own exact encoding, Open H.264;
 * quality 7, compression 2. Viewers of the same wishes share what is encoded.
 */
export const OWN = [1, 7, 16, 0, 0x50480001, 50, -25, -254, ...EXTENSIONS];

export class WireClient {
  updates = 0;
  bytes = 0;
  #data = Buffer.alloc(0);
  #waiters = [];

  /**
   * `place`: `{kind: 'tcp', port}`, or `{kind: 'websocket', path}` with a `port` (and `address`) or
   * a unix `socket`; with `tls` it is encrypted; `encodings` says what to ask for. A function gives
   * a new place for each client.
   */
  static async connect(place) {
    if (typeof place === 'function') return WireClient.connect(await place());
    const client = new WireClient();
    const host = place.address ?? '127.0.0.1';
    const socket = place.socket ? connect(place.socket)
      : place.tls ? secure({ host, port: place.port, rejectUnauthorized: false })
        : connect(place.port, host);
    client.socket = socket;
    client.encodings = place.encodings ?? COMMON;
    client.framed = place.kind === 'websocket';
    socket.setNoDelay?.(true);
    socket.on('error', (error) => { client.failed = error; });
    socket.on('close', () => { client.failed ??= new Error('the server closed the connection'); client.#wake(); });
    await new Promise((resolve, reject) => { socket.once(place.tls ? 'secureConnect' : 'connect', resolve); socket.once('error', reject); });
    let rest = Buffer.alloc(0);
    socket.on('data', (part) => {
      client.arrived = wall();
      client.bytes += part.length;
      if (!client.framed) return client.#take(part);
      rest = Buffer.concat([rest, part]);
      rest = client.#frames(rest);
    });
    if (client.framed) {
      const name = place.tls ? `${host}:${place.port}\r\nOrigin: https://${host}:${place.port}` : 'localhost';
      socket.write(`GET ${place.path} HTTP/1.1\r\nHost: ${name}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Protocol: binary\r\n\r\n`);
    }
    await client.#handshake();
    client.#run().catch((error) => { client.failed ??= error; });
    return client;
  }

  #upgraded = false;
  /** Unpacks WebSocket frames of the server; returns what is not whole yet. */
  #frames(data) {
    let rest = data;
    if (!this.#upgraded) {
      const end = rest.indexOf('\r\n\r\n');
      if (end < 0) return rest;
      if (!rest.subarray(0, 12).toString().includes('101')) {
        this.failed = new Error(`the server refused: ${rest.subarray(0, 40)}`);
        this.#wake();
        return Buffer.alloc(0);
      }
      this.#upgraded = true;
      rest = rest.subarray(end + 4);
    }
    while (rest.length >= 2) {
      let size = rest[1] & 0x7f;
      let head = 2;
      if (size === 126) {
        if (rest.length < 4) break;
        size = rest.readUInt16BE(2);
        head = 4;
      } else if (size === 127) {
        if (rest.length < 10) break;
        size = Number(rest.readBigUInt64BE(2));
        head = 10;
      }
      if (rest.length < head + size) break;
      const kind = rest[0] & 0xf;
      const body = rest.subarray(head, head + size);
      if (kind === 9) this.#frame(10, body);
      else if (kind < 3) this.#take(body);
      rest = rest.subarray(head + size);
    }
    return Buffer.from(rest);
  }

  #frame(kind, body) {
    const mask = randomBytes(4);
    const head = body.length < 126 ? Buffer.from([0x80 | kind, 0x80 | body.length]) : Buffer.from([0x80 | kind, 0x80 | 126, body.length >> 8, body.length & 255]);
    this.socket.write(Buffer.concat([head, mask, body.map((byte, index) => byte ^ mask[index & 3])]));
  }

  #send(...bytes) {
    const body = Buffer.concat(bytes.map((part) => (typeof part === 'number' ? Buffer.from([part]) : part)));
    if (this.framed) this.#frame(2, body);
    else this.socket.write(body);
  }

  #chunks = [];
  #size = 0;
  #wanted;
  #take(part) {
    this.#chunks.push(part);
    this.#size += part.length;
    this.#wake();
  }
  #wake() {
    if (this.#wanted && (this.#size >= this.#wanted.count || this.failed)) {
      const { resolve } = this.#wanted;
      this.#wanted = undefined;
      resolve();
    }
  }

  /** The next `count` bytes. */
  async #read(count) {
    while (this.#size < count) {
      if (this.failed) throw this.failed;
      await new Promise((resolve) => { this.#wanted = { count, resolve }; });
    }
    if (this.#chunks.length > 1 || this.#chunks[0]?.length < count) this.#chunks = [Buffer.concat(this.#chunks)];
    const data = this.#chunks[0] ?? this.#data;
    this.#chunks = data.length > count ? [data.subarray(count)] : [];
    this.#size -= count;
    return data.subarray(0, count);
  }

  async #handshake() {
    const limit = setTimeout(() => { this.failed = new Error('RFB handshake: not within 10 s'); this.#wake(); }, 10_000);
    await this.#read(12);
    this.#send(Buffer.from('RFB 003.008\n'));
    const [types] = await this.#read(1);
    if (!(await this.#read(types)).includes(1)) throw new Error('the server wants authentication');
    this.#send(1);
    if ((await this.#read(4)).readUInt32BE() !== 0) throw new Error('the server refused');
    this.#send(1);
    const init = await this.#read(24);
    this.width = init.readUInt16BE(0);
    this.height = init.readUInt16BE(2);
    await this.#read(init.readUInt32BE(20));
    // 32 bits, depth 24, little-endian true colour.
    this.#send(Buffer.from([0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]));
    const list = Buffer.alloc(4 + this.encodings.length * 4);
    list[0] = 2;
    list.writeUInt16BE(this.encodings.length, 2);
    this.encodings.forEach((encoding, index) => list.writeInt32BE(encoding, 4 + index * 4));
    this.#send(list);
    this.#request(0);
    clearTimeout(limit);
  }

  #area() {
    const area = Buffer.alloc(8);
    area.writeUInt16BE(this.width, 4);
    area.writeUInt16BE(this.height, 6);
    return area;
  }
  #request(incremental) {
    this.#send(3, incremental, this.#area());
  }

  /** Presses or releases a key. */
  key(symbol, down) {
    this.#send(4, down ? 1 : 0, 0, 0, Buffer.from([0, 0, symbol >> 8, symbol & 255]));
  }

  /** When the next update's first bytes come (ms since 1970); undefined after the time. */
  next(milliseconds) {
    return new Promise((resolve) => {
      const waiter = (at) => { clearTimeout(timer); resolve(at); };
      const timer = setTimeout(() => { this.#waiters = this.#waiters.filter((one) => one !== waiter); resolve(undefined); }, milliseconds);
      this.#waiters.push(waiter);
    });
  }

  #continuous = false;
  async #run() {
    for (;;) {
      const [kind] = await this.#read(1);
      const at = this.arrived;
      if (kind === 0) {
        const count = (await this.#read(3)).readUInt16BE(1);
        let pixels = false;
        for (let index = 0; index < count; index += 1) pixels = (await this.#rectangle()) || pixels;
        if (pixels) {
          this.updates += 1;
          for (const waiter of this.#waiters.splice(0)) waiter(at);
        }
        if (!this.#continuous) this.#request(1);
      } else if (kind === 1) {
        const head = await this.#read(5);
        await this.#read(head.readUInt16BE(3) * 6);
      } else if (kind === 3) {
        const size = (await this.#read(7)).readInt32BE(3);
        await this.#read(Math.abs(size));
      } else if (kind === 150) {
        if (!this.#continuous) this.#send(150, 1, this.#area());
        this.#continuous = true;
      } else if (kind === 248) {
        const head = await this.#read(8);
        const flags = head.readUInt32BE(3);
        const payload = await this.#read(head[7]);
        if (flags & 0x80000000) {
          const answer = Buffer.alloc(9);
          answer[0] = 248;
          answer.writeUInt32BE((flags & 7) >>> 0, 4);
          answer[8] = payload.length;
          this.#send(answer, payload);
        }
      } else if (kind !== 2) throw new Error(`unknown message ${kind}`);
    }
  }

  /** Skips one rectangle; whether it had pixels. */
  async #rectangle() {
    const head = await this.#read(12);
    const [, , w, h] = [0, 2, 4, 6].map((at) => head.readUInt16BE(at));
    const encoding = head.readInt32BE(8);
    if (encoding === 0) await this.#read(w * h * 4);
    else if (encoding === 1) await this.#read(4);
    else if (encoding === 7) await this.#tight(w, h);
    // A length and so many bytes; H.264 has flags between them.
    else if (encoding === 16 || encoding === 0x50480001) await this.#read((await this.#read(4)).readUInt32BE());
    else if (encoding === 50) await this.#read((await this.#read(8)).readUInt32BE());
    else if (encoding === -239) {
      await this.#read(w * h * 4 + Math.ceil(w / 8) * h);
      return false;
    } else if (encoding === -308) {
      const [screens] = await this.#read(4);
      await this.#read(screens * 16);
      return false;
    } else if (encoding === -223) return false;
    else throw new Error(`unexpected encoding ${encoding}`);
    return true;
  }

  async #compact() {
    let size = 0;
    for (let shift = 0; shift < 21; shift += 7) {
      const [byte] = await this.#read(1);
      size |= (shift < 14 ? byte & 0x7f : byte) << shift;
      if (shift === 14 || byte < 0x80) break;
    }
    return size;
  }

  async #tight(w, h) {
    const [control] = await this.#read(1);
    const kind = control >> 4;
    if (kind === 8) return void (await this.#read(3));
    if (kind === 9 || kind === 10) return void (await this.#read(await this.#compact()));
    let size = w * h * 3;
    if (kind & 4) {
      const [filter] = await this.#read(1);
      if (filter === 1) {
        const colors = (await this.#read(1))[0] + 1;
        await this.#read(colors * 3);
        size = colors <= 2 ? Math.ceil(w / 8) * h : w * h;
      }
    }
    await this.#read(size < 12 ? size : await this.#compact());
  }

  close() {
    this.socket.destroy();
  }
}
