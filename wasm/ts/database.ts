import { Batch } from './batch.js';
import { Collection } from './collection.js';
import { Core } from './core.js';
import { Database, load } from './engine.js';
import { invalid, toError } from './errors.js';
import type { Discard, Doubt, SyncReport, SyncStatus } from './report.js';
import { type StartSyncOptions, SyncHandle, type SyncOptions } from './sync.js';
import { toDiscards, toDoubts, toStatus } from './told.js';
import type { CollectionName, GivenOf, KeyOf, ObjectOf, SchemaDefinition } from './types.js';

/** How a database is opened. */
export interface OpenOptions<S extends SchemaDefinition> {
  /** The name of the database: one for each origin. */
  name: string;
  /** What collections there are. A newer version upgrades the database. */
  schema: S;
  /** Whose data it is: those who sync with each other are one group. `default` if nothing is said. */
  group?: string;
  /** Where objects are kept: in the browser's IndexedDB if nothing is said, or in memory, where they end with it. */
  storage?: 'indexeddb' | 'memory';
  /** What to do where there is no IndexedDB, as in some private windows: fail, unless this says otherwise. */
  fallback?: 'memory';
  /**
   * What a finished write survives: a power cut (`strict`, unless something else is said), or the end of the browser
   * (`relaxed`), which is faster.
   */
  durability?: 'strict' | 'relaxed';
}

/** Where objects are kept, and how much room there is. */
export interface StorageInfo {
  /**
   * `persistent`: the browser keeps it until it is told otherwise. `best-effort`: it may clear it where room is short.
   * `memory`: it ends with the page.
   */
  mode: 'persistent' | 'best-effort' | 'memory';
  /** About how many bytes this origin uses. */
  usage?: number;
  /** About how many bytes it may use. */
  quota?: number;
}

/** An open database. */
export class Syncline<S extends SchemaDefinition = SchemaDefinition> {
  readonly #core: Core;
  readonly #collections = new Map<string, unknown>();
  #sync: SyncHandle | undefined;

  private constructor(core: Core) {
    this.#core = core;
  }

  /**
   * Opens a database; one that is not there is made.
   *
   * @throws InvalidError if something is wrong with the schema.
   * @throws DeniedError if the database belongs to another group.
   * @throws UnsupportedError if it was written by a newer schema, or there is no IndexedDB here.
   */
  static async open<const S extends SchemaDefinition>(options: OpenOptions<S>): Promise<Syncline<S>> {
    if (!options.name) throw invalid('a database has a name; give it one');
    await load();
    const core = await Core.open(options.name, () => openDatabase(options));
    return new Syncline<S>(core);
  }

  /**
   * Deletes a database of this name, with everything in it. Tabs that have it open find it gone.
   *
   * @throws UnavailableError if a tab does not let go of it.
   */
  static async delete(name: string): Promise<void> {
    await load();
    try {
      await Database.deleteDatabase(name);
    } catch (thrown) {
      throw toError(thrown);
    }
  }

  /** The name of the database. */
  get name(): string {
    return this.#core.name;
  }

  /** The objects of one collection, with the types of the schema, or with a type of one's own. */
  collection<N extends CollectionName<S>>(name: N): Collection<ObjectOf<S, N>, KeyOf<S, N>, GivenOf<S, N>>;
  collection<T extends object>(name: CollectionName<S>): Collection<T, 'id' & keyof T>;
  collection(name: string): unknown {
    let collection = this.#collections.get(name);
    if (collection === undefined) {
      collection = new Collection(this.#core, this.#core.shape(name));
      this.#collections.set(name, collection);
    }
    return collection;
  }

  /** Collects writes that happen together or not at all. */
  batch(): Batch<S> {
    return new Batch<S>(this.#core);
  }

  /**
   * Syncs once with a hub: sends what was written here and fetches what others wrote.
   *
   * @throws UnavailableError if the hub is out of reach: sync again later; nothing is lost.
   * @throws DeniedError if the hub does not take the token.
   */
  async sync(options: SyncOptions): Promise<SyncReport> {
    return JSON.parse(await this.#core.call((database) => database.sync(options.url, options.token)));
  }

  /**
   * Goes on syncing with a hub until it is stopped, or the database is closed. Of several tabs that call this, one
   * syncs, and another one takes over when it is closed, crashes or hangs.
   *
   * @throws InvalidError if this tab syncs already.
   */
  startSync(options: StartSyncOptions): SyncHandle {
    if (this.#sync !== undefined) throw invalid('this database syncs already; stop that first');
    const sync = new SyncHandle(this.#core, options);
    sync.on('stopped', () => (this.#sync = undefined));
    this.#sync = sync;
    return sync;
  }

  /** How sync stands: what waits, what went wrong last, who else is there. */
  async status(): Promise<SyncStatus> {
    return toStatus(await this.#core.call((database) => database.status()));
  }

  /** The values that lost against concurrent writes and that nobody took yet, oldest first. */
  async discards(): Promise<Discard[]> {
    return toDiscards(await this.#core.call((database) => database.discards()), this.#core);
  }

  /** The same as {@link discards}, and forgets them. */
  async takeDiscards(): Promise<Discard[]> {
    return toDiscards(await this.#core.call((database) => database.takeDiscards()), this.#core);
  }

  /** The objects that merging left doubtful: each replica wrote something valid, and together it is not. */
  async doubts(): Promise<Doubt[]> {
    return toDoubts(await this.#core.call((database) => database.doubts()), this.#core);
  }

  /** Equal text for equal data, wherever it lies: compare it with another device's. */
  async fingerprint(): Promise<string> {
    return this.#core.call((database) => database.fingerprint());
  }

  /** Where objects are kept, and how much room there is. */
  async storage(): Promise<StorageInfo> {
    const told = JSON.parse(await this.#core.call((database) => database.report()));
    return Object.fromEntries(Object.entries(told).filter(([, value]) => value !== null)) as unknown as StorageInfo;
  }

  /** Asks the browser to keep the data until the user deletes it; the answer is whether it will. */
  async persist(): Promise<boolean> {
    return this.#core.call((database) => database.persist());
  }

  /** Stops syncing and closes the database. */
  async close(): Promise<void> {
    await this.#sync?.stop();
    // What is under way ends first; the connection goes with it.
    this.#core.close()?.free();
  }
}

function openDatabase(options: OpenOptions<SchemaDefinition>): Promise<Database> {
  const { storage, fallback, durability, name } = options;
  const [schema, group] = [JSON.stringify(options.schema), options.group ?? 'default'];
  if (storage === 'memory') return Database.memory(schema, group);
  return Database.indexeddb(name, schema, group, durability === 'relaxed', fallback === 'memory');
}
