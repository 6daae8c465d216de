//! What becomes of a request or a connection under the faults that are on. No sockets: tests are tables.

use crate::fault::pick::Picker;
use crate::fault::spec::{AbortPlace, Direction, Fault, Kind, Match, Unit};
use crate::seed::Seed;
use rand_chacha::ChaCha12Rng;
use rand_distr::{Distribution, Normal};
use squall_http1::Request;
use std::time::Duration;

/// Ordinals of victims that are kept.
const VICTIMS: usize = 1_000;

/// A fault that is on.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) id: u32,
    spec: Fault,
    picker: Picker,
    jitter: ChaCha12Rng,
    pub(super) harmed: u64,
    pub(super) victims: Vec<u64>,
}

/// What is to be done with one unit. Faults act together, in the order of injection; of those that end the request the first wins.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Verdict {
    /// Held back for so long, and by which fault.
    pub(super) delays: Vec<(u32, Duration)>,
    /// How the request ends, if not by its instance.
    pub(super) end: Option<(u32, End)>,
    /// Bytes a second of this connection.
    pub(super) bandwidth: Option<u64>,
    /// Faults that harmed this unit for the first time.
    pub(super) first_effects: Vec<u32>,
}

impl Verdict {
    /// Both at once.
    pub(super) fn and(mut self, other: &Self) -> Self {
        self.delays.extend_from_slice(&other.delays);
        self.end = self.end.or(other.end);
        self.bandwidth = [self.bandwidth, other.bandwidth].into_iter().flatten().min();
        self
    }
}

impl End {
    /// Bytes that go this way are held until the fault ends.
    pub(super) fn holds(self, way: Direction) -> bool {
        match self {
            Self::Blackhole(Direction::Both) => true,
            Self::Blackhole(direction) => direction == way,
            Self::Hang => way == Direction::ServerToClient,
            Self::Abort(..) | Self::Reset(_) => false,
        }
    }
}

/// How a request or connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Answered with a status.
    Abort(u16, AbortPlace),
    /// The connection is reset after so many bytes of the answer.
    Reset(u64),
    /// The answer is thrown away.
    Hang,
    /// Held until the fault ends, then goes on.
    Blackhole(Direction),
}

/// What faults look at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Subject<'a> {
    /// A request.
    Request(&'a Request, u32),
    /// A connection, before anything came.
    Connection,
}

impl Active {
    pub(super) fn new(id: u32, spec: Fault, relay: usize, seed: Seed) -> Self {
        let picker = Picker::new(spec.pick, seed.stream(&format!("fault/{id}/{relay}/pick")));
        let jitter = seed.stream(&format!("fault/{id}/{relay}/jitter"));
        Self { id, spec, picker, jitter, harmed: 0, victims: Vec::new() }
    }

    /// New connections are refused while it is on.
    pub(super) fn refuses(&self) -> bool {
        self.spec.kind == Kind::Refuse
    }

    /// Connections that were open when it began are hit too.
    pub(super) fn hits_existing(&self) -> bool {
        self.spec.existing
    }

    /// A unit was harmed; true for the first.
    pub(super) fn harm(&mut self) -> bool {
        self.harmed += 1;
        if self.victims.len() < VICTIMS {
            self.victims.push(self.picker.ordinal());
        }
        self.harmed == 1
    }

    fn takes(&mut self, subject: Subject<'_>) -> bool {
        match (subject, self.spec.unit) {
            (Subject::Request(request, attempt), Unit::Request) => {
                matches(&self.spec.matching, request) && self.picker.takes(attempt)
            }
            (Subject::Connection, Unit::Connection) => self.picker.takes(1),
            _ => false,
        }
    }

    fn act(&mut self, verdict: &mut Verdict) {
        let end = match &self.spec.kind {
            Kind::Latency { base, jitter } => {
                let delay = delay(*base, *jitter, &mut self.jitter);
                verdict.delays.push((self.id, delay));
                None
            }
            Kind::Bandwidth { bytes_per_second } => {
                let slowest = verdict.bandwidth.unwrap_or(u64::MAX);
                verdict.bandwidth = Some(slowest.min(*bytes_per_second));
                None
            }
            Kind::Abort { status, place } => Some(End::Abort(*status, *place)),
            Kind::Reset { after_bytes } => Some(End::Reset(*after_bytes)),
            Kind::Hang => Some(End::Hang),
            Kind::Blackhole { direction } => Some(End::Blackhole(*direction)),
            Kind::Refuse | Kind::Kill { .. } | Kind::Pause => return,
        };
        if let Some(end) = end {
            if verdict.end.is_some() {
                return;
            }
            verdict.end = Some((self.id, end));
        }
        if self.harm() {
            verdict.first_effects.push(self.id);
        }
    }
}

/// Asks every fault in turn.
pub(super) fn judge<'f>(faults: impl Iterator<Item = &'f mut Active>, subject: Subject<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    for fault in faults {
        if fault.takes(subject) {
            fault.act(&mut verdict);
        }
    }
    verdict
}

fn matches(matching: &Match, request: &Request) -> bool {
    let path = request.target().split(['?', '#']).next().unwrap_or_default();
    let path_matches = matching.path.as_ref().is_none_or(|wanted| match wanted.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => path == wanted,
    });
    let header = matching.header.as_ref();
    path_matches
        && matching.method.as_ref().is_none_or(|method| method == request.method())
        && header.is_none_or(|(name, value)| request.headers.get_all(name).any(|found| found == value.as_bytes()))
}

/// `base` plus a normal draw, never below 0.
fn delay(base: Duration, jitter: Duration, rng: &mut ChaCha12Rng) -> Duration {
    if jitter.is_zero() {
        return base;
    }
    match Normal::new(base.as_secs_f64(), jitter.as_secs_f64()) {
        Ok(normal) => Duration::from_secs_f64(normal.sample(rng).clamp(0.0, 3600.0)),
        Err(_) => base,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::spec::Pick;

    fn active(id: u32, kind: Kind, unit: Unit, pick: Pick, matching: Match) -> Active {
        Active::new(id, Fault { kind, unit, pick, matching, existing: true }, 0, Seed(7))
    }

    fn request_fault(id: u32, kind: Kind) -> Active {
        active(id, kind, Unit::Request, Pick::All, Match::default())
    }

    const ABORT: Kind = Kind::Abort { status: 503, place: AbortPlace::Before };

    fn latency(millis: u64) -> Kind {
        Kind::Latency { base: Duration::from_millis(millis), jitter: Duration::ZERO }
    }

    #[test]
    fn delays_add_up_and_the_first_end_wins() {
        let mut faults = [
            request_fault(1, latency(5)),
            request_fault(2, ABORT),
            request_fault(3, Kind::Hang),
            request_fault(4, latency(7)),
        ];
        let request = Request::new("GET", "/");
        let verdict = judge(faults.iter_mut(), Subject::Request(&request, 1));
        assert_eq!(verdict.delays, [(1, Duration::from_millis(5)), (4, Duration::from_millis(7))]);
        assert_eq!(verdict.end, Some((2, End::Abort(503, AbortPlace::Before))));
        assert_eq!(verdict.first_effects, [1, 2, 4]);
        let again = judge(faults.iter_mut(), Subject::Request(&request, 1));
        assert!(again.first_effects.is_empty());
        assert_eq!(faults[2].harmed, 0);
        assert_eq!(faults[1].victims, [1, 2]);
    }

    #[test]
    fn only_matching_units_are_counted_and_taken() {
        let matching = Match {
            method: Some("GET".to_owned()),
            path: Some("/cart*".to_owned()),
            header: Some(("x-user".to_owned(), "alice".to_owned())),
        };
        let mut fault = [active(1, ABORT, Unit::Request, Pick::Every(2), matching)];
        let mut request = |method: &str, path: &str, user: &str| {
            let mut request = Request::new(method, path);
            request.headers.add("x-user", user.as_bytes());
            judge(fault.iter_mut(), Subject::Request(&request, 1)).end.is_some()
        };
        assert!(!request("GET", "/cart/1?x=1", "alice"), "the first of two");
        assert!(!request("POST", "/cart/1", "alice"));
        assert!(!request("GET", "/", "alice"));
        assert!(!request("GET", "/cart", "bob"));
        assert!(request("GET", "/cart", "alice"), "the second of two");
    }

    #[test]
    fn connections_and_requests_are_different_units() {
        let mut faults = [active(1, Kind::Reset { after_bytes: 0 }, Unit::Connection, Pick::All, Match::default())];
        let request = Request::new("GET", "/");
        assert_eq!(judge(faults.iter_mut(), Subject::Request(&request, 1)), Verdict::default());
        assert_eq!(judge(faults.iter_mut(), Subject::Connection).end, Some((1, End::Reset(0))));
    }

    #[test]
    fn an_attempt_can_be_picked() {
        let mut faults = [active(1, ABORT, Unit::Request, Pick::Attempt(1), Match::default())];
        let request = Request::new("GET", "/");
        let hit = [1, 2, 1].map(|attempt| judge(faults.iter_mut(), Subject::Request(&request, attempt)).end.is_some());
        assert_eq!(hit, [true, false, true]);
    }
}
