//! A place in a JSON document that knows its path, so that a refusal can say where.

use serde_json::Value as Json;

use crate::{Error, Result};

/// A JSON value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    json: &'a Json,
    path: String,
}

impl<'a> Cursor<'a> {
    pub(super) fn root(json: &'a Json) -> Self {
        Self { json, path: String::new() }
    }

    pub(super) fn json(&self) -> &'a Json {
        self.json
    }

    /// An error at this place.
    pub(super) fn refuse(&self, message: &'static str) -> Error {
        self.place(Error::invalid(message))
    }

    /// Adds this place to an error.
    pub(super) fn place(&self, error: Error) -> Error {
        error.with("at", if self.path.is_empty() { "the top" } else { &self.path })
    }

    pub(super) fn get(&self, member: &str) -> Option<Self> {
        self.json.get(member).map(|json| self.child(member, json))
    }

    pub(super) fn require(&self, member: &'static str) -> Result<Self> {
        let missing = || self.refuse("a member is missing").with("member", member);
        self.get(member).ok_or_else(missing)
    }

    pub(super) fn members(&self) -> Result<impl Iterator<Item = (&'a str, Self)>> {
        let members = self.json.as_object().ok_or_else(|| self.refuse("this must be an object"))?;
        Ok(members.iter().map(|(name, json)| (name.as_str(), self.child(name, json))))
    }

    pub(super) fn items(&self) -> Result<impl Iterator<Item = Self>> {
        let items = self.json.as_array().ok_or_else(|| self.refuse("this must be a list"))?;
        let item = |(position, json)| self.child(&format!("[{position}]"), json);
        Ok(items.iter().enumerate().map(item))
    }

    /// Holds if this is an object with no members but these.
    pub(super) fn only(&self, known: &[&str]) -> Result<()> {
        for (name, member) in self.members()? {
            if !known.contains(&name) {
                return Err(member.refuse("there is no such member; correct it or leave it out"))
                    .map_err(|error| error.with("known", known.join(", ")));
            }
        }
        Ok(())
    }

    pub(super) fn text(&self) -> Result<&'a str> {
        self.json.as_str().ok_or_else(|| self.refuse("this must be text"))
    }

    pub(super) fn number(&self) -> Result<u32> {
        self.json
            .as_u64()
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| *number > 0)
            .ok_or_else(|| self.refuse("this must be a whole number from 1 on"))
    }

    /// A member that is true or false; false if it is not there.
    pub(super) fn flag(&self, member: &str) -> Result<bool> {
        self.get(member).map_or(Ok(false), |flag| {
            flag.json.as_bool().ok_or_else(|| flag.refuse("this must be true or false"))
        })
    }

    fn child(&self, step: &str, json: &'a Json) -> Self {
        let dot = if self.path.is_empty() || step.starts_with('[') { "" } else { "." };
        Self { json, path: format!("{}{dot}{step}", self.path) }
    }
}
