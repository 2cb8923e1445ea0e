//! The pure reconciler: every history of a few events on one object, in every order of arrival.
//!
//! A world is a set of up to four events on one object by up to three replicas. Each is one of: create {a},
//! create {a, b}, update {a}, update {b}, update {a: null}, delete. Its authors stand in every order and are
//! told apart in every way: by stamp, or with equal stamps by replica, by `seq` or by hash.
//!
//! All orders of arrival are gone through without walking each of them: what is known is a *set* of
//! events, and every way from one set to a greater one, be it one event or several in one call, in every
//! order, must lead to the same history and row. So by induction every path does, and with it every choice
//! of places at which to fold.

mod authors;
mod reconciling;
mod worlds;

use crate::threads;
use authors::{all, up_to_renaming};
use worlds::{Calls, Knowing, Values, World};

/// How many events the largest worlds have; without optimisation there is time for one less.
const LARGEST: usize = if cfg!(debug_assertions) { 3 } else { 4 };

/// Every way to tell up to three authors apart, branches of forked lanes among them; everything that their
/// writers may have known of each other; values that differ and values that do not; every cut into calls.
#[test]
fn small_worlds_merge_by_the_law_in_every_order_cut_and_repetition() {
    let lists: Vec<_> = (0..LARGEST).flat_map(all).collect();
    let worlds = threads::sum(&lists, |authors| {
        let mut worlds = 0;
        for knowing in Knowing::all(authors) {
            for values in [Values::Distinct, Values::Equal] {
                World::each(authors, knowing, values, |world| {
                    threads::at(world, || world.check(Calls::EveryCut));
                    worlds += 1;
                });
            }
        }
        worlds
    });
    let expected = if cfg!(debug_assertions) { (25, 2_198) } else { (179, 228_566) };
    assert_eq!((lists.len(), worlds), expected);
}

/// Every way to tell four authors apart, up to the names of the replicas and without lanes whose stamps
/// do not rise; nobody knew of anybody; values that differ. Folded behind every event, or all at once.
#[test]
fn the_largest_worlds_merge_by_the_law_in_every_order() {
    let lists = up_to_renaming(LARGEST);
    let worlds = threads::sum(&lists, |authors| {
        let mut worlds = 0;
        World::each(authors, Knowing::NOTHING, Values::Distinct, |world| {
            threads::at(world, || world.check(Calls::OneOrAll));
            worlds += 1;
        });
        worlds
    });
    let expected = if cfg!(debug_assertions) { (12, 2_592) } else { (52, 67_392) };
    assert_eq!((lists.len(), worlds), expected);
}
