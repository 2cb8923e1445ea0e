//! The order of a module's functions: like beside like.
//!
//! Nothing depends on where a function stands, but compression finds only what lies less than 32 kB behind. So the
//! function that has most in common with those just before comes next. binaryen moves the functions: it sorts
//! them by name, and these are the names.

use crate::step::Result;

/// Functions are alike if they have many of the same runs of so many bytes.
const RUN: usize = 6;
/// Runs in more functions than this say nothing about any of them.
const COMMON: usize = 60;
/// How much less each function counts than the one behind it.
const FADING: f64 = 0.93;

const CUSTOM: u8 = 0;
const IMPORTS: u8 = 2;
const CODE: u8 = 10;

/// The same module with a name for each function: `name`s sort as the functions should stand.
pub(crate) fn named_by_likeness(module: &[u8]) -> Result<Vec<u8>> {
    named(module).ok_or_else(|| "wasm-opt wrote a module that is none".to_owned())
}

fn named(module: &[u8]) -> Option<Vec<u8>> {
    let (header, mut rest) = module.split_at_checked(8)?;
    let mut out = header.to_vec();
    let (mut imported, mut bodies) = (0, Vec::new());
    while let [kind, ..] = rest {
        let mut reader = Reader(&rest[1..]);
        let length = reader.number()?;
        let contents = reader.take(length)?;
        let section = &rest[..rest.len() - reader.0.len()];
        rest = reader.0;
        match *kind {
            IMPORTS => imported = imported_functions(contents)?,
            CODE => bodies = code(contents)?,
            CUSTOM if Reader(contents).text()? == b"name" => continue,
            _ => {}
        }
        out.extend_from_slice(section);
    }
    let mut names = Vec::new();
    put(&mut names, bodies.len());
    let mut places = vec![0; bodies.len()];
    for (place, function) in by_likeness(&bodies).into_iter().enumerate() {
        places[function] = place;
    }
    for (function, place) in places.into_iter().enumerate() {
        put(&mut names, imported + function);
        put_text(&mut names, &format!("{place:06}"));
    }
    let mut contents = Vec::new();
    put_text(&mut contents, "name");
    // Those of functions.
    contents.push(1);
    put(&mut contents, names.len());
    contents.extend(names);
    out.push(CUSTOM);
    put(&mut out, contents.len());
    out.extend(contents);
    Some(out)
}

/// The order in which each function has most in common with those just before it.
fn by_likeness(bodies: &[&[u8]]) -> Vec<usize> {
    let (groups, shared) = shared_runs(bodies);
    let sizes: Vec<f64> = bodies.iter().map(|body| (body.len() as f64).powf(0.7)).collect();
    let mut likeness = vec![0.0; bodies.len()];
    let mut left: Vec<usize> = (0..bodies.len()).collect();
    let mut order = Vec::with_capacity(bodies.len());
    // That of earlier functions fades; it is the same if that of later ones grows.
    let mut weight = 1.0;
    let mut next = (0..bodies.len()).max_by_key(|function| bodies[*function].len());
    while let Some(function) = next {
        order.push(function);
        left.retain(|other| *other != function);
        weight /= FADING;
        if weight > 1e100 {
            likeness.iter_mut().for_each(|of| *of /= weight);
            weight = 1.0;
        }
        for group in &shared[function] {
            let group = &groups[*group];
            let says = weight / (group.len() as f64).sqrt();
            group.iter().for_each(|other| likeness[*other] += says);
        }
        let score = |function: usize| likeness[function] / sizes[function];
        next = left.iter().copied().max_by(|a, b| score(*a).total_cmp(&score(*b)));
    }
    order
}

/// The runs of bytes that some functions share, each as these functions; and of each function, which they are.
fn shared_runs(bodies: &[&[u8]]) -> (Vec<Vec<usize>>, Vec<Vec<usize>>) {
    let runs_of = |(function, body): (usize, &&[u8])| -> Vec<([u8; RUN], usize)> {
        let runs = body.windows(RUN).filter_map(|run| run.try_into().ok());
        runs.map(|run| (run, function)).collect()
    };
    let mut runs: Vec<_> = bodies.iter().enumerate().flat_map(runs_of).collect();
    runs.sort_unstable();
    runs.dedup();
    let (mut groups, mut shared) = (Vec::new(), vec![Vec::new(); bodies.len()]);
    for same in runs.chunk_by(|a, b| a.0 == b.0) {
        if (2..=COMMON).contains(&same.len()) {
            same.iter().for_each(|(_, function)| shared[*function].push(groups.len()));
            groups.push(same.iter().map(|(_, function)| *function).collect());
        }
    }
    (groups, shared)
}

/// The bodies of all functions.
fn code(section: &[u8]) -> Option<Vec<&[u8]>> {
    let mut reader = Reader(section);
    let count = reader.number()?;
    (0..count).map(|_| reader.number().and_then(|length| reader.take(length))).collect()
}

/// How many functions are imported: they come first.
fn imported_functions(section: &[u8]) -> Option<usize> {
    let mut reader = Reader(section);
    let mut functions = 0;
    for _ in 0..reader.number()? {
        let (_module, _field) = (reader.text()?, reader.text()?);
        match reader.byte()? {
            0 => {
                functions += 1;
                let _type = reader.number()?;
            }
            1 => {
                let _type = reader.byte()?;
                reader.limits()?;
            }
            2 => reader.limits()?,
            3 => drop(reader.take(2)?),
            _ => return None,
        }
    }
    Some(functions)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    /// LEB128.
    fn number(&mut self) -> Option<usize> {
        let mut number = 0;
        for shift in (0..).step_by(7).take(5) {
            let byte = self.byte()?;
            number |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.take(length)
    }

    fn limits(&mut self) -> Option<()> {
        let has_most = self.byte()? & 1 == 1;
        let _least = self.number()?;
        if has_most {
            let _most = self.number()?;
        }
        Some(())
    }
}

fn put(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put(out, text.len());
    out.extend_from_slice(text.as_bytes());
}
