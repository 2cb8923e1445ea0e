//! DEFLATE (RFC 1951), in memory and at once.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use crate::{Error, Result};

/// The most that compressed bytes may unfold to.
const LARGEST: usize = 256 << 20;
/// Room for this much is made at least.
const ROOM: usize = 256;

/// Appends bytes, compressed fast.
///
/// # Errors
///
/// None in practice.
pub fn deflate(bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let mut stream = Compress::new(Compression::fast(), false);
    let mut rest = bytes;
    out.reserve(bytes.len() / 2 + ROOM);
    loop {
        let taken = stream.total_in();
        let status = stream
            .compress_vec(rest, out, FlushCompress::Finish)
            .map_err(|error| Error::internal("compressing in memory failed").caused_by(error))?;
        if status == Status::StreamEnd {
            return Ok(());
        }
        rest = &rest[(stream.total_in() - taken) as usize..];
        out.reserve(out.len().max(ROOM));
    }
}

/// What compressed bytes unfold to.
///
/// # Errors
///
/// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if the bytes are broken, or unfold to more than 256 MiB.
pub(super) fn inflate(bytes: &[u8]) -> Result<Vec<u8>> {
    inflate_up_to(bytes, LARGEST)
}

fn inflate_up_to(bytes: &[u8], most: usize) -> Result<Vec<u8>> {
    let broken = || Error::corrupt("a compressed body is broken or unfolds to too much");
    let mut stream = Decompress::new(false);
    let (mut out, mut rest) = (Vec::with_capacity(bytes.len() * 2 + ROOM), bytes);
    loop {
        let taken = stream.total_in();
        let status = stream.decompress_vec(rest, &mut out, FlushDecompress::Finish);
        let status = status.map_err(|_| broken())?;
        if out.len() > most {
            return Err(broken());
        }
        if status == Status::StreamEnd {
            return Ok(out);
        }
        rest = &rest[(stream.total_in() - taken) as usize..];
        // With room left, it is only the end of the bytes that can be missing.
        if out.len() < out.capacity() {
            return Err(broken());
        }
        out.reserve(out.len());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{deflate, inflate, inflate_up_to};

    fn deflated(bytes: &[u8]) -> Vec<u8> {
        let mut out = b"before".to_vec();
        deflate(bytes, &mut out).unwrap();
        assert!(out.starts_with(b"before"));
        out.split_off(6)
    }

    proptest! {
        #[test]
        fn what_was_compressed_unfolds(part in any::<Vec<u8>>(), times in 0_usize..500) {
            let bytes = part.repeat(times);
            let small = deflated(&bytes);
            prop_assert_eq!(inflate(&small).unwrap(), bytes);
            prop_assert!(inflate(&small[..small.len() - 1]).is_err(), "its end is missing");
        }

        #[test]
        fn any_bytes_unfold_or_are_broken(bytes in any::<Vec<u8>>()) {
            let _ = inflate(&bytes);
        }
    }

    #[test]
    fn what_unfolds_to_too_much_is_refused() {
        let bomb = deflated(&[0; 100_000]);
        assert!(bomb.len() < 1_000);
        assert!(inflate_up_to(&bomb, 99_999).is_err());
        assert_eq!(inflate_up_to(&bomb, 100_000).unwrap(), [0; 100_000]);
    }
}
