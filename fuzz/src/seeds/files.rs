//! Files of records, and folders.

use super::{Seed, of_kind};

/// For the target `import`.
pub(super) fn records() -> Vec<Seed> {
    let lines = [
        "{\"id\":\"a\",\"lat\":1.5}\n{\"id\":\"b\",\"at\":\"2026-11-20T12:00:00Z\"}\n",
        "\u{feff}{\"id\":\"a\"}\r\n\r\n{\"id\":\"b\",\"any\":[{}]}",
        "\n  \n{\"id\":\n{\"id\":\"c\",\"flag\":true}\n{\"nope\":1}\n",
    ];
    let lists = [
        "[{\"id\":\"a\",\"raw\":\"AP8=\"},\n {\"id\":\"b\",\"name\":\"x, ] } \\\" y\"}\n]\n",
        "\u{feff}[]",
        "[{\"id\":\"a\"}, 7, \"t\", {\"id\":\"b\"}",
        "[{\"any\":[[[{}]]]}\n,\n{\"id\":\"b\"}] x",
    ];
    let tables = [
        "id,lat,flag\na,1.5,true\nb,,0\n",
        "\u{feff}id,name\r\na,\"x, \"\"y\"\"\nz\"\r\n\r\nb,\r\n",
        "id,any\n1,\"{\"\"x\"\":1}\"\n2,[\n3,\n",
        "id,at,count\rx,2026-11-20T12:00:00Z,7\ry,-1,9223372036854775808\r",
        "id\n\u{feff}a\n\"\u{feff}b\"\n",
        "id,id\n",
    ];
    let bytes = |text: &str| text.as_bytes().to_vec();
    [
        of_kind("lines", 0, lines.map(bytes)),
        of_kind("list", 1, lists.map(bytes)),
        of_kind("table", 2, tables.map(bytes)),
        of_kind("guess", 3, [lines[0], lists[0], tables[0]].map(bytes)),
    ]
    .concat()
}

/// One thing in a folder, as the target reads it.
struct Thing<'a> {
    folder: u8,
    /// Some folders have a name.
    named: Option<&'a [u8]>,
    name: (u8, &'a [u8]),
    contents: (u8, &'a [u8]),
}

/// For the target `folder`.
pub(super) fn folders() -> Vec<Seed> {
    let thing = |folder, name, contents| Thing { folder, named: None, name, contents };
    let single = [
        thing(0, (0, &b"readme.txt"[..]), (0, &b"hello"[..])),
        thing(2, (1, &[0]), (3, &[40])),
        thing(2, (1, &[1]), (2, &[1, 128, 7])),
        thing(2, (3, b"\x02.sync-conflict"), (1, &[2])),
        thing(2, (0, b"copy of it"), (1, &[1])),
        thing(2, (6, &[7]), (5, &[0, 100, 1])),
        thing(2, (5, &[255; 8]), (6, b"\x01\x06family0123456789abcdef\x07\x01\x00")),
        thing(5, (1, &[3]), (1, &[3])),
        thing(5, (4, &[1]), (0, b"{}")),
        thing(6, (1, &[5]), (1, &[9])),
        thing(0, (7, b"x"), (0, b"half")),
        thing(0, (1, &[0]), (1, &[0])),
        thing(2, (1, &[0]), (7, b"")),
        thing(5, (0, b"a"), (4, b"\x01\x06family")),
        Thing { named: Some(b"group-x.json"), ..thing(3, (0, b"a"), (0, b"")) },
        Thing { named: Some(b" (conflict)"), ..thing(4, (1, &[1]), (1, &[1])) },
    ];
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    for (at, one) in single.iter().enumerate() {
        seeds.push(folder(at as u8, std::slice::from_ref(one)));
    }
    seeds.extend([0, 3, 6, 15].map(|how| folder(how, &single)));
    seeds.into_iter().enumerate().map(|(at, bytes)| (format!("folder-{at}"), bytes)).collect()
}

fn folder(how: u8, things: &[Thing<'_>]) -> Vec<u8> {
    let mut out = vec![how];
    put(&mut out, &[1, 0]);
    for thing in things {
        out.push(thing.folder);
        thing.named.iter().for_each(|name| put(&mut out, name));
        for (kind, text) in [thing.name, thing.contents] {
            out.push(kind);
            put(&mut out, text);
        }
    }
    out
}

fn put(out: &mut Vec<u8>, text: &[u8]) {
    out.push(u8::try_from(text.len()).expect("seeds are small"));
    out.extend_from_slice(text);
}
