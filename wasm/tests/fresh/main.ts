import { Syncline } from 'syncline';

const schema = {
  version: 1,
  collections: { city: { fields: { name: { type: 'string' }, founded: { type: 'datetime', optional: true } } } },
} as const;

const db = await Syncline.open({ name: 'fresh', schema });
const cities = db.collection('city');
const { id } = await cities.create({ name: 'Vila', founded: new Date(0) });
const found = await cities.findOne({ id });
const year: number | undefined = found?.founded?.getUTCFullYear();
const { mode } = await db.storage();

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
worker.onmessage = ({ data }) => {
  document.title = `${found?.name} ${year} ${mode} ${data}`;
};
