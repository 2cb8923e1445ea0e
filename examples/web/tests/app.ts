// The application, at a hub that serves it, in a browser.

import { after, before } from 'node:test';

import type { Browser, BrowserContext, Page } from 'playwright-core';

import { launch } from '../../../wasm/tests/browser.js';
import { type Hub, startHub } from '../../../wasm/tests/hub.js';

const dist = new URL('../../../../dist', import.meta.url).pathname;

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

/** Opens the application in a new tab, with these replicas. */
export async function open<const Names extends readonly string[]>(
  context: BrowserContext,
  hub: Hub,
  ...names: Names
): Promise<{ -readonly [K in keyof Names]: Replica }> {
  const page = await context.newPage();
  await page.goto(`${hub.url}/?${names.map((name) => `replica=${name}`).join('&')}`);
  return names.map((name) => new Replica(page, name)) as { -readonly [K in keyof Names]: Replica };
}

/** One pane of a page. */
export class Replica {
  readonly page: Page;
  readonly name: string;

  constructor(page: Page, name: string) {
    this.page = page;
    this.name = name;
  }

  get pane() {
    return this.page.locator(`[data-replica="${this.name}"]`);
  }

  part(name: string) {
    return this.pane.locator(`[data-part="${name}"]`);
  }

  /** The row of an item, by the title that it shows. */
  async item(title: string) {
    const titles = await this.titles();
    const at = titles.indexOf(title);
    if (at < 0) throw new Error(`${this.name} shows ${titles}, not ${title}`);
    return this.pane.locator('.item').nth(at);
  }

  titles(): Promise<string[]> {
    return this.pane.locator('.item .title').evaluateAll((all) => all.map((input) => (input as HTMLInputElement).value));
  }

  async add(titles: string): Promise<void> {
    await this.pane.locator('[name="title"]').fill(titles);
    await this.pane.locator('[type="submit"]').click();
  }

  async edit(title: string, field: 'title' | 'amount', value: string): Promise<void> {
    const input = (await this.item(title)).locator(`[data-part="${field}"]`);
    await input.fill(value);
    await input.press('Enter');
  }

  /** Waits until it shows these items and no others. */
  async shows(...titles: string[]): Promise<void> {
    await this.page.waitForFunction(
      ([name, titles]) => {
        const inputs = document.querySelectorAll<HTMLInputElement>(`[data-replica="${name}"] .item .title`);
        return JSON.stringify([...inputs].map((input) => input.value)) === titles;
      },
      [this.name, JSON.stringify(titles)],
    );
  }

  /** Waits until it says how it stands, such as `standing` `online`. */
  async is(what: 'standing' | 'pending' | 'leading' | 'storage', value: string): Promise<void> {
    await this.page.locator(`[data-replica="${this.name}"][data-${what}="${value}"]`).waitFor();
  }

  async switch(online: boolean): Promise<void> {
    await this.part('online').setChecked(online);
    if (!online) await this.is('standing', 'offline');
  }
}
