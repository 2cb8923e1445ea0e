import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Syncline, InvalidError } from 'syncline';

import { schema } from './schema.js';

const open = () => Syncline.open({ name: 'test', schema, storage: 'memory' });

test('a watch gives the answer, and again whenever it changed', async () => {
  const cities = (await open()).collection('city');
  const seen: string[][] = [];
  for await (const found of cities.watch({ country: 'AD' }, { order: 'name' })) {
    seen.push(found.map((city) => city.name));
    if (seen.length === 1) await cities.create({ name: 'Vila', country: 'AD' });
    if (seen.length === 2) {
      await cities.create({ name: 'Berlin', country: 'DE' });
      await cities.update({ name: 'Vila' }, { name: 'Andorra la Vella' });
    }
    if (seen.length === 3) await cities.delete({ country: 'AD' });
    if (seen.length === 4) break;
  }
  assert.deepEqual(seen, [[], ['Vila'], ['Andorra la Vella'], []]);
});

test('a subscriber is called until it is not any more', async () => {
  const cities = (await open()).collection('city');
  const heard: number[] = [];
  let wake = () => {};
  const end = cities.watch().subscribe((found) => {
    heard.push(found.length);
    wake();
  });
  const next = () => new Promise<void>((resolve) => (wake = resolve));
  await next();
  const second = next();
  await cities.create({ name: 'Vila' });
  await second;
  end();
  await cities.create({ name: 'Berlin' });
  await cities.count();
  assert.deepEqual(heard, [0, 1]);
});

test('whoever is slow gets the newest answer', async () => {
  const cities = (await open()).collection('city');
  const watch = cities.watch()[Symbol.asyncIterator]();
  assert.deepEqual((await watch.next()).value, []);
  for (let at = 0; at < 10; at++) await cities.create({ name: String(at) });
  assert.equal(((await watch.next()).value as unknown[]).length, 10);
  await watch.return?.(undefined);
});

test('closing the database ends its watches', async () => {
  const db = await open();
  const watch = db.collection('city').watch()[Symbol.asyncIterator]();
  await watch.next();
  const waiting = watch.next();
  await db.close();
  assert.deepEqual(await waiting, { done: true, value: undefined });
});

test('a question that makes no sense is refused at once', async () => {
  const cities = (await open()).collection('city');
  assert.throws(() => cities.watch({ nmae: 'x' } as never).subscribe(() => {}), InvalidError);
});
