//! What went wrong lately, for an operator to see.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use syncline_core::{Error, ErrorKind, Group};
use syncline_shared_log_wire::admin::RecentError;
use syncline_shared_log_wire::kind_name;

use crate::record::Record;

/// So many different things are remembered.
const MOST: usize = 100;

/// The latest errors. The same again counts up, so that a flood of one does not wash away the others.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<VecDeque<RecentError>>);

impl Recent {
    /// Notes a request, if it went wrong in a way that somebody should know of. A conflict, a cursor that is no
    /// longer known and a thing that is not there are ordinary.
    pub(crate) fn request(&self, record: &Record<'_>, now: i64) {
        if record.status < 400 || matches!(record.status, 404 | 405 | 409 | 410) {
            return;
        }
        self.note(RecentError {
            at: now,
            count: 1,
            place: record.route.to_owned(),
            status: Some(record.status),
            kind: record.kind.unwrap_or("none").to_owned(),
            detail: None,
            group: record.group.map(str::to_owned),
            subject: record.subject.map(str::to_owned),
        });
    }

    /// Notes an error of the store, with its message; what it is about may be secret and is left out.
    pub(crate) fn store(&self, error: &Error, group: Option<&Group>, now: i64) {
        let is_ordinary = matches!(
            error.kind(),
            ErrorKind::Conflict
                | ErrorKind::Invalid
                | ErrorKind::NotFound
                | ErrorKind::Rejoin
                | ErrorKind::Denied
        );
        if is_ordinary {
            return;
        }
        self.note(RecentError {
            at: now,
            count: 1,
            place: "store".to_owned(),
            status: None,
            kind: kind_name(error.kind()).to_owned(),
            detail: Some(error.message().to_owned()),
            group: group.map(|group| group.as_str().to_owned()),
            subject: None,
        });
    }

    /// All of them, newest first; only those of one group if one is named.
    pub(crate) fn all(&self, group: Option<&str>) -> Vec<RecentError> {
        let errors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = |error: &&RecentError| group.is_none() || error.group.as_deref() == group;
        errors.iter().filter(wanted).cloned().collect()
    }

    fn note(&self, mut error: RecentError) {
        let mut errors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(earlier) = errors.iter().position(|earlier| is_same(earlier, &error)) {
            let earlier = errors.remove(earlier);
            error.count += earlier.map_or(0, |earlier| earlier.count);
        }
        errors.push_front(error);
        errors.truncate(MOST);
    }
}

fn is_same(one: &RecentError, other: &RecentError) -> bool {
    let timeless = |error: &RecentError| RecentError { at: 0, count: 0, ..error.clone() };
    timeless(one) == timeless(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Error {
        Error::new(ErrorKind::Full, "the disk is full").with("path", "/secret")
    }

    #[test]
    fn the_same_again_counts_up_and_comes_first() {
        let recent = Recent::default();
        let group: Group = "g".parse().unwrap();
        recent.store(&full(), Some(&group), 1);
        recent.store(&full(), None, 2);
        recent.store(&full(), Some(&group), 3);
        let all: Vec<_> = recent.all(None).iter().map(|error| (error.at, error.count)).collect();
        assert_eq!(all, [(3, 2), (2, 1)]);
        assert_eq!(recent.all(Some("g")).len(), 1);
        assert!(recent.all(Some("h")).is_empty());
    }

    #[test]
    fn what_it_is_about_is_left_out_and_what_is_ordinary_too() {
        let recent = Recent::default();
        recent.store(&Error::new(ErrorKind::Conflict, "taken"), None, 1);
        assert!(recent.all(None).is_empty());
        recent.store(&full(), None, 1);
        assert!(!format!("{:?}", recent.all(None)).contains("secret"));
    }

    #[test]
    fn only_so_many_are_remembered() {
        let recent = Recent::default();
        for number in 0..2 * MOST {
            recent.store(&Error::internal(format!("number {number}")), None, 1);
        }
        assert_eq!(recent.all(None).len(), MOST);
    }
}
