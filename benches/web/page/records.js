// The one record shape of all workloads, from a seeded generator.

/** The same numbers for the same seed everywhere: mulberry32. */
function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz      ';

/** Texts and orders from one seed. */
export class Dice {
  constructor(seed) {
    this.bits = seeded(seed);
  }

  text(length) {
    let text = '';
    for (let at = 0; at < length; at += 1) text += LETTERS[this.bits() % LETTERS.length];
    return text;
  }

  uuid() {
    const hex = () => this.bits().toString(16).padStart(8, '0');
    const [a, b, c, d] = [hex(), hex(), hex(), hex()];
    return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-a${c.slice(1, 4)}-${c.slice(4)}${d}`;
  }

  shuffled(things) {
    const all = [...things];
    for (let last = all.length - 1; last > 0; last -= 1) {
      const other = this.bits() % (last + 1);
      [all[last], all[other]] = [all[other], all[last]];
    }
    return all;
  }
}

/** So many records; each priority below their number comes once. */
export function records(count, seed) {
  const dice = new Dice(seed);
  return Array.from({ length: count }, (_, at) => ({
    id: dice.uuid(),
    title: dice.text(24),
    body: dice.text(200),
    done: dice.bits() % 2 === 1,
    priority: (at * 7919) % count,
    updated: 1_700_000_000_000 + at,
  }));
}

/** Touches every field, so that nobody saves work by not reading. */
export function sum(record) {
  return record.id.length + record.title.length + record.body.length + Number(record.done) + record.priority + record.updated;
}
