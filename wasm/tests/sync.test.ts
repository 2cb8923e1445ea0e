import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { DeniedError, InvalidError, type SyncEvent, Syncline, UnavailableError } from 'syncline';

import { type Hub, startHub } from './hub.js';
import { schema } from './schema.js';

let hub: Hub;
before(async () => (hub = await startHub()));
after(() => hub[Symbol.asyncDispose]());

/** Databases of one group, which nobody else has. */
function opener() {
  const group = `group-${Math.random()}`;
  return () => Syncline.open({ name: 'test', schema, storage: 'memory', group });
}

test('two databases that sync with a hub show the same', async () => {
  const open = opener();
  const [phone, laptop] = [await open(), await open()];
  const vila = await phone.collection('city').create({
    name: 'Vila',
    founded: new Date(0),
    flag: new Uint8Array([1, 2]),
    tags: [1, 'two'],
    population: 2n ** 60n,
  });
  const sent = await phone.sync({ url: hub.url });
  assert.equal(sent.shared, 1);
  assert.ok(sent.finished);
  const got = await laptop.sync({ url: hub.url });
  assert.equal(got.integrated, 1);
  assert.deepEqual(await laptop.collection('city').find(), [vila]);
  assert.equal(await laptop.fingerprint(), await phone.fingerprint());

  await laptop.collection('city').update({ id: vila.id }, { country: 'AD' });
  assert.notEqual(await laptop.fingerprint(), await phone.fingerprint());
  await laptop.sync({ url: hub.url });
  await phone.sync({ url: hub.url });
  assert.equal((await phone.collection('city').findOne())?.country, 'AD');
});

test('what lost against a concurrent write is told, and taken once', async () => {
  const open = opener();
  const [phone, laptop] = [await open(), await open()];
  const { id } = await phone.collection('city').create({ name: 'Vila', founded: new Date(1) });
  await phone.sync({ url: hub.url });
  await laptop.sync({ url: hub.url });
  await phone.collection('city').update({ id }, { founded: new Date(2) });
  await laptop.collection('city').update({ id }, { founded: new Date(3) });
  await phone.sync({ url: hub.url });
  await laptop.sync({ url: hub.url });

  const [lost] = await laptop.discards();
  assert.ok(lost);
  assert.deepEqual([lost.collection, lost.key, lost.field, lost.concurrent], ['city', id, 'founded', true]);
  // Both wrote in one millisecond, perhaps: then chance decides, and everybody agrees with it.
  const stands = (await laptop.collection('city').findOne({ id }))?.founded;
  assert.deepEqual(new Set([lost.lost, stands].map(Number)), new Set([2, 3]));
  assert.ok(lost.loser.at instanceof Date && lost.loser.replica !== lost.winner.replica);
  assert.equal((await laptop.status()).discards, 1);
  assert.deepEqual(await laptop.takeDiscards(), [lost]);
  assert.deepEqual(await laptop.takeDiscards(), []);
});

test('what merging left doubtful is listed', async () => {
  const open = opener();
  const [phone, laptop] = [await open(), await open()];
  await phone.collection('country').create({ code: 'AD', name: 'Andorra' });
  await laptop.collection('country').create({ code: 'AN', name: 'Andorra' });
  await phone.sync({ url: hub.url });
  await laptop.sync({ url: hub.url });
  const doubts = await laptop.doubts();
  assert.deepEqual(doubts, [
    { kind: 'not-unique', collection: 'country', key: 'AN', fields: ['name'], other: 'AD' },
  ]);
});

test('status tells what waits and how it went', async () => {
  const db = await opener()();
  await db.collection('city').create({ name: 'Vila' });
  const before = await db.status();
  assert.deepEqual([before.written, before.pending, before.remotes], [1, 1, []]);
  assert.ok(before.oldestPending !== undefined && before.oldestPending < 60_000);
  assert.match(before.replica, /^[0-9a-f]{32}$/);
  await db.sync({ url: hub.url });
  const { pending, remotes, ...status } = await db.status();
  assert.equal(pending, 0);
  assert.ok(!('oldestPending' in status));
  assert.ok(remotes[0]?.name.startsWith(hub.url));
  assert.ok(remotes[0]?.lastSuccess instanceof Date);
  assert.equal(remotes[0]?.lastError, undefined);
});

test('a hub out of reach is a temporary failure, and nothing is lost', async () => {
  const db = await opener()();
  await db.collection('city').create({ name: 'Vila' });
  const error = await db.sync({ url: 'http://127.0.0.1:1' }).catch((error) => error);
  assert.ok(error instanceof UnavailableError && error.isTemporary, String(error));
  const { pending, remotes } = await db.status();
  assert.equal(pending, 1);
  assert.match(remotes[0]?.lastError?.message ?? '', /\w/);
  assert.ok(remotes[0]?.lastError?.at instanceof Date);
  await assert.rejects(db.sync({ url: 'nowhere' }), InvalidError);
});

test('a token is asked for when it is needed, and again when it is refused', async () => {
  const closed = await startHub({ tokens: true });
  try {
    const db = await opener()();
    await assert.rejects(db.sync({ url: closed.url }), DeniedError);
    const asked: (string | undefined)[] = [];
    const good = closed.token();
    const token = async (refused?: string) => {
      asked.push(refused);
      return refused === undefined ? 'an old one' : good;
    };
    await db.collection('city').create({ name: 'Vila' });
    assert.equal((await db.sync({ url: closed.url, token })).shared, 1);
    assert.ok(asked.includes(undefined) && asked.includes('an old one'), String(asked));

    const failing = await db.sync({ url: closed.url, token: () => Promise.reject(new Error('no login')) }).catch((e) => e);
    assert.ok(failing instanceof UnavailableError);
    assert.match(failing.message, /no login/);
    await assert.rejects(db.sync({ url: closed.url, token: () => undefined }), DeniedError);
  } finally {
    await closed[Symbol.asyncDispose]();
  }
});

test('a sync that goes on sends what is written and shows what arrives', { timeout: 30_000 }, async () => {
  const open = opener();
  const [phone, laptop] = [await open(), await open()];
  const events: SyncEvent[] = [];
  const there = phone.startSync({ url: hub.url, onEvent: (event) => events.push(event) });
  const here = laptop.startSync({ url: hub.url });
  const arrived = (async () => {
    for await (const found of laptop.collection('city').watch()) if (found.length > 0) return found;
    return [];
  })();
  const vila = await phone.collection('city').create({ name: 'Vila' });
  assert.deepEqual(await arrived, [vila]);
  await there.stop();
  await here.stop();
  const types = events.map((event) => event.type);
  assert.deepEqual([types[0], types.at(-1)], ['started', 'stopped']);
  assert.ok(types.includes('finished'));
  there.syncNow();
});

test('a sync that is denied pauses, and goes on with another token', { timeout: 30_000 }, async () => {
  const closed = await startHub({ tokens: true });
  try {
    const db = await opener()();
    await db.collection('city').create({ name: 'Vila' });
    let token = 'an old one';
    const sync = db.startSync({ url: closed.url, token: () => token });
    const paused = await new Promise<SyncEvent>((resolve) => sync.on('paused', resolve));
    assert.deepEqual(paused, { type: 'paused', why: 'denied' });
    assert.equal((await db.status()).pending, 1, 'what was written waits');
    token = closed.token();
    sync.resume();
    await new Promise<void>((resolve) => sync.on('finished', () => resolve()));
    assert.equal((await db.status()).pending, 0);
    await sync.stop();
  } finally {
    await closed[Symbol.asyncDispose]();
  }
});

test('events come to those who ask for them, one by one', { timeout: 30_000 }, async () => {
  const db = await opener()();
  const sync = db.startSync({ url: hub.url });
  const first = await new Promise((resolve) => sync.on('finished', (event) => resolve(event.report.finished)));
  assert.equal(first, true);
  const types: string[] = [];
  const all = (async () => {
    for await (const event of sync.events()) types.push(event.type);
  })();
  sync.pause();
  await new Promise<void>((resolve) => sync.on('paused', () => resolve()));
  sync.resume();
  await new Promise<void>((resolve) => sync.on('finished', () => resolve()));
  await db.close();
  await all;
  assert.deepEqual(types.slice(0, 2), ['paused', 'resumed']);
  assert.equal(types.at(-1), 'stopped');
});

test('a hub that comes back is used again', { timeout: 60_000 }, async () => {
  const own = await startHub();
  try {
    const db = await opener()();
    const sync = db.startSync({ url: own.url });
    const next = (type: SyncEvent['type']) =>
      new Promise<void>((resolve) => {
        const off = sync.on(type, () => (off(), resolve()));
      });
    await next('finished');
    await own.kill();
    const offline = next('offline');
    await db.collection('city').create({ name: 'Vila' });
    await offline;
    const online = next('online');
    await own.start();
    sync.resume();
    await online;
    assert.equal((await db.status()).pending, 0);
    await sync.stop();
  } finally {
    await own[Symbol.asyncDispose]();
  }
});
