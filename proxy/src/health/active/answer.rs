//! What the answer to a check means.

use super::Checked;
use crate::policy::HttpProbe;

/// What an answer to a check by HTTP says of itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Answer<'a> {
    /// Its status.
    pub status: u16,
    /// It carries `x-envoy-degraded`.
    pub degraded: bool,
    /// It carries `x-envoy-immediate-health-check-fail`.
    pub exclude: bool,
    /// What `x-envoy-upstream-healthchecked-cluster` says; empty where it is missing.
    pub service_name: &'a str,
}

/// What an answer by HTTP means.
pub(crate) fn http(probe: &HttpProbe, answer: Answer<'_>) -> Checked {
    let among = |ranges: &[(u16, u16)]| ranges.iter().any(|(from, to)| (*from..*to).contains(&answer.status));
    let failed = Checked::Failed { exclude: answer.exclude };
    if !among(&probe.expected) {
        // Who asks to be left alone is, at once.
        return if among(&probe.retriable) && !answer.exclude { Checked::Retriable } else { failed };
    }
    if probe.service_name.as_ref().is_some_and(|name| !name.matches(answer.service_name)) {
        return failed;
    }
    Checked::Passed { degraded: answer.degraded }
}

/// True if all that is awaited has come, in order, whatever stands between. Nothing awaited has come at once.
pub(crate) fn tcp_answered(awaited: &[Vec<u8>], received: &[u8]) -> bool {
    let mut rest = received;
    awaited.iter().all(|part| {
        let found = if part.is_empty() { Some(0) } else { rest.windows(part.len()).position(|window| window == part) };
        let behind = found.and_then(|at| rest.get(at + part.len()..));
        rest = behind.unwrap_or_default();
        behind.is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Pattern, TextMatch};

    const PASSED: Checked = Checked::Passed { degraded: false };
    const FAILED: Checked = Checked::Failed { exclude: false };

    #[test]
    fn statuses_pass_are_counted_or_fail_at_once() {
        let ranges =
            HttpProbe { expected: vec![(200, 201), (300, 310)], retriable: vec![(400, 500)], ..HttpProbe::get("/") };
        for (status, expected) in [
            (200, PASSED),
            (201, FAILED),
            (300, PASSED),
            (309, PASSED),
            (310, FAILED),
            (404, Checked::Retriable),
            (499, Checked::Retriable),
            (500, FAILED),
            (503, FAILED),
        ] {
            assert_eq!(http(&ranges, Answer { status, ..Answer::default() }), expected, "{status}");
        }
        assert_eq!(
            http(&HttpProbe::get("/"), Answer { status: 204, ..Answer::default() }),
            FAILED,
            "200 alone by default"
        );
    }

    #[test]
    fn fields_of_the_answer_degrade_and_exclude() {
        let probe = HttpProbe { retriable: vec![(500, 501)], ..HttpProbe::get("/") };
        let ok = Answer { status: 200, ..Answer::default() };
        assert_eq!(http(&probe, Answer { degraded: true, ..ok }), Checked::Passed { degraded: true });
        assert_eq!(http(&probe, Answer { exclude: true, ..ok }), PASSED, "only a failing check excludes");
        for status in [500, 503] {
            let excluding = Answer { status, exclude: true, ..Answer::default() };
            assert_eq!(http(&probe, excluding), Checked::Failed { exclude: true }, "{status}");
        }
    }

    #[test]
    fn an_answer_of_another_service_fails() {
        let service_name = Some(TextMatch::from(Pattern::Prefix("cart".to_owned())));
        let probe = HttpProbe { service_name, ..HttpProbe::get("/") };
        for (service_name, expected) in [("cart-1", PASSED), ("shop", FAILED), ("", FAILED)] {
            assert_eq!(http(&probe, Answer { status: 200, service_name, ..Answer::default() }), expected);
        }
    }

    #[test]
    fn awaited_bytes_come_in_order_among_others() {
        let parts = |parts: &[&str]| parts.iter().map(|part| part.as_bytes().to_vec()).collect::<Vec<_>>();
        for (awaited, received, expected) in [
            (&[][..], "", true),
            (&["PONG"][..], "+PONG\r\n", true),
            (&["PONG"][..], "+PON", false),
            (&["a", "b"][..], "xaxbx", true),
            (&["a", "b"][..], "xbxax", false),
            (&["aa", "a"][..], "aa", false),
            (&["a", ""][..], "a", true),
        ] {
            assert_eq!(tcp_answered(&parts(awaited), received.as_bytes()), expected, "{awaited:?} in {received:?}");
        }
    }
}
