// The list: what an item is, and a replica of all of them.

import { type ObjectOf, Syncline, defineSchema } from 'syncline';

const schema = defineSchema({
  version: 1,
  collections: {
    item: {
      fields: {
        title: { type: 'string' },
        amount: { type: 'string', optional: true },
        done: { type: 'boolean' },
      },
    },
  },
});

export type List = Syncline<typeof schema>;
export type Item = ObjectOf<typeof schema, 'item'>;

/** Opens a replica. It is in memory only if that was asked for, and only where the browser has no other place. */
export function openList(name: string, inMemory: boolean): Promise<List> {
  return Syncline.open({ name, schema, ...(inMemory ? { fallback: 'memory' } : {}) });
}
