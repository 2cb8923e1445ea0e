//! The bodies whose bytes are pinned.

use syncline_core::id::unhex;

use super::{Seed, of_kind};

const PINNED: &str = include_str!("../../../shared-log/wire/tests/bodies.txt");

pub fn all() -> Vec<Seed> {
    let kinds = [("exchange", b'X'), ("answer", b'x'), ("segments", b'S'), ("vector", b'V')];
    let pinned = || PINNED.lines().filter_map(|line| unhex(line.split(' ').nth(1)?));
    (0..)
        .zip(kinds)
        .flat_map(|(choice, (kind, first))| {
            of_kind(kind, choice, pinned().filter(move |body| body.first() == Some(&first)))
        })
        .collect()
}
