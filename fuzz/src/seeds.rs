//! The seeds that are committed: small and whole, one of each kind, so that a run begins behind the first
//! refusals. `examples/seeds.rs` writes them.

mod bodies;
mod files;
mod json;
mod logs;

/// Every seed: its target, its name, its bytes.
pub fn all() -> Vec<(&'static str, String, Vec<u8>)> {
    let mut seeds = Vec::new();
    for (target, of_target) in [
        ("body", bodies::all()),
        ("segment", logs::segments()),
        ("entry", logs::entries()),
        ("filter", json::filters()),
        ("schema", json::schemas()),
        ("import", files::records()),
        ("folder", files::folders()),
    ] {
        seeds.extend(of_target.into_iter().map(|(name, bytes)| (target, name, bytes)));
    }
    seeds
}

/// A seed and its name.
type Seed = (String, Vec<u8>);

/// Numbers the seeds of one kind; the first byte is the choice.
fn of_kind(kind: &str, choice: u8, all: impl IntoIterator<Item = Vec<u8>>) -> Vec<Seed> {
    let seed =
        |(at, bytes): (usize, Vec<u8>)| (format!("{kind}-{at}"), [&[choice][..], &bytes].concat());
    all.into_iter().enumerate().map(seed).collect()
}
