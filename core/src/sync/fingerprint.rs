//! Fingerprints: equal text for equal data, wherever it lies.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::client::ClientLog;
use crate::id::hex;
use crate::schema::Collection;
use crate::value::canonical::{put_key, put_object, put_text};
use crate::{Filter, Find, Name, Object, Result};

/// What the logged collections hold, as one hash for each.
///
/// The hash of a collection is the sum, modulo 2^256, of SHA-256 over each object: its collection, its key
/// and its fields sorted by name, in canonical bytes, null left out. So it does not depend on any order.
/// It prints one line a collection, then one for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The version of the schema that says which fields there are.
    pub schema: u32,
    /// Each collection with its hash, sorted by name.
    pub collections: Vec<(Name, [u8; 32])>,
}

impl Fingerprint {
    /// One hash for all collections and the schema's version.
    pub fn total(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(self.schema.to_be_bytes());
        for (name, hash) in &self.collections {
            let mut line = Vec::new();
            put_text(&mut line, name);
            hasher.update(line);
            hasher.update(hash);
        }
        hasher.finalize().into()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, hash) in &self.collections {
            writeln!(f, "{} {name}", hex(hash))?;
        }
        write!(f, "{} (all, schema version {})", hex(&self.total()), self.schema)
    }
}

/// What the logged collections hold: equal on all replicas that have applied the same entries.
///
/// # Errors
///
/// Whatever reading reports.
pub async fn fingerprint(log: &ClientLog) -> Result<Fingerprint> {
    let mut collections = Vec::new();
    for definition in log.logged() {
        let mut sum = [0; 32];
        let mut next = Some(Find::new(definition.name().clone(), Filter::All));
        while let Some(question) = next {
            let page = log.find(question.clone()).await?;
            for object in &page.objects {
                add(&mut sum, &object_hash(&definition, object));
            }
            next = question.following(&page);
        }
        collections.push((definition.name().clone(), sum));
    }
    Ok(Fingerprint { schema: log.schema().version(), collections })
}

fn object_hash(definition: &Collection, object: &Object) -> [u8; 32] {
    let mut bytes = Vec::with_capacity(256);
    put_text(&mut bytes, definition.name());
    definition.key_of(object).iter().for_each(|key| put_key(&mut bytes, key));
    let mut fields = definition.without_key(object.clone());
    fields.retain(|_, value| !value.is_null());
    put_object(&mut bytes, &fields);
    Sha256::digest(&bytes).into()
}

/// Adds numbers of 256 bits, highest byte first.
fn add(sum: &mut [u8; 32], other: &[u8; 32]) {
    let mut carry = 0;
    for (digit, other) in sum.iter_mut().zip(other).rev() {
        let total = u16::from(*digit) + u16::from(*other) + carry;
        *digit = (total & 0xff) as u8;
        carry = total >> 8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_carry_and_wrap() {
        let mut sum = [0xff; 32];
        let mut one = [0; 32];
        one[31] = 1;
        add(&mut sum, &one);
        assert_eq!(sum, [0; 32]);
        sum[31] = 0xff;
        add(&mut sum, &one);
        assert_eq!((sum[30], sum[31]), (1, 0));
    }
}
