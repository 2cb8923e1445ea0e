//! Segments, bodies, entries and what else has a canonical form.

use serde_json::json;
use syncline_conformance::lanes::{Sealer, replica};
use syncline_core::log::{
    Codec, Context, Entry, Extension, Known, LaneHash, Op, Segment, Tip, VersionVector, Write,
};
use syncline_core::merge::{Author, History};
use syncline_core::value::canonical::{put_key, put_number, put_object, put_signed, put_value};
use syncline_core::{Key, Object, Stamp, Value};

use super::{Seed, of_kind};
use crate::family;

/// For the target `segment`.
pub(super) fn segments() -> Vec<Seed> {
    let mut sealed = Vec::new();
    for codec in Codec::ALL {
        let mut sealer = Sealer::new(&family(), replica(7)).with_codec(codec);
        sealed.push(sealer.seal(&lane()).expect("they begin the lane"));
        sealed.push(sealer.notes(["more"]));
    }
    let mut header = sealed[5].header().clone();
    header.extensions = vec![Extension { id: 4, bytes: vec![9; 3] }];
    header.key_epoch = 1;
    sealed.push(Segment::seal(header, sealed[5].body()));
    let contents = sealed.iter().map(|one| one.bytes()[4..one.bytes().len() - 16].to_vec());
    let mut seeds = of_kind("whole", 0, sealed.iter().map(|one| one.bytes().to_vec()));
    seeds.extend(of_kind("sealed", 1, contents));
    let mut deep = lane()[0].clone();
    if let Some(Op::Create(fields)) = deep.write.as_mut().map(|write| &mut write.op) {
        *fields = Object::new().with("a", (0..127).fold(json!(null), |inner, _| json!([inner])));
    }
    for (codec, choice) in Codec::ALL.into_iter().zip(2..) {
        let mut bodies = vec![body(codec, &lane()), body(codec, &[])];
        bodies.push(body(codec, std::slice::from_ref(&deep)));
        bodies.extend(lane().iter().map(|entry| body(codec, std::slice::from_ref(entry))));
        seeds.extend(of_kind(&format!("{codec:?}").to_lowercase(), choice, bodies));
    }
    let numbered = [&[1][..], &7_u64.to_be_bytes(), &[0; 16]].concat();
    seeds.extend(of_kind("cursor", 6, [vec![], vec![1; 25], numbered, vector().to_bytes()]));
    let runs = (1..40_u8).flat_map(|number| [1, number % 8, 1, number / 8, number / 7, number]);
    seeds.extend(of_kind("chains", 7, [vec![0; 40], runs.collect(), (0..200).collect()]));
    seeds
}

fn body(codec: Codec, entries: &[Entry]) -> Vec<u8> {
    let canonical: Vec<u8> = entries.iter().flat_map(Entry::to_bytes).collect();
    codec.encode(1, &canonical).expect("entries can be encoded")
}

/// For the target `entry`.
pub(super) fn entries() -> Vec<Seed> {
    let put = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        write(&mut out);
        out
    };
    let value = |value: &Value| put(&|out| put_value(out, value));
    let keys = [Key::from("a"), Key::compound([Value::from("a"), Value::from(3)])];
    let objects = [Object::new(), values()];
    let deep = (0..127).fold(json!(null), |inner, _| json!([inner]));
    let histories = histories();
    let numbers = [0, 127, 128, u64::MAX];
    let context = lane()[1].context.clone().unwrap_or_default();
    let uuid = "01890a5d-ac96-774b-bcce-b302099a8057";
    [
        of_kind(
            "value",
            0,
            values()
                .iter()
                .map(|(_, one)| value(one))
                .chain([value(&uuid.into()), value(&deep.clone().into())]),
        ),
        of_kind("key", 1, keys.iter().map(|key| put(&|out| put_key(out, key)))),
        of_kind("object", 2, objects.iter().map(|one| put(&|out| put_object(out, one)))),
        of_kind("entry", 3, lane().iter().map(Entry::to_bytes)),
        of_kind("context", 4, [Context::default().to_bytes(), context.to_bytes()]),
        of_kind("author", 5, [put(&|out| author(7).put(out))]),
        of_kind("number", 6, numbers.map(|number| put(&|out| put_number(out, number)))),
        of_kind("signed", 7, [0, -1, i64::MIN].map(|number| put(&|out| put_signed(out, number)))),
        of_kind("vector", 8, [VersionVector::default().to_bytes(), vector().to_bytes()]),
        of_kind("history", 9, histories),
        of_kind("text", 10, [b"family".to_vec(), b"0f".repeat(16), vec![0; 8]]),
    ]
    .concat()
}

/// One field of each type.
fn values() -> Object {
    Object::new()
        .with("none", Value::Null)
        .with("no", false)
        .with("yes", true)
        .with("int", i64::MIN)
        .with("float", 0.1 + 0.2)
        .with("text", "é\0\"")
        .with("bytes", vec![0_u8, 255])
        .with("time", Value::Timestamp(-1))
        .with("json", json!({"a": [1, 2.5, null, -0.5e-300], "b": {"ü": "\u{1}"}}))
}

/// One entry of each kind.
fn lane() -> Vec<Entry> {
    let mut context = Context::default();
    let known = Known { seq: 9, hash: LaneHash([3; 16]), except: vec![(2, 3), (5, 5)] };
    context.set(replica(1), known);
    let ops = [
        Some(Op::Create(values())),
        Some(Op::Update(Object::new().with("text", Value::Null))),
        Some(Op::Delete),
        None,
    ];
    let entry = |(op, seq): (Option<Op>, u64)| Entry {
        seq,
        stamp: Stamp::at_millis(1_700_000_000_000).next(),
        more: seq == 1,
        context: (seq == 2).then(|| context.clone()),
        write: op.map(|op| Write {
            schema: 300,
            collection: "note".into(),
            key: if seq == 3 { Key::from("k") } else { Key::compound(["k".into(), 1.into()]) },
            op,
        }),
        extensions: if seq == 4 { vec![(1, vec![2])] } else { Vec::new() },
    };
    ops.into_iter().zip(1..).map(entry).collect()
}

fn vector() -> VersionVector {
    let tip = |number| Tip { replica: replica(number), seq: 300, hash: LaneHash([number; 16]) };
    VersionVector::new([tip(1), tip(2), Tip { seq: 7, ..tip(2) }])
}

fn author(seq: u64) -> Author {
    let stamp = Stamp::at_millis(1_700_000_000_000 + seq.cast_signed());
    Author { stamp, replica: replica(1), seq, tie: 5 }
}

/// Histories, each behind its row.
fn histories() -> Vec<Vec<u8>> {
    let row = Object::new().with("a", 1).with("b", "text");
    let mut created = History::default();
    created.add(author(2), &Op::Create(row.clone()));
    let mut changed = created.clone();
    changed.add(author(4), &Op::Update(Object::new().with("a", Value::Null)));
    changed.add(author(5), &Op::Create(Object::new().with("c", 2)));
    let mut deleted = changed.clone();
    deleted.add(author(4), &Op::Delete);
    let behind = |history: &History, row: &Object| {
        let mut bytes = Vec::new();
        put_object(&mut bytes, row);
        bytes.extend(history.to_bytes(Some(row)));
        bytes
    };
    let all = [&History::default(), &created, &changed, &deleted];
    all.iter()
        .flat_map(|history| [behind(history, &row), behind(history, &Object::new())])
        .collect()
}
