/** Puts boot.js into the page itself: what sees to it that the rest is loaded must be there. */

import { readFileSync } from 'node:fs';
import type { Plugin } from 'vite';

const boot = new URL('../boot.js', import.meta.url);

export function inlineBoot(): Plugin {
  return {
    name: 'inline-boot',
    transformIndexHtml: () => [
      { tag: 'script', children: readFileSync(boot, 'utf8'), injectTo: 'head-prepend' },
    ],
  };
}
