import assert from 'node:assert/strict';
import { test } from 'node:test';

import { open, type Replica, withApp } from './app.js';

const LINES = 300;

/** Begins to add many items and reloads after so many turns of the page; answers whether they were confirmed by then. */
async function addAndReload(replica: Replica, title: string, turns: number): Promise<boolean> {
  const lines = Array.from({ length: LINES }, (_, at) => `${title} ${at}`).join('\n');
  await replica.pane.locator('[name="title"]').fill(lines);
  const reloaded = replica.page.waitForEvent('load');
  await replica.page.evaluate(
    ([name, turns]) => {
      const pane = document.querySelector(`[data-replica="${name}"]`)!;
      const { port1, port2 } = new MessageChannel();
      let turn = 0;
      port1.onmessage = () => {
        if (turn++ < turns) return port2.postMessage(turn);
        // It is empty as soon as everything is written.
        const typed = pane.querySelector<HTMLTextAreaElement>('[name="title"]')!.value;
        sessionStorage.setItem('confirmed', String(typed === ''));
        location.reload();
      };
      pane.querySelector<HTMLButtonElement>('[type="submit"]')!.click();
      port2.postMessage(turn);
    },
    [replica.name, turns] as const,
  );
  await reloaded;
  return replica.page.evaluate(() => sessionStorage.getItem('confirmed') === 'true');
}

test('a page that is reloaded in the middle of a write has all of it or nothing', { timeout: 120_000 }, (t) =>
  withApp(async ({ hub, device }) => {
    const [here, there] = await open(await device(), hub, 'here', 'there');
    await there.switch(false);
    await here.add('first');
    await here.shows('first');
    const seen: string[] = [];
    let kept = 1;
    for (const turns of [0, 1, 5, 20, 300]) {
      const confirmed = await addAndReload(here, `after ${turns}`, turns);
      await here.pane.locator('[name="title"]:enabled').waitFor();
      await here.pane.locator('.item').nth(kept - 1).waitFor();
      // The first answer holds everything that was written before the page was opened.
      const titles = await here.titles();
      const those = titles.filter((title) => title.startsWith(`after ${turns} `)).length;
      assert.ok(those === 0 || those === LINES, `${those} of ${LINES} items after ${turns} turns`);
      assert.ok(!confirmed || those === LINES, `a confirmed write is gone after ${turns} turns`);
      assert.equal(titles.length, kept + those, 'what was there before is there');
      kept = titles.length;
      seen.push(`${turns}: ${confirmed ? 'confirmed' : those > 0 ? 'written' : 'nothing'}`);
    }
    t.diagnostic(seen.join(', '));
    await there.switch(true);
    await there.shows(...(await here.titles()));
  }),
);
