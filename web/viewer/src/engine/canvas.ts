/** Canvases, in workers and on the page. */

/** One that a page shows, or that nobody sees. */
export type Canvas = OffscreenCanvas | HTMLCanvasElement;
/** What draws on it. */
export type Context = OffscreenCanvasRenderingContext2D | CanvasRenderingContext2D;

/** A canvas that nobody sees, with what draws on it. */
export function unseen(
  width: number,
  height: number,
  settings?: CanvasRenderingContext2DSettings,
): { canvas: Canvas; context: Context } {
  const canvas: Canvas =
    typeof OffscreenCanvas === 'undefined'
      ? Object.assign(document.createElement('canvas'), { width, height })
      : new OffscreenCanvas(width, height);
  return { canvas, context: contextOf(canvas, settings) };
}

/** What draws on a canvas. */
export function contextOf(canvas: Canvas, settings?: CanvasRenderingContext2DSettings): Context {
  const context = canvas.getContext('2d', settings) as Context | null;
  if (!context) throw new Error('the browser gives no canvas');
  return context;
}
