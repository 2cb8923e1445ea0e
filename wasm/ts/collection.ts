import type { Core } from './core.js';
import type { Shape } from './packed.js';
import type { Changes, Filter, FindOptions, NewObject } from './types.js';
import { Watch } from './watch.js';
import { filterJson } from './words.js';

/** What is asked beside the filter of a delete. */
export interface DeleteOptions {
  /** Deletes nothing and fails if more objects than this meet the filter. */
  limit?: number;
}

/**
 * The objects of one collection.
 *
 * `T` is an object as it is read, `Key` the fields of its primary key, `Given` the fields that are filled in where a
 * new object lacks them.
 */
export class Collection<T extends object, Key extends keyof T = never, Given extends keyof T = Key> {
  /** The collection's name. */
  readonly name: string;
  readonly #core: Core;
  readonly #shape: Shape;

  /** @internal */
  constructor(core: Core, shape: Shape) {
    this.name = shape.name;
    this.#core = core;
    this.#shape = shape;
  }

  /** Creates an object and answers with it as it was stored, its key included. */
  async create(object: NewObject<T, Given>): Promise<T> {
    const [created] = await this.createMany([object]);
    return created as T;
  }

  /** Creates objects, all of them or none, and answers with them in the same order. */
  async createMany(objects: Iterable<NewObject<T, Given>>): Promise<T[]> {
    const packed = this.#core.packObjects([...objects], this.#shape);
    return this.#objects(await this.#core.call((database) => database.create(this.name, packed)));
  }

  /** All objects that meet the filter, sorted as asked and then by primary key. */
  async find<Selected extends keyof T = keyof T>(
    filter: Filter<T, Key> = {},
    options: FindOptions<T, Selected> = {},
  ): Promise<Pick<T, Selected | Key>[]> {
    const question = filterJson(filter);
    const rest = optionsJson(options);
    const found = await this.#core.call((database) => database.find(this.name, question, rest));
    return this.#objects(found);
  }

  /** The first object that meets the filter, if one does. */
  async findOne<Selected extends keyof T = keyof T>(
    filter: Filter<T, Key> = {},
    options: Omit<FindOptions<T, Selected>, 'limit'> = {},
  ): Promise<Pick<T, Selected | Key> | undefined> {
    const [first] = await this.find<Selected>(filter, { ...options, limit: 1 });
    return first;
  }

  /** How many objects meet the filter. */
  async count(filter: Filter<T, Key> = {}): Promise<number> {
    const question = filterJson(filter);
    return this.#core.call((database) => database.count(this.name, question));
  }

  /** Sets fields of all objects that meet the filter and answers with how many there were. */
  async update(filter: Filter<T, Key>, changes: Changes<T, Key>): Promise<number> {
    const question = filterJson(filter);
    const packed = this.#core.packObject(changes, this.#shape);
    return this.#core.call((database) => database.update(this.name, question, packed));
  }

  /** Deletes all objects that meet the filter and answers with how many there were. */
  async delete(filter: Filter<T, Key>, options: DeleteOptions = {}): Promise<number> {
    const question = filterJson(filter);
    return this.#core.call((database) => database.delete(this.name, question, optionsJson(options)));
  }

  /** The objects that meet the filter, at once, and again whenever they changed. */
  watch<Selected extends keyof T = keyof T>(
    filter: Filter<T, Key> = {},
    options: FindOptions<T, Selected> = {},
  ): Watch<Pick<T, Selected | Key>> {
    const [question, rest] = [filterJson(filter), optionsJson(options)];
    return new Watch(this.#core, this.#shape, () => this.#core.database.watch(this.name, question, rest));
  }

  #objects<Some>(packed: Uint8Array): Some[] {
    return this.#core.unpack(packed, this.#shape) as Some[];
  }
}

/** Options as JSON, those left out that are undefined. */
export function optionsJson(options: object): string {
  return JSON.stringify(options);
}
