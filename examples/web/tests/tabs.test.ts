import assert from 'node:assert/strict';
import { test } from 'node:test';

import { withApp } from './app.js';
import { open, type Replica } from './replica.js';

/** Waits until one of the tabs syncs, and gives it and the others. */
async function leader(tabs: Replica[]): Promise<[Replica, Replica[]]> {
  const first = await Promise.any(tabs.map((tab) => tab.is('leading', 'true').then(() => tab)));
  return [first, tabs.filter((tab) => tab !== first)];
}

test('of three tabs one syncs, and when it crashes another one does', { timeout: 60_000 }, (t) =>
  withApp(async ({ hub, device }) => {
    const [phone, laptop] = [await device(), await device()];
    const tabs: Replica[] = [];
    for (let tab = 0; tab < 3; tab++) tabs.push(...(await open(phone, hub, 'phone')));
    const [elsewhere] = await open(laptop, hub, 'laptop');
    const [first, others] = await leader(tabs);
    const [second, third] = others as [Replica, Replica];
    await second.add('Milk');
    for (const replica of [...tabs, elsewhere]) await replica.shows('Milk');
    await second.is('leading', 'false');
    await third.is('leading', 'false');

    const session = await phone.newCDPSession(first.page);
    const gone = new Promise((resolve) => first.page.once('crash', resolve));
    void session.send('Page.crash').catch(() => {});
    await gone;
    const begun = performance.now();
    await second.add('Bread');
    const [next] = await leader(others);
    t.diagnostic(`another tab synced after ${Math.round(performance.now() - begun)} ms`);
    await elsewhere.shows('Milk', 'Bread');
    t.diagnostic(`what was written meanwhile arrived after ${Math.round(performance.now() - begun)} ms`);
    await elsewhere.add('Salt');
    for (const replica of others) await replica.shows('Milk', 'Bread', 'Salt');
    const leading = others.map((tab) => tab.pane.getAttribute('data-leading'));
    assert.deepEqual((await Promise.all(leading)).sort(), ['false', 'true']);
    assert.ok(others.includes(next));
  }),
);

test('a switch that is turned in one tab is turned in all of them', { timeout: 60_000 }, () =>
  withApp(async ({ hub, device }) => {
    const phone = await device();
    const [[one], [other]] = [await open(phone, hub, 'phone'), await open(phone, hub, 'phone')];
    const [elsewhere] = await open(await device(), hub, 'laptop');
    await elsewhere.is('standing', 'online');
    await one.switch(false);
    await other.is('standing', 'offline');
    await one.add('Milk');
    await other.shows('Milk');
    await other.is('pending', '1');
    await other.switch(true);
    await one.is('standing', 'online');
    await elsewhere.shows('Milk');
  }),
);
