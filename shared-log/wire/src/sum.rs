//! A sum over a body, which tells whether it arrived as it was sent.

#[cfg(not(target_family = "wasm"))]
use flate2::Crc;

#[cfg(target_family = "wasm")]
use crate::crc::Crc;

/// The header that bears the [sum](sum_of) of a body, on the way to the hub and back.
///
/// Segments bear a checksum of their own, but the rest of a body does not: a bit that flips on the way, in a cursor or
/// in a receipt, would else go unnoticed where neither TLS nor compression adds a sum.
pub const SUM_HEADER: &str = "syncline-sum";

/// The sum of a body, as it stands in the header: CRC-32 as in gzip, eight hexadecimal digits. It is that of the body
/// behind any content encoding.
///
/// # Example
///
/// ```
/// use syncline_shared_log_wire::sum_of;
///
/// assert_eq!(sum_of(b"123456789"), "cbf43926");
/// assert_eq!(sum_of(b""), "00000000");
/// ```
pub fn sum_of(body: &[u8]) -> String {
    written(crc_of([body]))
}

/// The same as a number.
pub fn crc_of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> u32 {
    let mut sum = Crc::new();
    parts.into_iter().for_each(|part| sum.update(part));
    sum.sum()
}

/// The sum of a body that lies in parts.
pub fn sum_of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    written(crc_of(parts))
}

fn written(sum: u32) -> String {
    format!("{sum:08x}")
}

/// Whether a body has the sum that a header tells; one that tells no sum at all is not believed either.
pub fn sum_holds(body: &[u8], told: &[u8]) -> bool {
    told.trim_ascii().eq_ignore_ascii_case(sum_of(body).as_bytes())
}
