import { existsSync } from 'node:fs';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { inlineBoot } from './build/inline-boot.ts';
import { precompress } from './build/precompress.ts';
import { preloadStart } from './build/preload-start.ts';

const decoder = new URL('../viewer/wasm/porthole_viewer.wasm', import.meta.url);
if (!existsSync(decoder)) {
  throw new Error(
    'The viewer’s decoder is missing: run `npm run decoder` in web/ (it needs Rust), or `make run`.',
  );
}

// Where `npm run dev` finds the API.
const server = process.env.PORTHOLE_URL ?? 'https://localhost:8443';
const proxied = { target: server, secure: false, changeOrigin: true };

export default defineConfig({
  plugins: [react(), inlineBoot(), preloadStart(), precompress()],
  build: {
    target: 'es2022',
    // The content security policy forbids inlined fonts and workers; small files stay files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        // One file for each step of the way, with all that it needs: each file is a round trip.
        codeSplitting: {
          groups: [
            { name: 'main', test: /src[\\/]main\.ts$/, priority: 5 },
            { name: 'start', test: /src[\\/]start\.tsx$/, priority: 4 },
            { name: 'desk', test: /src[\\/](shell|dashboard)[\\/].*\.tsx$/, priority: 3 },
            { name: 'session', test: /src[\\/]session[\\/].*\.tsx$/, priority: 2 },
            { name: 'account', test: /src[\\/](account|docs)[\\/].*\.tsx$/, priority: 1 },
            { name: 'admin', test: /src[\\/]admin[\\/].*\.tsx?$/, priority: 0 },
          ],
        },
      },
    },
  },
  // The viewer's worker is a module: the content security policy allows no made-up ones.
  worker: { format: 'es' },
  server: {
    port: 5173,
    proxy: {
      '^/api/(?!docs)': proxied,
      '/gateway': { ...proxied, ws: true },
    },
  },
});
