/**
 * What an application can do about a failure:
 *
 * | kind | what to do |
 * |---|---|
 * | `clock-skew` | set the clock; the context says by how much it is off |
 * | `conflict` | read again and decide: a key or unique value is taken, or a guard did not hold |
 * | `corrupt` | restore the data: what is stored is not what any known version writes |
 * | `denied` | give other credentials, or name the right group; sync pauses and keeps its queue |
 * | `forked` | nothing: a database was copied, and goes on under a new replica id |
 * | `full` | make room and repeat: the disk, or the browser's quota, is full; the database stays usable |
 * | `internal` | report it: a promise inside Syncline was broken |
 * | `invalid` | correct the request: it contradicts the schema or itself |
 * | `not-found` | create it first, or correct the name |
 * | `rejoin` | nothing: sync does it by itself |
 * | `unavailable` | repeat it unchanged, later: the only temporary kind |
 * | `unsupported` | ask for less, or update: this storage cannot do it, or newer software wrote the data |
 * | `wrong-key` | give the key that the data is encrypted with |
 */
export type ErrorKind =
  | 'clock-skew'
  | 'conflict'
  | 'corrupt'
  | 'denied'
  | 'forked'
  | 'full'
  | 'internal'
  | 'invalid'
  | 'not-found'
  | 'rejoin'
  | 'unavailable'
  | 'unsupported'
  | 'wrong-key';

/** More about a failure, for people to read. */
export type ErrorContext = Readonly<Record<string, string>>;

/** A failed operation: a kind to branch on and a message that tells the way out. */
export class SynclineError extends Error {
  /** What the caller can do about it; also told apart by class, such as {@link ConflictError}. */
  readonly kind: ErrorKind;
  /** What it is about, such as the collection and the field. */
  readonly context: ErrorContext;
  /** The name of the guard that did not hold, if one did not. */
  readonly guard: string | undefined;

  constructor(
    kind: ErrorKind,
    message: string,
    more: { context?: ErrorContext; guard?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, 'cause' in more ? { cause: more.cause } : undefined);
    this.name = new.target === SynclineError ? 'SynclineError' : named(kind);
    this.kind = kind;
    this.context = more.context ?? {};
    this.guard = more.guard;
  }

  /** Whether the same request may succeed later, unchanged. */
  get isTemporary(): boolean {
    return this.kind === 'unavailable';
  }
}

/** The name of the class that goes with a kind; classes themselves are called something else where code is made small. */
function named(kind: ErrorKind): string {
  return `${kind.replace(/(?:^|-)(.)/g, (_, first: string) => first.toUpperCase())}Error`;
}

/** The clock is off by more than the allowed drift. */
export class ClockSkewError extends SynclineError {
  declare readonly kind: 'clock-skew';
}
/** A key or a unique value is taken, or a guard did not hold; nothing was written. */
export class ConflictError extends SynclineError {
  declare readonly kind: 'conflict';
}
/** Stored data is not what any known version writes. */
export class CorruptError extends SynclineError {
  declare readonly kind: 'corrupt';
}
/** Credentials are missing or do not allow this, or the data belongs to another group. */
export class DeniedError extends SynclineError {
  declare readonly kind: 'denied';
}
/** A database was copied or rolled back; it goes on under a new replica id. */
export class ForkedError extends SynclineError {
  declare readonly kind: 'forked';
}
/** The disk, or the browser's quota, is full; the database stays usable. */
export class FullError extends SynclineError {
  declare readonly kind: 'full';
}
/** A promise inside Syncline was broken. */
export class InternalError extends SynclineError {
  declare readonly kind: 'internal';
}
/** The request contradicts the schema or itself. */
export class InvalidError extends SynclineError {
  declare readonly kind: 'invalid';
}
/** What the request names does not exist. */
export class NotFoundError extends SynclineError {
  declare readonly kind: 'not-found';
}
/** The hub no longer knows where this replica had read to. */
export class RejoinError extends SynclineError {
  declare readonly kind: 'rejoin';
}
/** The storage, or the network, cannot answer now. */
export class UnavailableError extends SynclineError {
  declare readonly kind: 'unavailable';
}
/** The storage does not do this, or the data was made by a newer version. */
export class UnsupportedError extends SynclineError {
  declare readonly kind: 'unsupported';
}
/** Data is encrypted with a key that is not at hand. */
export class WrongKeyError extends SynclineError {
  declare readonly kind: 'wrong-key';
}

const CLASSES: Record<ErrorKind, typeof SynclineError> = {
  'clock-skew': ClockSkewError,
  conflict: ConflictError,
  corrupt: CorruptError,
  denied: DeniedError,
  forked: ForkedError,
  full: FullError,
  internal: InternalError,
  invalid: InvalidError,
  'not-found': NotFoundError,
  rejoin: RejoinError,
  unavailable: UnavailableError,
  unsupported: UnsupportedError,
  'wrong-key': WrongKeyError,
};

/** An error of the class that goes with its kind. */
export function failure(
  kind: ErrorKind,
  message: string,
  more: { context?: ErrorContext; guard?: string | undefined; cause?: unknown } = {},
): SynclineError {
  return new CLASSES[kind](kind, message, more);
}

/** A request that contradicts the schema or itself. */
export function invalid(message: string, context: ErrorContext = {}): SynclineError {
  return failure('invalid', message, { context });
}

/** What came over from WebAssembly as an error, as one. */
export function toError(thrown: unknown): SynclineError {
  if (thrown instanceof SynclineError) return thrown;
  if (typeof thrown === 'string') {
    try {
      const { kind, message, context, guard } = JSON.parse(thrown);
      if (kind in CLASSES) return failure(kind, message, { context, guard });
    } catch {
      // Not one of ours; told below.
    }
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return failure('internal', message, { cause: thrown });
}

/** What a call into WebAssembly gives, its errors as classes. */
export async function checked<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (thrown) {
    throw toError(thrown);
  }
}
