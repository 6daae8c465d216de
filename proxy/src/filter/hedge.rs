//! Several tries of one request at once: what becomes of one that has ended. Pure.

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// It is what the client gets; the others are given up.
    PassOn,
    /// Another one begins, whatever the others do.
    TryAgain,
    /// It is forgotten: one of the others may do better.
    WaitForOthers,
}

/// A try that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    /// With an answer.
    pub answered: bool,
    /// In a way in which requests are tried again.
    pub retriable: bool,
    /// Another one is allowed for it.
    pub again: bool,
    /// Others are under way, or about to begin.
    pub others: bool,
}

impl Ended {
    /// The first good answer wins; a bad one, and a failure, only where nothing else may come.
    pub(crate) fn next(self) -> Next {
        match self {
            Self { again: true, .. } => Next::TryAgain,
            Self { answered: true, retriable: false, .. } => Next::PassOn,
            Self { others: true, .. } => Next::WaitForOthers,
            Self { others: false, .. } => Next::PassOn,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_good_answer_wins_and_a_bad_one_waits_for_the_others() {
        for (answered, retriable, again, others, next) in [
            (true, false, false, true, Next::PassOn),
            (true, false, false, false, Next::PassOn),
            (true, true, true, false, Next::TryAgain),
            (true, true, true, true, Next::TryAgain),
            (true, true, false, true, Next::WaitForOthers),
            (true, true, false, false, Next::PassOn),
            (false, true, true, true, Next::TryAgain),
            (false, true, false, true, Next::WaitForOthers),
            (false, false, false, true, Next::WaitForOthers),
            (false, false, false, false, Next::PassOn),
        ] {
            let ended = Ended { answered, retriable, again, others };
            assert_eq!(ended.next(), next, "{ended:?}");
        }
    }
}
