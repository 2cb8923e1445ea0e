// What must and what must not compile. Nothing here is run: `tsc` is the test.

import { type Collection, ConflictError, type ObjectOf, type SyncEvent, Syncline, SynclineError } from 'syncline';

import { schema } from './schema.js';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function holds<_ extends true>(): void {}

type City = ObjectOf<typeof schema, 'city'>;
holds<
  Equal<
    City,
    {
      id: string;
      name: string;
      country?: string;
      founded?: Date;
      population?: number;
      lat?: number;
      capital?: boolean;
      flag?: Uint8Array;
      tags?: import('syncline').Json;
      page?: string;
    }
  >
>();
holds<Equal<ObjectOf<typeof schema, 'sight'>, { id: string; title: string; city: string }>>();
holds<Equal<ObjectOf<typeof schema, 'country'>, { code: string; name: string }>>();
holds<Equal<ObjectOf<typeof schema, 'visit'>, { day: string; who: string; note?: string }>>();

export async function database() {
  const db = await Syncline.open({ name: 'x', schema });
  const cities = db.collection('city');
  holds<Equal<Awaited<ReturnType<typeof cities.create>>, City>>();

  // Collections by name.
  // @ts-expect-error there is no such collection
  db.collection('citty');
  // @ts-expect-error nor with a type of one's own
  db.collection<{ id: string }>('citty');

  // Creating.
  await cities.create({ name: 'a' });
  await cities.create({ id: 'x', name: 'a', country: null, founded: new Date(), population: 5n, flag: new ArrayBuffer(1) });
  // @ts-expect-error a required field is missing
  await cities.create({});
  // @ts-expect-error a required field is not null
  await cities.create({ name: null });
  // @ts-expect-error there is no such field
  await cities.create({ name: 'a', nmae: 'b' });
  // @ts-expect-error of another type
  await cities.create({ name: 7 });
  // @ts-expect-error a date is no text
  await cities.create({ name: 'a', founded: '2026-01-01' });
  // @ts-expect-error what JSON cannot say is no JSON
  await cities.create({ name: 'a', tags: () => {} });
  // @ts-expect-error one of them is wrong
  await cities.createMany([{ name: 'a' }, { name: 1 }]);
  // @ts-expect-error the parent is required
  await db.collection('sight').create({ title: 'x' });
  await db.collection('sight').create({ title: 'x', city: 'vila' });
  // @ts-expect-error a key that the application gives is required
  await db.collection('visit').create({ day: 'x' });

  // Finding.
  await cities.find({ name: 'a', population: { $gt: 1, $lte: 2n }, country: null, founded: { $lt: new Date() } });
  await cities.find({ $or: [{ name: { $prefix: 'a' } }, { $not: { capital: true } }], $keys: ['a'] });
  await cities.find({ tags: { a: 1 }, flag: new Uint8Array() });
  // @ts-expect-error there is no such field
  await cities.find({ nmae: 'a' });
  // @ts-expect-error of another type
  await cities.find({ name: 5 });
  // @ts-expect-error nor inside a test
  await cities.find({ name: { $in: [5] } });
  // @ts-expect-error there is no such word
  await cities.find({ name: { $like: 'a' } });
  // @ts-expect-error only text begins with text
  await cities.find({ population: { $prefix: 'a' } });
  // @ts-expect-error not even deep inside
  await cities.find({ $and: [{ $or: [{ nmae: 'a' }] }] });
  // @ts-expect-error a key of another type
  await cities.find({ $keys: [5] });
  await db.collection('visit').find({ $keys: [{ day: 'a', who: 'b' }] });
  // @ts-expect-error undefined would mean every object
  await cities.delete({ id: undefined });

  // Options.
  await cities.find({}, { order: '-name', limit: 1, skip: 2 });
  await cities.find({}, { order: ['name', '-lat'] });
  // @ts-expect-error there is no such field to sort by
  await cities.find({}, { order: 'nmae' });
  // @ts-expect-error there is no such option
  await cities.find({}, { limits: 1 });
  const narrow = await cities.find({}, { select: ['name'] });
  holds<Equal<(typeof narrow)[number], Pick<City, 'name' | 'id'>>>();
  // @ts-expect-error it was not selected
  narrow[0]?.country;
  // @ts-expect-error there is no such field to select
  await cities.find({}, { select: ['nmae'] });
  const one = await cities.findOne({ name: 'a' });
  // @ts-expect-error there may be none
  one.name;

  // Updating.
  await cities.update({ id: 'x' }, { country: null, name: 'b' });
  // @ts-expect-error a key stays
  await cities.update({ id: 'x' }, { id: 'y' });
  // @ts-expect-error a required field cannot be emptied
  await cities.update({ id: 'x' }, { name: null });
  // @ts-expect-error of another type
  await cities.update({ id: 'x' }, { capital: 'yes' });
  // @ts-expect-error it must say which objects
  await cities.update();
  // @ts-expect-error nor are objects deleted by mistake
  await cities.delete();

  // Batches.
  await db
    .batch()
    .create('city', { name: 'a' }, { as: 'a' })
    .create('sight', { title: 'b' }, { replace: { city: 'a' } })
    .update('country', { code: 'AD' }, { name: 'Andorra' })
    .delete('visit', { day: 'x' }, { limit: 1 })
    .guard('g', 'country', { looks: { name: 'Andorra' }, key: 'AD' })
    .run();
  // @ts-expect-error of another type
  db.batch().create('city', { name: 1 });
  // @ts-expect-error the parent is neither given nor replaced
  db.batch().create('sight', { title: 'b' });
  // @ts-expect-error there is no such field to replace
  db.batch().create('sight', { title: 'b', city: 'c' }, { replace: { citty: 'a' } });
  // @ts-expect-error there is no such collection
  db.batch().delete('citty', {});

  // Watching.
  for await (const found of cities.watch({ country: 'AD' }, { order: 'name' })) {
    holds<Equal<typeof found, City[]>>();
  }
  // @ts-expect-error there is no such field
  cities.watch({ nmae: 'a' });
}

interface Own {
  id: string;
  name: string;
  tags?: { colour: 'red' | 'blue' };
}

export async function ownTypes() {
  const db = await Syncline.open({ name: 'x', schema });
  const cities = db.collection<Own>('city');
  holds<Equal<typeof cities, Collection<Own, 'id'>>>();
  await cities.create({ name: 'a', tags: { colour: 'red' } });
  // @ts-expect-error of another type
  await cities.create({ name: 'a', tags: { colour: 'green' } });
  // @ts-expect-error there is no such field
  await cities.find({ country: 'AD' });
  // @ts-expect-error a key stays
  await cities.update({}, { id: 'x' });
}

export async function schemas() {
  // Literals need no `as const`.
  const db = await Syncline.open({
    name: 'x',
    schema: { version: 1, collections: { note: { fields: { done: { type: 'boolean' } } } } },
  });
  await db.collection('note').create({ done: true });
  // @ts-expect-error of another type
  await db.collection('note').create({ done: 'yes' });
  await Syncline.open({
    name: 'x',
    // @ts-expect-error there is no such type of fields
    schema: { version: 1, collections: { note: { fields: { done: { type: 'bool' } } } } },
  });
  // @ts-expect-error a database has a name
  await Syncline.open({ schema });
  // @ts-expect-error there is no such storage
  await Syncline.open({ name: 'x', schema, storage: 'disk' });
}

export function errors(error: unknown) {
  if (error instanceof ConflictError) holds<Equal<typeof error.kind, 'conflict'>>();
  if (error instanceof SynclineError) {
    // @ts-expect-error there is no such kind
    return error.kind === 'conflicts';
  }
  return undefined;
}

export function events(event: SyncEvent) {
  if (event.type === 'finished') return event.report.received;
  // @ts-expect-error only a sync that has finished has a report
  return event.report;
}
