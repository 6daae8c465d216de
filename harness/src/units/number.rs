//! Plain decimal numbers: digits, and at most one point with digits on both sides. No sign, no exponent, no separator.

/// Splits `12.5ms` into `12.5` and `ms`.
pub(super) fn split_unit(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text.split_at(end)
}

/// The number, if it is one and finite.
pub(super) fn decimal(text: &str) -> Option<f64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let number: f64 = (digits(whole) && digits(fraction)).then(|| text.parse().ok())??;
    number.is_finite().then_some(number)
}

/// The number times `scale`, exactly; none if that is no whole number or too large.
pub(super) fn scaled(text: &str, scale: u64) -> Option<u64> {
    decimal(text)?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    let ten_to = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let product = digits.checked_mul(u128::from(scale))?;
    if product % ten_to != 0 {
        return None;
    }
    u64::try_from(product / ten_to).ok()
}
