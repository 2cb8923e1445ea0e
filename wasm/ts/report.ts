// What sync tells.

import type { Key } from './batch.js';
import type { ErrorKind } from './errors.js';

/** What one sync did. */
export interface SyncReport {
  /** Changes of others that were received. */
  received: number;
  /** Own changes that the hub holds now. */
  shared: number;
  /** Changes of others that were applied. */
  integrated: number;
  /** Changes that wait, because this version or this schema cannot apply them yet. */
  parked: number;
  /** Values that lost against concurrent writes. */
  discarded: number;
  bytesReceived: number;
  bytesSent: number;
  /** What is at the hub and has not arrived whole, in words. */
  damaged: string[];
  /** Whether there is nothing left to do. */
  finished: boolean;
}

/** How sync stands. */
export interface SyncStatus {
  group: string;
  /** Which copy of the data this database is. */
  replica: string;
  /** How many changes this replica has written. */
  written: number;
  /** Own changes that at least one hub lacks; all of them before the first sync. */
  pending: number;
  /** How old the oldest of those is, in milliseconds. */
  oldestPending?: number;
  /** Batches of others that wait: how many, and why. */
  quarantined: { lane: string; first: number; last: number; reason: string; collection?: string }[];
  /** Batches of discarded values that nobody took yet. */
  discards: number;
  /** Every hub that this database has synced with. */
  remotes: RemoteStatus[];
}

/** How sync with one hub stands. */
export interface RemoteStatus {
  /** The address of the group there. */
  name: string;
  /** Own changes that the hub lacks. */
  pending: number;
  /** When the last sync that had something to do succeeded. */
  lastSuccess?: Date;
  /** What the last sync failed with, if it failed. */
  lastError?: { message: string; at: Date };
  /** By how many milliseconds the hub's time is ahead of this clock. */
  clockOffset?: number;
  /** The other members, and how many changes of this replica they had when they were last asked. */
  peers: { name: string; acknowledged: number }[];
}

/** Who wrote something, and when. */
export interface Author {
  replica: string;
  seq: number;
  at: Date;
}

/** A value that was written and lost against another replica's write. */
export interface Discard {
  collection: string;
  key: Key;
  /** The field; nothing if a whole write was lost to a delete. */
  field?: string;
  /** The value that lost. */
  lost: unknown;
  /** Who wrote it. */
  loser: Author;
  /** Who wrote what stands instead. */
  winner: Author;
  /** Whether neither writer knew of the other's write. */
  concurrent: boolean;
}

/** An object that does not fit the others, or its own definition, because several replicas wrote at once. */
export interface Doubt {
  /** Another object has the same unique values, the parent is not there, or a required field is empty. */
  kind: 'not-unique' | 'no-parent' | 'incomplete';
  collection: string;
  key: Key;
  /** The fields it is about. */
  fields: string[];
  /** The other object: the one with the same values, or the parent that is not there. */
  other?: Key;
}

/** Why a sync begins. */
export type SyncCause = 'start' | 'asked' | 'due' | 'written' | 'notice' | 'again' | 'resumed';

/** Something that happened while syncing. */
export type SyncEvent =
  | { type: 'started'; cause: SyncCause }
  | { type: 'finished'; report: SyncReport }
  /** Nothing is lost; what comes next is told as well. */
  | { type: 'failed'; kind: ErrorKind; message: string }
  /** The hub is out of reach. */
  | { type: 'offline' }
  | { type: 'online' }
  /** After a failure, the next sync comes then at the latest. */
  | { type: 'waiting'; until: Date }
  /** No sync comes by itself: the application asked for it, or the hub wants other credentials. */
  | { type: 'paused'; why: 'asked' | 'denied' }
  | { type: 'resumed' }
  /** Another tab syncs now, and tells what happens. */
  | { type: 'lead-lost' }
  | { type: 'stopped' };
