//! The suite for shared logs.

use syncline_core::Result;

use crate::LogFixture;

/// Runs one case on a fixture whose places are empty.
///
/// # Panics
///
/// If the log breaks the promise.
pub async fn run_log_case(fixture: LogFixture, case: impl AsyncFnOnce(&LogFixture) -> Result<()>) {
    if let Err(error) = case(&fixture).await {
        panic!("{error} {error:?}");
    }
}

/// Every case for shared logs, as one test each.
///
/// Takes the attributes of a test and the path of an `async fn() -> LogFixture` that opens empty places.
///
/// ```text
/// mod as_it_is {
///     syncline_conformance::shared_log_suite!(
///         #[pollster::test]
///         open
///     );
///
///     async fn open() -> LogFixture {
///         LogFixture::new(|place, group| async move { MyLog::open(place, group).await })
///     }
/// }
/// ```
#[macro_export]
macro_rules! shared_log_suite {
    ($(#[$attribute:meta])+ $open:path) => {
        $crate::shared_log_suite! { @all [$(#[$attribute])+] $open =>
            a_branch_is_continued_for_itself
            a_branch_is_held_beside_its_lane
            a_branch_reaches_who_knows_the_lane
            a_cursor_brings_what_is_new
            a_cursor_outlives_its_handle
            a_lane_may_branch_at_its_start
            a_reader_ahead_of_the_log_misses_nothing
            a_reader_goes_on_from_what_it_knows
            a_restored_log_leaves_nothing_out
            a_restored_log_that_looks_alike_leaves_nothing_out
            a_segment_arrives_as_it_was_sealed
            a_segment_continues_its_own_lane_only
            a_segment_that_continues_nothing_is_refused
            a_segment_twice_in_one_call_is_held_once
            a_thousand_segments_arrive
            acknowledgements_are_told_apart
            acknowledging_again_changes_nothing
            an_acknowledgement_is_never_a_maximum
            an_empty_log_has_no_peers
            an_empty_page_leaves_nothing_out
            an_exchange_appends_only_where_the_lane_ends
            an_exchange_asked_again_has_no_further_effect
            an_exchange_fetches_appends_and_leaves_nothing_out
            an_exchange_joins_and_acknowledges
            an_exchange_with_a_gap_appends_nothing
            appending_again_is_known
            appending_nothing_succeeds
            joining_twice_is_joining_once
            one_call_may_hold_several_lanes
            one_segment_comes_whatever_the_limits
            pages_keep_to_their_limits
            peers_tell_how_far_lanes_go
            places_have_names_of_their_own
            readers_do_not_share_a_place
            segments_of_another_group_are_denied
            the_own_lane_is_delivered
            the_owner_sees_each_branch
            the_owner_sees_how_far_its_lane_is_held
            the_same_question_has_the_same_answer
            the_same_run_sealed_differently_is_known
            what_fits_comes_in_one_page
            what_is_appended_is_there_for_others
            what_is_no_cursor_is_refused
            what_is_not_understood_is_passed_on
            what_is_shared_late_is_delivered
            what_is_written_between_two_pages_comes
            who_knows_nothing_gets_everything
        }
    };
    (@all $attributes:tt $open:path => $($case:ident)*) => {
        $($crate::shared_log_suite! { @one $attributes $open => $case })*
    };
    (@one [$(#[$attribute:meta])+] $open:path => $case:ident) => {
        $(#[$attribute])+
        async fn $case() {
            $crate::run_log_case($open().await, $crate::log_cases::$case).await;
        }
    };
}

#[cfg(test)]
mod tests {
    /// A case that is written but not listed would never run, and nobody would notice.
    #[test]
    fn every_case_is_listed_exactly_once() {
        crate::listing::check_cases(include_str!("log_suite.rs"), crate::log_cases::FILES);
    }

    /// A file of cases that is not looked at above could hide unlisted ones.
    #[test]
    fn every_file_of_cases_is_looked_at() {
        crate::listing::check_files(include_str!("log_cases/mod.rs"), crate::log_cases::FILES);
    }
}
