/** Starts the engine where it runs best. */

import type { Command, Report } from './talk';

/** An engine, wherever it runs. */
export interface EngineHandle {
  tell(command: Command): void;
  /** Outlines how areas are coded on a canvas over the picture, or no more. */
  outline(canvas: HTMLCanvasElement | undefined): void;
  /** Nothing is heard of it any more, and what it holds is freed. */
  stop(): void;
}

/** An engine that draws on the canvas. */
export function startEngine(
  canvas: HTMLCanvasElement,
  report: (report: Report) => void,
): EngineHandle {
  const worker = typeof Worker !== 'undefined' && 'transferControlToOffscreen' in canvas;
  return worker ? inWorker(canvas, report) : onThisThread(canvas, report);
}

function inWorker(canvas: HTMLCanvasElement, report: (report: Report) => void): EngineHandle {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  worker.addEventListener('message', ({ data }: MessageEvent<Report>) => report(data));
  worker.addEventListener('error', (event) => {
    console.error(event.message);
    // Without a message it is the network's fault: the worker's program did not come.
    if (event.message) report({ kind: 'crashed', why: event.message });
    else report({ kind: 'closed', code: undefined });
  });
  const offscreen = canvas.transferControlToOffscreen();
  worker.postMessage({ kind: 'canvas', canvas: offscreen } satisfies Command, [offscreen]);
  return {
    tell: (command) => worker.postMessage(command),
    outline: (over) => {
      const canvas = over?.transferControlToOffscreen();
      worker.postMessage({ kind: 'outline', canvas } satisfies Command, canvas ? [canvas] : []);
    },
    // With the worker its socket ends.
    stop: () => worker.terminate(),
  };
}

function onThisThread(canvas: HTMLCanvasElement, report: (report: Report) => void): EngineHandle {
  let stopped = false;
  const engine = import('./engine').then(({ Engine }) => {
    const made = new Engine((said) => !stopped && report(said));
    made.obey({ kind: 'canvas', canvas });
    return made;
  });
  engine.catch(() => report({ kind: 'closed', code: undefined }));
  const tell = (command: Command) => void engine.then((made) => made.obey(command));
  return {
    tell,
    outline: (over) => tell({ kind: 'outline', canvas: over }),
    stop: () => {
      stopped = true;
      tell({ kind: 'close' });
    },
  };
}
