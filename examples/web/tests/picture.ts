// The picture in the documentation: `node …/picture.js FILE`, with the command's path in `SYNCLINE`.

import { launch } from '../../../wasm/tests/browser.js';
import { startHub } from '../../../wasm/tests/hub.js';
import { dist, open } from './replica.js';

const file = process.argv[2] ?? 'web.png';
const hub = await startHub({ args: ['--app', dist] });
const browser = await launch();
const context = await browser.newContext({ viewport: { width: 1120, height: 720 }, deviceScaleFactor: 1.5, locale: 'en-GB' });
const [left, right] = await open(context, hub, 'left', 'right');
await left.add('Coffee beans\nTomatoes\nBasil\nBread');
await right.shows('Coffee beans', 'Tomatoes', 'Basil', 'Bread');
await left.edit('Tomatoes', 'amount', '6');
await (await right.item('Bread')).locator('[data-part="done"]').check();
await left.pane.locator('.is-done').waitFor();
await left.is('pending', '0');
await left.switch(false);
await right.switch(false);
await left.edit('Basil', 'title', 'Parsley');
await left.is('pending', '1');
await right.edit('Basil', 'title', 'Fresh basil');
await right.edit('Coffee beans', 'amount', '500 g');
await right.is('pending', '2');
await left.switch(true);
await right.switch(true);
await left.shows('Coffee beans', 'Tomatoes', 'Fresh basil', 'Bread');
await left.pane.locator('.loss').waitFor();
await right.pane.locator('.loss').waitFor();
// One of them is offline again, and ahead.
await right.switch(false);
await right.add('Olive oil');
await right.is('pending', '1');
await left.page.locator('#agreement').filter({ hasText: 'differ' }).waitFor();
await left.page.screenshot({ path: file, fullPage: true });
await browser.close();
await hub[Symbol.asyncDispose]();
