/** The pointer's picture for the page. */

import { unseen } from './canvas';
import type { DisplayEvent } from './events';
import type { CursorPicture } from './talk';

type CursorEvent = Extract<DisplayEvent, { kind: 'cursor' }>;

/** A dot of five pixels: where the desktop shows no pointer, the user still finds it. */
const DOT = ['.www.', 'wbbbw', 'wbbbw', 'wbbbw', '.www.'];

function dot(): CursorEvent {
  const rgba = new Uint8ClampedArray(DOT.length * DOT.length * 4);
  [...DOT.join('')].forEach((pixel, index) => {
    const shade = pixel === 'w' ? 255 : 0;
    rgba.set([shade, shade, shade, pixel === '.' ? 0 : 255], index * 4);
  });
  return { kind: 'cursor', width: 5, height: 5, hotX: 2, hotY: 2, rgba };
}

/** Whether there is nothing to see. */
export function isEmpty(cursor: CursorEvent): boolean {
  for (let at = 3; at < cursor.rgba.length; at += 4) if (cursor.rgba[at] !== 0) return false;
  return true;
}

/** The picture as a file that CSS can show. */
export async function cursorPicture(event: CursorEvent): Promise<CursorPicture> {
  const { width, height, hotX, hotY, rgba } = isEmpty(event) ? dot() : event;
  const image = new ImageData(rgba, width, height);
  return { width, height, hotX, hotY, png: await png(image) };
}

async function png(image: ImageData): Promise<Blob> {
  const { canvas, context } = unseen(image.width, image.height);
  context.putImageData(image, 0, 0);
  if ('convertToBlob' in canvas) return canvas.convertToBlob();
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no picture')))),
  );
}
