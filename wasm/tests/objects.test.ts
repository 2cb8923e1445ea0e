import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  ConflictError,
  InvalidError,
  NotFoundError,
  Syncline,
  SynclineError,
  UnsupportedError,
} from 'syncline';

import { schema } from './schema.js';

const open = () => Syncline.open({ name: 'test', schema, storage: 'memory' });

test('a created object comes back with its key', async () => {
  const cities = (await open()).collection('city');
  const vila = await cities.create({ name: 'Vila', country: 'AD' });
  assert.match(vila.id, /^[0-9a-f-]{36}$/);
  assert.deepEqual(vila, { id: vila.id, name: 'Vila', country: 'AD' });
  assert.deepEqual(await cities.find(), [vila]);
  const { id } = await cities.create({ id: 'mine', name: 'Mine' });
  assert.equal(id, 'mine', 'a key that is given is kept');
});

test('values of every type come back as they were', async () => {
  const cities = (await open()).collection('city');
  const given = {
    name: 'Ürümqi 🏔 — 乌鲁木齐',
    country: '',
    founded: new Date('1884-11-17T00:00:00.123Z'),
    population: 4_054_369,
    lat: 43.825,
    capital: false,
    flag: new Uint8Array([0, 255, 128]),
    tags: { '': [1, 2.5, null, true, 'ü'], deep: { er: [] } },
    page: 'HTTPS://Example.COM/Path',
  };
  const { id, ...created } = await cities.create(given);
  assert.deepEqual(created, { ...given, page: 'https://example.com/Path' });
  assert.deepEqual(await cities.findOne({ id }), { id, ...created });
});

test('zero, false and empty text are not nothing, and null is', async () => {
  const cities = (await open()).collection('city');
  await cities.create({ id: 'a', name: '', population: 0, lat: -0, capital: false });
  await cities.create({ id: 'b', name: 'b', population: null, lat: undefined });
  assert.deepEqual(await cities.find(), [
    { id: 'a', name: '', population: 0, lat: 0, capital: false },
    { id: 'b', name: 'b' },
  ]);
  assert.equal(await cities.count({ population: null }), 1);
  assert.equal(await cities.count({ population: 0 }), 1);
});

test('whole numbers beyond what a number holds are bigints', async () => {
  const cities = (await open()).collection('city');
  for (const big of [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n]) {
    const { id } = await cities.create({ name: 'big', population: big });
    assert.equal((await cities.findOne({ id }))?.population as unknown, big);
    assert.equal(await cities.count({ population: big }), 1);
  }
  const small = await cities.create({ name: 'small', population: 7n });
  assert.equal(small.population, 7);
  await assert.rejects(cities.create({ name: 'x', population: 2 ** 53 }), InvalidError);
  await assert.rejects(cities.create({ name: 'x', population: 2n ** 63n }), InvalidError);
});

test('large numbers of floats come back as they were', async () => {
  const cities = (await open()).collection('city');
  for (const lat of [1e300, 2 ** 60, -(2 ** 53) - 2, Number.MIN_VALUE, 3]) {
    const { id } = await cities.create({ name: 'x', lat });
    assert.equal((await cities.findOne({ id }))?.lat, lat);
  }
});

test('what is no value is refused, with the field that holds it', async () => {
  const cities = (await open()).collection('city');
  const bad: [object, string][] = [
    [{ lat: NaN }, 'lat'],
    [{ lat: Infinity }, 'lat'],
    [{ founded: new Date('nonsense') }, 'founded'],
    [{ name: '\ud800' }, 'name'],
    [{ name: 7 }, 'name'],
    [{ population: 1.5 }, 'population'],
    [{ name: () => {} }, 'name'],
    [{ name: { a: 1 } }, 'name'],
    [{ tags: 1n }, 'tags'],
    [{ page: 'no url' }, 'page'],
    [{ nmae: 'x' }, 'nmae'],
  ];
  for (const [fields, field] of bad) {
    const error = await cities.create({ name: 'x', ...fields } as never).then(
      () => assert.fail(`took ${field}`),
      (error: unknown) => error as SynclineError,
    );
    assert.ok(error instanceof InvalidError, `${field}: ${error}`);
    assert.match(JSON.stringify({ ...error.context, message: error.message }), new RegExp(field));
  }
  assert.equal(await cities.count(), 0);
  const lacking = cities.create({} as never);
  await assert.rejects(lacking, /name/, 'a required field is missing');
});

test('filters find by all their words', async () => {
  const cities = (await open()).collection('city');
  await cities.createMany([
    { id: 'a', name: 'Andorra', country: 'AD', population: 3, founded: new Date(1000), flag: new Uint8Array([1]) },
    { id: 'b', name: 'Berlin', country: 'DE', population: 30, founded: new Date(2000), tags: { x: 1 } },
    { id: 'c', name: 'Calais', country: 'FR', population: 20, capital: true },
    { id: 'd', name: 'Bern' },
  ]);
  const ids = async (filter: Parameters<typeof cities.find>[0]) => {
    return (await cities.find(filter)).map((city) => city.id).join('');
  };
  assert.equal(await ids({}), 'abcd');
  assert.equal(await ids({ country: 'DE' }), 'b');
  assert.equal(await ids({ country: null }), 'd');
  assert.equal(await ids({ country: { $ne: 'DE' } }), 'acd');
  assert.equal(await ids({ population: { $gt: 3, $lte: 30 } }), 'bc');
  assert.equal(await ids({ population: { $gte: 3, $lt: 20 } }), 'a');
  assert.equal(await ids({ country: { $in: ['AD', 'FR', null] } }), 'acd');
  assert.equal(await ids({ country: { $nin: ['AD', 'FR'] } }), 'bd');
  assert.equal(await ids({ country: { $exists: false } }), 'd');
  assert.equal(await ids({ name: { $prefix: 'Ber' } }), 'bd');
  assert.equal(await ids({ name: { $not: { $prefix: 'Ber' } } }), 'ac');
  assert.equal(await ids({ $or: [{ id: 'a' }, { capital: true }] }), 'ac');
  assert.equal(await ids({ $and: [{ name: { $prefix: 'B' } }, { country: 'DE' }] }), 'b');
  assert.equal(await ids({ $not: { country: 'DE' } }), 'acd');
  assert.equal(await ids({ $keys: ['a', 'd', 'x'] }), 'ad');
  assert.equal(await ids({ founded: new Date(1000) }), 'a');
  assert.equal(await ids({ founded: { $gt: new Date(1000) } }), 'b');
  assert.equal(await ids({ flag: new Uint8Array([1]) }), 'a');
  assert.equal(await ids({ tags: { x: 1 } }), 'b');
});

test('an undefined value in a filter is refused: it would mean every object', async () => {
  const cities = (await open()).collection('city');
  await cities.create({ name: 'Vila' });
  const nobody: { id?: string } = {};
  await assert.rejects(cities.delete({ id: nobody.id } as never), InvalidError);
  await assert.rejects(cities.find({ $or: [undefined] } as never), InvalidError);
  assert.equal(await cities.count(), 1);
});

test('results come sorted, cut and narrowed as asked', async () => {
  const cities = (await open()).collection('city');
  await cities.createMany([
    { id: 'b', name: 'B', country: 'X' },
    { id: 'a', name: 'A', country: 'Y' },
    { id: 'c', name: 'C', country: 'X' },
  ]);
  const ids = (found: { id: string }[]) => found.map((city) => city.id).join('');
  assert.equal(ids(await cities.find({}, { order: '-name' })), 'cba');
  assert.equal(ids(await cities.find({}, { order: ['country', '-name'] })), 'cba');
  assert.equal(ids(await cities.find({}, { order: 'name', skip: 1, limit: 1 })), 'b');
  assert.deepEqual(await cities.find({ id: 'a' }, { select: ['name'] }), [{ id: 'a', name: 'A' }]);
  assert.deepEqual(await cities.findOne({}, { order: '-id', select: ['country'] }), { id: 'c', country: 'X' });
  assert.equal(await cities.findOne({ id: 'x' }), undefined);
  await assert.rejects(cities.find({}, { limit: -1 }), InvalidError);
});

test('updates set and empty fields, and deletes delete', async () => {
  const cities = (await open()).collection('city');
  await cities.createMany([
    { id: 'a', name: 'A', country: 'X' },
    { id: 'b', name: 'B', country: 'X' },
    { id: 'c', name: 'C' },
  ]);
  assert.equal(await cities.update({ country: 'X' }, { country: null, population: 5, name: undefined }), 2);
  assert.deepEqual(await cities.findOne({ id: 'a' }), { id: 'a', name: 'A', population: 5 });
  await assert.rejects(cities.update({ id: 'a' }, { id: 'z' } as never), InvalidError);
  await assert.rejects(cities.delete({ population: 5 }, { limit: 1 }), InvalidError);
  assert.equal(await cities.count(), 3, 'a delete that is too broad deletes nothing');
  assert.equal(await cities.delete({ population: 5 }), 2);
  assert.equal(await cities.delete({ population: 5 }), 0);
  assert.equal(await cities.count(), 1);
});

test('a taken key is a conflict, and so is a taken unique value', async () => {
  const db = await open();
  const countries = db.collection('country');
  await countries.create({ code: 'AD', name: 'Andorra' });
  const taken = await countries.create({ code: 'AD', name: 'Other' }).catch((error) => error);
  assert.ok(taken instanceof ConflictError && taken instanceof SynclineError && taken instanceof Error);
  assert.equal(taken.kind, 'conflict');
  assert.equal(taken.name, 'ConflictError');
  assert.equal(taken.context['collection'], 'country');
  assert.ok(!taken.isTemporary);
  const unique = await countries.create({ code: 'XX', name: 'Andorra' }).catch((error) => error);
  assert.ok(unique instanceof ConflictError);
  assert.ok(unique.guard, 'a conflict names the guard');
});

test('many objects are created together or not at all', async () => {
  const countries = (await open()).collection('country');
  const twice = [
    { code: 'A', name: 'a' },
    { code: 'A', name: 'b' },
  ];
  await assert.rejects(countries.createMany(twice), ConflictError);
  assert.equal(await countries.count(), 0);
  const many = Array.from({ length: 3000 }, (_, at) => ({ code: String(at).padStart(4, '0'), name: `n${at}` }));
  assert.deepEqual(await countries.createMany(many), many);
  assert.deepEqual(await countries.find(), many, 'more than one page');
});

test('compound keys name objects', async () => {
  const visits = (await open()).collection('visit');
  await visits.create({ day: '1', who: 'ann', note: 'x' });
  await visits.create({ day: '1', who: 'bob' });
  assert.deepEqual(await visits.find({ $keys: [{ day: '1', who: 'ann' }] }), [{ day: '1', who: 'ann', note: 'x' }]);
  assert.equal(await visits.update({ day: '1', who: 'bob' }, { note: 'y' }), 1);
});

test('a batch happens as a whole, and later steps use the keys of earlier ones', async () => {
  const db = await open();
  const done = await db
    .batch()
    .create('city', { name: 'Vila' }, { as: 'vila' })
    .create('sight', { title: 'Bridge' }, { as: 'bridge', replace: { city: 'vila' } })
    .create('country', { code: 'AD', name: 'Andorra' })
    .update('city', { name: 'Vila' }, { country: 'AD' })
    .guard('still one', 'country', { exists: 'AD' })
    .delete('sight', { title: 'nothing' })
    .run();
  const [vila, bridge] = [done.object<{ id: string }>('vila'), done.object<{ city: string }>('bridge')];
  assert.equal(bridge.city, vila.id);
  assert.deepEqual(done.outcomes.slice(2), ['AD', 1, undefined, 0]);
  assert.equal(done.outcomes[0], vila.id);
  assert.throws(() => done.object('nobody'), NotFoundError);

  const failing = db
    .batch()
    .delete('city', {})
    .guard('no Andorra', 'country', { absent: 'AD' });
  const error = await failing.run().catch((error) => error);
  assert.ok(error instanceof ConflictError);
  assert.equal(error.guard, 'no Andorra');
  assert.equal(await db.collection('city').count(), 1, 'nothing of it happened');
});

test('guards hold or fail a batch', async () => {
  const db = await open();
  await db.collection('country').create({ code: 'AD', name: 'Andorra' });
  const holds = async (...guard: [Parameters<ReturnType<typeof db.batch>['guard']>[2]]) =>
    db.batch().guard('g', 'country', guard[0] as never).run().then(() => true, (error) => error.guard !== 'g');
  assert.ok(await holds({ looks: { name: 'Andorra' }, key: 'AD' } as never));
  assert.ok(!(await holds({ looks: { name: 'Other' }, key: 'AD' } as never)));
  assert.ok(await holds({ unique: { name: 'Andorra' } } as never));
  assert.ok(!(await holds({ exists: 'XX' } as never)));
});

test('a mistake in a step is told when the batch is run, and nothing is written', async () => {
  const db = await open();
  const batch = db
    .batch()
    .create('country', { code: 'AD', name: 'Andorra' })
    .update('city', { id: undefined } as never, {});
  await assert.rejects(batch.run(), InvalidError);
  assert.equal(await db.collection('country').count(), 0);
});

test('a wrong name of a collection says so', async () => {
  const db = await open();
  assert.throws(() => db.collection('citty' as never), InvalidError);
});

test('a schema that is wrong says where', async () => {
  const wrong = { version: 1, collections: { a: { fields: { b: { type: 'strnig' } } } } } as const;
  const error = await Syncline.open({ name: 'x', schema: wrong as never, storage: 'memory' }).catch((error) => error);
  assert.ok(error instanceof InvalidError);
  assert.match(error.message, /collections\.a\.fields\.b\.type/);
});

test('where there is no IndexedDB, it says what to do', async () => {
  const error = await Syncline.open({ name: 'x', schema }).catch((error) => error);
  assert.ok(error instanceof UnsupportedError, String(error));
  assert.match(error.message, /memory/);
  const db = await Syncline.open({ name: 'x', schema, fallback: 'memory' });
  assert.equal((await db.storage()).mode, 'memory');
});

test('a closed database says that it is closed', async () => {
  const db = await open();
  const cities = db.collection('city');
  await db.close();
  await assert.rejects(cities.find(), InvalidError);
  await assert.rejects(db.status(), InvalidError);
  await db.close();
});
