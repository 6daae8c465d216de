//! Hexadecimal numbers of ids.

/// Reads a number of exactly so many digits.
pub(super) fn exact(text: &str, digits: usize) -> Option<u128> {
    (text.len() == digits).then(|| at_most(text, digits)).flatten()
}

/// Reads a number of one to so many digits.
pub(super) fn at_most(text: &str, digits: usize) -> Option<u128> {
    let plain = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (plain && (1..=digits).contains(&text.len())).then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

/// Reads the id of a span, which is not 0.
pub(super) fn span(number: u128) -> Option<u64> {
    u64::try_from(number).ok().filter(|number| *number != 0)
}
