// Several tabs with one database: what each tells the others.

import type { Core } from './core.js';
import type { Touches } from './engine.js';

/** What tabs say. */
export type Message =
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

/** The line between the tabs that have a database open, workers among them. */
export class Tabs {
  readonly #channel: BroadcastChannel;
  readonly #touches: Touches;
  readonly #listeners = new Set<(message: Message) => void>();
  #isClosed = false;

  constructor(core: Core) {
    this.#channel = new BroadcastChannel(`syncline:${core.name}`);
    this.#channel.onmessage = ({ data }) => {
      if (data?.form === FORM) this.#hear(core, data);
    };
    this.#touches = core.database.touched();
    void this.#tellTouched();
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
    this.#touches.stop();
    this.#channel.close();
  }

  #hear(core: Core, message: Message): void {
    if (message.says === 'touched') {
      // Only a page of another making says what cannot be understood.
      if (!core.isClosed) core.database.elsewhere(message.touched).catch(() => {});
      return;
    }
    for (const listener of this.#listeners) listener(message);
  }

  async #tellTouched(): Promise<void> {
    for (;;) {
      const touched = await this.#touches.next();
      if (touched === undefined) return;
      this.tell({ says: 'touched', touched });
    }
  }
}
