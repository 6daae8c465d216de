//! What becomes of a try, as its endpoint's detector sees it.

use crate::policy::OutlierDetection;

/// What a try tells about its endpoint. A breaker's overflow, a client that went away, a filter's own answer and a missing endpoint tell
/// nothing, and are not reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Answered with this status.
    Status(u16),
    /// A gRPC request was answered: with this status of HTTP, and of gRPC if that stands in the head. One in trailers is never seen.
    Grpc {
        /// `:status`.
        status: u16,
        /// `grpc-status` of the head.
        grpc_status: Option<u32>,
    },
    /// A connection was obtained, and a request follows.
    Connected,
    /// A connection was obtained, which is all that was asked: TCP.
    Reached,
    /// No connection could be made, or TLS failed.
    ConnectFailure,
    /// No connection in time, for a request.
    ConnectTimeout,
    /// The connection was lost, before or after the answer began.
    Reset,
    /// No answer in time; for TCP, no connection in time.
    TimeOut,
}

/// Where an outcome is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Report {
    /// As an answer of this status.
    Status(u16),
    /// As what happened to a connection, which went well or not.
    LocalOrigin(bool),
    /// Nowhere.
    Nothing,
}

impl Report {
    /// True if something went wrong.
    pub(super) fn is_failure(self) -> bool {
        match self {
            Self::Status(status) => status >= 500,
            Self::LocalOrigin(well) => !well,
            Self::Nothing => false,
        }
    }
}

impl Outcome {
    /// True if the endpoint itself has said something.
    pub(crate) fn is_answer(self) -> bool {
        matches!(self, Self::Status(_) | Self::Grpc { .. })
    }

    /// Where it is counted: with the split, what happens to connections is counted apart from what was answered.
    pub(super) fn report(self, parameters: &OutlierDetection) -> Report {
        match self {
            Self::Status(status) => Report::Status(judged(status, parameters)),
            Self::Grpc { status, grpc_status } => Report::Status(grpc_status.map_or(status, of_grpc)),
            _ if parameters.split_local_origin => Report::LocalOrigin(matches!(self, Self::Connected | Self::Reached)),
            Self::Connected => Report::Nothing,
            Self::Reached => Report::Status(200),
            Self::ConnectFailure | Self::ConnectTimeout | Self::Reset => Report::Status(503),
            Self::TimeOut => Report::Status(504),
        }
    }
}

/// What a status counts as where the cluster says which are failures: those do, as themselves or at least as 500, and no others.
fn judged(status: u16, parameters: &OutlierDetection) -> u16 {
    let Some(errors) = &parameters.error_statuses else { return status };
    let fails = errors.iter().any(|(from, to)| (*from..*to).contains(&status));
    if fails { status.max(500) } else { 200 }
}

/// The status of HTTP that stands for one of gRPC.
fn of_grpc(status: u32) -> u16 {
    match status {
        0 => 200,
        1 => 499,
        3 | 9 | 11 => 400,
        4 => 504,
        5 => 404,
        6 | 10 => 409,
        7 => 403,
        8 => 429,
        12 => 501,
        14 => 503,
        16 => 401,
        // 2, 13, 15, and what is no status at all.
        _ => 500,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(split_local_origin: bool) -> OutlierDetection {
        OutlierDetection { split_local_origin, ..OutlierDetection::envoy_default() }
    }

    #[test]
    fn each_outcome_is_counted_in_its_place_with_the_split_and_without() {
        use Report::{LocalOrigin, Nothing, Status};
        for (outcome, without, with) in [
            (Outcome::Status(200), Status(200), Status(200)),
            (Outcome::Status(503), Status(503), Status(503)),
            (Outcome::Grpc { status: 200, grpc_status: Some(14) }, Status(503), Status(503)),
            (Outcome::Grpc { status: 200, grpc_status: None }, Status(200), Status(200)),
            (Outcome::Grpc { status: 502, grpc_status: None }, Status(502), Status(502)),
            (Outcome::Connected, Nothing, LocalOrigin(true)),
            (Outcome::Reached, Status(200), LocalOrigin(true)),
            (Outcome::ConnectFailure, Status(503), LocalOrigin(false)),
            (Outcome::ConnectTimeout, Status(503), LocalOrigin(false)),
            (Outcome::Reset, Status(503), LocalOrigin(false)),
            (Outcome::TimeOut, Status(504), LocalOrigin(false)),
        ] {
            assert_eq!(outcome.report(&parameters(false)), without, "{outcome:?}");
            assert_eq!(outcome.report(&parameters(true)), with, "{outcome:?} with the split");
        }
    }

    #[test]
    fn each_grpc_status_stands_for_one_of_http() {
        let expected = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401, 500, 500];
        let actual: Vec<_> = (0..expected.len() as u32).map(of_grpc).collect();
        assert_eq!(actual, expected);
    }

    #[test]
    fn only_the_statuses_that_are_named_are_failures_and_not_for_grpc() {
        let named = OutlierDetection { error_statuses: Some(vec![(429, 430), (500, 502)]), ..parameters(false) };
        for (status, expected) in [(200, 200), (429, 500), (430, 200), (500, 500), (501, 501), (502, 200), (503, 200)] {
            assert_eq!(Outcome::Status(status).report(&named), Report::Status(expected), "{status}");
        }
        let unavailable = Outcome::Grpc { status: 200, grpc_status: Some(14) };
        assert_eq!(unavailable.report(&named), Report::Status(503));
        assert_eq!(Outcome::Reset.report(&named), Report::Status(503));
    }
}
