/** The desktop's pointer drawn on the page, where no mouse shows it: fingers move it as on a pad. */

import type { CursorPicture } from '../engine/talk';

export class ShownCursor {
  readonly element = document.createElement('img');
  private url: string | undefined;
  private hot = { x: 0, y: 0 };
  private at: { x: number; y: number } | undefined;

  constructor() {
    this.element.alt = '';
    this.element.dataset.pointer = '';
    Object.assign(this.element.style, { position: 'absolute', pointerEvents: 'none' });
    this.element.hidden = true;
  }

  show(cursor: CursorPicture): void {
    const ratio = window.devicePixelRatio;
    const old = this.url;
    this.url = URL.createObjectURL(cursor.png);
    this.element.src = this.url;
    this.element.style.width = `${cursor.width / ratio}px`;
    this.hot = { x: cursor.hotX / ratio, y: cursor.hotY / ratio };
    if (old) URL.revokeObjectURL(old);
    this.place(this.at);
  }

  /** Where the pointer is, in CSS pixels of the element around; undefined: not shown. */
  place(at: { x: number; y: number } | undefined): void {
    this.at = at;
    this.element.hidden = at === undefined;
    if (!at) return;
    this.element.style.left = `${at.x - this.hot.x}px`;
    this.element.style.top = `${at.y - this.hot.y}px`;
  }

  close(): void {
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = undefined;
  }
}
