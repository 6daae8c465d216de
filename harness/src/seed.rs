//! Randomness: one seed a run, split into streams by name, so that one more draw in one place changes nothing elsewhere.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};

/// The seed of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seed(pub u64);

impl Seed {
    /// The stream of that name: `fault/pick/cart/1`. The same for the same seed and name in every build and on every machine.
    pub fn stream(self, name: &str) -> ChaCha12Rng {
        let mut state = self.0 ^ fnv1a(name.as_bytes());
        let mut key = [0; 32];
        for word in key.chunks_exact_mut(8) {
            word.copy_from_slice(&split_mix(&mut state).to_le_bytes());
        }
        ChaCha12Rng::from_seed(key)
    }

    /// A seed of its own for a part of the run: an arm, a child process.
    #[must_use]
    pub fn child(self, name: &str) -> Self {
        let mut state = self.0 ^ fnv1a(name.as_bytes());
        Self(split_mix(&mut state))
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A fresh seed: what the operating system gives hash maps as keys. 53 bits, so that it survives every reader of JSON.
pub fn draw() -> u64 {
    RandomState::new().build_hasher().finish() >> 11
}

/// FNV-1a, 64 bits: a hash that no release of the standard library changes.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// `SplitMix64`: spreads the bits of neighbouring seeds.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::{Seed, fnv1a, split_mix};
    use rand_chacha::rand_core::Rng;

    #[test]
    fn hashes_are_those_of_their_publications() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(split_mix(&mut 0), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn a_stream_depends_on_seed_and_name_alone() {
        let draw = |seed: u64, name: &str| Seed(seed).stream(name).next_u64();
        assert_eq!(draw(7, "fault/pick"), draw(7, "fault/pick"));
        assert_ne!(draw(7, "fault/pick"), draw(8, "fault/pick"));
        assert_ne!(draw(7, "fault/pick"), draw(7, "load/poisson"));
        assert_ne!(Seed(7).child("control"), Seed(7).child("treatment"));
    }
}
