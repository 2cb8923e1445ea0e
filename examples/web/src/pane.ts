// One replica on the page: its items, what became of conflicts, and how it stands.

import { SynclineError, type SyncEvent } from 'syncline';

import { Connection } from './connection';
import { Items } from './items';
import { type Item, type List, openList } from './list';
import { type Change, lossRows } from './losses';
import { copy, part } from './parts';
import { showFacts, showStanding, type Standing } from './standing';

/** What panes know of each other. */
export interface Page {
  /** Who wrote something, in words. */
  who(replica: string): string;
  /** A replica was opened, or holds something else now. */
  stands(name: string, replica: string, fingerprint: string): void;
}

/** One replica, on the page and in the browser. */
export class Pane {
  readonly element = copy('pane');
  readonly #name: string;
  readonly #page: Page;
  readonly #items: Items;
  #list: List | undefined;
  #connection: Connection | undefined;
  #standing: Standing = 'connecting';
  #synced: Date | undefined;
  #shown = new Map<string, Item>();
  /** Whether facts are being read, and whether they changed meanwhile. */
  #reading: 'no' | 'yes' | 'again' = 'no';

  constructor(name: string, page: Page) {
    this.#name = name;
    this.#page = page;
    this.element.dataset['replica'] = name;
    part(this.element, 'name').textContent = name;
    this.#items = new Items(part(this.element, 'items'), {
      change: (id, change) => this.#change(id, change),
      remove: (id) => void this.#do((list) => list.collection('item').delete({ id })),
    });
    this.#on('use-memory', 'click', () => void this.open(true));
    this.#on('clear', 'click', () => void this.#do((list) => list.collection('item').delete({ done: true })));
    this.#on('noted', 'click', () => void this.#do((list) => list.takeDiscards()));
    this.#on('persist', 'click', () => void this.#persist());
    this.#on('online', 'change', () => {
      this.#connection!.isOnline = part<HTMLInputElement>(this.element, 'online').checked;
    });
    this.#addForm();
  }

  /** Opens the replica and shows it, for as long as the page is there. */
  async open(inMemory = false): Promise<void> {
    try {
      this.#list = await openList(this.#name, inMemory);
    } catch (error) {
      this.#fail(error);
      part(this.element, 'use-memory').hidden = inMemory || !(error instanceof SynclineError && error.kind === 'unsupported');
      return;
    }
    this.#succeed();
    this.#list
      .collection('item')
      .watch()
      .subscribe((items) => this.#show(items), (error) => this.#fail(error));
    this.#connection = new Connection(this.#list, {
      happened: (event) => this.#hear(event),
      switched: () => this.#stand('connecting'),
    });
    this.#stand('connecting');
    part<HTMLInputElement>(this.element, 'online').disabled = false;
    part<HTMLFieldSetElement>(this.element, 'fields').disabled = false;
  }

  #on(name: string, event: string, listener: () => void): void {
    part(this.element, name).addEventListener(event, listener);
  }

  #addForm(): void {
    const form = part<HTMLFormElement>(this.element, 'add');
    const title = form.elements.namedItem('title') as HTMLTextAreaElement;
    const amount = form.elements.namedItem('amount') as HTMLInputElement;
    title.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      const typed = title.value;
      const titles = typed.split('\n').map((line) => line.trim()).filter((line) => line !== '');
      const more = { amount: amount.value.trim() || null, done: false };
      // Several lines are one write: all of them are there, or none.
      const done = await this.#do((list) => list.collection('item').createMany(titles.map((title) => ({ title, ...more }))));
      if (done && title.value === typed) form.reset();
    });
  }

  #change(id: string, change: Change): Promise<boolean> {
    return this.#do((list) => list.collection('item').update({ id }, change));
  }

  /** Does what a visitor asked for, and says it if that failed. */
  async #do(work: (list: List) => Promise<unknown>): Promise<boolean> {
    if (this.#list === undefined) return false;
    try {
      await work(this.#list);
      this.#succeed();
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    } finally {
      void this.#read();
    }
  }

  async #persist(): Promise<void> {
    const button = part<HTMLButtonElement>(this.element, 'persist');
    await this.#do(async (list) => {
      button.disabled = !(await list.persist());
      if (button.disabled) button.textContent = 'the browser declines';
    });
  }

  #show(items: Item[]): void {
    this.#shown = new Map(items.map((item) => [item.id, item]));
    this.#items.show(items);
    const left = items.filter((item) => !item.done).length;
    part(this.element, 'empty').hidden = items.length > 0;
    part(this.element, 'left').textContent = items.length > 0 ? `${left} of ${items.length} left` : '';
    part(this.element, 'clear').hidden = left === items.length;
    void this.#read();
  }

  #hear(event: SyncEvent): void {
    if (event.type === 'finished') {
      this.#synced = new Date();
      if (this.#standing === 'failed') this.#succeed();
      this.#stand('online');
    }
    if (event.type === 'offline') this.#stand('unreachable');
    if (event.type === 'paused') this.#stand(event.why === 'denied' ? 'denied' : 'offline');
    if (event.type === 'failed' && event.kind !== 'unavailable') {
      this.#stand('failed');
      this.#tell(event.kind, event.message);
    }
    void this.#read();
  }

  #stand(standing: Standing): void {
    const { isOnline = false, isEnding = false } = this.#connection ?? {};
    this.#standing = isOnline ? standing : isEnding ? 'ending' : 'offline';
    part<HTMLInputElement>(this.element, 'online').checked = isOnline;
    showStanding(this.element, this.#standing);
    void this.#read();
  }

  /** Shows how the replica stands; if that changes meanwhile, again. */
  async #read(): Promise<void> {
    if (this.#reading !== 'no') {
      this.#reading = 'again';
      return;
    }
    do {
      this.#reading = 'yes';
      try {
        await this.#readOnce(this.#list!);
      } catch (error) {
        this.#fail(error);
      }
    } while ((this.#reading as string) === 'again');
    this.#reading = 'no';
  }

  async #readOnce(list: List): Promise<void> {
    const [status, storage, discards, fingerprint] = await Promise.all([
      list.status(),
      list.storage(),
      list.discards(),
      list.fingerprint(),
    ]);
    this.#page.stands(this.#name, status.replica, fingerprint);
    const synced = this.#synced ?? status.remotes.map((remote) => remote.lastSuccess).find((at) => at !== undefined);
    showFacts(this.element, {
      pending: status.pending,
      synced,
      isOffline: this.#standing === 'offline',
      isLeading: this.#connection?.isLeading ?? false,
      storage,
    });
    part(this.element, 'conflicts').hidden = discards.length === 0;
    const around = {
      items: this.#shown,
      who: (replica: string) => this.#page.who(replica),
      restore: (id: string, change: Change) => void this.#change(id, change),
    };
    part(this.element, 'lost').replaceChildren(...lossRows(discards, around));
  }

  #fail(error: unknown): void {
    if (!(error instanceof SynclineError)) throw error;
    this.#tell(error.kind, error.message);
  }

  #tell(kind: string, message: string): void {
    const problem = part(this.element, 'problem');
    problem.dataset['kind'] = kind;
    problem.hidden = false;
    part(problem, 'problem-text').textContent = message;
  }

  #succeed(): void {
    part(this.element, 'problem').hidden = true;
  }
}
