//! Base64 with the standard alphabet (RFC 4648), for bytes in JSON.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Bytes as base64 text, padded.
///
/// # Example
///
/// ```
/// use syncline_core::value::base64;
///
/// assert_eq!(base64::encode(b"syncline"), "c3luY2xpbmU=");
/// assert_eq!(base64::decode("c3luY2xpbmU="), Some(b"syncline".to_vec()));
/// ```
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

/// Bytes from base64 text, padded or not; nothing if it is not what [`encode`] writes.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let padding = text.bytes().rev().take_while(|byte| *byte == b'=').count();
    if padding > 0 && (padding > 2 || !text.len().is_multiple_of(4)) {
        return None;
    }
    let letters = &text.as_bytes()[..text.len() - padding];
    let mut bytes = Vec::with_capacity(letters.len() * 3 / 4);
    for chunk in letters.chunks(4) {
        let mut bits = 0;
        for letter in chunk {
            bits = bits << 6 | sextet(*letter)?;
        }
        let whole = chunk.len() * 6 / 8;
        let spare = chunk.len() * 6 % 8;
        // A single letter is no byte, and bits that are left over are zero in what is written here.
        if whole == 0 || bits & ((1 << spare) - 1) != 0 {
            return None;
        }
        let bits = bits >> spare;
        bytes.extend((0..whole).rev().map(|at| (bits >> (8 * at) & 255) as u8));
    }
    Some(bytes)
}

fn sextet(letter: u8) -> Option<u32> {
    let value = match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(value.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_test_vectors_of_the_standard_hold() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).unwrap(), bytes.as_bytes());
            assert_eq!(decode(text.trim_end_matches('=')).unwrap(), bytes.as_bytes());
        }
    }

    #[test]
    fn a_second_spelling_is_refused() {
        for text in ["Zh==", "Z", "Z===", "Zg=", "====", "Zm9v=", "Zm 9", "Zm-_", "Zg==Zg==", "é"]
        {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }
    }
}
