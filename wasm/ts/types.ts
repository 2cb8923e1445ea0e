// What a schema says about the objects of its collections, as types.

/** The names of field types, and what JavaScript holds for each. */
export interface FieldTypes {
  'auto-pk': number;
  binary: Uint8Array;
  blob: Uint8Array;
  boolean: boolean;
  datetime: Date;
  float: number;
  /** Read as a `bigint` where a number would not hold it exactly: beyond ±(2^53 - 1). */
  int: number;
  json: Json;
  'random-key': string;
  string: string;
  text: string;
  timestamp: Date;
  url: string;
}

/** The name of a field type. */
export type FieldType = keyof FieldTypes;

/** Any JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** One field of a collection. */
export interface FieldDefinition {
  /** What it holds. */
  readonly type: FieldType;
  /** Whether objects may lack it. */
  readonly optional?: boolean;
}

/** A field, by its name or by the alias of the relationship that it holds. */
export type FieldName = string | { readonly relationship: string };

/** An index, or the primary key. */
export interface IndexDefinition {
  /** What it is over. */
  readonly field: FieldName | readonly FieldName[];
  /** Whether it is the primary key: the text field `id` if none is. */
  readonly pk?: boolean;
  /** Whether no two objects may have the same values in it. */
  readonly unique?: boolean;
  /** Whether it is of words. */
  readonly fullText?: boolean;
}

/** Refers to an object of another collection, whose key stands in a field of this one. */
export type RelationshipDefinition = ChildDefinition | SingleChildDefinition | ConnectionDefinition;

/** What children of either kind have. */
interface ChildNames {
  /** What the parent is called here: the name of its collection if nothing is said. */
  readonly alias?: string;
  /** What these objects are called there. */
  readonly reverseAlias?: string;
  /** The field that holds the parent's key: the alias if nothing is said. */
  readonly fieldName?: string;
  /** Whether there may be no parent. */
  readonly optional?: boolean;
}

/** Any number of these objects belong to one of another collection. */
export interface ChildDefinition extends ChildNames {
  readonly childOf: string;
}

/** One of these objects belongs to one of another collection. */
export interface SingleChildDefinition extends ChildNames {
  readonly singleChildOf: string;
}

/** These objects connect two others. */
export interface ConnectionDefinition {
  readonly connects: readonly [string, string];
  readonly aliases?: readonly [string, string];
  readonly reverseAliases?: readonly [string, string];
  readonly fieldNames?: readonly [string, string];
  readonly optional?: boolean;
}

/** Objects of one kind. */
export interface CollectionDefinition {
  /** The version of the schema in which this last changed. */
  readonly version?: number;
  readonly fields?: { readonly [name: string]: FieldDefinition };
  readonly indices?: readonly IndexDefinition[];
  readonly relationships?: readonly RelationshipDefinition[];
}

/** What collections there are; the same JSON that the command `syncline` reads. */
export interface SchemaDefinition {
  /** Rises whenever something below changes. */
  readonly version: number;
  readonly collections: { readonly [name: string]: CollectionDefinition };
  /** Older versions, oldest first. */
  readonly history?: readonly {
    readonly version: number;
    readonly collections: { readonly [name: string]: CollectionDefinition };
  }[];
}

/** The names of the collections of a schema. */
export type CollectionName<S extends SchemaDefinition> = keyof S['collections'] & string;

type Flat<T> = { [K in keyof T]: T[K] } & {};

type Fields<D extends CollectionDefinition> = D extends {
  fields: infer F extends Record<string, FieldDefinition>;
}
  ? F
  : {};

type OptionalFields<F extends Record<string, FieldDefinition>> = {
  [K in keyof F]: F[K] extends { optional: true } ? K : never;
}[keyof F];

type PlainObject<F extends Record<string, FieldDefinition>> = {
  -readonly [K in Exclude<keyof F, OptionalFields<F>>]: TypeOf<F[K]>;
} & { -readonly [K in OptionalFields<F>]?: TypeOf<F[K]> };

type Indices<D extends CollectionDefinition> = D extends {
  indices: infer I extends readonly IndexDefinition[];
}
  ? I[number]
  : never;

type Named<F> = F extends string ? F : F extends { relationship: infer R extends string } ? R : never;

type Names<F> = F extends readonly unknown[] ? Named<F[number]> : Named<F>;

/** The fields of the primary key. */
type KeyNames<D extends CollectionDefinition> = [Extract<Indices<D>, { pk: true }>] extends [never]
  ? 'id'
  : Names<Extract<Indices<D>, { pk: true }>['field']>;

/** Whether the primary key has several fields, which only the application can fill. */
type HasCompoundKey<D extends CollectionDefinition> =
  Extract<Indices<D>, { pk: true }>['field'] extends readonly [unknown, unknown, ...unknown[]]
    ? [Extract<Indices<D>, { pk: true }>] extends [never]
      ? false
      : true
    : false;

type KeyFields<D extends CollectionDefinition> = 'id' extends KeyNames<D>
  ? 'id' extends keyof Fields<D>
    ? {}
    : { id: string }
  : {};

type TypeOf<F> = F extends { type: infer K extends FieldType } ? FieldTypes[K] : never;

/** What the key of a collection's objects holds, for a field that refers to one. */
type KeyValue<S extends SchemaDefinition, N extends string> = N extends CollectionName<S>
  ? KeyNames<S['collections'][N]> extends infer K extends keyof Fields<S['collections'][N]>
    ? TypeOf<Fields<S['collections'][N]>[K]>
    : string
  : never;

type Relationships<D extends CollectionDefinition> = D extends {
  relationships: infer R extends readonly RelationshipDefinition[];
}
  ? R[number]
  : never;

type Parent<R> = R extends { childOf: infer P extends string }
  ? P
  : R extends { singleChildOf: infer P extends string }
    ? P
    : never;

type HeldBy<R> = R extends { fieldName: infer F extends string }
  ? F
  : R extends { alias: infer A extends string }
    ? A
    : Parent<R>;

type End<R, At extends '0' | '1'> = R extends { fieldNames: infer F extends readonly [string, string] }
  ? F[At]
  : R extends { aliases: infer A extends readonly [string, string] }
    ? A[At]
    : R extends { connects: infer C extends readonly [string, string] }
      ? C[At]
      : never;

type Held<S extends SchemaDefinition, R> = R extends { connects: infer C extends readonly [string, string] }
  ? { [K in End<R, '0'>]: KeyValue<S, C[0]> } & { [K in End<R, '1'>]: KeyValue<S, C[1]> }
  : { [K in HeldBy<R>]: KeyValue<S, Parent<R>> };

type HeldFields<S extends SchemaDefinition, R> = R extends { optional: true } ? Partial<Held<S, R>> : Held<S, R>;

type Every<U> = (U extends unknown ? (of: U) => void : never) extends (of: infer I) => void ? I : never;

type AllHeld<S extends SchemaDefinition, D extends CollectionDefinition> = [Relationships<D>] extends [never]
  ? {}
  : Every<HeldFields<S, Relationships<D>>>;

/** An object of a collection as it is read. */
export type ObjectOf<S extends SchemaDefinition, N extends CollectionName<S>> = Flat<
  KeyFields<S['collections'][N]> & PlainObject<Fields<S['collections'][N]>> & AllHeld<S, S['collections'][N]>
>;

/** The fields of a collection's primary key. */
export type KeyOf<S extends SchemaDefinition, N extends CollectionName<S>> = KeyNames<S['collections'][N]> &
  keyof ObjectOf<S, N>;

type RandomKeys<F extends Record<string, FieldDefinition>> = {
  [K in keyof F]: F[K] extends { type: 'random-key' } ? K : never;
}[keyof F];

/** The fields that are filled in where a new object lacks them. */
export type GivenOf<S extends SchemaDefinition, N extends CollectionName<S>> = (
  | (HasCompoundKey<S['collections'][N]> extends true ? never : KeyNames<S['collections'][N]>)
  | RandomKeys<Fields<S['collections'][N]>>
) &
  keyof ObjectOf<S, N>;

/** What may be given where a field holds this. */
export type Writable<V> = V extends number
  ? number | bigint
  : V extends Uint8Array
    ? Uint8Array | ArrayBuffer
    : V;

type Lacking<T> = { [K in keyof T]-?: undefined extends T[K] ? K : never }[keyof T];

/** A new object: without the fields that are filled in, and with null or nothing for what it lacks. */
export type NewObject<T, Given extends keyof T = never> = Flat<
  { [K in Exclude<keyof T, Lacking<T> | Given>]: Writable<T[K]> } & {
    [K in Lacking<T> | Given]?: Writable<Exclude<T[K], undefined>> | null | undefined;
  }
>;

/** Fields to set, those of the key aside; null empties a field that an object may lack. */
export type Changes<T, Key extends keyof T = never> = Flat<
  { [K in Exclude<keyof T, Lacking<T> | Key>]?: Writable<T[K]> | undefined } & {
    [K in Exclude<Lacking<T>, Key>]?: Writable<Exclude<T[K], undefined>> | null | undefined;
  }
>;

type Comparable = string | number | bigint | boolean | Date | Uint8Array;

/** What a field is tested for; the words are MongoDB's. An absent field equals null. */
export interface EqualityTests<V> {
  $eq?: V | null;
  $ne?: V | null;
  $in?: readonly (V | null)[];
  $nin?: readonly (V | null)[];
  $exists?: boolean;
}

/** What a field that has an order is tested for. */
export interface OrderTests<V> {
  $lt?: V;
  $lte?: V;
  $gt?: V;
  $gte?: V;
}

/** What a field of text is tested for. */
export interface TextTests {
  /** Begins so, letter by letter. */
  $prefix?: string;
  /** Holds all of these words; the storage must have an index of words. */
  $text?: string | readonly string[];
}

/** What a field is tested for. */
export type Tests<V> = EqualityTests<Writable<V>> &
  (V extends Comparable ? OrderTests<Writable<V>> : {}) &
  (V extends string ? TextTests : {}) & { $not?: Tests<V> };

/** Which objects are meant; all members must be met. */
export type Filter<T, Key extends keyof T = keyof T> = {
  [K in keyof T]?: Writable<Exclude<T[K], undefined>> | null | Tests<Exclude<T[K], undefined>>;
} & {
  /** All of these are met. */
  $and?: readonly Filter<T, Key>[];
  /** At least one of these is met. */
  $or?: readonly Filter<T, Key>[];
  /** This is not met. */
  $not?: Filter<T, Key>;
  /** The objects with these primary keys. */
  $keys?: readonly (T[Key] | Pick<T, Key>)[];
};

/** A field to sort by; with `-`, greatest first. */
export type Order<T> = `${'' | '-'}${keyof T & string}`;

/** What is asked beside a filter. */
export interface FindOptions<T, Selected extends keyof T = keyof T> {
  /** The fields to sort by, the first one first, and then by primary key. */
  order?: Order<T> | readonly Order<T>[];
  /** At most this many objects. */
  limit?: number;
  /** Leaves out this many at the start. */
  skip?: number;
  /** Only these fields, and those of the primary key. */
  select?: readonly Selected[];
}

/** Says a schema, so that a mistake in it is found where it is. */
export function defineSchema<const S extends SchemaDefinition>(schema: S): S {
  return schema;
}
