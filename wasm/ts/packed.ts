// Objects as bytes, to cross the border to WebAssembly. `src/packed.rs` is the other side and says how it looks.

import { failure, invalid } from './errors.js';
import { millis, wellFormed } from './words.js';

const BY_NAME = 0xffff;
/** Text up to this length is written and read letter by letter: faster than to call for it. */
const SHORT = 24;

/** What packing must know of a collection. */
export class Shape {
  readonly name: string;
  /** Fields by place. */
  readonly fields: readonly string[];
  readonly key: readonly string[];
  /** Places by the names of fields and the aliases of relationships. */
  readonly places: ReadonlyMap<string, number>;
  /** For each place, what storage holds there. */
  readonly kinds: readonly Primitive[];

  constructor(name: string, described: Described) {
    this.name = name;
    this.fields = described.fields.map(([field]) => field);
    this.kinds = described.fields.map(([, kind]) => kind);
    this.key = described.key;
    const places = new Map(this.fields.map((field, place) => [field, place]));
    for (const [alias, field] of described.aliases) {
      const place = places.get(field);
      if (place !== undefined && !places.has(alias)) places.set(alias, place);
    }
    this.places = places;
    if (this.fields.includes('__proto__')) {
      throw invalid('a field of JavaScript objects is not called so; name it otherwise', { field: '__proto__' });
    }
  }
}

/** What storage holds for a field. */
export type Primitive = 'bool' | 'bytes' | 'float' | 'int' | 'json' | 'text' | 'timestamp';

/** How WebAssembly describes a collection. */
export interface Described {
  fields: [name: string, kind: Primitive][];
  aliases: [alias: string, field: string][];
  key: string[];
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Packs objects. */
export class Writer {
  #bytes = new Uint8Array(1 << 10);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** What was packed since the last time; valid until something is packed again. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return taken;
  }

  /** Forgets what was packed, for something in it was wrong. */
  forget(): void {
    this.#length = 0;
  }

  /** How much is packed. */
  get length(): number {
    return this.#length;
  }

  /** Forgets what was packed behind this place. */
  backTo(length: number): void {
    this.#length = length;
  }

  byte(byte: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = byte;
  }

  count(count: number): void {
    this.#room(4);
    this.#view.setUint32(this.#length, count, true);
    this.#length += 4;
  }

  float(float: number): void {
    this.#room(8);
    this.#view.setFloat64(this.#length, float, true);
    this.#length += 8;
  }

  text(text: string): void {
    this.#room(4 + text.length * 3);
    const start = this.#length + 4;
    const written = text.length <= SHORT ? this.#ascii(text, start) : -1;
    const size = written >= 0 ? written : this.#encode(text, start);
    this.#view.setUint32(this.#length, size, true);
    this.#length = start + size;
  }

  object(object: object, shape: Shape): void {
    if (object === null || typeof object !== 'object') {
      throw invalid('an object is wanted', { collection: shape.name, got: typeof object });
    }
    this.#room(2);
    const start = this.#length;
    this.#length += 2;
    let count = 0;
    for (const name of Object.keys(object)) {
      const value = (object as Record<string, unknown>)[name];
      // What is undefined is not mentioned.
      if (value === undefined) continue;
      count += 1;
      this.#name(name, shape);
      try {
        this.#value(value, shape.kinds[shape.places.get(name) ?? -1] === 'json');
      } catch (error) {
        throw withField(error, name, shape.name);
      }
    }
    this.#view.setUint16(start, count, true);
  }

  #name(name: string, shape: Shape): void {
    const place = shape.places.get(name);
    this.#room(2);
    this.#view.setUint16(this.#length, place ?? BY_NAME, true);
    this.#length += 2;
    if (place === undefined) this.text(name);
  }

  #value(value: unknown, isJson: boolean): void {
    if (value === null) return this.byte(0);
    if (isJson) return this.#json(value);
    switch (typeof value) {
      case 'boolean':
        return this.byte(value ? 2 : 1);
      case 'string':
        this.byte(6);
        return this.text(value);
      case 'number':
        this.byte(Number.isSafeInteger(value) ? 3 : 5);
        return this.float(value);
      case 'bigint':
        return this.#big(value);
      case 'object':
        if (value instanceof Date) {
          const time = millis(value);
          this.byte(8);
          return this.float(time);
        }
        if (value instanceof Uint8Array) return this.#raw(value);
        if (value instanceof ArrayBuffer) return this.#raw(new Uint8Array(value));
        return this.#json(value);
      default:
        throw invalid('this is no value', { got: typeof value });
    }
  }

  #json(value: unknown): void {
    let json: string | undefined;
    try {
      json = JSON.stringify(value);
    } catch (cause) {
      throw failure('invalid', `this is no JSON: ${String(cause)}`, { cause });
    }
    if (json === undefined) throw invalid('this is no JSON', { got: typeof value });
    this.byte(9);
    this.text(json);
  }

  #big(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) {
      throw invalid('a whole number has at most 64 bits', { got: String(value) });
    }
    this.#room(9);
    this.byte(4);
    this.#view.setBigInt64(this.#length, value, true);
    this.#length += 8;
  }

  #raw(bytes: Uint8Array): void {
    this.#room(5 + bytes.length);
    this.byte(7);
    this.count(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** How many bytes were written, or -1 if it is not ASCII. */
  #ascii(text: string, start: number): number {
    const bytes = this.#bytes;
    for (let at = 0; at < text.length; at++) {
      const letter = text.charCodeAt(at);
      if (letter > 0x7f) return -1;
      bytes[start + at] = letter;
    }
    return text.length;
  }

  #encode(text: string, start: number): number {
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(start));
    // Half of a surrogate pair would become another letter without a word.
    if (written !== text.length) wellFormed(text);
    return written;
  }

  #room(more: number): void {
    const wanted = this.#length + more;
    if (wanted <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(wanted, this.#bytes.length * 2));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

function withField(error: unknown, field: string, collection: string): unknown {
  const isOurs = error instanceof Error && 'context' in error;
  return isOurs ? invalid(error.message, { ...(error.context as object), field, collection }) : error;
}

/** Reads what WebAssembly packed. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  objects(shape: Shape): Record<string, unknown>[] {
    const count = this.count();
    const objects = new Array<Record<string, unknown>>(count);
    for (let at = 0; at < count; at++) objects[at] = this.object(shape);
    return objects;
  }

  object(shape: Shape): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    for (let left = this.short(); left > 0; left--) {
      const place = this.short();
      const name = place === BY_NAME ? this.text() : (shape.fields[place] as string);
      object[name] = this.value();
    }
    return object;
  }

  value(): unknown {
    switch (this.byte()) {
      case 0:
        return null;
      case 1:
        return false;
      case 2:
        return true;
      case 3:
      case 5:
        return this.float();
      case 4:
        this.#at += 8;
        return this.#view.getBigInt64(this.#at - 8, true);
      case 6:
        return this.text();
      case 7: {
        const length = this.count();
        this.#at += length;
        return this.#bytes.slice(this.#at - length, this.#at);
      }
      case 8:
        return new Date(this.float());
      default:
        return JSON.parse(this.text());
    }
  }

  text(): string {
    const length = this.count();
    const start = this.#at;
    this.#at += length;
    if (length <= SHORT) {
      let text = '';
      for (let at = start; at < this.#at; at++) {
        const letter = this.#bytes[at] as number;
        if (letter > 0x7f) return decoder.decode(this.#bytes.subarray(start, this.#at));
        text += String.fromCharCode(letter);
      }
      return text;
    }
    return decoder.decode(this.#bytes.subarray(start, this.#at));
  }

  byte(): number {
    return this.#view.getUint8(this.#at++);
  }

  short(): number {
    this.#at += 2;
    return this.#view.getUint16(this.#at - 2, true);
  }

  count(): number {
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4, true);
  }

  float(): number {
    this.#at += 8;
    return this.#view.getFloat64(this.#at - 8, true);
  }
}
