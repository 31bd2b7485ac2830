/** The engine in a worker of its own. */

import { Engine } from './engine';
import type { Command, Report } from './talk';

/** What a worker's global has; the libraries of page and worker cannot be loaded side by side. */
interface WorkerScope {
  postMessage(message: Report): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<Command>) => void): void;
}

const scope = globalThis as unknown as WorkerScope;
const engine = new Engine((report) => scope.postMessage(report));
scope.addEventListener('message', ({ data }) => engine.obey(data));
