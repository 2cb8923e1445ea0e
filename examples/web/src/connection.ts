// Whether a replica syncs: a switch for all tabs, which outlives them.

import type { SyncEvent, SyncHandle } from 'syncline';

import type { List } from './list';

/** What hears of a connection. */
export interface Hearer {
  happened(event: SyncEvent): void;
  /** The switch was turned, in this tab or another one, or what it says is done. */
  switched(): void;
}

/** Starts and stops the sync of a replica with the hub that serves this page. */
export class Connection {
  readonly #list: List;
  readonly #hearer: Hearer;
  readonly #switch: string;
  readonly #kept = keeper();
  #sync: SyncHandle | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(list: List, hearer: Hearer) {
    this.#list = list;
    this.#hearer = hearer;
    this.#switch = `${list.name} is offline`;
    window.addEventListener('storage', (event) => {
      if (event.key !== this.#switch) return;
      this.#follow();
      hearer.switched();
    });
    this.#follow();
  }

  /** Whether it is meant to sync. */
  get isOnline(): boolean {
    return this.#kept.getItem(this.#switch) === null;
  }

  set isOnline(online: boolean) {
    if (online) this.#kept.removeItem(this.#switch);
    else this.#kept.setItem(this.#switch, 'yes');
    this.#follow();
    this.#hearer.switched();
  }

  /** Whether it still syncs: what is under way goes on to its end. */
  get isEnding(): boolean {
    return !this.isOnline && this.#sync !== undefined;
  }

  /** Whether this tab is the one that syncs for all of them. */
  get isLeading(): boolean {
    return this.#sync?.isLeading ?? false;
  }

  /** Does what the switch says, after what it said before. */
  #follow(): void {
    this.#work = this.#work.then(async () => {
      if (this.isOnline && this.#sync === undefined) {
        this.#sync = this.#list.startSync({ url: location.origin, onEvent: (event) => this.#hearer.happened(event) });
        // If another tab syncs already, it tells how that goes.
        this.#sync.syncNow();
      } else if (!this.isOnline && this.#sync !== undefined) {
        await this.#sync.stop();
        this.#sync = undefined;
        this.#hearer.switched();
      }
    });
  }
}

/** Where switches are kept: with the page, if the browser lets nobody store anything. */
function keeper(): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
  try {
    return window.localStorage;
  } catch {
    const kept = new Map<string, string>();
    return {
      getItem: (name) => kept.get(name) ?? null,
      setItem: (name, value) => void kept.set(name, value),
      removeItem: (name) => void kept.delete(name),
    };
  }
}
