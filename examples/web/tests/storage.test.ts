import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { BrowserContext, Page } from 'playwright-core';

import { open, type Replica, withApp } from './app.js';

/** Sets how many bytes the origin of a page may use, or lets the browser decide again. */
async function quota(context: BrowserContext, page: Page, quotaSize?: number): Promise<void> {
  const session = await context.newCDPSession(page);
  const origin = new URL(page.url()).origin;
  await session.send('Storage.overrideQuotaForOrigin', quotaSize === undefined ? { origin } : { origin, quotaSize });
}

const problem = (replica: Replica, kind: string) => replica.pane.locator(`.problem[data-kind="${kind}"]`);

test('a full quota is told, what is there stays usable, and with room writes go on', { timeout: 60_000 }, () =>
  withApp(async ({ hub, device }) => {
    const context = await device();
    const [left] = await open(context, hub, 'left');
    await left.add('Milk');
    await left.shows('Milk');
    await left.is('pending', '0');
    await quota(context, left.page, 1);
    await left.add('Bread');
    await problem(left, 'full').waitFor();
    assert.match(await left.part('problem-text').innerText(), /\w/);
    assert.equal(await left.pane.locator('[name="title"]').inputValue(), 'Bread', 'what was typed is still there');
    await left.shows('Milk');
    await left.page.reload();
    await left.shows('Milk');

    await quota(context, left.page);
    await left.add('Bread');
    await left.shows('Milk', 'Bread');
    await problem(left, 'full').waitFor({ state: 'hidden' });
    const [elsewhere] = await open(await device(), hub, 'elsewhere');
    await elsewhere.shows('Milk', 'Bread');
  }),
);

test('in a private window it works, says how long, and leaves nothing behind', { timeout: 60_000 }, () =>
  withApp(async ({ hub, device }) => {
    // Every context of a browser under test is a private window.
    const context = await device();
    const [left] = await open(context, hub, 'left');
    await left.switch(false);
    await left.add('Milk');
    await left.is('pending', '1');
    await left.is('storage', 'best-effort');
    await left.page.reload();
    await left.shows('Milk');
    await context.close();
    const [again] = await open(await device(), hub, 'left');
    await again.is('standing', 'online');
    await again.shows();
  }),
);

test('without IndexedDB it says so, and uses memory only when asked, visibly', { timeout: 60_000 }, () =>
  withApp(async ({ hub, device }) => {
    const context = await device();
    await context.addInitScript(() => Object.defineProperty(window, 'indexedDB', { value: undefined }));
    const [left] = await open(context, hub, 'left');
    await problem(left, 'unsupported').waitFor();
    assert.ok(await left.pane.locator('[name="title"]').isDisabled(), 'nothing is taken that would be lost');
    assert.equal(await left.pane.getAttribute('data-storage'), null);

    await left.part('use-memory').click();
    await left.is('storage', 'memory');
    assert.match(await left.part('storage').innerText(), /ends with this page/);
    await problem(left, 'unsupported').waitFor({ state: 'hidden' });
    await left.add('Milk');
    const [elsewhere] = await open(await device(), hub, 'elsewhere');
    await elsewhere.shows('Milk');
    await left.page.reload();
    await problem(left, 'unsupported').waitFor();
  }),
);
