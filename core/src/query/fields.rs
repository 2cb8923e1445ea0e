//! Which fields a filter is about.

use super::Filter;
use crate::value::Name;

impl Filter {
    /// Tells each field that the filter tests, as often as it does; keys are not told.
    pub fn each_field(&self, tell: &mut impl FnMut(&Name)) {
        match self {
            Self::All | Self::Keys(_) => {}
            Self::Field(field, _) => tell(field),
            Self::And(several) | Self::Or(several) => {
                several.iter().for_each(|filter| filter.each_field(tell));
            }
            Self::Not(filter) => filter.each_field(tell),
        }
    }
}
