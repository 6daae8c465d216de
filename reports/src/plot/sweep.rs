//! A sweep: the cells of a record as a grid of modes, rates and connections, and where each line of them breaks.

mod heat;
mod limit;
mod lines;

pub use heat::{classes, heat};
pub use lines::{drawn, lines, stroke};

use crate::record::{Arm, ArmKind, Cell, Record};
use crate::stats::ranks::median;
use limit::Limit;

/// A rate counts as achieved from this share on.
const ACHIEVED: f64 = 0.99;
/// Fewer rates than this are dots without a line.
const FOR_A_LINE: usize = 3;

/// What has a panel of its own.
#[derive(Debug, Clone, PartialEq)]
struct Panel {
    /// Whose record it is, where there are several; empty else.
    label: String,
    /// Mesh mode.
    mode: String,
    /// What the sweep varies besides mode, rate and connections.
    spoken: String,
}

impl Panel {
    fn of(label: &str, cell: &Cell) -> Self {
        Self { label: label.to_owned(), mode: cell.mode.clone(), spoken: cell.spoken() }
    }

    /// As people call it.
    fn name(&self) -> String {
        let label = if self.label.is_empty() { String::new() } else { format!("{}: ", self.label) };
        let spoken = if self.spoken.is_empty() { String::new() } else { format!(", {}", self.spoken) };
        format!("{label}{}{spoken}", called(&self.mode))
    }
}

/// All cells that count.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// In the order of the record.
    panels: Vec<Panel>,
    /// Their names.
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
    /// Most resident bytes of one proxy; absent where there was none, or it was not measured.
    pub memory: Option<u64>,
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
        let cpu = at.and_then(|at| arm.cpu_of_proxies([at]));
        Some(Self {
            achieved: totals.planned.saturating_sub(totals.lost) as f64 / seconds.max(1e-6),
            planned: totals.planned,
            lost: totals.lost,
            response: ["p50", "p90", "p99"].map(|name| totals.response.get(name).copied()),
            cpu: cpu.filter(|_| totals.planned > 0).map(|micros| micros as f64 / totals.planned as f64),
            memory: arm.largest_proxy().map(|(_, bytes)| bytes).filter(|bytes| *bytes > 0),
        })
    }

    /// What a cell measured in several blocks: all that was sent, and of everything else the median.
    fn of_blocks(blocks: &[Self]) -> Option<Self> {
        let middle = |value: &dyn Fn(&Self) -> Option<f64>| median(blocks.iter().filter_map(value));
        Some(Self {
            achieved: middle(&|block| Some(block.achieved))?,
            planned: blocks.iter().map(|block| block.planned).sum(),
            lost: blocks.iter().map(|block| block.lost).sum(),
            response: [0, 1, 2].map(|which| middle(&|block| block.response[which])),
            cpu: middle(&|block| block.cpu),
            memory: blocks.iter().filter_map(|block| block.memory).max(),
        })
    }

    /// 99th percentile, milliseconds.
    pub fn p99(&self) -> Option<f64> {
        self.response[2]
    }
}

impl Sweep {
    /// The grid; None if there is less than two cells to compare, or rates that a search has chosen.
    pub fn of(record: &Record) -> Option<Self> {
        if !record.searches.is_empty() {
            return None;
        }
        let limits = record.expectations.iter().filter_map(Limit::of).collect();
        let cells: Vec<_> = cells(record).map(|(cell, arm)| (Panel::of("", cell), cell, arm)).collect();
        Self::laid_out(&cells, limits)
    }

    /// The cells of several records in one grid: each mode once for each record, under its label. Limits are those of each
    /// record and not drawn.
    pub fn beside(records: &[(&str, &Record)]) -> Option<Self> {
        let all = records
            .iter()
            .flat_map(|(label, record)| cells(record).map(|(cell, arm)| (Panel::of(label, cell), cell, arm)));
        let mut all: Vec<_> = all.collect();
        // The same mode of all records side by side, in the order of the first.
        let mut order: Vec<Panel> = Vec::new();
        for (panel, ..) in &all {
            let unlabelled = Panel { label: String::new(), ..panel.clone() };
            if !order.contains(&unlabelled) {
                order.push(unlabelled);
            }
        }
        all.sort_by_key(|(panel, ..)| {
            order.iter().position(|known| (&known.mode, &known.spoken) == (&panel.mode, &panel.spoken))
        });
        Self::laid_out(&all, Vec::new())
    }

    fn laid_out(cells: &[(Panel, &Cell, &Arm)], limits: Vec<Limit>) -> Option<Self> {
        let mut panels: Vec<Panel> = Vec::new();
        for (panel, ..) in cells {
            if !panels.contains(panel) {
                panels.push(panel.clone());
            }
        }
        let mut rates: Vec<f64> = cells.iter().map(|(_, cell, _)| cell.rate).collect();
        rates.sort_by(f64::total_cmp);
        rates.dedup();
        let mut connections: Vec<u32> = cells.iter().map(|(_, cell, _)| cell.connections).collect();
        connections.sort_unstable();
        connections.dedup();
        // A cell that was run in several blocks is one point.
        let mut runs = vec![Vec::new(); panels.len() * rates.len() * connections.len()];
        for (panel, cell, arm) in cells {
            let at = (
                panels.iter().position(|known| known == panel)?,
                rates.iter().position(|known| known.total_cmp(&cell.rate).is_eq())?,
                connections.iter().position(|known| *known == cell.connections)?,
            );
            runs[(at.0 * rates.len() + at.1) * connections.len() + at.2].extend(Point::of(arm));
        }
        let points: Vec<_> = runs.iter().map(|blocks| Point::of_blocks(blocks)).collect();
        let names = panels.iter().map(Panel::name).collect();
        (points.len() > 1).then_some(Self { panels, names, rates, connections, points, limits })
    }

    /// Panels.
    pub fn modes(&self) -> usize {
        self.panels.len()
    }

    fn index(&self, mode: usize, rate: usize, connections: usize) -> usize {
        (mode * self.rates.len() + rate) * self.connections.len() + connections
    }

    /// The places of all cells of the grid, run or not.
    pub fn cells(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        let (rates, connections) = (self.rates.len(), self.connections.len());
        (0..self.modes())
            .flat_map(move |mode| (0..rates).flat_map(move |rate| (0..connections).map(move |at| (mode, rate, at))))
    }

    /// Where a cell of another sweep stands in this one.
    pub fn place_of(
        &self,
        other: &Self,
        (mode, rate, connections): (usize, usize, usize),
    ) -> Option<(usize, usize, usize)> {
        let mode = self.panels.iter().position(|own| *own == other.panels[mode])?;
        let rate = self.rates.iter().position(|own| own.total_cmp(&other.rates[rate]).is_eq())?;
        let connections = self.connections.iter().position(|own| *own == other.connections[connections])?;
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

    /// True for a panel without a proxy.
    pub fn is_direct(&self, mode: usize) -> bool {
        self.panels[mode].mode == "none"
    }

    /// True if there is anything to compare with.
    pub fn is_compared(&self) -> bool {
        (0..self.modes()).any(|mode| self.in_mode(mode, "none").is_some_and(|direct| direct != mode))
    }

    /// The panel that differs from this one by its mode alone.
    fn in_mode(&self, panel: usize, mode: &str) -> Option<usize> {
        let wanted = Panel { mode: mode.to_owned(), ..self.panels[panel].clone() };
        self.panels.iter().position(|own| *own == wanted)
    }

    /// What a cell takes longer than the same cell without a proxy, milliseconds, by percentile.
    pub fn added(&self, mode: usize, rate: usize, connections: usize) -> [Option<f64>; 3] {
        let direct = self.in_mode(mode, "none").filter(|direct| *direct != mode);
        let direct = direct.and_then(|at| self.at(at, rate, connections));
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

pub(crate) fn called(mode: &str) -> String {
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
