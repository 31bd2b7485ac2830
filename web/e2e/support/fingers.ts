/** Fingers on the page. */

import type { CDPSession, Page } from 'playwright-core';

type Places = readonly (readonly [x: number, y: number])[];

export class Fingers {
  private constructor(private readonly protocol: CDPSession) {}

  static async on(page: Page): Promise<Fingers> {
    return new Fingers(await page.context().newCDPSession(page));
  }

  /** All at these places; none: all are gone. */
  private async at(type: 'touchStart' | 'touchMove' | 'touchEnd', places: Places) {
    const touchPoints = places.map(([x, y], id) => ({ x, y, id }));
    await this.protocol.send('Input.dispatchTouchEvent', { type, touchPoints });
  }

  /** Comes down at the first places, goes through the others, and up. */
  async draw(...way: Places[]): Promise<void> {
    const [first = [], ...rest] = way;
    await this.at('touchStart', first);
    for (const places of rest) await this.at('touchMove', places);
    await this.at('touchEnd', []);
  }

  /** The same in no time: the browser tells many places as one. */
  async swipe(...way: Places[]): Promise<void> {
    const [first = [], ...rest] = way;
    await Promise.all([
      this.at('touchStart', first),
      ...rest.map((places) => this.at('touchMove', places)),
      this.at('touchEnd', []),
    ]);
  }

  /** Stays down until something has happened. */
  async hold(places: Places, until: () => Promise<unknown>): Promise<void> {
    await this.at('touchStart', places);
    await until();
    await this.at('touchEnd', []);
  }

  /** Taps, and at once is drawn from there through other places; stays until something happened. */
  async tapAndDraw(way: Places[], until: () => Promise<unknown>): Promise<void> {
    const [first = [], ...rest] = way;
    await Promise.all([
      this.at('touchStart', first),
      this.at('touchEnd', []),
      this.at('touchStart', first),
      ...rest.map((places) => this.at('touchMove', places)),
    ]);
    await until();
    await this.at('touchEnd', []);
  }
}
