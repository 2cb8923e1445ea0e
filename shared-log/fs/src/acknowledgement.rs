//! What a replica says that it has durably received, as a file.

use syncline_core::log::{LaneHash, VersionVector};
use syncline_core::value::canonical::{Reader, put_bytes, put_number, put_text};
use syncline_core::{Error, Group, ReplicaId, Result};

const FORMAT: u8 = 1;
const CHECKSUM: usize = 16;

/// One acknowledgement; of several by one replica the one with the highest counter counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Acknowledgement {
    pub(crate) group: Group,
    pub(crate) replica: ReplicaId,
    pub(crate) counter: u64,
    pub(crate) known: VersionVector,
}

impl Acknowledgement {
    /// What the bytes begin with.
    pub(crate) const MAGIC: [u8; 4] = *b"SYNA";

    /// The bytes: magic, format, group, replica, counter, what is known, and a checksum over it all.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Self::MAGIC.to_vec();
        out.push(FORMAT);
        put_text(&mut out, self.group.as_str());
        out.extend_from_slice(&self.replica.0);
        put_number(&mut out, self.counter);
        put_bytes(&mut out, &self.known.to_bytes());
        let checksum = LaneHash::default().then(&out);
        out.extend_from_slice(&checksum.0);
        out
    }

    /// Reads and verifies such bytes.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self> {
        let damaged = || Error::corrupt("this is not a whole acknowledgement");
        let end = bytes.len().checked_sub(CHECKSUM).ok_or_else(damaged)?;
        let (contents, checksum) = bytes.split_at(end);
        if LaneHash::default().then(contents).0 != checksum {
            return Err(damaged());
        }
        let mut reader = Reader::new(contents.strip_prefix(&Self::MAGIC).ok_or_else(damaged)?);
        if reader.byte()? != FORMAT {
            return Err(Error::corrupt("a newer version wrote this acknowledgement; update"));
        }
        let group = reader.text()?.parse()?;
        let (replica, counter) = (ReplicaId(reader.array()?), reader.number()?);
        let known = VersionVector::from_bytes(reader.bytes()?)?;
        reader.end()?;
        Ok(Self { group, replica, counter, known })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syncline_core::log::Tip;

    #[test]
    fn one_flipped_bit_or_a_missing_end_is_noticed() {
        let replica = ReplicaId([3; 16]);
        let known = VersionVector::new([Tip { replica, seq: 300, hash: LaneHash([4; 16]) }]);
        let group = "family".parse().unwrap();
        let whole = Acknowledgement { group, replica, counter: 700, known };
        let bytes = whole.to_bytes();
        assert_eq!(Acknowledgement::parse(&bytes).unwrap(), whole);
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x10;
            assert!(Acknowledgement::parse(&flipped).is_err(), "byte {at}");
            assert!(Acknowledgement::parse(&bytes[..at]).is_err(), "cut at {at}");
        }
    }
}
