// What lost against what somebody else wrote at the same time.

import type { Discard } from 'syncline';

import type { Item } from './list';
import { copy, part } from './parts';

/** Field by field, so that a lost value can be put back. */
export type Change = { title?: string; amount?: string | null; done?: boolean };

/** What rows need to know. */
export interface Around {
  items: ReadonlyMap<string, Item>;
  /** Who wrote something, in words. */
  who(replica: string): string;
  restore(id: string, change: Change): void;
}

/** Rows for values that lost, newest first. */
export function lossRows(discards: Discard[], around: Around): HTMLElement[] {
  return discards.toReversed().map((discard) => row(discard, around));
}

function row(discard: Discard, { items, who, restore }: Around): HTMLElement {
  const { field, lost, loser, winner } = discard;
  const [row, id] = [copy('loss'), String(discard.key)];
  const item = items.get(id);
  part(row, 'lost').textContent = field === undefined ? (titleOf(lost) ?? 'changes') : inWords(field, lost);
  part(row, 'stands').textContent = standing(field, item);
  const of = field === 'title' || item === undefined ? '' : ` of ${item.title}`;
  const about = field === undefined ? 'all of it' : `${field}${of}`;
  part(row, 'why').textContent = `${about} · ${who(loser.replica)} wrote it, ${who(winner.replica)} ${field === undefined ? 'removed it' : 'wrote later'}`;
  const button = part<HTMLButtonElement>(row, 'restore');
  button.hidden = field === undefined || item === undefined || item[field as keyof Item] === (lost ?? undefined);
  button.addEventListener('click', () => restore(id, { [field as string]: lost } as Change));
  return row;
}

function standing(field: string | undefined, item: Item | undefined): string {
  if (item === undefined) return 'removed';
  return inWords(field ?? 'title', item[(field ?? 'title') as keyof Item]);
}

function titleOf(lost: unknown): string | undefined {
  return (lost as Partial<Item> | null)?.title;
}

function inWords(field: string, value: unknown): string {
  if (field === 'done') return value === true ? 'done' : 'not done';
  return value === null || value === undefined ? 'nothing' : String(value);
}
