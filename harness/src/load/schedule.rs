//! When requests are due: a pure function of the plan. Nothing accumulates, so nothing drifts.

mod gaps;
mod shape;

pub use gaps::Gaps;
pub use shape::Shape;

use super::wire::FlowPlan;
use crate::seed::Seed;
use gaps::Marks;
use rand_chacha::ChaCha12Rng;
use serde::{Deserialize, Serialize};

const SECOND: f64 = 1e9;

/// When the requests of a flow are due.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Schedule {
    /// One after another, without gaps, from the start of the plan.
    pub pieces: Vec<Piece>,
    /// How requests stand to each other.
    pub gaps: Gaps,
}

/// A stretch of a schedule, in nanoseconds from the start of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Piece {
    /// First instant.
    pub from: u64,
    /// First instant after it.
    pub to: u64,
    /// The rate in it.
    pub rate: Shape,
}

impl Piece {
    fn seconds(&self) -> f64 {
        self.to.saturating_sub(self.from) as f64 / SECOND
    }

    /// Requests due in it; no whole number.
    fn requests(&self) -> f64 {
        self.rate.due_by(self.seconds(), self.seconds())
    }

    /// The instant by which so many of its requests are due.
    fn instant_of(&self, requests: f64) -> u64 {
        let at = self.from + (self.rate.moment_of(requests, self.seconds()) * SECOND) as u64;
        at.min(self.to.saturating_sub(1))
    }
}

impl Schedule {
    /// One rate for so many nanoseconds, at even distances.
    pub fn constant(rate: f64, lasting: u64) -> Self {
        Self { pieces: vec![Piece { from: 0, to: lasting, rate: Shape::Constant(rate) }], gaps: Gaps::Even }
    }

    /// Requests due over all of it: rate times length, rounded to a whole number.
    pub fn planned(&self) -> u64 {
        gaps::whole(self.requests())
    }

    /// Requests due by an instant; no whole number.
    pub fn due_by(&self, instant: u64) -> f64 {
        let of = |piece: &Piece| {
            let part = piece.to.min(instant).saturating_sub(piece.from) as f64 / SECOND;
            piece.rate.due_by(part, piece.seconds())
        };
        self.pieces.iter().map(of).sum()
    }

    /// The highest rate, requests a second.
    pub fn highest(&self) -> f64 {
        self.pieces.iter().map(|piece| piece.rate.highest()).fold(0.0, f64::max)
    }

    /// First instant after it.
    pub fn end(&self) -> u64 {
        self.pieces.last().map_or(0, |piece| piece.to)
    }

    fn requests(&self) -> f64 {
        self.pieces.iter().map(Piece::requests).sum()
    }
}

/// Arrivals of all flows, in order of due time; those due together in the order of the flows.
#[derive(Debug)]
pub struct Arrivals {
    flows: Vec<Dues>,
    next_id: u64,
}

/// One request to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Number over all flows, from 0.
    pub id: u64,
    /// Index of its flow.
    pub flow: usize,
    /// When it is due, nanoseconds from the start of the plan.
    pub due: u64,
}

/// When the requests of one flow are due, the next one first.
#[derive(Debug)]
struct Dues {
    pieces: Vec<Piece>,
    piece: usize,
    /// Requests of all pieces before this one.
    before: f64,
    marks: Marks,
    next: Option<u64>,
}

impl Dues {
    fn new(schedule: &Schedule, rng: ChaCha12Rng) -> Self {
        let marks = Marks::new(schedule.gaps, schedule.requests(), rng);
        let mut dues = Self { pieces: schedule.pieces.clone(), piece: 0, before: 0.0, marks, next: None };
        dues.advance();
        dues
    }

    fn advance(&mut self) {
        let next = self.marks.next();
        self.next = next.and_then(|mark| self.instant_of(mark));
    }

    /// The instant by which so many requests are due. Marks come in ascending order.
    fn instant_of(&mut self, mark: f64) -> Option<u64> {
        loop {
            let piece = self.pieces.get(self.piece)?;
            let own = piece.requests();
            // Rounding may leave the last mark behind the last piece.
            if mark < self.before + own || self.piece + 1 == self.pieces.len() {
                return Some(piece.instant_of(mark - self.before));
            }
            self.before += own;
            self.piece += 1;
        }
    }
}

impl Arrivals {
    /// All arrivals of the flows whose instants are planned; `seed` is for those that are drawn.
    pub fn new(flows: &[FlowPlan], seed: u64) -> Self {
        let nothing = Schedule::default();
        let dues = |flow: &FlowPlan| {
            let rng = Seed(seed).stream(&format!("load/gaps/{}", flow.name));
            Dues::new(flow.pace.schedule().unwrap_or(&nothing), rng)
        };
        Self { flows: flows.iter().map(dues).collect(), next_id: 0 }
    }

    /// When the next request is due.
    pub fn peek(&self) -> Option<u64> {
        self.flows.iter().filter_map(|dues| dues.next).min()
    }
}

impl Iterator for Arrivals {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        let dues = self.flows.iter().enumerate().filter_map(|(flow, dues)| Some((dues.next?, flow)));
        let (due, flow) = dues.min()?;
        self.flows[flow].advance();
        let id = self.next_id;
        self.next_id += 1;
        Some(Arrival { id, flow, due })
    }
}

#[cfg(test)]
mod tests;
