import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// Where `npm run dev` finds the API.
const server = process.env.PORTHOLE_URL ?? 'https://localhost:8443';
const proxied = { target: server, secure: false, changeOrigin: true };

export default defineConfig({
  plugins: [react()],
  build: {
    target: 'es2022',
    // The content security policy forbids inlined fonts and workers; small files stay files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    port: 5173,
    proxy: {
      '^/api/(?!docs)': proxied,
      '/gateway': { ...proxied, ws: true },
    },
  },
});
