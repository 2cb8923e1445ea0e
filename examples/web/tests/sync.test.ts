import assert from 'node:assert/strict';
import { test } from 'node:test';

import { withApp } from './app.js';
import { open, type Replica } from './replica.js';

/** Both have the item, and the hub has it from the first one. */
async function begin(one: Replica, other: Replica): Promise<void> {
  await one.add('Milk');
  await one.shows('Milk');
  await other.shows('Milk');
  await one.is('pending', '0');
}

/** Both change the same item while neither hears of the other; the second one's title is the later one. */
async function disagree(one: Replica, other: Replica): Promise<void> {
  await one.edit('Milk', 'title', 'Oat milk');
  await one.is('pending', '1');
  await one.edit('Oat milk', 'amount', '2 l');
  await one.is('pending', '2');
  await other.edit('Milk', 'title', 'Soy milk');
  await other.is('pending', '1');
  await (await other.item('Soy milk')).locator('[data-part="done"]').check();
  await other.is('pending', '2');
}

/** Both show every field that one of them wrote, and the title that lost. */
async function agree(one: Replica, other: Replica): Promise<void> {
  for (const replica of [one, other]) {
    await replica.showsOnly('Soy milk', '2 l', true);
    await replica.is('pending', '0');
    const lost = replica.pane.locator('.loss');
    await lost.filter({ hasText: 'Oat milk' }).waitFor();
    assert.equal(await lost.count(), 1);
  }
}

/** What lost is put back on both, and taken note of on one. */
async function putBack(one: Replica, other: Replica): Promise<void> {
  await one.part('restore').click();
  await one.shows('Oat milk');
  await other.shows('Oat milk');
  await one.part('restore').waitFor({ state: 'hidden' });
  await one.part('noted').click();
  await one.part('conflicts').waitFor({ state: 'hidden' });
  assert.ok(await other.part('conflicts').isVisible());
}

test('two panes that were offline agree, show what lost, and can put it back', { timeout: 60_000 }, () =>
  withApp(async ({ hub, device }) => {
    const [left, right] = await open(await device(), hub, 'left', 'right');
    const agreement = left.page.locator('#agreement');
    await begin(left, right);
    await left.switch(false);
    await right.switch(false);
    await disagree(left, right);
    await agreement.filter({ hasText: 'differ' }).waitFor();
    await left.page.reload();
    await left.is('standing', 'offline');
    await right.shows('Soy milk');
    await left.switch(true);
    await right.switch(true);
    await agreement.filter({ hasText: 'the same' }).waitFor();
    await agree(left, right);
    await putBack(left, right);
  }),
);

test('two devices without a network say so, go on, and agree when it is back', { timeout: 60_000 }, () =>
  withApp(async ({ hub, device }) => {
    const [home, shop] = [await device(), await device()];
    const [[one], [other]] = [await open(home, hub, 'home'), await open(shop, hub, 'shop')];
    await begin(one, other);
    await home.setOffline(true);
    await shop.setOffline(true);
    await disagree(one, other);
    await one.is('standing', 'unreachable');
    await other.is('standing', 'unreachable');
    await home.setOffline(false);
    await shop.setOffline(false);
    await one.is('standing', 'online');
    await agree(one, other);
    assert.match(await other.pane.locator('.loss').innerText(), /another device wrote it, shop wrote later/);
  }),
);

test('what a hub that was killed missed is sent when it is back', { timeout: 60_000 }, () =>
  withApp(async ({ hub, device }) => {
    const [left, right] = await open(await device(), hub, 'left', 'right');
    await left.is('standing', 'online');
    await hub.kill();
    await left.add('Milk');
    await left.is('standing', 'unreachable');
    await left.is('pending', '1');
    await hub.start();
    await right.shows('Milk');
    await left.is('pending', '0');
  }),
);
