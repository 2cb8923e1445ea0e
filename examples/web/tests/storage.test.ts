import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Page } from 'playwright-core';

import { withApp } from './app.js';
import { open, type Replica } from './replica.js';

/** Sets how many bytes the application may use in a tab's browser, or lets the browser decide again. */
async function setQuota(page: Page, origin: string, quotaSize?: number): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('Storage.overrideQuotaForOrigin', quotaSize === undefined ? { origin } : { origin, quotaSize });
}

const problem = (replica: Replica, kind: string) => replica.pane.locator(`.problem[data-kind="${kind}"]`);

test('a full quota is told, what is there stays usable, and with room writes go on', { timeout: 60_000 }, () =>
  withApp(async ({ hub, device }) => {
    const context = await device();
    // A browser asks for its quota seldom while there is much room: so it is small from the start.
    const blank = await context.newPage();
    await setQuota(blank, hub.url, 300_000);
    const [left, right] = await open(context, hub, 'left', 'right');
    await left.add('Milk');
    await right.shows('Milk');
    const long = 'Bread '.repeat(70_000).trim();
    await left.add(`Salt\n${long}`);
    await problem(left, 'full').waitFor();
    assert.match(await left.part('problem-text').innerText(), /no more room/);
    assert.match(await left.pane.locator('[name="title"]').inputValue(), /^Salt\nBread/, 'what was typed is still there');
    await left.shows('Milk');

    await left.edit('Milk', 'title', 'Oat milk');
    await right.shows('Oat milk');
    await problem(left, 'full').waitFor({ state: 'hidden' });
    await left.page.reload();
    await left.shows('Oat milk');
    await left.is('standing', 'online');

    await setQuota(blank, hub.url);
    await left.add(`Salt\n${long}`);
    await left.shows('Oat milk', 'Salt', long);
    await right.shows('Oat milk', 'Salt', long);
  }),
);

test('whoever asks that it is kept is told what the browser says', { timeout: 60_000 }, () =>
  withApp(async ({ hub, device }) => {
    const context = await device();
    const [left] = await open(context, hub, 'left');
    await left.is('storage', 'best-effort');
    await left.part('persist').click();
    await left.pane.getByText('the browser declines').waitFor();
    await left.is('storage', 'best-effort');

    const session = await context.newCDPSession(left.page);
    const { targetInfo } = await session.send('Target.getTargetInfo');
    const where = { browserContextId: targetInfo.browserContextId!, origin: hub.url };
    await session.send('Browser.grantPermissions', { ...where, permissions: ['durableStorage'] });
    await left.page.reload();
    await left.is('storage', 'persistent');
    assert.match(await left.part('storage').innerText(), /for good/);
    await left.part('persist').waitFor({ state: 'hidden' });
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

test('where nothing may be stored it says so, and uses memory only when asked, visibly', { timeout: 60_000 }, () =>
  withApp(async ({ hub, device }) => {
    const context = await device();
    // As a browser does that lets no site store anything.
    await context.addInitScript(() => {
      const deny = () => {
        throw new DOMException('storage is not allowed', 'SecurityError');
      };
      IDBFactory.prototype.open = deny;
      Object.defineProperty(window, 'localStorage', { get: deny });
    });
    const [left] = await open(context, hub, 'left');
    await problem(left, 'unsupported').waitFor();
    assert.ok(await left.pane.locator('[name="title"]').isDisabled(), 'nothing is taken that would be lost');
    assert.equal(await left.pane.getAttribute('data-storage'), null);

    await left.part('use-memory').click();
    await left.is('storage', 'memory');
    assert.match(await left.part('storage').innerText(), /ends with this page/);
    await problem(left, 'unsupported').waitFor({ state: 'hidden' });
    await left.switch(false);
    await left.add('Milk');
    await left.is('pending', '1');
    await left.switch(true);
    const [elsewhere] = await open(await device(), hub, 'elsewhere');
    await elsewhere.shows('Milk');
    await left.page.reload();
    await problem(left, 'unsupported').waitFor();
  }),
);

test('without any IndexedDB it says so', { timeout: 60_000 }, () =>
  withApp(async ({ hub, device }) => {
    const context = await device();
    await context.addInitScript(() => Object.defineProperty(window, 'indexedDB', { value: undefined }));
    const [left] = await open(context, hub, 'left');
    await problem(left, 'unsupported').waitFor();
    assert.match(await left.part('problem-text').innerText(), /there is no IndexedDB here; keep the data in memory/);
    assert.ok(await left.part('use-memory').isVisible());
  }),
);
