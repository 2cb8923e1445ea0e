//! In one process: storage and log fail at every step that changes something, before or after its effect, and
//! the process goes on or dies.

use syncline_it::Store;
use syncline_it::crash::{Activity, Meeting, Storage, enumerate};

const IN_MEMORY: (Storage, Meeting) = (Storage::Held(Store::Memory), Meeting::Memory);
const SQLITE_AND_A_FOLDER: (Storage, Meeting) = (Storage::Held(Store::Sqlite), Meeting::Folder);

/// Goes through every step; an enumeration that ends too early fails.
fn everywhere(activity: Activity, places: &[(Storage, Meeting)], at_least: u64) {
    for (storage, meeting) in places {
        let steps = enumerate(activity, *storage, *meeting);
        assert!(steps >= at_least, "{activity:?} takes {at_least} steps and more, not {steps}");
    }
}

#[test]
fn a_database_is_made_and_synced_wherever_it_fails() {
    everywhere(Activity::Begin, &[IN_MEMORY, SQLITE_AND_A_FOLDER], 9);
}

#[test]
fn a_write_is_there_as_a_whole_or_not_at_all_wherever_it_fails() {
    everywhere(Activity::Write, &[IN_MEMORY, SQLITE_AND_A_FOLDER], 6);
}

#[test]
fn a_sync_goes_on_where_it_was_wherever_it_fails() {
    everywhere(Activity::Sync, &[IN_MEMORY, SQLITE_AND_A_FOLDER], 22);
}

#[test]
fn a_migration_goes_on_where_it_was_wherever_it_fails() {
    everywhere(Activity::Migrate, &[IN_MEMORY, SQLITE_AND_A_FOLDER], 10);
}

#[test]
fn rows_are_adopted_once_wherever_it_fails() {
    everywhere(Activity::Adopt, &[IN_MEMORY, SQLITE_AND_A_FOLDER], 15);
}

#[test]
fn a_copied_database_takes_a_new_id_once_wherever_it_fails() {
    everywhere(Activity::Renew, &[IN_MEMORY, SQLITE_AND_A_FOLDER], 25);
}

#[test]
fn what_is_cleaned_away_is_missed_by_nobody_wherever_it_fails() {
    everywhere(Activity::CleanUp, &[IN_MEMORY, SQLITE_AND_A_FOLDER], 7);
}
