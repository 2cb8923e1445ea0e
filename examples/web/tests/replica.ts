// A replica, as a page of the application shows it.

import type { BrowserContext, Page } from 'playwright-core';

import type { Hub } from '../../../wasm/tests/hub.js';

/** Where the application is built to. */
export const dist = new URL('../../../../dist', import.meta.url).pathname;

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

  /** Waits until it shows one item alone, like this. */
  async showsOnly(title: string, amount: string, done: boolean): Promise<void> {
    await this.page.waitForFunction(
      ([name, wanted]) => {
        const rows = document.querySelectorAll(`[data-replica="${name}"] .item`);
        const shown = [...rows].map((row) => {
          const input = (part: string) => row.querySelector<HTMLInputElement>(`[data-part="${part}"]`)!;
          return [input('title').value, input('amount').value, input('done').checked];
        });
        return JSON.stringify(shown) === wanted;
      },
      [this.name, JSON.stringify([[title, amount, done]])],
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
