import type { Core } from './core.js';
import { Election } from './election.js';
import type { Leading, Syncing } from './engine.js';
import { toError } from './errors.js';
import type { SyncEvent } from './report.js';
import type { Message, Wish } from './tabs.js';
import { toEvent } from './told.js';
import { guarded } from './watch.js';

/** Where and how to sync. */
export interface SyncOptions {
  /** The address of the hub, such as `https://hub.example.org`. */
  url: string;
  /**
   * Gives the token that goes with a request, whenever one is sent. `refused` is the token that the hub has just
   * refused: give another one, or nothing, and sync pauses. Tokens are never stored.
   */
  token?: (refused?: string) => string | undefined | Promise<string | undefined>;
}

/** How to go on syncing. */
export interface StartSyncOptions extends SyncOptions {
  /** Hears what happens, from the first sync on. */
  onEvent?: (event: SyncEvent) => void;
}

/** The names of events. */
export type SyncEventType = SyncEvent['type'];

type Listener = (event: SyncEvent) => void;

/** How long a tab that could not take the lead waits before it tries again, in milliseconds. */
const PAUSE = 1_000;

/**
 * A sync that goes on by itself: at intervals, when the hub has news, and after local writes.
 *
 * Of several tabs with one database, one syncs; all of them are told what happens, and any of them can ask for a sync.
 */
export class SyncHandle {
  readonly #core: Core;
  readonly #options: StartSyncOptions;
  readonly #listeners = new Set<Listener>();
  readonly #stopped: Promise<void>;
  readonly #election: Election | undefined;
  readonly #off: () => void;
  /** What syncs in this tab, if it is the one. */
  #syncing: Syncing | undefined;
  #hasStopped = false;
  #isPaused = false;
  #end: () => void = () => {};

  /** @internal */
  constructor(core: Core, options: StartSyncOptions) {
    core.checkAddress(options.url);
    this.#core = core;
    this.#options = options;
    if (options.onEvent !== undefined) this.on(options.onEvent);
    this.#stopped = new Promise((resolve) => (this.#end = resolve));
    this.#off = core.tabs?.on((message) => this.#hear(message)) ?? (() => {});
    globalThis.addEventListener?.('online', this.#online);
    if (core.tabs !== undefined && Election.isPossible) {
      this.#election = new Election(core.name, core.tabs, {
        lead: () => void this.#lead(),
        follow: () => this.#follow(),
      });
      this.#election.start();
    } else {
      // Alone, or where tabs cannot agree: each syncs then, which is slower and does no harm.
      this.#begin(undefined);
    }
  }

  /** Whether this tab is the one that syncs. */
  get isLeading(): boolean {
    return this.#syncing !== undefined;
  }

  /** Hears events, of one type or all; what this returns ends it. */
  on(listener: (event: SyncEvent) => void): () => void;
  on<T extends SyncEventType>(type: T, listener: (event: SyncEvent & { type: T }) => void): () => void;
  on(type: SyncEventType | Listener, listener?: (event: never) => void): () => void {
    const hears: Listener =
      typeof type === 'function' ? (event) => type(event) : (event) => event.type === type && listener?.(event as never);
    this.#listeners.add(hears);
    return () => void this.#listeners.delete(hears);
  }

  /** Events from now on, until the sync is stopped. */
  async *events(): AsyncGenerator<SyncEvent, void, void> {
    const waiting: SyncEvent[] = [];
    let wake: () => void = () => {};
    const off = this.on((event) => {
      waiting.push(event);
      wake();
    });
    try {
      while (!this.#hasStopped || waiting.length > 0) {
        const event = waiting.shift();
        if (event !== undefined) yield event;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      off();
    }
  }

  /** Syncs now, or again when the sync at hand has ended; also while paused or waiting after a failure. */
  syncNow(): void {
    this.#wish('syncNow');
  }

  /** Lets no more sync come by itself; one that runs goes on to its end. */
  pause(): void {
    this.#isPaused = true;
    this.#wish('pause');
  }

  /** Ends any pause, and syncs; also after other credentials are there. */
  resume(): void {
    this.#isPaused = false;
    this.#wish('resume');
  }

  /** Ends in this tab, after the sync at hand; another tab that syncs goes on. */
  async stop(): Promise<void> {
    const syncing = this.#syncing;
    if (syncing !== undefined) syncing.stop();
    else this.#stop();
    await this.#stopped;
  }

  /** The network is back: what failed may succeed now. */
  readonly #online = (): void => this.#syncing?.tryAgain();

  #wish(wish: Wish): void {
    if (this.#syncing !== undefined) this.#syncing[wish]();
    else if (!this.#hasStopped) this.#core.tabs?.tell({ says: 'wish', wish });
  }

  #hear(message: Message): void {
    if (message.says === 'wish' && this.#syncing !== undefined) {
      this.#syncing[message.wish]();
    }
    if (message.says === 'event' && this.#syncing === undefined) {
      const event = toEvent(message.event);
      if (event.type === 'paused') this.#isPaused = event.why === 'asked';
      if (event.type === 'resumed') this.#isPaused = false;
      this.#tell(event);
    }
  }

  async #lead(): Promise<void> {
    try {
      const lead = await this.#core.call((database) => database.takeLead());
      if (this.#election?.isLeading && !this.#hasStopped) this.#begin(lead);
    } catch (thrown) {
      const { kind, message } = toError(thrown);
      this.#tell({ type: 'failed', kind, message });
      setTimeout(() => !this.#hasStopped && this.#election?.step(), PAUSE);
    }
  }

  /** Another tab syncs now. What runs here ends by itself, and is not told any more. */
  #follow(): void {
    const syncing = this.#syncing;
    this.#syncing = undefined;
    syncing?.stop();
    if (syncing !== undefined && !this.#hasStopped) this.#tell({ type: 'lead-lost' });
  }

  #begin(lead: Leading | undefined): void {
    const { url, token } = this.#options;
    try {
      const syncing: Syncing = this.#core.database.startSync(url, token, lead, (json: string) => {
        if (this.#syncing === syncing) this.#happened(json);
      });
      this.#syncing = syncing;
      if (this.#isPaused) syncing.pause();
    } catch (thrown) {
      throw toError(thrown);
    }
  }

  /** Something happened in this tab, which syncs. */
  #happened(json: string): void {
    const event = toEvent(json);
    if (event.type === 'stopped') return this.#stop();
    if (event.type === 'lead-lost') {
      // The lock has been taken from this tab, even if the browser has not said so yet.
      this.#election?.step();
      return;
    }
    this.#core.tabs?.tell({ says: 'event', event: json });
    this.#tell(event);
  }

  #stop(): void {
    if (this.#hasStopped) return;
    this.#hasStopped = true;
    this.#syncing = undefined;
    this.#election?.end();
    this.#off();
    globalThis.removeEventListener?.('online', this.#online);
    this.#tell({ type: 'stopped' });
    this.#end();
  }

  #tell(event: SyncEvent): void {
    for (const listener of this.#listeners) guarded(() => listener(event));
  }
}
