//! The filter language, as an enum; its words are MongoDB's.

use crate::value::{Key, Name, Value};

/// Which objects are meant.
///
/// Every filter is either met or not: there is no third answer for null. An absent field is the
/// same as one that holds null.
///
/// # Example
///
/// ```
/// use syncline_core::Filter;
///
/// let filter = Filter::eq("country", "AD").and(Filter::gt("lat", 42.5));
/// assert!(matches!(filter, Filter::And(both) if both.len() == 2));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Filter {
    /// Every object.
    #[default]
    All,
    /// The objects with one of these primary keys.
    Keys(Vec<Key>),
    /// The objects whose field passes the test.
    Field(Name, Test),
    /// The objects that meet all of these.
    And(Vec<Filter>),
    /// The objects that meet at least one of these.
    Or(Vec<Filter>),
    /// The objects that do not meet this.
    Not(Box<Filter>),
}

/// What a field is tested for. Ordering tests (`Lt` and so on) are never passed by null.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Equal (`$eq`); `Eq(Null)` is passed by what is absent or null.
    Eq(Value),
    /// Not equal (`$ne`); null and absent are not equal to any value.
    Ne(Value),
    /// Less (`$lt`).
    Lt(Value),
    /// Less or equal (`$lte`).
    Lte(Value),
    /// Greater (`$gt`).
    Gt(Value),
    /// Greater or equal (`$gte`).
    Gte(Value),
    /// Equal to one of these (`$in`).
    In(Vec<Value>),
    /// Equal to none of these (`$nin`).
    NotIn(Vec<Value>),
    /// Holds something other than null, or does not (`$exists`).
    Exists(bool),
    /// Text that begins so, letter by letter (`$prefix`).
    Prefix(String),
    /// Text that holds all of these words (`$text`), where the backend can.
    Words(Vec<String>),
}

macro_rules! comparisons {
    ($($name:ident $test:ident $says:literal),+ $(,)?) => {
        $(
            #[doc = $says]
            pub fn $name(field: impl Into<Name>, value: impl Into<Value>) -> Self {
                Self::Field(field.into(), Test::$test(value.into()))
            }
        )+
    };
}

impl Filter {
    comparisons! {
        eq Eq "The field equals the value; null means null or absent.",
        ne Ne "The field does not equal the value.",
        lt Lt "The field is less than the value.",
        lte Lte "The field is less than the value or equal to it.",
        gt Gt "The field is greater than the value.",
        gte Gte "The field is greater than the value or equal to it.",
    }

    /// The field equals one of the values.
    pub fn is_in<V: Into<Value>>(
        field: impl Into<Name>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        Self::Field(field.into(), Test::In(values.into_iter().map(Into::into).collect()))
    }

    /// The field holds text that begins so.
    pub fn prefix(field: impl Into<Name>, prefix: impl Into<String>) -> Self {
        Self::Field(field.into(), Test::Prefix(prefix.into()))
    }

    /// The object with this primary key.
    pub fn key(key: impl Into<Key>) -> Self {
        Self::Keys(vec![key.into()])
    }

    /// Both filters.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match self {
            Self::And(mut all) => {
                all.push(other);
                Self::And(all)
            }
            first => Self::And(vec![first, other]),
        }
    }

    /// Either filter.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match self {
            Self::Or(mut any) => {
                any.push(other);
                Self::Or(any)
            }
            first => Self::Or(vec![first, other]),
        }
    }

    /// The objects this filter leaves out.
    #[must_use]
    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }
}
