//! Whether a passing check may overrule what traffic has shown. Goes beyond Envoy, which believes every one.

/// What the checks of one endpoint have shown of their own worth.
///
/// A check that went on passing while traffic failed does not see the fault, so its passing says nothing of the fault's end. One that
/// failed as well and passes again does. If traffic fails again all the same, it is not believed until the endpoint has behaved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Credit {
    /// They have failed since the ejection.
    seen: bool,
    /// They have ended the last ejection.
    used: bool,
    /// They have ended one too early.
    refuted: bool,
}

impl Credit {
    /// True if a check that passes now is believed. `failed_since`: traffic has failed since the checks did.
    pub(super) fn is_due(self, failed_since: bool) -> bool {
        self.seen && !self.refuted && !failed_since
    }

    /// The checks have failed.
    pub(super) fn earned(&mut self) {
        self.seen = true;
    }

    /// The checks have ended an ejection.
    pub(super) fn used(&mut self) {
        self.used = true;
    }

    /// Traffic has led to an ejection.
    pub(super) fn ejected(&mut self) {
        *self = Self { seen: false, used: false, refuted: self.refuted || self.used };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy)]
    enum Event {
        Ejected,
        CheckFails,
        CheckEnds,
    }

    #[test]
    fn a_passing_check_is_believed_if_it_saw_the_fault_and_was_not_wrong_before() {
        use Event::{CheckEnds, CheckFails, Ejected};
        for (events, believed, why) in [
            (&[Ejected][..], false, "it has passed all along"),
            (&[Ejected, CheckFails], true, "it has seen the fault"),
            (&[CheckFails, Ejected], false, "traffic has failed since"),
            (&[Ejected, CheckFails, CheckEnds, Ejected, CheckFails], false, "it was wrong before"),
            (&[Ejected, CheckFails, CheckEnds, Ejected, Ejected, CheckFails], false, "still"),
        ] {
            let mut credit = Credit::default();
            for event in events {
                match event {
                    Ejected => credit.ejected(),
                    CheckFails => credit.earned(),
                    CheckEnds => credit.used(),
                }
            }
            assert_eq!(credit.is_due(false), believed, "{why}");
            assert!(!credit.is_due(true), "traffic has failed since");
        }
    }
}
