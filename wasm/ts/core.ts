// What collections, batches and sync share: one open database, and packing for it.

import type { Database, Watching } from './engine.js';
import { invalid, toError } from './errors.js';
import { type Described, Reader, Shape, Writer } from './packed.js';
import { Tabs } from './tabs.js';

/** One open database. */
export class Core {
  readonly name: string;
  readonly shapes: ReadonlyMap<string, Shape>;
  /** The live queries that go on. */
  readonly watches = new Set<Watching>();
  /** The line to other tabs, if others can have this database. */
  readonly tabs: Tabs | undefined;
  #database: Database | undefined;

  constructor(name: string, database: Database) {
    this.name = name;
    this.#database = database;
    const described = JSON.parse(database.described()) as Record<string, Described>;
    const shapes = Object.entries(described).map(([of, how]) => [of, new Shape(of, how)] as const);
    this.shapes = new Map(shapes);
    const isShared = database.isShared() && typeof BroadcastChannel !== 'undefined';
    this.tabs = isShared ? new Tabs(this) : undefined;
  }

  /** Opens a database, errors as classes. */
  static async open(name: string, open: () => Promise<Database>): Promise<Core> {
    try {
      return new Core(name, await open());
    } catch (thrown) {
      throw toError(thrown);
    }
  }

  /** What WebAssembly answers, with its errors as classes. */
  async call<T>(ask: (database: Database) => Promise<T> | T): Promise<T> {
    try {
      return await ask(this.database);
    } catch (thrown) {
      throw toError(thrown);
    }
  }

  get database(): Database {
    if (this.#database === undefined) throw invalid('the database is closed; open it again');
    return this.#database;
  }

  get isClosed(): boolean {
    return this.#database === undefined;
  }

  /** Fails if this is no address of a hub. */
  checkAddress(url: string): void {
    try {
      this.database.checkAddress(url);
    } catch (thrown) {
      throw toError(thrown);
    }
  }

  /** Lets nothing more be asked. */
  close(): Database | undefined {
    const database = this.#database;
    this.#database = undefined;
    this.tabs?.close();
    for (const watching of this.watches) watching.stop();
    this.watches.clear();
    return database;
  }

  shape(collection: string): Shape {
    const shape = this.shapes.get(collection);
    if (shape === undefined) {
      throw invalid('there is no such collection; correct the name, or add it to the schema', { collection });
    }
    return shape;
  }

  /** A packed list of objects; valid until something else is packed, so call WebAssembly at once. */
  packObjects(objects: readonly object[], shape: Shape): Uint8Array {
    return packed((writer) => {
      writer.count(objects.length);
      for (const object of objects) writer.object(object, shape);
    });
  }

  /** A packed object, like {@link packObjects}. */
  packObject(object: object, shape: Shape): Uint8Array {
    return packed((writer) => writer.object(object, shape));
  }

  unpack(bytes: Uint8Array, shape: Shape): Record<string, unknown>[] {
    return new Reader(bytes).objects(shape);
  }
}

const writer = new Writer();

function packed(write: (writer: Writer) => void): Uint8Array {
  try {
    write(writer);
  } catch (error) {
    writer.forget();
    throw error;
  }
  return writer.take();
}
