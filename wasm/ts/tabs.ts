// Several tabs with one database: what each tells the others.

import type { Core } from './core.js';
import type { Touches } from './engine.js';

/** What tabs say. */
export type Message =
  /** This tab has just opened the database. */
  | { says: 'hello' }
  /** So has this one, and before. */
  | { says: 'here' }
  /** Objects were touched; the bytes say which. */
  | { says: 'touched'; touched: Uint8Array }
  /** Is there a tab that syncs, and does it run? */
  | { says: 'ping' }
  /** It does. */
  | { says: 'pong' }
  /** The tab that syncs tells what happens, as JSON. */
  | { says: 'event'; event: string }
  /** A tab wants something of the one that syncs. */
  | { says: 'wish'; wish: Wish };

/** What a tab may want of the one that syncs. */
export type Wish = 'syncNow' | 'tryAgain' | 'pause' | 'resume';

/** The form of messages; pages of another version may be open beside this one. */
const FORM = 1;

/** How long other tabs have to answer before this one thinks that it is alone, in milliseconds. */
const PATIENCE = 1_000;

/**
 * The line between the tabs that have a database open, workers among them.
 *
 * Who is alone tells nobody what it touches: that would cost each write. A tab that comes says hello, and then all of
 * them look at everything again, for something may have been written before they knew of each other.
 */
export class Tabs {
  readonly #core: Core;
  readonly #channel: BroadcastChannel;
  readonly #listeners = new Set<(message: Message) => void>();
  #touches: Touches | undefined;
  #isAlone: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(core: Core) {
    this.#core = core;
    this.#channel = new BroadcastChannel(`syncline:${core.name}`);
    this.#channel.onmessage = ({ data }) => {
      if (data?.form === FORM && !this.#isClosed) this.#hear(data);
    };
    this.#meet();
    this.#isAlone = setTimeout(() => this.#part(), PATIENCE);
    this.tell({ says: 'hello' });
  }

  /** Tells all other tabs. */
  tell(message: Message): void {
    if (!this.#isClosed) this.#channel.postMessage({ form: FORM, ...message });
  }

  /** Hears the other tabs. */
  on(listener: (message: Message) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    this.#isClosed = true;
    this.#part();
    this.#channel.close();
  }

  #hear(message: Message): void {
    clearTimeout(this.#isAlone);
    this.#meet();
    if (message.says === 'hello') this.tell({ says: 'here' });
    if (message.says === 'hello' || message.says === 'here') return this.#heed(undefined);
    if (message.says === 'touched') return this.#heed(message.touched);
    for (const listener of this.#listeners) listener(message);
  }

  /** Something was touched elsewhere: this, or anything. */
  #heed(touched: Uint8Array | undefined): void {
    // Only a page of another making says what cannot be understood.
    this.#core.database.elsewhere(touched).catch(() => {});
  }

  /** There are others: from now on they are told what is touched here. */
  #meet(): void {
    if (this.#touches !== undefined) return;
    this.#touches = this.#core.database.touched();
    void this.#tellTouched(this.#touches);
  }

  /** There are no others. */
  #part(): void {
    clearTimeout(this.#isAlone);
    this.#touches?.stop();
    this.#touches = undefined;
  }

  async #tellTouched(touches: Touches): Promise<void> {
    for (;;) {
      const touched = await touches.next();
      if (touched === undefined) return;
      this.tell({ says: 'touched', touched });
    }
  }
}
