import assert from 'node:assert/strict';
import { test } from 'node:test';

import { withApp } from './app.js';
import { open, type Replica } from './replica.js';

const LINES = 300;

/** When a page is reloaded: so many of its turns after a write began, before it began, or when it was confirmed. */
type When = number | 'before' | 'confirmed';

/** Adds many items and reloads; answers whether they were confirmed by then. */
async function addAndReload(replica: Replica, when: When): Promise<boolean> {
  const lines = Array.from({ length: LINES }, (_, at) => `${when}: ${at}`).join('\n');
  await replica.pane.locator('[name="title"]').fill(lines);
  const reloaded = replica.page.waitForEvent('load');
  // A slow device: there is time to reload while it writes.
  const session = await replica.page.context().newCDPSession(replica.page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: 8 });
  await replica.page.evaluate(
    ([name, when]) => {
      const pane = document.querySelector(`[data-replica="${name}"]`)!;
      const isConfirmed = () => pane.querySelector<HTMLTextAreaElement>('[name="title"]')!.value === '';
      const { port1, port2 } = new MessageChannel();
      let turn = 0;
      port1.onmessage = () => {
        if (when === 'confirmed' ? !isConfirmed() : turn++ < Number(when)) return port2.postMessage('turn');
        sessionStorage.setItem('confirmed', String(isConfirmed()));
        location.reload();
      };
      if (when === 'before') {
        sessionStorage.setItem('confirmed', 'false');
        location.reload();
      } else port2.postMessage('turn');
      pane.querySelector<HTMLButtonElement>('[type="submit"]')!.click();
    },
    [replica.name, when] as const,
  );
  await reloaded;
  await session.send('Emulation.setCPUThrottlingRate', { rate: 1 });
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
    for (const when of ['before', 0, 3, 'confirmed'] as const) {
      const confirmed = await addAndReload(here, when);
      await here.pane.locator('[name="title"]:enabled').waitFor();
      // The first answer holds everything that was written before the page was opened.
      await here.pane.locator('.item').nth(kept - 1).waitFor();
      const titles = await here.titles();
      const those = titles.filter((title) => title.startsWith(`${when}: `)).length;
      assert.ok(those === 0 || those === LINES, `${those} of ${LINES} items, reloaded at ${when}`);
      assert.ok(!confirmed || those === LINES, `a confirmed write is gone, reloaded at ${when}`);
      assert.equal(titles.length, kept + those, 'what was there before is there');
      kept = titles.length;
      seen.push(`${when}: ${confirmed ? 'confirmed' : those > 0 ? 'written' : 'nothing'}`);
    }
    assert.equal(seen.at(-1), 'confirmed: confirmed');
    t.diagnostic(seen.join(', '));
    await there.switch(true);
    await there.shows(...(await here.titles()));
  }),
);
