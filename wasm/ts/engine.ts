// The WebAssembly below, loaded once.

import initialise, { Database, type Leading, type Syncing, type Touches, type Watch as Watching } from './wasm/syncline.js';
import { failure } from './errors.js';

/** How the module's bytes come here. */
type Loader = () => Promise<BufferSource | undefined>;

/** In a browser the module is compiled while it arrives. */
let loader: Loader = async () => undefined;

let loading: Promise<void> | undefined;

/** Says how the module's bytes come here, where `fetch` cannot bring them. */
export function loadBy(other: Loader): void {
  loader = other;
}

/** Waits until the WebAssembly is there. */
export async function load(): Promise<void> {
  loading ??= start();
  try {
    await loading;
  } catch (cause) {
    // Another try may get it.
    loading = undefined;
    throw failure('unavailable', 'the WebAssembly of Syncline could not be loaded', { cause });
  }
}

async function start(): Promise<void> {
  const bytes = await loader();
  await initialise({ module_or_path: bytes ?? new URL('./wasm/syncline_bg.wasm', import.meta.url) });
}

export { Database };
export type { Leading, Syncing, Touches, Watching };
