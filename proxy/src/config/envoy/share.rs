//! Percentages in their several forms.

use super::message::Message;
use super::reading::Said;
use super::schema::{FRACTIONAL_PERCENT, PERCENT, RUNTIME_DOUBLE, RUNTIME_FRACTIONAL_PERCENT};
use crate::policy::Fraction;

/// `{value: 12.5}`, between 0 and 100.
pub(super) fn percent(message: &Message<'_>, name: &str) -> Option<f64> {
    let percent = message.message(name, &PERCENT)?;
    let Some(value) = percent.value("value") else { return Some(0.0) };
    let number = value.number()?;
    if !(0.0..=100.0).contains(&number) {
        value.error(Said::from(format!("{number} is out of range")).expected("a percentage from 0 to 100"));
        return None;
    }
    Some(number)
}

/// `{numerator: 5, denominator: HUNDRED}`.
pub(super) fn fraction(message: &Message<'_>) -> Option<Fraction> {
    let millionths = [("HUNDRED", 0, Some(10_000_u64)), ("TEN_THOUSAND", 1, Some(100)), ("MILLION", 2, Some(1))];
    let unit = if message.has("denominator") { message.choice("denominator", &millionths)? } else { 10_000 };
    let numerator = if message.has("numerator") { u64::from(message.count("numerator")?) } else { 0 };
    // Envoy draws below the denominator, so that a larger numerator is everything.
    let share = (numerator * unit).min(u64::from(Fraction::ALL.0));
    u32::try_from(share).ok().map(Fraction)
}

/// The same, as a field.
pub(super) fn fraction_of(message: &Message<'_>, name: &str) -> Option<Fraction> {
    fraction(&message.message(name, &FRACTIONAL_PERCENT)?)
}

/// A fraction that the runtime may change.
pub(super) fn runtime_fraction(message: &Message<'_>, name: &str) -> Option<Fraction> {
    let written = message.message(name, &RUNTIME_FRACTIONAL_PERCENT)?;
    let key = written.text("runtime_key").unwrap_or_default();
    written.require("default_value");
    let default = fraction_of(&written, "default_value");
    written.at.reading.runtime.borrow_mut().share(&key).or(default)
}

/// A number that the runtime may change.
pub(super) fn runtime_number(message: &Message<'_>, name: &str) -> Option<f64> {
    let written = message.message(name, &RUNTIME_DOUBLE)?;
    let key = written.text("runtime_key").unwrap_or_default();
    let default = if written.has("default_value") { written.value("default_value")?.number()? } else { 0.0 };
    Some(written.at.reading.runtime.borrow_mut().number(&key).unwrap_or(default))
}
