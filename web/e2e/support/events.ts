/** A window in the session that writes down what it is sent, as any X program gets it. */

import assert from 'node:assert/strict';
import { inside } from './engine';
import { until } from './until';

const FILE = '/tmp/events.txt';
/** A button or key in what `xev` prints. */
const EVENT =
  /(?:Button|Key)(Press|Release) event,[\s\S]*?(?:button (\d+)|keysym 0x[0-9a-f]+, (\w+)\))/g;

/** `+1` is the first button down, `-Escape` that key up. */
export class EventWindow {
  private told = 0;

  private constructor(
    private readonly workspace: string,
    private readonly process: string,
  ) {}

  /** Opens it at a place such as `500x400+200+150`, in pixels of the desktop. */
  static async open(workspace: string, geometry: string): Promise<EventWindow> {
    const masks = '-event button -event keyboard -event structure';
    const started = await inside(
      ...([workspace, 'sh', '-c'] as const),
      `stdbuf -oL xev -geometry ${geometry} ${masks} > ${FILE} 2>&1 & echo $!`,
    );
    const window = new EventWindow(workspace, started.trim());
    await until('the window for events', async () => (await window.text()).includes('MapNotify'));
    return window;
  }

  private text(): Promise<string> {
    return inside(this.workspace, 'cat', FILE);
  }

  /** Waits for so many events that were not told before; tells all of them. */
  async next(least: number): Promise<string[]> {
    let fresh: string[] = [];
    try {
      await until('events', async () => {
        const all = [...(await this.text()).matchAll(EVENT)].map(
          ([, way, button, key]) => `${way === 'Press' ? '+' : '-'}${button ?? key}`,
        );
        fresh = all.slice(this.told);
        return fresh.length >= least;
      });
    } finally {
      this.told += fresh.length;
    }
    return fresh;
  }

  /** Exactly these are the next ones. What comes too much fails here, or at the next call. */
  async got(...wanted: string[]): Promise<void> {
    assert.deepEqual(await this.next(wanted.length), wanted);
  }

  async close(): Promise<void> {
    await inside(this.workspace, 'kill', this.process);
  }
}
