//! A sweep: the cells of a record as a grid of modes, rates and connections, and where each line of them breaks.

mod heat;
mod limit;
mod lines;

pub use heat::{classes, heat};
pub use lines::{drawn, lines, stroke};

use crate::record::{Arm, ArmKind, Cell, Record};
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
    /// The modes as people call them.
    names: Vec<String>,
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
    /// Processor time of all proxies for each request, microseconds; absent where it was not measured.
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
            .filter(|process| process.is_proxy())
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
        let limits = record.expectations.iter().filter_map(Limit::of).collect();
        Self::laid_out(cells(record).map(|(cell, arm)| (cell.mode.clone(), called(&cell.mode), cell, arm)), limits)
    }

    /// The cells of several records in one grid: each mode once for each record, under its label. Limits are those of each
    /// record and not drawn.
    pub fn beside(records: &[(&str, &Record)]) -> Option<Self> {
        let mut all = Vec::new();
        for (label, record) in records {
            for (cell, arm) in cells(record) {
                let mode = &cell.mode;
                all.push((format!("{label} {mode}"), format!("{label}: {}", called(mode)), cell, arm));
            }
        }
        // The same mode of all records side by side, in the order of the first.
        let mut modes: Vec<&str> = Vec::new();
        for (_, _, cell, _) in &all {
            if !modes.contains(&cell.mode.as_str()) {
                modes.push(&cell.mode);
            }
        }
        all.sort_by_key(|(_, _, cell, _)| modes.iter().position(|mode| *mode == cell.mode));
        Self::laid_out(all.into_iter(), Vec::new())
    }

    fn laid_out<'a>(
        cells: impl Iterator<Item = (String, String, &'a Cell, &'a Arm)>,
        limits: Vec<Limit>,
    ) -> Option<Self> {
        let cells: Vec<_> = cells.collect();
        let (mut modes, mut names, mut rates, mut connections) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (mode, name, cell, _) in &cells {
            if !modes.contains(mode) {
                modes.push(mode.clone());
                names.push(name.clone());
            }
            rates.push(cell.rate);
            connections.push(cell.connections);
        }
        rates.sort_by(f64::total_cmp);
        rates.dedup();
        connections.sort_unstable();
        connections.dedup();
        let points = vec![None; modes.len() * rates.len() * connections.len()];
        let mut sweep = Self { modes, names, rates, connections, points, limits };
        for (mode, _, cell, arm) in &cells {
            if let Some((mode, rate, connections)) = sweep.place(mode, cell.rate, cell.connections) {
                let at = sweep.index(mode, rate, connections);
                sweep.points[at] = Point::of(arm);
            }
        }
        (sweep.points.len() > 1).then_some(sweep)
    }

    fn index(&self, mode: usize, rate: usize, connections: usize) -> usize {
        (mode * self.rates.len() + rate) * self.connections.len() + connections
    }

    /// The places of all cells of the grid, run or not.
    pub fn cells(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        let (rates, connections) = (self.rates.len(), self.connections.len());
        (0..self.modes.len())
            .flat_map(move |mode| (0..rates).flat_map(move |rate| (0..connections).map(move |at| (mode, rate, at))))
    }

    /// Where a cell stands in the grid.
    pub fn place(&self, mode: &str, rate: f64, connections: u32) -> Option<(usize, usize, usize)> {
        let mode = self.modes.iter().position(|own| own == mode)?;
        let rate = self.rates.iter().position(|own| own.total_cmp(&rate).is_eq())?;
        let connections = self.connections.iter().position(|own| *own == connections)?;
        Some((mode, rate, connections))
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
    pub fn mode_name(&self, mode: usize) -> &str {
        &self.names[mode]
    }

    /// Do limits on latency tell where a line breaks?
    pub fn limited(&self) -> bool {
        !self.limits.is_empty()
    }
}

/// The cells of a record that count.
fn cells(record: &Record) -> impl Iterator<Item = (&Cell, &Arm)> {
    let counts = |arm: &&Arm| arm.kind == ArmKind::Cell && !arm.superseded;
    let cells = record.arms.iter().filter(counts).filter_map(|arm| Some((arm.cell.as_ref()?, arm)));
    cells.filter(|(cell, _)| cell.rate.is_finite())
}

fn called(mode: &str) -> String {
    match mode {
        "none" => "direct, no proxy".to_owned(),
        "client" => "client proxy".to_owned(),
        "server" => "service proxies".to_owned(),
        "both" => "proxies on both sides".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests;
