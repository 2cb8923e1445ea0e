//! What a writer had applied when it wrote.

use super::LaneHash;
use crate::sorted::SortedMap;
use crate::value::canonical::{Reader, put_number};
use crate::{Error, ReplicaId, Result};

/// What a replica had applied, exactly: for each lane a place, and the entries below it that were not.
///
/// The writer's own lane is implied. A version vector with exceptions, as in Malkhi and Terry,
/// *Concise Version Vectors in WinFS* (2005).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    lanes: SortedMap<ReplicaId, Known>,
}

/// What is applied of one lane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Everything up to here, except the exceptions.
    pub seq: u64,
    /// The lane's running hash there.
    pub hash: LaneHash,
    /// Ranges (first, last) below `seq` that were not applied, rising.
    pub except: Vec<(u64, u64)>,
}

impl Context {
    /// What is applied of a replica's lane.
    pub fn lane(&self, replica: &ReplicaId) -> Option<&Known> {
        self.lanes.get(replica)
    }

    /// Says what is applied of a replica's lane.
    pub fn set(&mut self, replica: ReplicaId, known: Known) {
        let _ = self.lanes.insert(replica, known);
    }

    /// Whether the entry was applied.
    pub fn knows(&self, replica: &ReplicaId, seq: u64) -> bool {
        self.lanes.get(replica).is_some_and(|known| {
            seq <= known.seq && !known.except.iter().any(|(a, b)| (*a..=*b).contains(&seq))
        })
    }

    /// Takes over every lane that a change names.
    pub fn apply(&mut self, change: &Self) {
        for (replica, known) in &change.lanes {
            let _ = self.lanes.insert(*replica, known.clone());
        }
    }

    /// The lanes in which this differs from `previous`.
    #[must_use]
    pub fn since(&self, previous: &Self) -> Self {
        let differs =
            |(replica, known): &(&ReplicaId, &Known)| previous.lanes.get(*replica) != Some(*known);
        let lanes = self.lanes.iter().filter(differs).map(|(id, known)| (*id, known.clone()));
        Self { lanes: lanes.collect() }
    }

    /// Whether no lane is named.
    pub fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    /// Appends the canonical bytes: for each lane its replica, place, hash and exceptions.
    pub fn put(&self, out: &mut Vec<u8>) {
        put_number(out, self.lanes.len() as u64);
        for (replica, known) in &self.lanes {
            out.extend_from_slice(&replica.0);
            put_number(out, known.seq);
            out.extend_from_slice(&known.hash.0);
            put_number(out, known.except.len() as u64);
            for (first, last) in &known.except {
                put_number(out, *first);
                put_number(out, *last);
            }
        }
    }

    /// The canonical bytes, as a new vector.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.put(&mut out);
        out
    }

    /// Reads a context that fills all the bytes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if the bytes are not those of a context.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let context = Self::read(&mut reader)?;
        reader.end()?;
        Ok(context)
    }

    /// Reads a context.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if the bytes are not those of a context.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let mut lanes = SortedMap::new();
        let mut last = None;
        for _ in 0..reader.count()? {
            let replica = ReplicaId(reader.array()?);
            if last.is_some_and(|last| last >= replica) {
                return Err(Error::corrupt("the lanes of a context are not sorted"));
            }
            last = Some(replica);
            let (seq, hash) = (reader.number()?, LaneHash(reader.array()?));
            let mut except: Vec<(u64, u64)> = Vec::new();
            for _ in 0..reader.count()? {
                let (from, to) = (reader.number()?, reader.number()?);
                if from > to || except.last().is_some_and(|(_, end)| *end >= from) {
                    return Err(Error::corrupt("the exceptions of a context are not sorted"));
                }
                except.push((from, to));
            }
            let _ = lanes.insert(replica, Known { seq, hash, except });
        }
        Ok(Self { lanes })
    }
}
