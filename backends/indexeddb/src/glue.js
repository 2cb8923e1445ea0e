// The part of this backend that is JavaScript: the calls to IndexedDB, and nothing that decides.
//
// Rows go to wasm packed into one array of bytes, because crossing over once for each field costs more
// than all the rest. Requests have no handlers of their own unless their answer is wanted: a request that
// fails ends its transaction, and that tells which one it was.

/// Whether there is an IndexedDB here at all; asking for it may throw.
export function hasIndexedDb() {
  try {
    return typeof indexedDB !== "undefined" && indexedDB !== null;
  } catch {
    return false;
  }
}

/// One way of telling what went wrong, whatever was thrown.
function fault(error, name, number) {
  const told = new Error(error?.message ?? String(error));
  told.name = name ?? error?.name ?? "UnknownError";
  told.number = number;
  return told;
}

/// Keeps a promise that nobody may ever ask for from being reported as unhandled.
function quietly(promise) {
  promise.catch(() => {});
  return promise;
}

/// A database that is being opened, and changed if its version asks for that.
export class Opening {
  #given = false;
  #abandoned = false;
  #timer;

  constructor(name, version, patience) {
    const request = version === undefined ? indexedDB.open(name) : indexedDB.open(name, version);
    this.request = request;
    this.upgrade = undefined;
    let begin, finish;
    this.begun = quietly(new Promise((ok, no) => (begin = { ok, no })));
    this.finished = quietly(new Promise((ok, no) => (finish = { ok, no })));
    const fail = (why) => {
      clearTimeout(this.#timer);
      begin.no(why);
      finish.no(why);
    };
    request.onblocked = () => {
      this.#timer ??= setTimeout(() => {
        this.#abandoned = true;
        fail(fault("another connection does not let go", "BlockedError"));
      }, patience);
    };
    request.onupgradeneeded = (event) => {
      clearTimeout(this.#timer);
      if (this.#abandoned) return request.transaction.abort();
      this.oldVersion = event.oldVersion;
      this.upgrade = new Transaction(request.transaction);
      begin.ok();
    };
    request.onsuccess = () => {
      clearTimeout(this.#timer);
      const db = request.result;
      if (this.#abandoned) return db.close();
      letGo(db);
      begin.ok();
      finish.ok();
    };
    request.onerror = (event) => {
      event.preventDefault();
      fail(fault(request.error));
    };
  }

  /// The open database; from now on whoever took it closes it.
  take() {
    this.#given = true;
    return this.request.result;
  }

  /// Nobody waits any more: what is being changed is taken back, and what opens is closed.
  abandon() {
    if (this.#given || this.#abandoned) return;
    this.#abandoned = true;
    clearTimeout(this.#timer);
    if (this.request.readyState !== "done") return;
    this.upgrade?.abort();
    this.request.result?.close();
  }
}

/// Lets go of the database as soon as somebody wants to change or delete it.
function letGo(db) {
  db.gone = false;
  db.onversionchange = () => close(db);
  db.onclose = () => (db.gone = true);
}

export function isGone(db) {
  return db.gone !== false;
}

export function close(db) {
  db.gone = true;
  db.close();
}

export function version(db) {
  return db.version;
}

export function storeNames(db) {
  return Array.from(db.objectStoreNames);
}

/// Deletes a database; whoever has it open is asked to let go.
export function deleteDatabase(name, patience) {
  return new Promise((ok, no) => {
    const request = indexedDB.deleteDatabase(name);
    let timer;
    request.onblocked = () => {
      const why = () => no(fault("another connection does not let go", "BlockedError"));
      timer ??= setTimeout(why, patience);
    };
    request.onsuccess = () => (clearTimeout(timer), ok());
    request.onerror = () => (clearTimeout(timer), no(fault(request.error)));
  });
}

/// What the browser promises for this origin's data.
export async function storage() {
  const manager = globalThis.navigator?.storage;
  const persisted = await manager?.persisted?.();
  const estimate = await manager?.estimate?.();
  return [persisted, estimate?.usage, estimate?.quota];
}

/// Asks the browser not to delete this origin's data by itself. Windows may ask, workers may not.
export async function persist() {
  return (await globalThis.navigator?.storage?.persist?.()) ?? false;
}

function range(from, to) {
  if (to === undefined) return from.length === 0 ? undefined : IDBKeyRange.lowerBound(from);
  return from.length === 0 ? IDBKeyRange.upperBound(to, true) : IDBKeyRange.bound(from, to, false, true);
}

function valueOf(row) {
  return row instanceof Uint8Array ? row : row.v;
}

/// One transaction.
export class Transaction {
  #transaction;
  #answers = [];
  #waiting = 0;
  #wanted;
  #failed;

  constructor(transaction) {
    this.#transaction = transaction;
    this.ended = quietly(
      new Promise((ok, no) => {
        transaction.oncomplete = () => ok();
        transaction.onerror = (event) => {
          // Where a transaction ends for another reason, each request fails of that.
          if (event.target.error?.name === "AbortError") return;
          this.#failed ??= fault(event.target.error, undefined, event.target.number);
        };
        transaction.onabort = () => {
          const error = transaction.error;
          this.#failed ??= fault(error ?? "it was taken back", error?.name ?? "AbortError");
          this.#wanted?.no(this.#failed);
          no(this.#failed);
        };
      }),
    );
  }

  static begin(db, names, mode, durability) {
    return new Transaction(db.transaction(names, mode, { durability }));
  }

  store(name) {
    return this.#transaction.objectStore(name);
  }

  createStore(name) {
    return this.#transaction.db.createObjectStore(name);
  }

  createIndex(store, name, multiEntry) {
    store.createIndex(name, name, { multiEntry });
  }

  commit() {
    this.#transaction.commit();
  }

  abort() {
    try {
      this.#transaction.abort();
    } catch {
      // It has ended already.
    }
  }

  // Questions: asked in any number, answered together, in the order in which they were asked.

  get(source, key) {
    this.#ask(source.get(key), (row) => (row === undefined ? [] : [valueOf(row)]));
  }

  has(source, key) {
    this.#ask(source.getKey(key), (found) => (found === undefined ? [] : [new Uint8Array(0)]));
  }

  anyFrom(source, from) {
    this.has(source, IDBKeyRange.lowerBound(from));
  }

  all(source, from, to, count) {
    this.#ask(source.getAll(range(from, to), count), (rows) => rows.map(valueOf));
  }

  count(source, from, to) {
    this.#ask(source.count(range(from, to)), (count) => [new Uint8Array(new Float64Array([count]).buffer)]);
  }

  backwards(source, from, to, count) {
    const rows = [];
    this.#ask(source.openCursor(range(from, to), "prev"), (cursor) => {
      if (!cursor) return rows;
      rows.push(valueOf(cursor.value));
      if (rows.length >= count) return rows;
      cursor.continue();
    });
  }

  #ask(request, rowsOf) {
    const place = this.#answers.push(undefined) - 1;
    this.#waiting += 1;
    request.onsuccess = () => {
      const rows = rowsOf(request.result);
      if (rows === undefined) return;
      this.#answers[place] = rows;
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#wanted?.ok(this.#pack());
    };
  }

  /// The rows that answer each question: how many, and each behind its length.
  answers() {
    if (this.#failed) return Promise.reject(this.#failed);
    if (this.#waiting === 0) return Promise.resolve(this.#pack());
    return new Promise((ok, no) => (this.#wanted = { ok, no }));
  }

  #pack() {
    let length = 0;
    for (const rows of this.#answers) {
      length += 4;
      for (const row of rows) length += 4 + row.length;
    }
    const packed = new Uint8Array(length);
    const view = new DataView(packed.buffer);
    let at = 0;
    for (const rows of this.#answers) {
      view.setUint32(at, rows.length, true);
      at += 4;
      for (const row of rows) {
        view.setUint32(at, row.length, true);
        packed.set(row, at + 4);
        at += 4 + row.length;
      }
    }
    this.#answers = [];
    this.#wanted = undefined;
    return packed;
  }

  // Writes. Bytes from wasm are copied: its memory is no part of a row. A number tells which write failed.

  add(store, key, bytes, number) {
    store.add(bytes.slice(), key).number = number;
  }

  put(store, key, bytes) {
    store.put(bytes.slice(), key);
  }

  /// A row with a place in indexes: `ends` says where in `places` each of them ends. An index of words
  /// has any number of places; a zero in `ends` begins them, and another one ends them.
  row(bytes, names, places, ends) {
    const row = { v: bytes.slice() };
    let from = 0;
    let several;
    let name = 0;
    for (const end of ends) {
      if (end === 0) {
        if (several) row[names[name++]] = several;
        several = several ? undefined : [];
        continue;
      }
      const place = places.slice(from, end);
      from = end;
      if (several) several.push(place);
      else row[names[name++]] = place;
    }
    return row;
  }

  addRow(store, key, number, bytes, names, places, ends) {
    store.add(this.row(bytes, names, places, ends), key).number = number;
  }

  putRow(store, key, bytes, names, places, ends) {
    store.put(this.row(bytes, names, places, ends), key);
  }

  remove(store, key) {
    store.delete(key);
  }

  removeAll(store, from, to) {
    const all = range(from, to);
    if (all === undefined) store.clear();
    else store.delete(all);
  }
}

export function indexNames(store) {
  return Array.from(store.indexNames);
}

export function indexOf(store, name) {
  return store.index(name);
}
