//! Numbers in as few bytes as they need (LEB128): seven bits a byte, the lowest first.

/// Appends a number.
pub(super) fn put_number(to: &mut Vec<u8>, mut number: u32) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            to.push(low & 0x7f);
            return;
        }
        to.push(low | 0x80);
    }
}

/// The numbers that stand in a row of bytes.
#[derive(Debug, Clone)]
pub(super) struct PackedNumbers<'a>(pub(super) &'a [u8]);

impl<'a> PackedNumbers<'a> {
    /// Takes a number and as many bytes behind it as it says.
    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.next()? as usize;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }
}

impl Iterator for PackedNumbers<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        // Nearly all numbers are small.
        if let [byte @ ..0x80, rest @ ..] = self.0 {
            self.0 = rest;
            return Some(u32::from(*byte));
        }
        let (mut number, mut shift) = (0, 0);
        loop {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u32::from(byte & 0x7f).checked_shl(shift)?;
            if *byte < 0x80 {
                return Some(number);
            }
            shift += 7;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_out_as_they_went_in() {
        let all = [0, 1, 127, 128, 300, 16_383, 16_384, u32::MAX];
        let mut bytes = Vec::new();
        for number in all {
            put_number(&mut bytes, number);
        }
        assert_eq!(PackedNumbers(&bytes).collect::<Vec<_>>(), all);
    }

    #[test]
    fn bytes_that_are_cut_off_end_the_row() {
        assert_eq!(PackedNumbers(&[0x80, 0x80]).next(), None);
        assert_eq!(PackedNumbers(&[0xff; 9]).next(), None);
        assert_eq!(PackedNumbers(&[3, 1]).bytes(), None);
    }
}
