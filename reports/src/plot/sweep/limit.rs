//! Limits on the latency of cells, read from the expectations that were judged on them.

use super::Sweep;
use crate::record::Expectation;

/// A limit on one percentile of some cells.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Limit {
    which: usize,
    rate: Option<String>,
    connections: Option<String>,
    mode: Option<String>,
    /// `http2`, `bodies of 1024 B`.
    spoken: Vec<String>,
    over: Option<String>,
    millis: f64,
}

impl Limit {
    /// From `sweep.p99(1000/s, 64 connections, client)`, written `p99 <= 20ms over none`; None for any other limit.
    pub(super) fn of(one: &Expectation) -> Option<Self> {
        let rest = one.id.strip_prefix("sweep.")?;
        let (metric, chosen) =
            rest.split_once('(').map_or((rest, ""), |(metric, rest)| (metric, rest.trim_end_matches(')')));
        let which = ["p50", "p90", "p99"].iter().position(|name| *name == metric)?;
        let over = one.written.split_once(" over ").map(|(_, mode)| mode.trim().to_owned());
        // Beside another cell a limit may be a factor, which is no length of time.
        if over.is_some() && !one.limit_text.ends_with("more") {
            return None;
        }
        let mut limit = Self {
            which,
            rate: None,
            connections: None,
            mode: None,
            spoken: Vec::new(),
            over,
            millis: one.limit.filter(|limit| limit.is_finite())? * 1e3,
        };
        for word in chosen.split(", ").filter(|word| !word.is_empty()) {
            if word.ends_with("/s") {
                limit.rate = Some(word.to_owned());
            } else if let Some(number) = word.strip_suffix(" connections") {
                limit.connections = Some(number.to_owned());
            } else if word.starts_with("http") || word.starts_with("bodies of ") {
                limit.spoken.push(word.to_owned());
            } else {
                limit.mode = Some(word.to_owned());
            }
        }
        Some(limit)
    }

    fn covers(&self, sweep: &Sweep, (mode, rate, connections): (usize, usize, usize)) -> bool {
        let same = |wanted: &Option<String>, own: &str| wanted.as_ref().is_none_or(|wanted| wanted == own);
        self.is_spoken(&sweep.panels[mode].spoken)
            && same(&self.mode, &sweep.panels[mode].mode)
            && same(&self.rate, &format!("{}/s", sweep.rates[rate]))
            && same(&self.connections, &sweep.connections[connections].to_string())
    }

    fn is_spoken(&self, panel: &str) -> bool {
        self.spoken.iter().all(|wanted| panel.split(", ").any(|own| own == wanted))
    }

    /// Is the limit about this cell, and above what it allows?
    pub(super) fn missed(&self, sweep: &Sweep, cell: (usize, usize, usize)) -> bool {
        let (_, rate, connections) = cell;
        let value = |mode: usize| sweep.at(mode, rate, connections)?.response[self.which];
        let own = value(cell.0);
        let observed = match &self.over {
            None => own,
            Some(over) => {
                let other = sweep.in_mode(cell.0, over);
                own.zip(other.and_then(value)).map(|(own, other)| own - other)
            }
        };
        self.covers(sweep, cell) && observed.is_some_and(|observed| observed > self.millis)
    }

    /// The line that is drawn over the 99th percentiles of a mode: milliseconds, if it holds for all of its cells.
    pub(super) fn line(&self, mode: &str, spoken: &str) -> Option<f64> {
        let plain = self.which == 2 && self.over.is_none() && self.rate.is_none() && self.connections.is_none();
        (plain && self.is_spoken(spoken) && self.mode.as_ref().is_none_or(|own| own == mode)).then_some(self.millis)
    }
}
