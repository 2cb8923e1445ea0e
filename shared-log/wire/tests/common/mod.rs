//! Made-up bodies, as small as they can be and with everything that a body can hold.

use syncline_core::log::{
    After, Append, AppendIf, Cursor, Damage, Exchange, Exchanged, FORMAT, Fetch, Fetched, Header,
    LaneHash, Receipt, Segment, Span, Tip, VersionVector,
};
use syncline_core::{ReplicaId, Stamp};

pub fn segment() -> Segment {
    let header = Header {
        format: FORMAT,
        group: "g".parse().expect("a name"),
        group_epoch: 0,
        span: span(1, 2),
        entries: 2,
        greatest: Stamp::at_millis(5),
        key_epoch: 0,
        codec: 0,
        extensions: Vec::new(),
    };
    Segment::seal(header, b"body")
}

pub fn span(first: u64, last: u64) -> Span {
    Span {
        replica: ReplicaId([7; 16]),
        first,
        last,
        before: LaneHash([1; 16]),
        after: LaneHash([2; 16]),
    }
}

pub fn tip(replica: u8, seq: u64) -> Tip {
    Tip { replica: ReplicaId([replica; 16]), seq, hash: LaneHash([replica + 1; 16]) }
}

pub fn vector() -> VersionVector {
    VersionVector::new([tip(7, 300), tip(9, 1)])
}

/// An exchange that asks for everything at once.
pub fn exchange() -> Exchange {
    let replica = ReplicaId([7; 16]);
    Exchange {
        replica,
        join: true,
        acknowledge: Some(vector()),
        fetch: Some(Fetch {
            replica,
            after: After::Cursor(Cursor(vec![1, 2, 3])),
            limit_bytes: 1000,
            limit_entries: 50,
        }),
        append: Some(Append {
            segments: vec![segment()],
            only_if: AppendIf::LaneEndsAt(Some(tip(7, 1))),
            frozen: true,
        }),
    }
}

/// An answer that tells everything there is to tell.
pub fn exchanged() -> Exchanged {
    Exchanged {
        fetched: Some(Fetched {
            segments: vec![segment()],
            cursor: Cursor(vec![4, 5]),
            more: true,
            own: vec![tip(7, 2)],
            time: Some(1_700_000_000_000),
            damaged: vec![Damage {
                place: "a".to_owned(),
                reason: "b".to_owned(),
                span: Some(span(3, 4)),
            }],
        }),
        receipts: Some(vec![Receipt::Stored, Receipt::Known]),
    }
}
