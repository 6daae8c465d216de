//! Pages: one self-contained file each, complete without script.

mod cause;
pub mod compare;
pub mod history;
mod marked;
mod parts;
pub mod ratios;
mod report;
mod rows;
mod story;
#[cfg(test)]
mod tests;

use crate::record::Record;

/// The report of one scenario.
pub fn report(record: &Record) -> Result<String, crate::artifacts::Error> {
    report::report(record, record.run.again())
}

/// What the pages need to say of a number.
// What the macro makes of these functions is its own affair.
#[allow(
    unreachable_pub,
    clippy::inline_always,
    clippy::unnecessary_wraps,
    clippy::unused_self,
    clippy::trivially_copy_pass_by_ref,
    clippy::ref_option
)]
mod filters {
    use crate::plot::number;
    use crate::plot::theme::Token;
    use crate::record::Verdict;

    /// The class of a verdict.
    #[askama::filter_fn]
    pub fn class(verdict: &Verdict, _: &dyn askama::Values) -> askama::Result<&'static str> {
        Ok(match verdict {
            Verdict::Pass => "heal",
            Verdict::Inconclusive => "warn",
            Verdict::Invalid => "said",
            Verdict::Fail | Verdict::Error | Verdict::Aborted => "lost",
        })
    }

    /// Name of the symbol beside a verdict's word.
    #[askama::filter_fn]
    pub fn symbol(verdict: &Verdict, _: &dyn askama::Values) -> askama::Result<&'static str> {
        Ok(match verdict {
            Verdict::Pass => "g-pass",
            Verdict::Inconclusive => "g-open",
            Verdict::Invalid => "g-void",
            Verdict::Fail | Verdict::Error => "g-fail",
            Verdict::Aborted => "g-stop",
        })
    }

    /// Colour of a verdict's sign where styles are forbidden.
    #[askama::filter_fn]
    pub fn colour(verdict: &Verdict, _: &dyn askama::Values) -> askama::Result<&'static str> {
        Ok(Token::of(*verdict).light())
    }

    /// An instant.
    #[askama::filter_fn]
    pub fn seconds(micros: &i64, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(number::instant(*micros))
    }

    /// A count in full.
    #[askama::filter_fn]
    pub fn count(value: &u64, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(number::count(*value))
    }

    /// Bytes.
    #[askama::filter_fn]
    pub fn bytes(value: &u64, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(number::bytes(*value))
    }

    /// Microseconds as a length of time.
    #[askama::filter_fn]
    pub fn micros(value: &i64, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(number::micros(value.unsigned_abs()))
    }

    /// Milliseconds in the unit that reads best.
    #[askama::filter_fn]
    pub fn millis(value: Option<&f64>, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(value
            .filter(|value| **value > 0.0)
            .map_or_else(|| "no data".to_owned(), |value| number::duration(value / 1e3)))
    }
}
