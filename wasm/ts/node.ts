// The entry for Node, where no `fetch` brings files.

import { readFile } from 'node:fs/promises';

import { loadBy } from './engine.js';

loadBy(() => readFile(new URL('./wasm/syncline_bg.wasm', import.meta.url)));

export * from './index.js';
