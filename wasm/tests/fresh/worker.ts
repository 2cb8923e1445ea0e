import { Syncline } from 'syncline';

const schema = {
  version: 1,
  collections: { city: { fields: { name: { type: 'string' }, founded: { type: 'datetime', optional: true } } } },
} as const;

const db = await Syncline.open({ name: 'fresh', schema });
self.postMessage(await db.collection('city').count({ name: 'Vila' }));
