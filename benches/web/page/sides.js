// The sides of the comparison: each opens an empty database, and knows the same few verbs.

import Dexie from 'dexie';
import { defineSchema, Syncline } from 'syncline';

/** IndexedDB as one would write it by hand. */
async function raw(name, durability) {
  const asked = indexedDB.open(name, 1);
  asked.onupgradeneeded = () => {
    asked.result.createObjectStore('record', { keyPath: 'id' }).createIndex('priority', 'priority');
  };
  const db = await done(asked);
  const write = (work) =>
    new Promise((resolve, reject) => {
      const transaction = db.transaction('record', 'readwrite', { durability });
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
      work(transaction.objectStore('record'));
      transaction.commit?.();
    });
  const store = () => db.transaction('record').objectStore('record');
  return {
    create: (record) => write((store) => store.add(record)),
    createAll: (records) => write((store) => records.forEach((record) => store.add(record))),
    read: (id) => done(store().get(id)),
    range: (from, to) => done(store().index('priority').getAll(IDBKeyRange.bound(from, to, false, true))),
    retitle: (id, title) =>
      new Promise((resolve, reject) => {
        const transaction = db.transaction('record', 'readwrite', { durability });
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error);
        const store = transaction.objectStore('record');
        const found = store.get(id);
        found.onsuccess = () => {
          store.put({ ...found.result, title });
          transaction.commit?.();
        };
      }),
    close: async () => {
      db.close();
      await done(indexedDB.deleteDatabase(name));
    },
  };
}

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Dexie, which has no log of changes. */
async function dexie(name, durability) {
  const db = new Dexie(name, { chromeTransactionDurability: durability });
  db.version(1).stores({ record: 'id, priority' });
  await db.open();
  return {
    create: (record) => db.record.add(record),
    createAll: (records) => db.record.bulkAdd(records),
    read: (id) => db.record.get(id),
    range: (from, to) => db.record.where('priority').between(from, to).toArray(),
    retitle: (id, title) => db.record.update(id, { title }),
    close: () => db.delete(),
  };
}

export const schema = defineSchema({
  version: 1,
  collections: {
    record: {
      fields: {
        title: { type: 'string' },
        body: { type: 'text' },
        done: { type: 'boolean' },
        priority: { type: 'int' },
        updated: { type: 'int' },
      },
      indices: [{ field: 'priority' }],
    },
  },
});

/** Syncline, with every write in its log. */
async function syncline(name, durability) {
  const db = await Syncline.open({ name, schema, durability });
  const record = db.collection('record');
  return {
    create: (one) => record.create(one),
    createAll: (all) => record.createMany(all),
    read: (id) => record.findOne({ id }),
    range: (from, to) => record.find({ priority: { $gte: from, $lt: to } }),
    retitle: (id, title) => record.update({ id }, { title }),
    close: async () => {
      await db.close();
      await Syncline.delete(name);
    },
  };
}

export const sides = { raw, dexie, syncline };
