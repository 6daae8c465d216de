//! A sweep: the cells of a record as a grid of modes, rates and connections, and where each line of them breaks.

mod heat;
mod limit;
mod lines;

pub use heat::{classes, heat};
pub use lines::{drawn, lines, stroke};

use crate::record::{Arm, ArmKind, Record};
use limit::Limit;

/// A rate counts as achieved from this share on.
const ACHIEVED: f64 = 0.99;
/// Fewer rates than this are dots without a line.
const FOR_A_LINE: usize = 3;

/// All cells that count.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// In the order of the record.
    pub modes: Vec<String>,
    /// Asked requests a second, rising.
    pub rates: Vec<f64>,
    /// Rising.
    pub connections: Vec<u32>,
    points: Vec<Option<Point>>,
    limits: Vec<Limit>,
}

/// What a cell measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Acceptable answers a second.
    pub achieved: f64,
    /// Requests planned.
    pub planned: u64,
    /// Of those, lost.
    pub lost: u64,
    /// Milliseconds: 50th, 90th, 99th percentile.
    pub response: [Option<f64>; 3],
    /// The proxy's processor time for each request, microseconds; absent where it was not measured.
    pub cpu: Option<f64>,
}

impl Point {
    fn of(arm: &Arm) -> Option<Self> {
        let cell = arm.cell.as_ref()?;
        let totals = arm.totals_of("measure", None)?;
        let at = arm.phases.iter().position(|phase| phase.name == "measure");
        let seconds =
            at.map(|at| (arm.phases[at].to - arm.phases[at].from) as f64 / 1e6).filter(|length| *length > 0.0);
        // A cell without its phase was planned at the rate that was asked for.
        let seconds = seconds.or_else(|| (cell.rate > 0.0).then(|| totals.planned as f64 / cell.rate))?;
        let cpu: Option<u64> = arm
            .processes
            .iter()
            .filter(|process| process.name == "proxy" || process.name.starts_with("proxy/"))
            .map(|process| process.cpu_by_phase.get(at?).copied())
            .reduce(|sum, more| Some(sum? + more?))
            .flatten();
        Some(Self {
            achieved: totals.planned.saturating_sub(totals.lost) as f64 / seconds.max(1e-6),
            planned: totals.planned,
            lost: totals.lost,
            response: ["p50", "p90", "p99"].map(|name| totals.response.get(name).copied()),
            cpu: cpu.filter(|_| totals.planned > 0).map(|micros| micros as f64 / totals.planned as f64),
        })
    }

    /// 99th percentile, milliseconds.
    pub fn p99(&self) -> Option<f64> {
        self.response[2]
    }
}

impl Sweep {
    /// The grid; None if there is less than two cells to compare.
    pub fn of(record: &Record) -> Option<Self> {
        let arms: Vec<&Arm> = record
            .arms
            .iter()
            .filter(|arm| arm.kind == ArmKind::Cell && !arm.superseded && arm.cell.is_some())
            .collect();
        let (mut modes, mut rates, mut connections) = (Vec::new(), Vec::new(), Vec::new());
        for cell in arms.iter().filter_map(|arm| arm.cell.as_ref()).filter(|cell| cell.rate.is_finite()) {
            if !modes.contains(&cell.mode) {
                modes.push(cell.mode.clone());
            }
            rates.push(cell.rate);
            connections.push(cell.connections);
        }
        rates.sort_by(f64::total_cmp);
        rates.dedup();
        connections.sort_unstable();
        connections.dedup();
        let limits = record.expectations.iter().filter_map(Limit::of).collect();
        let points = vec![None; modes.len() * rates.len() * connections.len()];
        let mut sweep = Self { modes, rates, connections, points, limits };
        for arm in arms {
            if let Some(at) = arm.cell.as_ref().and_then(|cell| {
                let mode = sweep.modes.iter().position(|mode| *mode == cell.mode)?;
                let rate = sweep.rates.iter().position(|rate| rate.total_cmp(&cell.rate).is_eq())?;
                let connections = sweep.connections.iter().position(|number| *number == cell.connections)?;
                Some(sweep.index(mode, rate, connections))
            }) {
                sweep.points[at] = Point::of(arm);
            }
        }
        (sweep.points.len() > 1).then_some(sweep)
    }

    fn index(&self, mode: usize, rate: usize, connections: usize) -> usize {
        (mode * self.rates.len() + rate) * self.connections.len() + connections
    }

    /// A cell by its places in the grid; None if it was not run.
    pub fn at(&self, mode: usize, rate: usize, connections: usize) -> Option<&Point> {
        self.points[self.index(mode, rate, connections)].as_ref()
    }

    /// Cells of the grid, run or not.
    pub fn size(&self) -> usize {
        self.points.len()
    }

    /// Was the asked rate answered?
    pub fn achieved(&self, rate: usize, point: &Point) -> bool {
        point.achieved >= self.rates[rate] * ACHIEVED
    }

    /// Does a cell miss a limit on latency?
    pub fn missed(&self, mode: usize, rate: usize, connections: usize) -> bool {
        self.limits.iter().any(|limit| limit.missed(self, (mode, rate, connections)))
    }

    /// The first rate that was not achieved, or at which a limit on latency was missed.
    pub fn knee(&self, mode: usize, connections: usize) -> Option<usize> {
        (0..self.rates.len()).find(|rate| {
            self.at(mode, *rate, connections)
                .is_some_and(|point| !self.achieved(*rate, point) || self.missed(mode, *rate, connections))
        })
    }

    /// The mode that others are compared with: the one without a proxy.
    pub fn direct(&self) -> Option<usize> {
        self.modes.iter().position(|mode| mode == "none")
    }

    /// What a cell takes longer than the same cell without a proxy, milliseconds, by percentile.
    pub fn added(&self, mode: usize, rate: usize, connections: usize) -> [Option<f64>; 3] {
        let direct = self.direct().filter(|direct| *direct != mode).and_then(|at| self.at(at, rate, connections));
        let own = self.at(mode, rate, connections);
        [0, 1, 2].map(|which| Some(own?.response[which]? - direct?.response[which]?))
    }

    /// A mode as people call it.
    pub fn mode_name(&self, mode: usize) -> String {
        match self.modes[mode].as_str() {
            "none" => "direct, no proxy".to_owned(),
            "client" => "client proxy".to_owned(),
            other => other.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
