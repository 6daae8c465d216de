//! `x-request-id`: a random UUID whose 15th letter says whether its request is traced.

use rand::Rng;

/// Letters of a UUID.
const LENGTH: usize = 36;

/// Where the letter stands that says why. In a UUID that nobody has touched it is the version, 4.
const PLACE: usize = 14;

/// Why a request is traced, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It is not: `4`.
    NotTraced,
    /// It was drawn: `9`.
    Sampled,
    /// A service wants it: `a`.
    Forced,
    /// The client wants it: `b`.
    Client,
}

impl Reason {
    /// True if the request is traced.
    pub(crate) fn traced(self) -> bool {
        self != Self::NotTraced
    }

    /// What an id says; what is no UUID says nothing.
    pub(crate) fn of(id: &[u8]) -> Self {
        match id.get(PLACE).filter(|_| id.len() == LENGTH) {
            Some(b'9') => Self::Sampled,
            Some(b'a') => Self::Forced,
            Some(b'b') => Self::Client,
            _ => Self::NotTraced,
        }
    }

    /// Says it in an id; one that is no UUID stays as it is.
    pub(crate) fn write(self, id: &mut [u8]) {
        let letter = match self {
            Self::NotTraced => b'4',
            Self::Sampled => b'9',
            Self::Forced => b'a',
            Self::Client => b'b',
        };
        if let (LENGTH, Some(place)) = (id.len(), id.get_mut(PLACE)) {
            *place = letter;
        }
    }
}

const DIGITS: [u8; 16] = *b"0123456789abcdef";

/// Where the digits of each byte stand, between the dashes.
const BYTES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

/// A new id.
pub(crate) fn fresh(rng: &mut impl Rng) -> [u8; LENGTH] {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut id = [b'-'; LENGTH];
    for (byte, place) in bytes.into_iter().zip(BYTES) {
        id[place] = DIGITS[usize::from(byte >> 4)];
        id[place + 1] = DIGITS[usize::from(byte & 0xf)];
    }
    id
}

/// The id as a number, by its first eight letters: by it every proxy that sees the same id draws the same. None if those are not hexadecimal.
pub(crate) fn number(id: &[u8]) -> Option<u32> {
    let first = std::str::from_utf8(id.get(..8)?).ok()?;
    let plain = first.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| u32::from_str_radix(first, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

    #[test]
    fn a_fresh_id_is_a_uuid_that_nobody_has_decided_on() {
        let id = String::from_utf8(fresh(&mut ChaCha8Rng::seed_from_u64(1)).to_vec()).unwrap();
        let groups: Vec<_> = id.split('-').map(str::len).collect();
        assert_eq!(groups, [8, 4, 4, 4, 12]);
        assert!(id.bytes().all(|byte| byte == b'-' || matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{id}");
        assert!(matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{id}");
        assert_eq!(Reason::of(id.as_bytes()), Reason::NotTraced);
        assert_eq!(id.as_bytes()[PLACE], b'4');
    }

    #[test]
    fn the_15th_letter_says_why() {
        let mut id = b"00002710-0000-4000-8000-000000000000".to_vec();
        for (reason, letter) in
            [(Reason::Sampled, b'9'), (Reason::Forced, b'a'), (Reason::Client, b'b'), (Reason::NotTraced, b'4')]
        {
            reason.write(&mut id);
            assert_eq!((id[14], Reason::of(&id)), (letter, reason));
        }
        assert_eq!(number(&id), Some(10_000));
    }

    #[test]
    fn what_is_no_uuid_says_nothing_and_is_left_alone() {
        let mut short = b"abc".to_vec();
        Reason::Forced.write(&mut short);
        assert_eq!((short.as_slice(), Reason::of(&short), number(&short)), (&b"abc"[..], Reason::NotTraced, None));
        for (id, expected) in [("+0000001", None), ("0000000g", None), ("ffffffff-more", Some(u32::MAX))] {
            assert_eq!(number(id.as_bytes()), expected, "{id}");
        }
    }
}
