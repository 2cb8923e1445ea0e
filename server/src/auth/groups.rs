//! In which groups somebody may do something.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use syncline_core::{Error, Group, Result};

/// In which groups somebody may do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Groups {
    /// In all of them, also those that do not exist yet.
    All,
    /// In those that one of these names.
    Only(BTreeSet<GroupPattern>),
}

impl Groups {
    /// In these groups.
    pub fn only(groups: impl IntoIterator<Item = Group>) -> Self {
        Self::Only(groups.into_iter().map(GroupPattern::Named).collect())
    }

    /// In the groups that these texts name: `*` for all, `team-*` for all that begin with `team-`, anything
    /// else for the one of that name.
    ///
    /// # Errors
    ///
    /// [`Invalid`](syncline_core::ErrorKind::Invalid) if one names no group.
    ///
    /// # Example
    ///
    /// ```
    /// use syncline_server::auth::Groups;
    ///
    /// let groups = Groups::parse(["family", "team-*"])?;
    /// assert!(groups.has(&"team-blue".parse()?));
    /// assert!(!groups.has(&"families".parse()?));
    /// # Ok::<(), syncline_core::Error>(())
    /// ```
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut patterns = BTreeSet::new();
        for text in texts {
            if text == "*" {
                return Ok(Self::All);
            }
            let _ = patterns.insert(text.parse()?);
        }
        Ok(Self::Only(patterns))
    }

    /// Whether this group is among them.
    pub fn has(&self, group: &Group) -> bool {
        match self {
            Self::All => true,
            Self::Only(patterns) => patterns.iter().any(|pattern| pattern.has(group)),
        }
    }
}

impl fmt::Display for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Only(patterns) = self else { return f.write_str("*") };
        for (position, pattern) in patterns.iter().enumerate() {
            if position > 0 {
                f.write_str(" ")?;
            }
            fmt::Display::fmt(pattern, f)?;
        }
        Ok(())
    }
}

/// One group, or all whose names begin alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupPattern {
    /// The group of this name.
    Named(Group),
    /// Groups whose names begin so.
    Beginning(String),
}

impl GroupPattern {
    /// Whether this group is meant.
    pub fn has(&self, group: &Group) -> bool {
        match self {
            Self::Named(named) => named == group,
            Self::Beginning(beginning) => group.as_str().starts_with(beginning),
        }
    }
}

impl FromStr for GroupPattern {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.strip_suffix('*') {
            Some(beginning) if beginning.parse::<Group>().is_ok() => {
                Ok(Self::Beginning(beginning.to_owned()))
            }
            Some(_) => Err(Error::invalid("before the `*` stands how the groups' names begin")),
            None => text.parse().map(Self::Named),
        }
    }
}

impl fmt::Display for GroupPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(group) => fmt::Display::fmt(group, f),
            Self::Beginning(beginning) => write!(f, "{beginning}*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(patterns: &[&str], has: &[&str], lacks: &[&str]) {
        let groups = Groups::parse(patterns.iter().copied()).unwrap();
        for name in has {
            assert!(groups.has(&name.parse().unwrap()), "{patterns:?} has {name}");
        }
        for name in lacks {
            assert!(!groups.has(&name.parse().unwrap()), "{patterns:?} lacks {name}");
        }
    }

    #[test]
    fn a_name_means_one_group_and_a_beginning_means_many() {
        check(&["a"], &["a"], &["ab", "A", "*"]);
        check(&["team-*"], &["team-", "team-a", "team-*"], &["team", "steam-a"]);
        check(&["a", "b*"], &["a", "b", "bc"], &["ac", "c"]);
        check(&["*"], &["a", "..", "ü"], &[]);
        check(&[], &[], &["a"]);
    }

    #[test]
    fn a_pattern_that_names_no_group_is_refused() {
        assert!(Groups::parse(["**"]).is_ok(), "groups whose names begin with a star");
        for pattern in ["", "a\nb", "\u{7}*", &"x".repeat(201)] {
            assert!(Groups::parse([pattern]).is_err(), "{pattern:?}");
        }
    }
}
