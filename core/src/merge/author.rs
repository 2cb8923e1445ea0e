//! Who wrote an entry, and when: what entries are compared by.

use crate::value::canonical::{Reader, put_number};
use crate::{ReplicaId, Result, Stamp};

/// Who wrote an entry, and when: a total order over all entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Author {
    /// When.
    pub stamp: Stamp,
    /// Who.
    pub replica: ReplicaId,
    /// The entry's place in that replica's lane.
    pub seq: u64,
    /// From the lane's running hash behind the entry: tells branches of a forked lane apart.
    pub tie: u32,
}

impl Author {
    /// Appends the canonical bytes: stamp (8 bytes, highest first), replica, `seq`, tie (4 bytes).
    pub fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.stamp.bits().to_be_bytes());
        out.extend_from_slice(&self.replica.0);
        put_number(out, self.seq);
        out.extend_from_slice(&self.tie.to_be_bytes());
    }

    /// Reads an author.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if the bytes are not those of an author.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            stamp: Stamp::from_bits(u64::from_be_bytes(reader.array()?))
                .map_err(|_| crate::Error::corrupt("a history holds an invalid stamp"))?,
            replica: ReplicaId(reader.array()?),
            seq: reader.number()?,
            tie: u32::from_be_bytes(reader.array()?),
        })
    }
}
