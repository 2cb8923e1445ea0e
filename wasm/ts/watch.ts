import type { Core } from './core.js';
import type { Watching } from './engine.js';
import { toError, type SynclineError } from './errors.js';
import type { Shape } from './packed.js';

/**
 * The answer to a question, at once, and again whenever it changed: by writes of this page, by sync, by other tabs.
 *
 * Whoever is slow gets the newest answer, not each one in between.
 */
export class Watch<T> implements AsyncIterable<T[]> {
  readonly #core: Core;
  readonly #shape: Shape;
  readonly #begin: () => Watching;

  /** @internal */
  constructor(core: Core, shape: Shape, begin: () => Watching) {
    this.#core = core;
    this.#shape = shape;
    this.#begin = begin;
  }

  /** Each loop over this watches for itself; to leave the loop ends it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T[], void, void> {
    const watching = this.#start();
    try {
      for (;;) {
        const answer = await next(watching);
        if (answer === undefined) return;
        yield this.#core.unpack(answer, this.#shape) as T[];
      }
    } finally {
      this.#end(watching);
    }
  }

  /**
   * Calls the listener with each answer; what this returns ends it.
   *
   * A question that could not be answered goes to `onError`, and watching goes on; without one it is an uncaught error.
   */
  subscribe(listener: (objects: T[]) => void, onError: (error: SynclineError) => void = uncaught): () => void {
    const watching = this.#start();
    void this.#tell(watching, listener, onError);
    return () => this.#end(watching);
  }

  async #tell(
    watching: Watching,
    listener: (objects: T[]) => void,
    onError: (error: SynclineError) => void,
  ): Promise<void> {
    for (;;) {
      let answer: Uint8Array | undefined;
      try {
        answer = await next(watching);
      } catch (error) {
        guarded(() => onError(error as SynclineError));
        continue;
      }
      // It may have been ended while the answer was on its way.
      if (answer === undefined || !this.#core.watches.has(watching)) return;
      const objects = this.#core.unpack(answer, this.#shape) as T[];
      guarded(() => listener(objects));
    }
  }

  #start(): Watching {
    try {
      const watching = this.#begin();
      this.#core.watches.add(watching);
      return watching;
    } catch (thrown) {
      throw toError(thrown);
    }
  }

  #end(watching: Watching): void {
    watching.stop();
    this.#core.watches.delete(watching);
  }
}

async function next(watching: Watching): Promise<Uint8Array | undefined> {
  try {
    return await watching.next();
  } catch (thrown) {
    throw toError(thrown);
  }
}

/** A mistake of the application's listener, which is no reason to stop telling it. */
export function guarded(call: () => void): void {
  try {
    call();
  } catch (error) {
    uncaught(error);
  }
}

function uncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
