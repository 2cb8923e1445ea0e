// Syncline in a browser: see README.md.

export { Batch, BatchResult, type Condition, type CreateOptions, type Key, type KeyValue, type ReplaceOptions } from './batch.js';
export { Collection, type DeleteOptions } from './collection.js';
export { type OpenOptions, type StorageInfo, Syncline } from './database.js';
export {
  ClockSkewError,
  ConflictError,
  CorruptError,
  DeniedError,
  type ErrorContext,
  type ErrorKind,
  ForkedError,
  FullError,
  InternalError,
  InvalidError,
  NotFoundError,
  RejoinError,
  SynclineError,
  UnavailableError,
  UnsupportedError,
  WrongKeyError,
} from './errors.js';
export type * from './report.js';
export { type StartSyncOptions, type SyncEventType, SyncHandle, type SyncOptions } from './sync.js';
export * from './types.js';
export { Watch } from './watch.js';
