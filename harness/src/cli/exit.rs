//! Exit codes: one table, the same for every output format.

use squall_reports::record::Verdict;
use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Every scenario passed; or the command did what was asked.
    Success,
    /// Squall itself failed, or something could not be undone.
    Error,
    /// The command line is wrong; nothing was started.
    Usage,
    /// A run proves nothing, or has too few samples to decide.
    Unproven,
    /// No scenario was selected; nothing was started.
    NothingSelected,
    /// An expectation did not hold.
    Failed,
    /// A scenario or policy is wrong; nothing was started.
    BadInput,
    /// Stopped by a person, a signal or an abort condition.
    Aborted,
}

impl Exit {
    /// Every exit there is, in the order of the codes.
    pub const ALL: [Self; 8] = [
        Self::Success,
        Self::Error,
        Self::Usage,
        Self::Unproven,
        Self::NothingSelected,
        Self::Failed,
        Self::BadInput,
        Self::Aborted,
    ];

    /// The code.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Error => 1,
            Self::Usage => 2,
            Self::Unproven => 3,
            Self::NothingSelected => 4,
            Self::Failed => 99,
            Self::BadInput => 104,
            Self::Aborted => 105,
        }
    }

    /// What it means, as in `docs/exit-codes.md`.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Success => "every scenario passed; or the command did what was asked",
            Self::Error => "Squall itself failed, or something could not be undone (DIRTY)",
            Self::Usage => "the command line is wrong; nothing was started",
            Self::Unproven => "INVALID or INCONCLUSIVE: the run proves nothing, or has too few samples",
            Self::NothingSelected => "no scenario was selected; nothing was started",
            Self::Failed => "FAIL: an expectation did not hold",
            Self::BadInput => "a scenario or policy is wrong; nothing was started",
            Self::Aborted => "ABORTED: stopped by a person, a signal or an abort condition",
        }
    }

    /// The exit for the worst verdict of a run; something left behind turns success into an error.
    pub fn of(worst: Verdict, dirty: bool) -> Self {
        match worst {
            Verdict::Pass if dirty => Self::Error,
            Verdict::Pass => Self::Success,
            Verdict::Inconclusive | Verdict::Invalid => Self::Unproven,
            Verdict::Fail => Self::Failed,
            Verdict::Error => Self::Error,
            Verdict::Aborted => Self::Aborted,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verdict_has_its_exit_code() {
        for (verdict, clean, dirty) in [
            (Verdict::Pass, 0, 1),
            (Verdict::Inconclusive, 3, 3),
            (Verdict::Invalid, 3, 3),
            (Verdict::Fail, 99, 99),
            (Verdict::Error, 1, 1),
            (Verdict::Aborted, 105, 105),
        ] {
            assert_eq!(Exit::of(verdict, false).code(), clean, "{verdict}");
            assert_eq!(Exit::of(verdict, true).code(), dirty, "{verdict}, dirty");
        }
    }

    #[test]
    fn the_worst_of_several_is_chosen_in_the_documented_order() {
        let order =
            [Verdict::Pass, Verdict::Inconclusive, Verdict::Invalid, Verdict::Fail, Verdict::Error, Verdict::Aborted];
        assert!(order.is_sorted());
        assert_eq!([Verdict::Pass, Verdict::Fail, Verdict::Invalid].into_iter().max(), Some(Verdict::Fail));
    }

    #[test]
    fn the_documentation_has_the_same_table() {
        let page = include_str!("../../../docs/exit-codes.md");
        for exit in Exit::ALL {
            let row = format!("| {} | {} |", exit.code(), exit.meaning());
            assert!(page.contains(&row), "docs/exit-codes.md lacks the row\n{row}");
        }
    }
}
