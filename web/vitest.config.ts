import { defineConfig } from 'vitest/config';

// The browser tests in e2e/ are not for vitest: they need a running server.
export default defineConfig({
  test: { include: ['{api,viewer,console}/test/**/*.test.ts'], environment: 'node' },
});
