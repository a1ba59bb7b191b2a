import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'jsdom',
    setupFiles: ['test/setup.ts'],
    include: ['test/**/*.test.ts', 'test/**/*.test.tsx'],
    // Lab's packages are written for a bundler: their ES modules carry no file extensions.
    server: { deps: { inline: [/@jupyterlab\//, /@jupyter\//] } }
  }
});
