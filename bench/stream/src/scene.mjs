/** An X client of bench/scenes on a target's display. */

import { stop, until } from './process.mjs';

export class Scene {
  /** `child`: the running program with its pipes. */
  constructor(child) {
    this.child = child;
    this.events = [];
    let rest = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (part) => {
      rest += part;
      const lines = rest.split('\n');
      rest = lines.pop();
      for (const line of lines) if (line.startsWith('{')) this.events.push(JSON.parse(line));
    });
    child.stdin.on('error', () => {});
  }

  /** The first event of a kind from position `from` on; an `error` event throws. */
  async wait(kind, milliseconds = 15_000, from = 0) {
    return until(`scene: ${kind}`, () => {
      const fresh = this.events.slice(from);
      const wrong = fresh.find((event) => event.ev === 'error');
      if (wrong) throw new Error(`scene: ${wrong.what}`);
      if (this.child.exitCode !== null) throw new Error(`scene: ended with ${this.child.exitCode}`);
      return fresh.find((event) => event.ev === kind);
    }, milliseconds, 5);
  }

  /** Sends a command and waits for the answer of a kind. */
  async command(line, answer = 'done', milliseconds = 15_000) {
    const from = this.events.length;
    this.child.stdin.write(`${line}\n`);
    return this.wait(answer, milliseconds, from);
  }

  /** Sends a command without waiting. */
  send(line) {
    this.child.stdin.write(`${line}\n`);
  }

  async stop() {
    this.child.stdin.end();
    await stop(this.child);
  }
}
