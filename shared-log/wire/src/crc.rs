//! CRC-32 as in gzip, for browsers: the quickest ways to it bring tables along that are larger than all else here.

/// A sum that grows with each part.
pub(crate) struct Crc {
    table: [u32; 256],
    rest: u32,
}

impl Crc {
    pub fn new() -> Self {
        let mut table = [0; 256];
        for (byte, entry) in (0_u32..).zip(&mut table) {
            *entry = (0..8)
                .fold(byte, |rest, _| (rest >> 1) ^ if rest & 1 == 1 { POLYNOMIAL } else { 0 });
        }
        Self { table, rest: u32::MAX }
    }

    pub fn update(&mut self, part: &[u8]) {
        for byte in part {
            let at = (self.rest as u8) ^ byte;
            self.rest = (self.rest >> 8) ^ self.table[usize::from(at)];
        }
    }

    pub fn sum(&self) -> u32 {
        !self.rest
    }
}

/// That of gzip, its bits turned round.
const POLYNOMIAL: u32 = 0xedb8_8320;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Crc;

    proptest! {
        #[test]
        fn browsers_sum_as_everybody_else(parts in any::<[Vec<u8>; 3]>()) {
            let (mut here, mut there) = (Crc::new(), flate2::Crc::new());
            for part in &parts {
                here.update(part);
                there.update(part);
                prop_assert_eq!(here.sum(), there.sum());
            }
        }
    }
}
