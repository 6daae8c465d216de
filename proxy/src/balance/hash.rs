//! What a consistent hash is made of: values of a request become one number.

use twox_hash::XxHash64;

/// The hash of one value, or of an endpoint's entry, by xxHash64.
pub(crate) fn key(value: &[u8]) -> u64 {
    XxHash64::oneshot(0, value)
}

/// The same with a seed of its own.
pub(super) fn seeded(seed: u64, value: &[u8]) -> u64 {
    XxHash64::oneshot(seed, value)
}

/// The hash of a field that stands in a request several times: their order does not count.
pub(crate) fn keys(values: &mut [&[u8]]) -> Option<u64> {
    values.sort_unstable();
    (!values.is_empty()).then(|| values.iter().fold(0, |hash, value| seeded(hash, value)))
}

/// What all hash policies of a route give together: what each gave, and whether it is terminal, which ends the list once anything was
/// given. Nothing is no key, and then any endpoint will do.
pub(crate) fn combine(policies: impl Iterator<Item = (Option<u64>, bool)>) -> Option<u64> {
    let mut hash: Option<u64> = None;
    for (own, terminal) in policies {
        if let Some(own) = own {
            // Turned, so that a rule that stands there twice does not cancel itself.
            hash = Some(hash.map_or(0, |so_far| so_far.rotate_left(1)) ^ own);
        }
        if terminal && hash.is_some() {
            break;
        }
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_hashed_by_xxhash64_without_a_seed() {
        assert_eq!(key(b""), 0xef46_db37_51d8_e999);
        assert_eq!(key(b"127.0.0.1:90_0"), 16_117_243_373_044_804_889);
    }

    #[test]
    fn repeated_fields_hash_alike_in_any_order() {
        assert_eq!(keys(&mut [b"foo", b"bar"]), keys(&mut [b"bar", b"foo"]));
        assert_eq!(keys(&mut [b"foo"]), Some(key(b"foo")));
        assert_eq!(keys(&mut []), None);
    }

    #[test]
    fn policies_are_combined_until_a_terminal_one_once_there_is_something() {
        let (own, other) = (0x8000_0000_0000_0001_u64, 0b1000);
        for (policies, expected) in [
            (vec![], None),
            (vec![(None, false), (None, true)], None),
            (vec![(Some(own), false)], Some(own)),
            (vec![(Some(own), false), (Some(other), false)], Some(0b1011)),
            (vec![(Some(own), true), (Some(other), false)], Some(own)),
            (vec![(None, true), (Some(other), false)], Some(other)),
            (vec![(Some(own), false), (None, true), (Some(other), false)], Some(own)),
            (vec![(Some(own), false), (Some(own), false)], Some(own.rotate_left(1) ^ own)),
        ] {
            assert_eq!(combine(policies.iter().copied()), expected, "{policies:?}");
        }
    }
}
