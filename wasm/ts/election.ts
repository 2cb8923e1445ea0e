// Which of several tabs syncs.

import type { Tabs } from './tabs.js';

/** How often a tab asks whether the one that syncs is still there, in milliseconds. */
const PERIOD = 500;

/** So many questions in a row without an answer, and the tab that syncs is taken for frozen. */
const MISSES = 3;

/** What an election calls. */
export interface Candidate {
  /** This tab syncs from now on. */
  lead(): void;
  /** This tab syncs no more: another one has taken the lock, or takes it soon. */
  follow(): void;
}

/**
 * Elects the tab that syncs: the one that holds a lock of the browser.
 *
 * The browser gives the lock on when a tab is closed or crashes. One that hangs or is frozen keeps it: the others ask
 * it, and take the lock from it if it does not answer. They ask rather than wait for it to speak up, because the timers
 * of hidden tabs run once a second, and after some minutes once a minute, while messages reach them at once. What a
 * frozen tab was about to do when it wakes is stopped in the database, by the number of its lead.
 */
export class Election {
  readonly #tabs: Tabs;
  readonly #name: string;
  readonly #candidate: Candidate;
  #isLeading = false;
  #hasEnded = false;
  /** Ends the wait for the lock. */
  #wait: AbortController | undefined;
  /** Gives the lock on. */
  #release: (() => void) | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #off: () => void = () => {};
  #asked = 0;
  #misses = 0;
  #isAnswered = true;

  constructor(name: string, tabs: Tabs, candidate: Candidate) {
    this.#name = `syncline:${name}`;
    this.#tabs = tabs;
    this.#candidate = candidate;
  }

  /** Whether there can be one: only safe pages have locks. */
  static get isPossible(): boolean {
    return typeof navigator !== 'undefined' && navigator.locks !== undefined;
  }

  /** Whether this tab syncs. */
  get isLeading(): boolean {
    return this.#isLeading;
  }

  start(): void {
    this.#off = this.#tabs.on((message) => {
      if (message.says === 'pong') this.#isAnswered = true;
      if (message.says === 'ping' && this.#isLeading) this.#tabs.tell({ says: 'pong' });
    });
    this.#timer = setInterval(() => this.#ask(), PERIOD);
    globalThis.document?.addEventListener('freeze', this.#rest);
    globalThis.document?.addEventListener('resume', this.#wake);
    globalThis.addEventListener?.('pagehide', this.#rest);
    globalThis.addEventListener?.('pageshow', this.#wake);
    this.#queue();
  }

  /** Gives the lead on, and wants it no more. */
  end(): void {
    this.#hasEnded = true;
    clearInterval(this.#timer);
    this.#off();
    globalThis.document?.removeEventListener('freeze', this.#rest);
    globalThis.document?.removeEventListener('resume', this.#wake);
    globalThis.removeEventListener?.('pagehide', this.#rest);
    globalThis.removeEventListener?.('pageshow', this.#wake);
    this.#leave();
  }

  /** Gives the lead on, and stands for it again. */
  step(): void {
    this.#leave();
    this.#queue();
  }

  /** The page is about to be frozen: whoever runs takes over at once. */
  readonly #rest = (): void => this.#leave();

  readonly #wake = (): void => {
    if (!this.#hasEnded) this.#queue();
  };

  #leave(): void {
    this.#wait?.abort();
    this.#wait = undefined;
    this.#lose();
  }

  /** Waits for the lock, however long. */
  #queue(): void {
    if (this.#isLeading || this.#wait !== undefined) return;
    const wait = (this.#wait = new AbortController());
    const asked = navigator.locks.request(this.#name, { signal: wait.signal }, () => this.#hold(wait));
    asked.catch(() => this.#taken(wait));
  }

  /** Takes the lock from whoever has it. */
  #steal(): void {
    this.#wait?.abort();
    const wait = (this.#wait = new AbortController());
    const asked = navigator.locks.request(this.#name, { steal: true }, () => this.#hold(wait));
    asked.catch(() => this.#taken(wait));
  }

  /** Leads as long as what this returns is not settled. */
  #hold(wait: AbortController): Promise<void> | undefined {
    if (this.#hasEnded || this.#wait !== wait) return undefined;
    this.#wait = undefined;
    this.#isLeading = true;
    this.#misses = 0;
    const held = new Promise<void>((release) => (this.#release = release));
    // Whoever was about to take it as well need not any more.
    this.#tabs.tell({ says: 'pong' });
    this.#candidate.lead();
    return held;
  }

  /** Another tab has taken the lock, or this one has given up waiting for it. */
  #taken(wait: AbortController): void {
    if (wait.signal.aborted || this.#hasEnded) return;
    this.#lose();
    this.#queue();
  }

  #lose(): void {
    if (!this.#isLeading) return;
    this.#isLeading = false;
    this.#release?.();
    this.#release = undefined;
    this.#candidate.follow();
  }

  #ask(): void {
    const now = performance.now();
    // A tab that slept itself, or that nobody looks at, judges nobody.
    const slept = now - this.#asked > 2 * PERIOD;
    const isHidden = globalThis.document?.visibilityState === 'hidden';
    this.#misses = this.#isAnswered || slept || isHidden ? 0 : this.#misses + 1;
    [this.#asked, this.#isAnswered] = [now, false];
    if (this.#isLeading || isHidden || this.#wait === undefined) return;
    if (this.#misses >= MISSES) {
      // Not all of them at once.
      setTimeout(() => this.#stealIfSilent(), Math.random() * PERIOD);
    }
    this.#tabs.tell({ says: 'ping' });
  }

  #stealIfSilent(): void {
    if (this.#isAnswered || this.#isLeading || this.#wait === undefined) return;
    this.#misses = 0;
    this.#steal();
  }
}
