//! What becomes of a request or a connection under the faults that are on. No sockets: tests are tables.

use super::change::{Changes, Pace};
use crate::fault::delay::Delays;
use crate::fault::pick::Picker;
use crate::fault::spec::{AbortPlace, Direction, Fault, Kind, Match, Part, Probes, Reply, Rewrite, Rhythm, Side, Unit};
use crate::seed::Seed;
use squall_http1::Request;
use std::rc::Rc;
use std::time::Duration;

/// Ordinals of victims that are kept.
const VICTIMS: usize = 1_000;

/// A fault that is on.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) id: u32,
    spec: Fault,
    picker: Picker,
    delays: Delays,
    /// What is answered or rewritten, shared with those it is done to.
    reply: Option<Rc<Reply>>,
    rewrite: Option<Rc<Rewrite>>,
    /// False while it rests between two pulses.
    pub(super) acts: bool,
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
    /// How bytes of this connection pass.
    pub(super) pace: Pace,
    /// What is done to the request and its answer on the way.
    pub(super) changes: Changes,
    /// The connection ends so long after it was taken, and by which fault.
    pub(super) dies: Option<(u32, Duration, Death)>,
    /// Faults that harmed this unit for the first time.
    pub(super) first_effects: Vec<u32>,
}

impl Verdict {
    /// Both at once.
    pub(super) fn and(mut self, other: &Self) -> Self {
        self.delays.extend_from_slice(&other.delays);
        self.end = self.end.or_else(|| other.end.clone());
        self.pace = self.pace.and(other.pace);
        self.changes.take_in(&other.changes);
        self.dies = [self.dies, other.dies].into_iter().flatten().min_by_key(|(_, after, _)| *after);
        self
    }
}

impl End {
    /// Bytes that go this way are held until the fault ends.
    pub(super) fn holds(&self, way: Direction) -> bool {
        match self {
            Self::Blackhole(Direction::Both) => true,
            Self::Blackhole(direction) => *direction == way,
            Self::Hang => way == Direction::ServerToClient,
            Self::Abort(..) | Self::ResetStream(..) | Self::Reset(_) | Self::Truncate(_) => false,
        }
    }
}

/// How a connection ends whose time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Death {
    Reset,
    Close,
}

/// How a request or connection ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// Answered in place of the instance.
    Abort(Rc<Reply>, AbortPlace),
    /// HTTP/2: the stream is reset with a code; before, the whole connection is.
    ResetStream(u32, AbortPlace),
    /// The connection is reset after so many bytes of the answer.
    Reset(u64),
    /// The connection is closed after so many bytes of the answer's body.
    Truncate(u64),
    /// The answer is thrown away.
    Hang,
    /// Held until the fault ends, then goes on.
    Blackhole(Direction),
}

/// What faults look at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Subject<'a> {
    /// A request.
    Request {
        /// Its head.
        head: &'a Request,
        /// Its number among the attempts.
        attempt: u32,
        /// Requests that are open at this relay, this one included.
        open: usize,
    },
    /// A connection, before anything came.
    Connection {
        /// Connections that are open at this relay, this one included.
        open: usize,
    },
}

impl Active {
    pub(super) fn new(id: u32, spec: Fault, relay: usize, seed: Seed) -> Self {
        let picker = Picker::new(spec.pick, seed.stream(&format!("fault/{id}/{relay}/pick")));
        let delays = Delays::new(seed.stream(&format!("fault/{id}/{relay}/jitter")));
        let reply = if let Kind::Abort { reply, .. } = &spec.kind { Some(Rc::new(reply.clone())) } else { None };
        let rewrite = if let Kind::Rewrite(rewrite) = &spec.kind { Some(Rc::new(rewrite.clone())) } else { None };
        Self { id, spec, picker, delays, reply, rewrite, acts: true, harmed: 0, victims: Vec::new() }
    }

    /// New connections are refused while it is on.
    pub(super) fn refuses(&self) -> bool {
        self.acts && self.spec.kind == Kind::Refuse
    }

    /// It acts on bytes that pass this way.
    pub(super) fn goes(&self, way: Direction) -> bool {
        self.spec.goes(way)
    }

    /// How long the next piece is held, where it holds pieces.
    pub(super) fn draw(&mut self, strength: impl FnOnce(&Rhythm) -> f64) -> Option<Duration> {
        let Kind::Latency(delay) = &self.spec.kind else { return None };
        Some(self.delays.draw(delay, strength(&self.spec.rhythm)))
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

    fn takes(&mut self, subject: Subject<'_>, strength: f64) -> bool {
        if !self.acts {
            return false;
        }
        match (subject, self.spec.unit) {
            (Subject::Request { head, attempt, .. }, Unit::Request) => {
                matches(&self.spec.matching, head) && self.picker.takes(attempt, strength)
            }
            (Subject::Connection { .. }, Unit::Connection) => self.picker.takes(1, strength),
            _ => false,
        }
    }

    fn act(&mut self, subject: Subject<'_>, strength: f64, verdict: &mut Verdict) {
        let mut end = None;
        match &self.spec.kind {
            Kind::Latency(delay) => {
                let held = (self.id, self.delays.draw(delay, strength));
                match delay.part {
                    Part::Request => verdict.delays.push(held),
                    Part::Body => verdict.changes.body_held.push(held),
                    Part::Pieces => verdict.changes.pieces_held.push(held),
                }
            }
            Kind::Overload { free, each } => {
                let Subject::Request { open, .. } = subject else { return };
                let beyond = open.saturating_sub(*free);
                if beyond == 0 {
                    return;
                }
                verdict.delays.push((self.id, each.mul_f64(strength) * u32::try_from(beyond).unwrap_or(u32::MAX)));
            }
            Kind::ConnectionLimit { most } => {
                if !matches!(subject, Subject::Connection { open } if open > *most) {
                    return;
                }
                end = Some(End::Reset(0));
            }
            Kind::Bandwidth { bytes_per_second } => {
                verdict.pace = verdict.pace.and(Pace { bandwidth: Some(*bytes_per_second), ..Pace::default() });
            }
            Kind::Slicer(slices) => {
                verdict.pace = verdict.pace.and(Pace { slices: Some(*slices), ..Pace::default() });
            }
            Kind::SlowClose { by } => {
                verdict.pace = verdict.pace.and(Pace { closes_late: Some((self.id, *by)), ..Pace::default() });
            }
            Kind::Drip(slices) => verdict.changes.drip = Some((self.id, *slices)),
            Kind::Corrupt { every } => verdict.changes.corrupt = Some(*every),
            Kind::LoseTrailers => verdict.changes.lose_trailers = true,
            Kind::GoAway => verdict.changes.goodbye = true,
            Kind::Rewrite(Rewrite { of: Side::Request, .. }) => verdict.changes.request.extend(self.rewrite.clone()),
            Kind::Rewrite(Rewrite { of: Side::Answer, .. }) => verdict.changes.answer.extend(self.rewrite.clone()),
            Kind::Abort { place, .. } => end = self.reply.clone().map(|reply| End::Abort(reply, *place)),
            Kind::ResetStream { code, place } => end = Some(End::ResetStream(*code, *place)),
            Kind::Reset { after: Some(after), .. } => verdict.dies = Some((self.id, *after, Death::Reset)),
            Kind::Reset { after_bytes, after: None } => end = Some(End::Reset(*after_bytes)),
            Kind::Truncate { after_bytes } => end = Some(End::Truncate(*after_bytes)),
            Kind::Hang => end = Some(End::Hang),
            Kind::Blackhole { close_after } => {
                verdict.dies = close_after.map(|after| (self.id, after, Death::Close));
                end = Some(End::Blackhole(self.spec.direction));
            }
            Kind::AcceptStall => end = Some(End::Blackhole(Direction::Both)),
            Kind::Refuse
            | Kind::Kill { .. }
            | Kind::Terminate { .. }
            | Kind::CrashLoop { .. }
            | Kind::Pause
            | Kind::Limit(_)
            | Kind::Unlist
            | Kind::Stale
            | Kind::Misdirect => return,
        }
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

/// Asks every fault in turn, each with its strength just now.
pub(super) fn judge<'f>(faults: impl Iterator<Item = (&'f mut Active, Duration)>, subject: Subject<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    for (fault, since) in faults {
        let strength = fault.spec.rhythm.strength(since);
        if fault.takes(subject, strength) {
            fault.act(subject, strength, &mut verdict);
        }
    }
    verdict
}

/// True for health checks and probes: nothing of the load's is without a trace.
pub(super) fn is_probe(request: &Request) -> bool {
    !request.headers.contains("traceparent")
}

fn matches(matching: &Match, request: &Request) -> bool {
    let path = request.target().split(['?', '#']).next().unwrap_or_default();
    let path_matches = matching.path.as_ref().is_none_or(|wanted| match wanted.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => path == wanted,
    });
    let header = matching.header.as_ref();
    let probes = match matching.probes {
        Probes::Too => true,
        Probes::Only => is_probe(request),
        Probes::Never => !is_probe(request),
    };
    probes
        && path_matches
        && matching.method.as_ref().is_none_or(|method| method == request.method())
        && header.is_none_or(|(name, value)| request.headers.get_all(name).any(|found| found == value.as_bytes()))
}

#[cfg(test)]
mod tests;
