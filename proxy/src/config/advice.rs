//! What policies do not do: whatever YAML promises and the data plane will not keep, with the figures of this very topology.
//!
//! Unlike [`super::analyze`] nothing here is a mistake between objects: each policy is obeyed to the letter. The letter says something
//! else than most readers take from it. Advice is drawn from what the proxy will do, [`Config`], and said in the words of whoever wrote it.

mod back_off;
mod balance;
mod bodies;
mod checks;
mod codes;
mod conditions;
mod deployments;
mod ejection;
mod everywhere;
mod faults;
mod hanging;
mod instances;
mod panic;
mod paths;
mod pools;
mod rates;
mod readmission;
mod replaced;
mod retry_limits;
mod thresholds;
mod times;
mod unmatched;
mod unused;
mod view;
mod words;
mod written;

#[cfg(test)]
mod tests;

pub use codes::{CODES, Code};
pub use everywhere::{everywhere, strangers, unlisted_hosts};
pub use instances::Instances;
pub(crate) use view::places_of;

use super::objects::Objects;
use crate::policy::Config;
use squall_yaml::{Finding, Place, Severity};
use std::path::PathBuf;
use view::View;

/// One promise that is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// Which, and why it is so.
    pub code: &'static Code,
    /// One sentence, with the figures of this topology.
    pub what: String,
    /// Lines of YAML to write instead.
    pub fix: String,
    /// The file.
    pub file: PathBuf,
    /// Where the field or its block stands.
    pub place: Place,
    /// Length of its name; 0 where that is not known.
    pub span_len: usize,
}

impl Advice {
    /// As it is shown beside other findings: a warning, whose help is what to write.
    pub fn finding(self) -> Finding {
        Finding {
            severity: Severity::Warning,
            file: self.file,
            place: self.place,
            span_len: self.span_len,
            message: self.what,
            expected: None,
            help: Some(self.fix),
            code: Some(self.code.code),
        }
    }
}

/// All advice about a configuration and the objects that it was made of, in the order of the files; of one place each code once.
pub fn advise(objects: &Objects, config: &Config, known: &Instances) -> Vec<Advice> {
    let view = View::new(objects, config, known);
    let each: [fn(&View<'_>) -> Vec<Advice>; 20] = [
        ejection::advice,
        thresholds::advice,
        rates::advice,
        panic::advice,
        readmission::advice,
        conditions::advice,
        times::advice,
        back_off::advice,
        bodies::advice,
        retry_limits::advice,
        hanging::advice,
        pools::advice,
        faults::advice,
        unmatched::advice,
        paths::advice,
        balance::advice,
        replaced::advice,
        unused::advice,
        checks::advice,
        deployments::advice,
    ];
    in_order(each.iter().flat_map(|advice| advice(&view)).collect())
}

/// Sorted by place; what several ports or subsets say of the same block is said once.
fn in_order(mut all: Vec<Advice>) -> Vec<Advice> {
    all.sort_by(|one, other| (&one.file, one.place, one.code.code).cmp(&(&other.file, other.place, other.code.code)));
    all.dedup_by(|next, first| (&next.file, next.place, next.code) == (&first.file, first.place, first.code));
    all
}

/// Why a code matters, if it is one of these.
pub fn why(code: &str) -> Option<&'static str> {
    CODES.iter().find(|known| known.code == code).map(|known| known.why)
}
