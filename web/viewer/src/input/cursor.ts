/** The desktop's pointer as the browser's own, which follows the hand without delay. */

import type { CursorPicture } from '../engine/talk';

/** Browsers ignore larger ones, in CSS pixels. */
const LARGEST = 128;

/** Shows the desktop's pointer over an element. */
export class LocalCursor {
  private url: string | undefined;

  constructor(private readonly element: HTMLElement) {}

  show(cursor: CursorPicture): void {
    const ratio = window.devicePixelRatio;
    const old = this.url;
    if (Math.max(cursor.width, cursor.height) / ratio > LARGEST) {
      this.url = undefined;
      this.element.style.cursor = 'default';
    } else {
      this.url = URL.createObjectURL(cursor.png);
      const hot = `${Math.round(cursor.hotX / ratio)} ${Math.round(cursor.hotY / ratio)}`;
      this.element.style.cursor = `url(${this.url}) ${hot}, default`;
      // One pixel of the desktop is one of the device; browsers that do not know this keep the
      // line before.
      this.element.style.cursor = `image-set(url(${this.url}) ${ratio}x) ${hot}, default`;
    }
    if (old) URL.revokeObjectURL(old);
  }

  close(): void {
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = undefined;
  }
}
