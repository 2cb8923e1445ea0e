// The items of a replica, on the page.

import type { Item } from './list';
import { copy, part } from './parts';

/** What a visitor does to an item. */
export interface Deeds {
  /** Answers whether it was written. */
  change(id: string, changes: { title?: string; amount?: string | null; done?: boolean }): Promise<boolean>;
  remove(id: string): void;
}

/** Shows items; each keeps its element, so that who is typing in one is not disturbed. */
export class Items {
  readonly #list: HTMLElement;
  readonly #deeds: Deeds;
  readonly #rows = new Map<string, HTMLLIElement>();

  constructor(list: HTMLElement, deeds: Deeds) {
    this.#list = list;
    this.#deeds = deeds;
  }

  show(items: Item[]): void {
    const kept = new Set(items.map((item) => item.id));
    for (const [id, row] of this.#rows) {
      if (kept.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    items.forEach((item, at) => {
      const row = this.#rows.get(item.id) ?? this.#make(item.id);
      fill(row, item);
      if (this.#list.children[at] !== row) this.#list.insertBefore(row, this.#list.children[at] ?? null);
    });
  }

  #make(id: string): HTMLLIElement {
    const row = copy<HTMLLIElement>('item');
    row.dataset['id'] = id;
    const [done, title, amount] = inputs(row);
    done.addEventListener('change', async () => {
      if (!(await this.#deeds.change(id, { done: done.checked }))) done.checked = !done.checked;
    });
    this.#edits(title, () => this.#deeds.change(id, { title: title.value.trim() }));
    this.#edits(amount, () => this.#deeds.change(id, { amount: amount.value.trim() || null }));
    part(row, 'remove').addEventListener('click', () => this.#deeds.remove(id));
    this.#rows.set(id, row);
    return row;
  }

  /** Writes what was typed; what cannot be written is not shown as if it were. */
  #edits(input: HTMLInputElement, write: () => Promise<boolean>): void {
    const reset = () => (input.value = input.dataset['stored'] ?? '');
    input.addEventListener('change', async () => {
      if (!input.checkValidity() || !(await write())) reset();
    });
    input.addEventListener('keydown', (event) => event.key === 'Enter' && input.blur());
    input.addEventListener('focus', () => (input.dataset['found'] = input.value));
    input.addEventListener('blur', () => input.value === input.dataset['found'] && reset());
  }
}

const inputs = (row: HTMLElement) =>
  ['done', 'title', 'amount'].map((name) => part<HTMLInputElement>(row, name)) as [
    HTMLInputElement,
    HTMLInputElement,
    HTMLInputElement,
  ];

function fill(row: HTMLElement, item: Item): void {
  const [done, title, amount] = inputs(row);
  row.classList.toggle('is-done', item.done);
  done.checked = item.done;
  write(title, item.title);
  write(amount, item.amount ?? '');
}

/** Shows a value, unless somebody is typing another one. */
function write(input: HTMLInputElement, value: string): void {
  const isTyping = document.activeElement === input && input.value !== input.dataset['found'];
  input.dataset['stored'] = value;
  if (isTyping || input.value === value) return;
  input.value = input.dataset['found'] = value;
}
