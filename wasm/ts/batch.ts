import { optionsJson, type DeleteOptions } from './collection.js';
import type { Core } from './core.js';
import { failure } from './errors.js';
import { Reader, Writer } from './packed.js';
import type {
  Changes,
  CollectionName,
  Filter,
  GivenOf,
  KeyOf,
  NewObject,
  ObjectOf,
  SchemaDefinition,
} from './types.js';
import { filterJson } from './words.js';

/** A value of a primary key of one field. */
export type KeyValue = string | number | bigint | boolean | Date | Uint8Array;

/** A primary key: its value, or the list of its values. */
export type Key = KeyValue | readonly KeyValue[];

/** How an object is created in a batch. */
export interface CreateOptions {
  /** A name by which later steps use this object's key, and {@link BatchResult.object} finds it. */
  as?: string;
}

/** How an object is created in a batch that refers to others of the batch. */
export interface ReplaceOptions<Replace> extends CreateOptions {
  /** Fields that take the keys of earlier creates, by the names given there with `as`. */
  replace: Replace;
}

/** What must hold at its place in a batch. */
export type Condition<T, K extends keyof T> =
  | { /** The object with this key is there. */ exists: T[K] | Pick<T, K> }
  | { /** No object has this key. */ absent: T[K] | Pick<T, K> }
  | {
      /** The object with this key is there and has these values; null means null or absent. */
      looks: Partial<{ [F in keyof T]: T[F] | null }>;
      key: T[K] | Pick<T, K>;
    }
  | { /** At most one object has these values. */ unique: Partial<T> };

/**
 * Collects writes that happen together or not at all. Nothing happens before {@link Batch.run}, which also tells
 * what is wrong with a step.
 */
export class Batch<S extends SchemaDefinition = SchemaDefinition> {
  readonly #core: Core;
  readonly #writer = new Writer();
  #mistake: unknown;

  /** @internal */
  constructor(core: Core) {
    this.#core = core;
  }

  /** Creates an object. */
  create<N extends CollectionName<S>>(
    collection: N,
    object: NewObject<ObjectOf<S, N>, GivenOf<S, N>>,
    options?: CreateOptions,
  ): this;
  create<N extends CollectionName<S>, const Replace extends { [F in keyof ObjectOf<S, N>]?: string }>(
    collection: N,
    object: NewObject<ObjectOf<S, N>, GivenOf<S, N> | (keyof Replace & keyof ObjectOf<S, N>)>,
    options: ReplaceOptions<Replace>,
  ): this;
  create(collection: string, object: object, options: Partial<ReplaceOptions<object>> = {}): this {
    return this.#step(0, collection, (writer) => {
      writer.text(options.as ?? '');
      writer.text(JSON.stringify(options.replace ?? {}));
      writer.object(object, this.#core.shape(collection));
    });
  }

  /** Sets fields of all objects that meet the filter. */
  update<N extends CollectionName<S>>(
    collection: N,
    filter: Filter<ObjectOf<S, N>, KeyOf<S, N>>,
    changes: Changes<ObjectOf<S, N>, KeyOf<S, N>>,
  ): this {
    return this.#step(1, collection, (writer) => {
      writer.text(filterJson(filter));
      writer.object(changes, this.#core.shape(collection));
    });
  }

  /** Deletes all objects that meet the filter; fails the batch if there are more than the limit. */
  delete<N extends CollectionName<S>>(
    collection: N,
    filter: Filter<ObjectOf<S, N>, KeyOf<S, N>>,
    options: DeleteOptions = {},
  ): this {
    return this.#step(2, collection, (writer) => {
      writer.text(filterJson(filter));
      writer.text(optionsJson(options));
    });
  }

  /** Fails the batch, with a `ConflictError` whose `guard` is this name, unless the condition holds at this place. */
  guard<N extends CollectionName<S>>(
    name: string,
    collection: N,
    condition: Condition<ObjectOf<S, N>, KeyOf<S, N>>,
  ): this {
    return this.#step(3, collection, (writer) => {
      const shape = this.#core.shape(collection);
      const of = condition as { looks?: object; key?: unknown; unique?: object; exists?: unknown; absent?: unknown };
      const [kind, key, object] =
        of.looks !== undefined
          ? ['looks', of.key, of.looks]
          : of.unique !== undefined
            ? ['unique', null, of.unique]
            : of.exists !== undefined
              ? ['exists', of.exists, {}]
              : ['absent', of.absent, {}];
      writer.text(name);
      writer.text(kind as string);
      writer.text(filterJson(key, 'the key'));
      writer.object(object as object, shape);
    });
  }

  /**
   * Writes the batch: all of it or nothing.
   *
   * @throws ConflictError if a key or unique value is taken, or a guard does not hold.
   * @throws InvalidError if a step contradicts the schema.
   */
  async run(): Promise<BatchResult> {
    if (this.#mistake !== undefined) throw this.#mistake;
    const steps = this.#writer.take();
    return new BatchResult(this.#core, await this.#core.call((database) => database.batch(steps)));
  }

  #step(tag: number, collection: string, write: (writer: Writer) => void): this {
    const before = this.#writer.length;
    try {
      this.#writer.byte(tag);
      this.#writer.text(collection);
      write(this.#writer);
    } catch (error) {
      this.#writer.backTo(before);
      this.#mistake ??= error;
    }
    return this;
  }
}

/** What a batch did. */
export class BatchResult {
  /** For each step: the key of what was created, how many objects were changed or deleted, nothing for a guard. */
  readonly outcomes: readonly (Key | number | undefined)[];
  readonly #objects = new Map<string, Record<string, unknown>>();

  /** @internal */
  constructor(core: Core, packed: Uint8Array) {
    const reader = new Reader(packed);
    this.outcomes = Array.from({ length: reader.count() }, () => outcome(reader));
    for (let left = reader.count(); left > 0; left--) {
      const [placeholder, collection] = [reader.text(), reader.text()];
      this.#objects.set(placeholder, reader.object(core.shape(collection)));
    }
  }

  /** The object that was created under this name, as it was stored. */
  object<T extends object = Record<string, unknown>>(placeholder: string): T {
    const object = this.#objects.get(placeholder);
    if (object === undefined) {
      throw failure('not-found', 'no step of the batch had this name', { context: { placeholder } });
    }
    return object as T;
  }
}

function outcome(reader: Reader): Key | number | undefined {
  switch (reader.byte()) {
    case 0: {
      const values = Array.from({ length: reader.short() }, () => reader.value() as KeyValue);
      return values.length === 1 ? (values[0] as KeyValue) : values;
    }
    case 1:
      return reader.float();
    default:
      return undefined;
  }
}
