//! DER, as far as certificates need it: one value after the other, none longer than what is there.

/// Values that are still to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Der<'a>(&'a [u8]);

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const OBJECT: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

impl<'a> Der<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next value: its tag and its content. None at the end, and where the rest is none.
    pub(super) fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, rest) = self.0.split_first()?;
        // Tags of several bytes stand in no certificate.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (first, mut rest) = rest.split_first()?;
        let mut length = usize::from(*first);
        if length >= 0x80 {
            let (digits, after) = rest.split_at_checked(length & 0x7f).filter(|(digits, _)| digits.len() <= 4)?;
            length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
            rest = after;
        }
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, content))
    }

    /// The next value, if it has this tag; otherwise it stays to be read.
    pub(super) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let (_, content) = ahead.next().filter(|(found, _)| *found == tag)?;
        *self = ahead;
        Some(content)
    }

    /// The values in the next one, if it has this tag.
    pub(super) fn inside(&mut self, tag: u8) -> Option<Self> {
        self.take(tag).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_are_read_one_by_one_with_short_and_long_lengths() {
        let mut long = vec![OCTETS, 0x81, 0x80];
        long.extend([7; 0x80]);
        let mut bytes = vec![BOOLEAN, 1, 0xff];
        bytes.extend(&long);
        let mut der = Der::new(&bytes);
        assert_eq!(der.take(OCTETS), None, "the other one comes first");
        assert_eq!(der.take(BOOLEAN), Some(&[0xff][..]));
        assert_eq!(der.take(OCTETS), Some(&[7; 0x80][..]));
        assert_eq!(der.next(), None);
    }

    #[test]
    fn what_says_that_it_is_longer_than_it_is_is_nothing() {
        for bytes in [&[SEQUENCE][..], &[SEQUENCE, 2, 0], &[SEQUENCE, 0x84, 0xff, 0xff, 0xff, 0xff], &[0x1f, 1, 0]] {
            assert_eq!(Der::new(bytes).next(), None, "{bytes:x?}");
        }
        assert_eq!(Der::new(&[SEQUENCE, 0x89, 0, 0, 0, 0, 0, 0, 0, 0, 0]).next(), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut der = Der::new(&bytes);
            let mut read = 0;
            while let Some((_, content)) = der.next() {
                read += 2 + content.len();
            }
            prop_assert!(read <= bytes.len());
        }
    }
}
