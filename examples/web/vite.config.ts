import { defineConfig } from 'vite';

// A page and its hub are one origin, while it is written as well as later.
export default defineConfig({
  build: { target: 'es2022' },
  server: {
    proxy: { '/v1': process.env['HUB'] ?? 'http://127.0.0.1:4747' },
    fs: { allow: ['.', '../../wasm'] },
  },
});
