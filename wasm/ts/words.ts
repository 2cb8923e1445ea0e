// Filters and keys as JSON text, the way `core` reads them.

import { invalid } from './errors.js';

const LONGEST_TEXT = 60;

/**
 * JSON for a filter, or for part of one: dates become milliseconds, bytes base64, big whole numbers stay whole.
 *
 * What is undefined is refused rather than left out: the filter would mean more objects than its author does.
 */
export function filterJson(filter: unknown, at = 'the filter'): string {
  if (filter === undefined) {
    throw invalid(`${at} is undefined; leave it out, or say null for what is absent`);
  }
  if (typeof filter === 'bigint') return filter.toString();
  if (typeof filter === 'number' && !Number.isFinite(filter)) {
    throw invalid('a number is finite', { at, got: String(filter) });
  }
  if (typeof filter === 'string') return JSON.stringify(wellFormed(filter));
  if (typeof filter !== 'object' || filter === null) {
    const json = JSON.stringify(filter);
    if (json === undefined) throw invalid('a filter holds values', { at, got: typeof filter });
    return json;
  }
  if (filter instanceof Date) return String(millis(filter));
  if (filter instanceof Uint8Array) return JSON.stringify(base64(filter));
  if (filter instanceof ArrayBuffer) return JSON.stringify(base64(new Uint8Array(filter)));
  if (Array.isArray(filter)) {
    return `[${filter.map((item, place) => filterJson(item, `${at}[${place}]`)).join()}]`;
  }
  const members = Object.entries(filter);
  return `{${members.map(([name, of]) => `${JSON.stringify(name)}:${filterJson(of, `${at}.${name}`)}`).join()}}`;
}

/** The milliseconds of a date. */
export function millis(date: Date): number {
  const time = date.getTime();
  if (Number.isNaN(time)) throw invalid('a date is a point in time; this one is invalid');
  return time;
}

/** The same text, if it has no half of a surrogate pair, which UTF-8 cannot hold. */
export function wellFormed(text: string): string {
  if (/\p{Surrogate}/u.test(text)) {
    throw invalid('text is Unicode; this has half of a surrogate pair', {
      text: JSON.stringify(text.slice(0, LONGEST_TEXT)),
    });
  }
  return text;
}

function base64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
