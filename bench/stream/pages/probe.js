// Runs in each page, frame and worker of a measured product before or beside its own code: finds
// the remote screen and reads a few of its pixels per animation frame. Times are milliseconds
// since 1970. Reading a whole accelerated picture costs milliseconds; a strip costs microseconds.
(() => {
  if (globalThis.__bench) return;
  const page = typeof document !== 'undefined';
  const contexts = new WeakMap();
  const offscreen = new Set();
  const wall = () => performance.timeOrigin + performance.now();
  const bench = { keys: [], changes: [], cost: { count: 0, ms: 0 }, loads: 0 };
  globalThis.__bench = bench;

  const hook = (owner, name, before) => {
    const original = owner?.prototype?.[name];
    if (!original) return;
    owner.prototype[name] = function (...args) {
      before(this, args);
      return original.apply(this, args);
    };
  };
  if (page) {
    const original = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (...args) {
      const context = original.apply(this, args);
      if (context && args[0] === '2d') contexts.set(this, context);
      return context;
    };
    const stamp = () => bench.keys.push(wall());
    addEventListener('keydown', stamp, true);
    addEventListener('mousedown', stamp, true);
  } else {
    // A canvas is met when something is drawn on it: no race with the worker's start.
    for (const name of ['drawImage', 'putImageData', 'fillRect']) {
      hook(globalThis.OffscreenCanvasRenderingContext2D, name, (context) => {
        contexts.set(context.canvas, context);
        offscreen.add(context.canvas);
      });
    }
  }

  const size = (element) =>
    element.videoWidth === undefined ? [element.width, element.height] : [element.videoWidth, element.videoHeight];

  /** Everything that may be the screen: as large as `width`×`height`. */
  bench.candidates = (width, height) => {
    const found = [];
    const walk = (root) => {
      for (const element of root.querySelectorAll('*')) {
        if (element.shadowRoot) walk(element.shadowRoot);
        if (element.localName === 'canvas' || element.localName === 'video') found.push(element);
      }
    };
    if (page) walk(document);
    else found.push(...offscreen);
    return found.filter((element) => {
      const [w, h] = size(element);
      return w === width && h === height && (!page || element.getBoundingClientRect().width > 0);
    });
  };

  let scratch;
  /** Luma (or green, where the picture is RGB) at points of one small box. */
  async function box(element, points) {
    const xs = points.map((point) => point[0]);
    const ys = points.map((point) => point[1]);
    const left = Math.min(...xs) & ~1;
    const top = Math.min(...ys) & ~1;
    const width = Math.max(...xs) - left + 1;
    const height = Math.max(...ys) - top + 1;
    if (element.videoWidth !== undefined) {
      if (element.readyState < 2) return points.map(() => -1);
      const frame = new VideoFrame(element, { timestamp: 0 });
      try {
        const rect = { x: left, y: top, width: (width + 1) & ~1, height: (height + 1) & ~1 };
        const data = new Uint8Array(frame.allocationSize({ rect }));
        const layout = await frame.copyTo(data, { rect });
        const planar = /^(I4|NV)/.test(frame.format);
        return points.map(([x, y]) => data[layout[0].offset + (y - top) * layout[0].stride + (planar ? x - left : (x - left) * 4 + 1)]);
      } finally {
        frame.close();
      }
    }
    let context = contexts.get(element);
    let [x0, y0] = [left, top];
    if (!context) {
      scratch ??= new OffscreenCanvas(2048, 64).getContext('2d', { willReadFrequently: true });
      scratch.drawImage(element, left, top, width, height, 0, 0, width, height);
      context = scratch;
      [x0, y0] = [0, 0];
    }
    const { data } = context.getImageData(x0, y0, width, height);
    return points.map(([x, y]) => data[((y - top) * width + x - left) * 4 + 1]);
  }

  /** Values at points, of an element among the candidates; near points are read together. */
  async function sample(element, points) {
    const begin = performance.now();
    const rows = new Map();
    for (const point of points) {
      const key = point[1];
      if (!rows.has(key)) rows.set(key, []);
      rows.get(key).push(point);
    }
    const values = new Map();
    for (const row of rows.values()) {
      const wide = row[row.length - 1][0] - row[0][0] > 700;
      for (const group of wide ? row.map((point) => [point]) : [row]) {
        const got = await box(element, group);
        group.forEach((point, index) => values.set(point, got[index]));
      }
    }
    bench.cost.count += 1;
    bench.cost.ms += performance.now() - begin;
    return points.map((point) => values.get(point));
  }

  /** For finding the screen: one point of each candidate. */
  bench.look = async (width, height, x, y) => {
    const values = [];
    for (const element of bench.candidates(width, height)) values.push((await sample(element, [[x, y]]))[0]);
    return values;
  };
  bench.choose = (width, height, index) => {
    bench.screen = bench.candidates(width, height)[index];
  };

  let generation = 0;
  /**
   * Looks each animation frame. `kind` "flip": all points bright or all dark, and other than
   * before. `kind` "code": a barcode whose first two bits are white and black. `kind` "near":
   * at least `enough` points within `within` of `values`; ends then.
   */
  bench.watch = (job) => {
    generation += 1;
    const mine = generation;
    bench.changes = [];
    let last;
    let busy = false;
    const settled = job.kind === 'near';
    const step = async () => {
      if (mine !== generation) return;
      requestAnimationFrame(step);
      if (busy) return;
      const t = wall();
      const element = bench.screen ?? bench.candidates(job.width, job.height)[0];
      if (!element) return;
      busy = true;
      try {
        const values = await sample(element, job.points);
        if (mine !== generation) return;
        let state;
        if (settled) {
          const near = values.filter((value, index) => Math.abs(value - job.values[index]) <= job.within).length;
          if (near < job.enough) return;
          state = 1;
          generation += 1;
        } else {
          const bits = values.map((value) => (value > 128 ? 1 : 0));
          if (job.kind === 'flip') {
            if (values.some((value) => value < 0) || bits.some((bit) => bit !== bits[0])) return;
            [state] = bits;
          } else {
            if (bits[0] !== 1 || bits[1] !== 0) return;
            state = bits.slice(2).reduce((sum, bit) => sum * 2 + bit, 0);
          }
        }
        if (state === last) return;
        last = state;
        bench.changes.push([t, state]);
        wake?.();
      } finally {
        busy = false;
      }
    };
    requestAnimationFrame(step);
  };
  bench.unwatch = () => {
    generation += 1;
    return bench.changes;
  };
  let wake;
  /** Resolves with the change number `index`, or undefined after the time. */
  bench.change = (index, milliseconds) =>
    new Promise((resolve) => {
      const timer = setTimeout(() => {
        wake = undefined;
        resolve(undefined);
      }, milliseconds);
      wake = () => {
        if (bench.changes.length <= index) return;
        wake = undefined;
        clearTimeout(timer);
        resolve(bench.changes[index]);
      };
      wake();
    });

  /** A part of the picture as RGBA bytes. */
  function grab(x, y, width, height) {
    const context = contexts.get(bench.screen);
    if (context) return context.getImageData(x, y, width, height).data;
    const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    copy.drawImage(bench.screen, x, y, width, height, 0, 0, width, height);
    return copy.getImageData(0, 0, width, height).data;
  }
  /** The same as base64, for the harness. */
  bench.grab = (x, y, width, height) => {
    const bytes = grab(x, y, width, height);
    let text = '';
    for (let at = 0; at < bytes.length; at += 32766) text += btoa(String.fromCharCode(...bytes.subarray(at, at + 32766)));
    return text;
  };

  /** Keeps the original of a still picture: base64 of RGBA. */
  bench.reference = (text) => {
    const raw = atob(text);
    const bytes = new Uint8Array(raw.length);
    for (let at = 0; at < raw.length; at += 1) bytes[at] = raw.charCodeAt(at);
    bench.original = bytes;
  };
  /** How the picture differs from the original: share of exact pixels, and PSNR, by quarter. */
  bench.compare = (width, height, full) => {
    const t = wall();
    const shown = grab(0, 0, width, height);
    const a = new Uint32Array(shown.buffer, shown.byteOffset, width * height);
    const b = new Uint32Array(bench.original.buffer, 0, width * height);
    let exact = 0;
    for (let at = 0; at < a.length; at += 1) if (a[at] === b[at]) exact += 1;
    const result = { t, exact: exact / a.length };
    if (full) {
      const sums = [0, 0, 0, 0];
      // Where it differs: tells a cursor or a seam from a coder.
      const edge = [width, height, -1, -1];
      for (let y = 0; y < height; y += 1) {
        for (let x = 0; x < width; x += 1) {
          const at = y * width + x;
          if (a[at] === b[at]) continue;
          edge[0] = Math.min(edge[0], x);
          edge[1] = Math.min(edge[1], y);
          edge[2] = Math.max(edge[2], x);
          edge[3] = Math.max(edge[3], y);
          const quarter = (y * 2 < height ? 0 : 2) + (x * 2 < width ? 0 : 1);
          for (let c = 0; c < 3; c += 1) sums[quarter] += (shown[at * 4 + c] - bench.original[at * 4 + c]) ** 2;
        }
      }
      const decibel = (sum, pixels) => (sum === 0 ? 99 : Math.min(99, 10 * Math.log10((255 ** 2 * pixels * 3) / sum)));
      result.edge = edge[2] < 0 ? undefined : edge;
      result.wrong = Math.round((1 - result.exact) * a.length);
      result.quarters = sums.map((sum) => decibel(sum, (width * height) / 4));
      result.psnr = decibel(sums.reduce((one, two) => one + two), width * height);
    }
    return result;
  };
  /** Exact pixels outside a box. */
  bench.around = (width, height, left, top, wide, high) => {
    const shown = grab(0, 0, width, height);
    const a = new Uint32Array(shown.buffer, shown.byteOffset, width * height);
    const b = new Uint32Array(bench.original.buffer, 0, width * height);
    let wrong = 0;
    for (let y = 0; y < height; y += 1) {
      const beside = y < top || y >= top + high;
      for (let x = 0; x < width; x += 1) {
        if ((beside || x < left || x >= left + wide) && a[y * width + x] !== b[y * width + x]) wrong += 1;
      }
    }
    return { wrong, exact: 1 - wrong / (width * height - wide * high) };
  };
})();
