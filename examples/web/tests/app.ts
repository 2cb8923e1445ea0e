// The application, at a hub that serves it, in a browser.

import { after, before } from 'node:test';

import type { Browser, BrowserContext } from 'playwright-core';

import { launch } from '../../../wasm/tests/browser.js';
import { type Hub, startHub } from '../../../wasm/tests/hub.js';
import { dist } from './replica.js';

/** What a test has: a hub of its own, so that nothing is there yet. */
export interface World {
  hub: Hub;
  /** What a person has: tabs in it share what is stored, and it ends with the test. */
  device(): Promise<BrowserContext>;
}

let browser: Browser;
before(async () => void (browser = await launch()));
after(() => browser?.close());

/** Runs a test with a hub that serves the application; ends everything after it. */
export async function withApp(run: (world: World) => Promise<void>): Promise<void> {
  const hub = await startHub({ args: ['--app', dist] });
  const contexts: BrowserContext[] = [];
  const device = async () => {
    const context = await browser.newContext({ viewport: { width: 1100, height: 900 } });
    context.setDefaultTimeout(20_000);
    contexts.push(context);
    return context;
  };
  try {
    await run({ hub, device });
  } finally {
    for (const context of contexts) await context.close();
    await hub[Symbol.asyncDispose]();
  }
}
