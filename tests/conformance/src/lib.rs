//! Suites that hold every backend and every shared log to its contract.
//!
//! A backend joins with one line for each way in which it can be opened; the attributes are its own, so
//! the same cases run under any runtime and in a browser:
//!
//! ```text
//! mod as_it_is {
//!     use syncline_conformance::{Fixture, backend_suite};
//!
//!     backend_suite!(
//!         #[pollster::test]
//!         open
//!     );
//!
//!     async fn open() -> Fixture {
//!         Fixture::new(MyBackend::default())
//!     }
//! }
//! ```
//!
//! Random histories go further than cases do; one more test of the backend's own runs them:
//!
//! ```text
//! #[pollster::test]
//! async fn agrees_with_the_model() {
//!     syncline_conformance::agrees_with_model(open, 200).await;
//! }
//! ```
//!
//! A backend that declares something is held to it; what it does not declare, it must refuse. So no case
//! is ever skipped, and each backend runs the suite once more as [`Modest`], declaring nothing.
//!
//! Cases that failed to notice a broken backend taught the rules for new ones: whoever finds something
//! also stores something that must not be found, and objects are stored out of order.
//!
//! A shared log joins in the same way, by [`shared_log_suite`]. What a manager promises over any
//! backend is held to by [`manager_suite`]. [`law`] says what entries come to, to hold replicas to.

mod agreement;
pub mod backend_cases;
mod fixture;
pub mod lanes;
pub mod law;
#[cfg(test)]
mod listing;
pub mod log_cases;
mod log_fixture;
mod log_suite;
pub mod manager_cases;
mod manager_suite;
mod modest;
mod schema;
mod together;

pub use agreement::{agrees_with_model, history_of_batches, history_schema};
pub use fixture::Fixture;
pub use log_fixture::LogFixture;
pub use log_suite::run_log_case;
pub use manager_suite::run_manager_case;
pub use modest::{Modest, Partly};
pub use schema::schema;

use syncline_core::Result;

/// Runs one case on a fixture that is prepared for [`schema`](crate::schema()).
///
/// # Panics
///
/// If the backend breaks the promise.
pub async fn run_case(fixture: Fixture, case: impl AsyncFnOnce(&Fixture) -> Result<()>) {
    let name = fixture.backend().name();
    let outcome = match fixture.prepare(&schema()).await {
        Ok(()) => case(&fixture).await,
        Err(error) => Err(error),
    };
    if let Err(error) = outcome {
        let cause = std::error::Error::source(&error);
        panic!("{name}: {error}{}", cause.map(|cause| format!(": {cause}")).unwrap_or_default());
    }
}

/// Every case for backends, as one test each.
///
/// Takes the attributes of a test and the path of an `async fn() -> Fixture` that opens an empty place.
#[macro_export]
macro_rules! backend_suite {
    ($(#[$attribute:meta])+ $open:path) => {
        $crate::backend_suite! { @all [$(#[$attribute])+] $open =>
            a_backend_does_not_change_its_mind
            a_collection_can_be_added
            a_continuation_is_the_place_behind_an_object
            a_counted_key_is_never_given_again
            a_create_answers_with_the_key
            a_created_object_is_found
            a_delete_beyond_its_limit_is_refused
            a_delete_by_the_whole_object_removes_it
            a_delete_does_not_cascade
            a_delete_of_all_empties_one_collection
            a_delete_removes_the_object_with_the_key
            a_delete_removes_what_meets_the_filter
            a_delete_within_its_limit_succeeds
            a_deleted_key_can_be_created_again
            a_failed_batch_leaves_nothing_behind
            a_failed_batch_stops_where_it_fails
            a_failed_guard_stops_the_batch
            a_field_can_be_added
            a_field_can_become_optional
            a_field_set_to_null_is_emptied
            a_given_key_is_kept_where_keys_are_counted
            a_key_taken_within_the_batch_is_a_conflict
            a_large_batch_is_one_batch
            a_limit_holds_over_all_pages
            a_placeholder_stands_for_a_counted_key
            a_placeholder_stands_for_a_given_key
            a_taken_key_is_a_conflict
            an_empty_batch_succeeds
            an_index_can_be_added
            an_index_of_words_can_be_added
            an_object_with_every_field_survives
            an_update_changes_the_object_with_the_key
            an_update_changes_what_meets_the_filter
            an_update_counts_what_meets_the_filter
            an_update_is_seen_by_later_questions
            an_update_may_change_what_it_filters_by
            an_update_stays_in_its_collection
            bytes_survive
            collections_share_no_keys
            comparisons_find_a_range
            comparisons_find_values_of_each_type
            compound_keys_find_their_objects
            counted_keys_are_one_two_three
            counted_keys_rise_within_a_batch
            counting_agrees_with_finding
            counting_follows_writes
            counting_goes_beyond_one_page
            creates_of_one_batch_need_not_look_alike
            deleting_nothing_succeeds
            empty_combinations_are_answered
            empty_values_survive
            equality_finds_json
            equality_finds_values_of_each_type
            every_allowed_name_works
            exists_tells_null_from_empty
            filtered_results_sort
            filters_nest
            filters_see_fields_that_are_not_selected
            floats_survive
            guarded_writers_lose_no_update
            guards_ask_how_an_object_looks
            guards_ask_whether_an_object_is_there
            guards_ask_whether_values_are_unique
            guards_compare_values_of_each_type
            guards_see_the_steps_before_them
            guards_take_null_for_absent
            indexes_change_no_answer
            inequality_is_met_by_null
            json_survives
            keys_combine_with_other_demands
            keys_find_their_objects_once
            keys_of_each_type_find_their_objects
            large_values_survive
            lists_of_values_find_each_of_them
            long_lists_of_values_are_answered
            names_may_be_words_of_a_language
            no_keys_mean_no_objects
            not_is_met_by_null
            null_fields_are_absent
            null_is_never_less_or_greater
            null_sorts_before_everything
            omitted_fields_are_absent
            only_the_first_page_skips
            pages_are_bounded_by_bytes
            pages_are_stable_while_objects_come
            pages_are_stable_while_objects_go
            pages_follow_compound_keys
            pages_hold_what_one_page_holds
            pages_need_not_show_what_they_sort_by
            parts_of_a_key_find_objects
            prefixes_are_found_letter_by_letter
            prefixes_of_keys_are_found
            preparing_twice_keeps_what_is_stored
            ranges_of_keys_find_their_objects
            relationships_can_be_prepared
            results_sort_by_key_fields
            results_sort_by_one_field
            results_sort_by_several_fields
            selected_fields_come_with_a_compound_key
            selected_fields_come_with_the_key
            several_steps_need_atomic_batches
            sorted_results_can_be_limited
            steps_apply_in_order
            storage_enforces_nothing_but_the_primary_key
            texts_survive
            the_last_page_has_no_continuation
            ties_come_in_key_order
            two_thousand_compound_keys_find_their_objects
            two_thousand_keys_find_their_objects
            unsorted_results_come_in_key_order
            updating_nothing_succeeds
            values_of_each_type_sort
            what_a_schema_drops_is_kept
            what_is_written_outlives_the_handle
            whole_numbers_survive
            words_are_no_search_language
            words_combine_with_other_demands
            words_find_their_texts
            words_follow_writes
        }
    };
    (@all $attributes:tt $open:path => $($case:ident)*) => {
        $($crate::backend_suite! { @one $attributes $open => $case })*
    };
    (@one [$(#[$attribute:meta])+] $open:path => $case:ident) => {
        $(#[$attribute])+
        async fn $case() {
            $crate::run_case($open().await, $crate::backend_cases::$case).await;
        }
    };
}

#[cfg(test)]
mod tests {
    /// A case that is written but not listed would never run, and nobody would notice.
    #[test]
    fn every_case_is_listed_exactly_once() {
        crate::listing::check_cases(include_str!("lib.rs"), crate::backend_cases::FILES);
    }

    /// A file of cases that is not looked at above could hide unlisted ones.
    #[test]
    fn every_file_of_cases_is_looked_at() {
        crate::listing::check_files(
            include_str!("backend_cases/mod.rs"),
            crate::backend_cases::FILES,
        );
    }
}
