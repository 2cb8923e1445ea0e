//! The way to the objects that a filter can mean: by keys, or along the primary key or an index.

use syncline_core::query::{Continuation, Demands, Direction, Order, Test, words};
use syncline_core::schema::Primitive;
use syncline_core::value::{Key, Name};
use syncline_core::{Collection, Filter, Object, Value};

use crate::key::{self, Span};

/// A way along which objects lie in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// What sorts them; the primary key comes last, so that no two objects are at one place.
    pub(crate) fields: Vec<Name>,
    /// Whether each word of the first field is a place.
    pub(crate) words: bool,
}

impl Way {
    /// Where an object is; `word` is the place of the word by which it was found.
    pub(crate) fn place(&self, object: &Object, word: Option<&[u8]>) -> Vec<u8> {
        let mut place = Vec::with_capacity(64);
        place.extend_from_slice(word.unwrap_or_default());
        key::put_fields(&mut place, object, &self.fields[usize::from(word.is_some())..]);
        place
    }
}

/// A way to objects, and what is still to be asked of each of them.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) access: Access,
    pub(crate) rest: Vec<&'a Filter>,
    pub(crate) flow: Flow,
}

/// Where to look.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// At these keys, sorted and each once.
    Keys(Vec<Key>),
    /// Along one of the ways.
    Along(Along),
}

/// Parts of a way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Along {
    /// The way's number.
    pub(crate) way: usize,
    /// The parts, in the order in which they are gone.
    pub(crate) spans: Vec<Span>,
    /// The place of the word that is looked for, where places are words.
    pub(crate) word: Option<Vec<u8>>,
}

/// Whether objects come in the order that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// They do.
    Forward,
    /// They do if the way is gone from its end.
    Backward,
    /// They have to be sorted.
    Mixed,
}

/// The order that is asked for, and where to go on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sorted<'a> {
    pub(crate) order: &'a [Order],
    pub(crate) after: Option<&'a Continuation>,
}

impl<'a> Plan<'a> {
    /// The shortest way that leaves nothing out.
    pub(crate) fn new(
        filter: &'a Filter,
        sorted: Sorted<'_>,
        collection: &Collection,
        ways: &[Way],
    ) -> Self {
        let mut demands = Demands::of(filter);
        if let Some(keys) = demands.take_keys(collection) {
            let rest = demands.all().to_vec();
            return Self { access: Access::Keys(keys), rest, flow: Flow::Mixed };
        }
        let mut trips = trips(&demands, sorted, collection, ways);
        trips.sort_by_key(|trip| std::cmp::Reverse((trip.score, trip.flow != Flow::Mixed)));
        match trips.into_iter().next() {
            Some(trip) => trip.go(&demands, sorted, collection, ways),
            None => Self::all(filter),
        }
    }

    /// A way on which objects come in the order that is asked for, if there is one.
    pub(crate) fn in_order(
        filter: &'a Filter,
        sorted: Sorted<'_>,
        collection: &Collection,
        ways: &[Way],
    ) -> Option<Self> {
        let demands = Demands::of(filter);
        let trips = trips(&demands, sorted, collection, ways).into_iter();
        let best = trips.filter(|trip| trip.flow != Flow::Mixed).max_by_key(|trip| trip.score)?;
        Some(best.go(&demands, sorted, collection, ways))
    }

    fn all(filter: &'a Filter) -> Self {
        let access = Access::Along(Along { spans: vec![Span::default()], ..Along::default() });
        Self { access, rest: vec![filter], flow: Flow::Mixed }
    }
}

fn trips<'a>(
    demands: &Demands<'a>,
    sorted: Sorted<'_>,
    collection: &Collection,
    ways: &[Way],
) -> Vec<Trip<'a>> {
    let numbered = ways.iter().enumerate();
    let trip = |(number, way)| Trip::new(number, way, demands, sorted, collection);
    numbered.filter_map(trip).collect()
}

/// One way, and how far it leads.
#[derive(Debug)]
struct Trip<'a> {
    number: usize,
    /// The more, the fewer objects lie on it.
    score: u32,
    spans: Vec<Span>,
    /// What the values of the first fields are.
    fixed: Vec<Value>,
    /// The demands that hold of everything on it.
    met: Vec<&'a Filter>,
    flow: Flow,
}

impl<'a> Trip<'a> {
    fn new(
        number: usize,
        way: &Way,
        demands: &Demands<'a>,
        sorted: Sorted<'_>,
        collection: &Collection,
    ) -> Option<Self> {
        let mut trip = Self {
            number,
            score: 0,
            spans: Vec::new(),
            fixed: Vec::new(),
            met: Vec::new(),
            flow: Flow::Mixed,
        };
        if way.words {
            let field = way.fields.first()?;
            let word = longest_word(demands, field)?;
            trip.fixed.push(Value::Text(word));
            trip.score = 8;
            trip.spans = vec![Span::beginning(key::of_values(&trip.fixed))];
        } else {
            trip.fix(way, demands, collection);
        }
        if trip.leads_on(way, sorted, collection) {
            trip.flow = trip.flow(way, sorted.order, collection);
        }
        Some(trip)
    }

    /// Goes along the fields as long as each has to equal something, and once more by range.
    fn fix(&mut self, way: &Way, demands: &Demands<'a>, collection: &Collection) {
        for field in &way.fields {
            let Some(primitive) = primitive(collection, field) else { break };
            let usable = |value: &Value| value.is_null() || primitive.holds(value);
            let equal = demands.all().iter().find_map(|demand| match demand {
                Filter::Field(name, Test::Eq(value)) if name == field && usable(value) => {
                    Some((*demand, value))
                }
                _ => None,
            });
            let Some((demand, value)) = equal else {
                return self.narrow(field, primitive, demands);
            };
            self.met.push(demand);
            self.fixed.push(value.clone());
            self.score += 10;
        }
        self.spans = vec![Span::beginning(key::of_values(&self.fixed))];
    }

    /// Narrows the field behind the fixed ones.
    fn narrow(&mut self, field: &Name, primitive: Primitive, demands: &Demands<'a>) {
        let beginning = key::of_values(&self.fixed);
        let mut span = Span::beginning(beginning.clone());
        let mut several = None;
        for demand in demands.all() {
            let Filter::Field(name, test) = demand else { continue };
            if name != field {
                continue;
            }
            if let (Test::In(values), None) = (test, &several) {
                if values.iter().all(|value| value.is_null() || primitive.holds(value)) {
                    several = Some(values);
                    self.met.push(demand);
                    self.score += 9;
                }
            } else if let Some(narrower) = range(&beginning, test, primitive) {
                narrower.from.into_iter().for_each(|from| span.from = from.max(span.from.clone()));
                narrower.to.into_iter().for_each(|to| span.end_at(to));
                self.met.push(demand);
                self.score += if matches!(test, Test::Prefix(_)) { 6 } else { 3 };
            }
        }
        let Some(values) = several else {
            self.spans = vec![span];
            return;
        };
        let one = |value: &Value| {
            let mut one = Span::beginning(with(&beginning, value));
            span.to.clone().into_iter().for_each(|to| one.end_at(to));
            one.from = one.from.max(span.from.clone());
            one
        };
        self.spans = values.iter().map(one).collect();
        self.spans.sort_unstable();
        self.spans.dedup();
    }

    /// Whether the place behind which to go on lies on the way.
    fn leads_on(&self, way: &Way, sorted: Sorted<'_>, collection: &Collection) -> bool {
        let Some(after) = sorted.after else { return true };
        let same = |field: &Name, value: &Value| {
            let at = way.fields.iter().take(self.fixed.len()).position(|fixed| fixed == field);
            way.words || at.is_none_or(|at| self.fixed[at] == *value)
        };
        let mut order = sorted.order.iter().zip(&after.order);
        let mut key = collection.key().iter().zip(&after.key);
        order.all(|(by, value)| same(&by.field, value))
            && key.all(|(field, value)| same(field, value))
    }

    /// Whether what lies on the way comes in order.
    fn flow(&self, way: &Way, order: &[Order], collection: &Collection) -> Flow {
        let fixed = if way.words { &[][..] } else { &way.fields[..self.fixed.len()] };
        let own = match way.words {
            true => &way.fields[1..],
            false => &way.fields[self.fixed.len()..],
        };
        let key = collection.key();
        let by_way = sequence(own.iter(), fixed, key);
        let order: Vec<&Order> = order.iter().filter(|by| !fixed.contains(&by.field)).collect();
        let fields = order.iter().map(|by| &by.field);
        let falling = order.iter().filter(|by| by.direction == Direction::Descending).count();
        if falling == 0 && by_way == sequence(fields.clone().chain(key), fixed, key) {
            return Flow::Forward;
        }
        // Objects that are equal in the order come by rising keys, so the order has to name all of the key.
        if falling > 0 && falling == order.len() && by_way == sequence(fields, fixed, key) {
            return Flow::Backward;
        }
        Flow::Mixed
    }

    fn go(
        mut self,
        demands: &Demands<'a>,
        sorted: Sorted<'_>,
        collection: &Collection,
        ways: &[Way],
    ) -> Plan<'a> {
        if let (Some(after), Some(way)) = (sorted.after, ways.get(self.number)) {
            let place = self.place(way, after, sorted.order, collection);
            for span in &mut self.spans {
                match self.flow {
                    Flow::Forward => {
                        if let Some(behind) = key::after_all(&place) {
                            span.from = behind.max(std::mem::take(&mut span.from));
                        }
                    }
                    Flow::Backward => span.end_at(place.clone()),
                    Flow::Mixed => {}
                }
            }
        }
        self.spans.retain(|span| !span.is_empty());
        if self.flow == Flow::Backward {
            self.spans.reverse();
        }
        let met = |demand: &Filter| self.met.iter().any(|met| std::ptr::eq(*met, demand));
        let rest = demands.all().iter().copied().filter(|demand| !met(demand)).collect();
        let words = ways.get(self.number).is_some_and(|way| way.words);
        let word = words.then(|| key::of_values(&self.fixed));
        let along = Along { way: self.number, spans: self.spans, word };
        Plan { access: Access::Along(along), rest, flow: self.flow }
    }

    /// The place on the way behind which to go on: up to where it names the object.
    fn place(
        &self,
        way: &Way,
        after: &Continuation,
        order: &[Order],
        collection: &Collection,
    ) -> Vec<u8> {
        let mut place = key::of_values(&self.fixed);
        let mut missing: Vec<&Name> = collection.key().iter().collect();
        for field in way.fields.iter().take(self.fixed.len()).filter(|_| !way.words) {
            missing.retain(|key| *key != field);
        }
        for field in &way.fields[self.fixed.len()..] {
            if missing.is_empty() {
                break;
            }
            let in_key = collection.key().iter().position(|key| key == field);
            let in_order = order.iter().position(|by| by.field == *field);
            let value = in_key
                .and_then(|at| after.key.get(at))
                .or_else(|| in_order.and_then(|at| after.order.get(at)));
            key::put(&mut place, value.unwrap_or(&Value::Null));
            missing.retain(|key| *key != field);
        }
        place
    }
}

/// The fields in their order, each once, those left out that are fixed; what follows a whole key is no
/// matter.
fn sequence<'a>(
    fields: impl Iterator<Item = &'a Name>,
    fixed: &[Name],
    key: &[Name],
) -> Vec<&'a Name> {
    let mut sequence: Vec<&Name> = Vec::new();
    for field in fields {
        let whole = key.iter().all(|key| fixed.contains(key) || sequence.contains(&key));
        if whole {
            break;
        }
        if !fixed.contains(field) && !sequence.contains(&field) {
            sequence.push(field);
        }
    }
    sequence
}

/// Where a range begins and where it ends.
struct Ends {
    from: Option<Vec<u8>>,
    to: Option<Vec<u8>>,
}

/// What lies behind a beginning and passes the test, if that is one range.
fn range(beginning: &[u8], test: &Test, primitive: Primitive) -> Option<Ends> {
    let ends = |from, to| Some(Ends { from, to });
    match test {
        Test::Prefix(prefix) if primitive == Primitive::Text => {
            let mut from = beginning.to_vec();
            key::put_beginning(&mut from, prefix);
            ends(Some(from.clone()), key::after_all(&from))
        }
        Test::Gt(value) | Test::Gte(value) | Test::Lt(value) | Test::Lte(value)
            if primitive.holds(value) =>
        {
            let at = with(beginning, value);
            // Values of one type lie between the places of two tags.
            let tag = at[..=beginning.len()].to_vec();
            let behind_type = key::after_all(&tag);
            match test {
                Test::Gt(_) => ends(key::after_all(&at), behind_type),
                Test::Gte(_) => ends(Some(at), behind_type),
                Test::Lt(_) => ends(Some(tag), Some(at)),
                _ => ends(Some(tag), key::after_all(&at)),
            }
        }
        _ => None,
    }
}

fn with(beginning: &[u8], value: &Value) -> Vec<u8> {
    let mut bytes = beginning.to_vec();
    key::put(&mut bytes, value);
    bytes
}

fn longest_word(demands: &Demands<'_>, field: &Name) -> Option<String> {
    let wanted = demands.tests(field).filter_map(|test| match test {
        Test::Words(wanted) => Some(wanted),
        _ => None,
    });
    wanted.flatten().flat_map(|wanted| words(wanted)).max_by_key(String::len)
}

fn primitive(collection: &Collection, field: &str) -> Option<Primitive> {
    collection.field(field).map(|field| field.kind.primitive())
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests;
