// A schema with a field of each type, for all tests.

import { defineSchema } from 'syncline';

export const schema = defineSchema({
  version: 1,
  collections: {
    city: {
      fields: {
        name: { type: 'string' },
        country: { type: 'string', optional: true },
        founded: { type: 'datetime', optional: true },
        population: { type: 'int', optional: true },
        lat: { type: 'float', optional: true },
        capital: { type: 'boolean', optional: true },
        flag: { type: 'binary', optional: true },
        tags: { type: 'json', optional: true },
        page: { type: 'url', optional: true },
      },
      indices: [{ field: 'country' }],
    },
    sight: {
      fields: { title: { type: 'text' } },
      relationships: [{ childOf: 'city' }],
    },
    country: {
      fields: { code: { type: 'string' }, name: { type: 'string' } },
      indices: [
        { field: 'code', pk: true },
        { field: 'name', unique: true },
      ],
    },
    visit: {
      fields: { day: { type: 'string' }, who: { type: 'string' }, note: { type: 'text', optional: true } },
      indices: [{ field: ['day', 'who'], pk: true }],
    },
  },
});
