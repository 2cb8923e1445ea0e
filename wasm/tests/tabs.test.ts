import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { SyncHandle, Syncline } from 'syncline';

import { launch, serve, type Site } from './browser.js';
import { type Hub, startHub } from './hub.js';

const own = new URL('../', import.meta.url).pathname;

/** What a page of these tests has. */
interface Own {
  db: Syncline<any>;
  sync: SyncHandle;
  /** What happened, newest last. */
  events: { type: string }[];
  /** What a watch shows. */
  names: string[];
  /** How long the token function hangs, once. */
  hang: number;
}

let hub: Hub;
let browser: Browser;
let site: Site;
before(async () => {
  hub = await startHub();
  browser = await launch();
  site = await serve({ '/syncline/': `${own}dist/`, '/': `${own}tests/page` });
});
after(async () => {
  await browser?.close();
  await site?.close();
  await hub?.[Symbol.asyncDispose]();
});

/** A tab that has the database open, shows it, and syncs, unless it is told not to. */
async function tab(context: BrowserContext, group: string, syncs = true): Promise<Page> {
  const page = await context.newPage();
  await page.goto(site.url);
  await page.waitForFunction(() => 'ready' in window);
  await page.evaluate(
    async ({ url, group, syncs }) => {
      const own = window as never as Own & typeof import('syncline');
      const schema = { version: 1, collections: { city: { fields: { name: { type: 'string' } } } } } as const;
      own.db = await own.Syncline.open({ name: 'tabs', schema, group });
      own.events = [];
      own.hang = 0;
      own.db.collection('city').watch({}, { order: 'name' } as never).subscribe((found) => {
        own.names = found.map((city: any) => city.name);
      });
      const token = () => {
        if (own.hang > 0) own.events.push({ type: 'hung' });
        const until = performance.now() + own.hang;
        own.hang = 0;
        while (performance.now() < until) {
          // As a page that is stuck in its own code.
        }
        return undefined;
      };
      if (syncs) own.sync = own.db.startSync({ url, token, onEvent: (event) => void own.events.push(event) });
    },
    { url: hub.url, group, syncs },
  );
  return page;
}

const write = (page: Page, name: string) =>
  page.evaluate((name) => (window as never as Own).db.collection('city').create({ name } as never), name);

const isLeading = (page: Page) => page.evaluate(() => (window as never as Own).sync.isLeading);

/** Waits until a page shows this. */
const shows = (page: Page, names: string[]) =>
  page.waitForFunction((names) => String((window as never as Own).names) === names, String(names));

const happened = (page: Page, type: string) =>
  page.waitForFunction((type) => (window as never as Own).events.some((event) => event.type === type), type);

/** Waits until one of the pages syncs, and gives it and the others. */
async function leader(pages: Page[]): Promise<[Page, Page[]]> {
  for (;;) {
    for (const page of pages) {
      if (await isLeading(page)) return [page, pages.filter((other) => other !== page)];
    }
  }
}

/** Three tabs of a browser of its own, and another device. */
async function three(run: (leader: Page, others: Page[], elsewhere: Page) => Promise<void>): Promise<void> {
  const group = `tabs-${Math.random()}`;
  const [context, other] = [await browser.newContext(), await browser.newContext()];
  try {
    const pages = [await tab(context, group), await tab(context, group), await tab(context, group)];
    const elsewhere = await tab(other, group);
    const [first, others] = await leader(pages);
    await happened(first, 'finished');
    await run(first, others, elsewhere);
  } finally {
    await context.close();
    await other.close();
  }
}

/** A tab takes over, sends what is written in it and shows what comes. */
async function goesOn(pages: Page[], elsewhere: Page, said: (text: string) => void): Promise<Page> {
  const begun = performance.now();
  const [next, others] = await leader(pages);
  const led = performance.now();
  await write(others[0] ?? next, 'b');
  await shows(elsewhere, ['a', 'b']);
  said(`another tab led after ${Math.round(led - begun)} ms, and what was written then arrived ${Math.round(performance.now() - led)} ms later`);
  await write(elsewhere, 'c');
  for (const page of pages) await shows(page, ['a', 'b', 'c']);
  return next;
}

test('any tab writes, one syncs, and all show it', { timeout: 60_000 }, () =>
  three(async (first, [second, third], elsewhere) => {
    await write(second!, 'a');
    for (const page of [first, second!, third!, elsewhere]) await shows(page, ['a']);
    await write(elsewhere, 'b');
    for (const page of [first, second!, third!]) await shows(page, ['a', 'b']);
    const leading = await Promise.all([first, second!, third!].map(isLeading));
    assert.deepEqual(leading, [true, false, false]);
    await happened(third!, 'finished');
  }),
);

test('any tab can ask for a sync, a pause, and its end', { timeout: 60_000 }, () =>
  three(async (first, [second, third], elsewhere) => {
    await second!.evaluate(() => (window as never as Own).sync.pause());
    await happened(first, 'paused');
    await happened(third!, 'paused');
    await write(second!, 'a');
    await second!.evaluate(() => (window as never as Own).sync.syncNow());
    await shows(elsewhere, ['a']);
    await second!.evaluate(() => (window as never as Own).sync.resume());
    await happened(third!, 'resumed');
  }),
);

test('when the tab that syncs is closed, another one syncs', { timeout: 60_000 }, (t) =>
  three(async (first, others, elsewhere) => {
    await write(first, 'a');
    await shows(elsewhere, ['a']);
    await first.close();
    await goesOn(others, elsewhere, (text) => t.diagnostic(text));
  }),
);

test('when it crashes, another one syncs', { timeout: 60_000 }, (t) =>
  three(async (first, others, elsewhere) => {
    await write(first, 'a');
    await shows(elsewhere, ['a']);
    const gone = new Promise((resolve) => first.once('crash', resolve));
    const session = await first.context().newCDPSession(first);
    void session.send('Page.crash').catch(() => {});
    await gone;
    await goesOn(others, elsewhere, (text) => t.diagnostic(text));
  }),
);

test('when it is about to be frozen, another one syncs, and it follows when it wakes', { timeout: 60_000 }, (t) =>
  three(async (first, others, elsewhere) => {
    await write(first, 'a');
    await shows(elsewhere, ['a']);
    // A browser under test freezes nothing that is looked at; this is what it would say.
    await first.evaluate(() => document.dispatchEvent(new Event('freeze')));
    const next = await goesOn(others, elsewhere, (text) => t.diagnostic(text));
    await first.evaluate(() => document.dispatchEvent(new Event('resume')));
    await shows(first, ['a', 'b', 'c']);
    assert.deepEqual([await isLeading(first), await isLeading(next)], [false, true]);
    await next.close();
    const [again] = await leader([first, ...others.filter((page) => page !== next)]);
    await write(again, 'd');
    await shows(elsewhere, ['a', 'b', 'c', 'd']);
  }),
);

test('when it hangs in the middle of a sync, another one syncs, and it writes nothing any more', { timeout: 60_000 }, (t) =>
  three(async (first, others, elsewhere) => {
    await write(first, 'a');
    await shows(elsewhere, ['a']);
    await first.evaluate(() => {
      const own = window as never as Own;
      own.hang = 6_000;
      own.sync.syncNow();
    });
    const next = await goesOn(others, elsewhere, (text) => t.diagnostic(text));
    await happened(first, 'lead-lost');
    const own = await first.evaluate(() => {
      const all = (window as never as Own).events.map((event) => event.type);
      return all.slice(all.indexOf('hung'), all.indexOf('lead-lost'));
    });
    assert.ok(!own.includes('finished'), `it had no good end: ${own}`);
    await shows(first, ['a', 'b', 'c']);
    assert.deepEqual([await isLeading(first), await isLeading(next)], [false, true]);
    const prints = [first, ...others, elsewhere].map((page) => page.evaluate(() => (window as never as Own).db.fingerprint()));
    assert.equal(new Set(await Promise.all(prints)).size, 1);
  }),
);

test('a tab that stops goes on showing, and the others go on syncing', { timeout: 60_000 }, () =>
  three(async (first, others, elsewhere) => {
    await first.evaluate(() => (window as never as Own).sync.stop());
    const [next] = await leader(others);
    await write(first, 'a');
    await shows(elsewhere, ['a']);
    await write(elsewhere, 'b');
    await shows(first, ['a', 'b']);
    assert.ok(await isLeading(next));
  }),
);

test('a tab that comes later hears of all others, and they of it', { timeout: 60_000 }, async () => {
  const group = `tabs-${Math.random()}`;
  const context = await browser.newContext();
  try {
    await context.clock.install();
    const first = await tab(context, group, false);
    // Longer than it takes a tab to think that it is alone.
    await first.clock.fastForward(1_200);
    await write(first, 'a');
    const second = await tab(context, group, false);
    await second.clock.fastForward(1_200);
    await write(second, 'b');
    for (const page of [first, second]) await shows(page, ['a', 'b']);
    await write(first, 'c');
    for (const page of [first, second]) await shows(page, ['a', 'b', 'c']);
  } finally {
    await context.close();
  }
});
