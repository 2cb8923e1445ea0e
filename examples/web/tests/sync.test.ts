import assert from 'node:assert/strict';
import { test } from 'node:test';

import { open, type Replica, withApp } from './app.js';

/** Both change the same item while neither hears of the other. */
async function disagree(one: Replica, other: Replica): Promise<void> {
  await one.edit('Milk', 'title', 'Oat milk');
  await one.edit('Oat milk', 'amount', '2 l');
  await other.edit('Milk', 'title', 'Soy milk');
  await (await other.item('Soy milk')).locator('[data-part="done"]').check();
  await one.is('pending', '2');
  await other.is('pending', '2');
}

/** Both show one title, and each field that one of them wrote; and the title that lost, with the way back. */
async function agree(one: Replica, other: Replica): Promise<void> {
  await one.part('lost').filter({ visible: true }).or(other.part('lost').filter({ visible: true })).first().waitFor();
  await Promise.all([one.is('pending', '0'), other.is('pending', '0')]);
  const loss = one.page.locator('.loss').or(other.page.locator('.loss')).first();
  await loss.waitFor();
  const [title] = await one.titles();
  assert.ok(title === 'Oat milk' || title === 'Soy milk', title);
  await other.shows(title);
  for (const replica of [one, other]) {
    const row = await replica.item(title);
    assert.equal(await row.locator('[data-part="amount"]').inputValue(), '2 l');
    assert.ok(await row.locator('[data-part="done"]').isChecked());
  }
}

test('two panes that were offline agree, say what lost, and can put it back', { timeout: 60_000 }, () =>
  withApp(async ({ hub, device }) => {
    const [left, right] = (await open(await device(), hub)) as [Replica, Replica];
    const agreement = left.page.locator('#agreement');
    await left.add('Milk');
    await right.shows('Milk');
    await left.switch(false);
    await right.switch(false);
    await disagree(left, right);
    await agreement.filter({ hasText: 'differ' }).waitFor();
    await left.switch(true);
    await right.switch(true);
    await agreement.filter({ hasText: 'the same' }).waitFor();
    await agree(left, right);
  }),
);
