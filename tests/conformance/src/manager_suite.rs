//! The suite for managers over a backend.

use syncline_core::{Capability, ErrorKind, Result};

use crate::Fixture;

/// Runs one case on a fixture whose storage is empty.
///
/// A backend that declares less than a manager can use may refuse a case as unsupported; nothing else
/// is an excuse.
///
/// # Panics
///
/// If the manager breaks the promise over this backend.
pub async fn run_manager_case(fixture: Fixture, case: impl AsyncFnOnce(&Fixture) -> Result<()>) {
    let (name, can) = (fixture.backend().name(), fixture.capability());
    if let Err(error) = case(&fixture).await {
        let excused = error.kind() == ErrorKind::Unsupported && lacks(&error, can);
        assert!(excused, "{name}: {error} {error:?}");
    }
}

/// Whether the backend really does not declare what it was refused for.
fn lacks(error: &syncline_core::Error, can: Capability) -> bool {
    let (_, capability) = error.context().find(|(key, _)| *key == "capability").unwrap_or_default();
    match capability {
        "atomic_batch" => !can.atomic_batch,
        "compare" => !can.compare,
        "count" => !can.count,
        "full_text" => !can.full_text,
        "order_by_one" => !can.order_by_one,
        "order_by_many" => !can.order_by_many,
        "skip" => !can.skip,
        _ => false,
    }
}

/// Every case for managers, as one test each.
///
/// Takes the attributes of a test and the path of an `async fn() -> Fixture` that opens an empty place,
/// as [`backend_suite`](crate::backend_suite) does.
#[macro_export]
macro_rules! manager_suite {
    ($(#[$attribute:meta])+ $open:path) => {
        $crate::manager_suite! { @all [$(#[$attribute])+] $open =>
            a_batch_that_fails_changes_nothing
            a_batch_updates_and_deletes
            a_child_is_seen_by_its_alias
            a_custom_field_is_prepared_and_restored
            a_custom_field_may_be_prepared_only
            a_filter_prepares_the_values_of_custom_fields
            a_limit_refuses_a_broad_deletion
            a_long_answer_streams
            an_empty_batch_succeeds
            an_object_is_found_by_a_boolean
            an_object_is_found_by_text
            an_omitted_custom_field_is_prepared_too
            an_omitted_optional_field_is_absent
            an_only_child_is_seen_and_deleted_by_its_alias
            an_update_of_another_field_leaves_a_custom_field_alone
            an_update_prepares_a_custom_field
            children_are_deleted_by_their_alias
            false_zero_and_empty_text_are_values
            floats_are_compared
            ints_are_compared
            nested_objects_are_created_together
            objects_are_counted
            objects_are_deleted_by_a_list_of_keys
            objects_are_updated_by_another_field
            one_object_is_deleted_by_all_its_fields
            one_object_is_updated_by_key
            placeholders_stand_for_keys
            relationships_of_all_kinds_can_be_declared
            results_are_sorted_and_limited
            several_objects_are_created_at_once
            timestamps_are_compared
            typed_objects_survive
            unique_values_are_taken_once
            words_are_found
        }
    };
    (@all $attributes:tt $open:path => $($case:ident)*) => {
        $($crate::manager_suite! { @one $attributes $open => $case })*
    };
    (@one [$(#[$attribute:meta])+] $open:path => $case:ident) => {
        $(#[$attribute])+
        async fn $case() {
            $crate::run_manager_case($open().await, $crate::manager_cases::$case).await;
        }
    };
}

#[cfg(test)]
mod tests {
    /// A case that is written but not listed would never run, and nobody would notice.
    #[test]
    fn every_case_is_listed_exactly_once() {
        crate::listing::check_cases(include_str!("manager_suite.rs"), &crate::manager_cases::FILES);
    }

    /// A file of cases that is not looked at above could hide unlisted ones.
    #[test]
    fn every_file_of_cases_is_looked_at() {
        crate::listing::check_files(
            include_str!("manager_cases/mod.rs"),
            &crate::manager_cases::FILES,
        );
    }
}
