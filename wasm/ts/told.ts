// What WebAssembly tells as JSON, in the types of `report.ts`.

import type { Key, KeyValue } from './batch.js';
import type { Core } from './core.js';
import type { Primitive, Shape } from './packed.js';
import type { Author, Discard, Doubt, RemoteStatus, SyncEvent, SyncStatus } from './report.js';

type Told = Record<string, any>;

/** Members that are null are left out. */
function there(told: Told): Told {
  return Object.fromEntries(Object.entries(told).filter(([, value]) => value !== null));
}

export function toStatus(json: string): SyncStatus {
  const told = there(JSON.parse(json));
  return {
    ...told,
    quarantined: told['quarantined'].map(there),
    remotes: told['remotes'].map(toRemote),
  } as SyncStatus;
}

function toRemote(json: Told): RemoteStatus {
  const told = there(json);
  if (told['lastSuccess'] !== undefined) told['lastSuccess'] = new Date(told['lastSuccess']);
  if (told['lastError'] !== undefined) {
    told['lastError'] = { ...told['lastError'], at: new Date(told['lastError'].at) };
  }
  return told as RemoteStatus;
}

export function toDiscards(json: string, core: Core): Discard[] {
  return JSON.parse(json).map((json: Told) => {
    const told = there(json);
    const shape = core.shapes.get(told['collection']);
    return {
      ...told,
      key: toKey(told['key'], shape),
      lost: told['field'] === undefined ? json['lost'] : toValue(json['lost'], kindOf(shape, told['field'])),
      loser: toAuthor(told['loser']),
      winner: toAuthor(told['winner']),
    } as Discard;
  });
}

function toAuthor(told: Told): Author {
  return { ...told, at: new Date(told['at']) } as Author;
}

export function toDoubts(json: string, core: Core): Doubt[] {
  return JSON.parse(json).map((json: Told) => {
    const told = there(json);
    const shape = core.shapes.get(told['collection']);
    told['key'] = toKey(told['key'], shape);
    // What it refers to has a key of its own collection; text is text in all of them.
    return told as Doubt;
  });
}

export function toEvent(json: string): SyncEvent {
  const told = JSON.parse(json);
  if (told.type === 'waiting') told.until = new Date(told.until);
  return told as SyncEvent;
}

/** A key from JSON, by the types of the fields of the primary key. */
export function toKey(json: unknown, shape: Shape | undefined): Key {
  const kinds = shape?.key.map((field) => kindOf(shape, field)) ?? [];
  if (!Array.isArray(json)) return toValue(json, kinds[0]) as Key;
  return json.map((part, at) => toValue(part, kinds[at]) as KeyValue);
}

function kindOf(shape: Shape | undefined, field: string): Primitive | undefined {
  return shape?.kinds[shape.places.get(field) ?? -1];
}

/** A value from the JSON that people read, by the type of its field. */
function toValue(json: unknown, kind: Primitive | undefined): unknown {
  if (json === null) return null;
  if (kind === 'timestamp') return new Date(json as string | number);
  if (kind === 'bytes' && typeof json === 'string') {
    return Uint8Array.from(atob(json), (letter) => letter.charCodeAt(0));
  }
  return json;
}
