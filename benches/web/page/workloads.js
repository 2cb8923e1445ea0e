// The workloads, by the names under which they are known. `run` is called from outside.

import { Syncline } from 'syncline';

import { Dice, records, sum } from './records.js';
import { schema, sides } from './sides.js';

const MANY = 10_000;
const SINGLE = 500;
const READS = 1_000;
const QUERIES = 200;

async function timed(times, work) {
  const started = performance.now();
  await work();
  return (times * 1000) / (performance.now() - started);
}

/** What one side reaches, as times per second. */
async function once(open, durability, round) {
  const name = (what) => `bench-${what}-${durability}-${round}`;
  const [single, many] = [records(SINGLE, 1), records(MANY, 2)];
  const dice = new Dice(3);
  const chosen = dice.shuffled(many);

  const one = await open(name('one'), durability);
  const W1 = await timed(SINGLE, async () => {
    for (const record of single) await one.create(record);
  });
  await one.close();

  const all = await open(name('all'), durability);
  const W1b = await timed(MANY, () => all.createAll(many));
  let seen = 0;
  const W2 = await timed(READS, async () => {
    for (const { id } of chosen.slice(0, READS)) seen += sum(await all.read(id));
  });
  const W2b = await timed(QUERIES, async () => {
    for (let at = 0; at < QUERIES; at += 1) {
      const from = (at * 7919) % (MANY - 100);
      const found = await all.range(from, from + 100);
      if (found.length !== 100) throw new Error(`${found.length} records instead of 100`);
      for (const record of found) seen += sum(record);
    }
  });
  const W3s = await timed(SINGLE, async () => {
    for (const { id } of chosen.slice(0, SINGLE)) await all.retitle(id, dice.text(24));
  });
  const changed = await all.read(chosen[0].id);
  if (changed.title === chosen[0].title || !(seen > 0)) throw new Error('something else was done');
  await all.close();
  return { W1, W1b, W2, W2b, W3s };
}

/** All sides in turn, so many times; whoever goes first is another one each time. */
window.run = async (rounds, durability) => {
  const names = Object.keys(sides);
  const all = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(turn + round) % names.length];
      all[name].push(await once(sides[name], durability, round));
    }
  }
  return all;
};

/** Milliseconds from `open` to a first write that is durable; in a page that has loaded nothing of it yet. */
window.firstWrite = async () => {
  const started = performance.now();
  const db = await Syncline.open({ name: 'first-write', schema });
  await db.collection('record').create(records(1, 4)[0]);
  const took = performance.now() - started;
  await db.close();
  await Syncline.delete('first-write');
  return took;
};

/** Milliseconds that an empty database needs for its first sync of 10,000 records, and the sender's before. */
window.firstSync = async (url) => {
  const open = (name) => Syncline.open({ name, schema, durability: 'relaxed' });
  const [here, there] = [await open('sync-here'), await open('sync-there')];
  await here.collection('record').createMany(records(MANY, 5));
  let started = performance.now();
  await here.sync({ url });
  const sent = performance.now() - started;
  started = performance.now();
  await there.sync({ url });
  const received = performance.now() - started;
  const count = await there.collection('record').count();
  if (count !== MANY || (await here.fingerprint()) !== (await there.fingerprint())) {
    throw new Error(`${count} records came, or they are not the same`);
  }
  for (const db of [here, there]) await db.close();
  for (const name of ['sync-here', 'sync-there']) await Syncline.delete(name);
  return { sent, received };
};
