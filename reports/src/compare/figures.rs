//! The figures of one measurement that can be held against those of another.

use crate::digest::main_arm;
use crate::load::{Latencies, Load};
use crate::record::{Arm, Record};
use crate::stats::paired::Direction;
use serde::Serialize;
use std::collections::BTreeMap;

/// A figure that is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Figure {
    /// Share of the planned requests that were answered acceptably.
    Success,
    /// Acceptable answers a second, of a closed load.
    Rate,
    /// Median time: from due to done, of a closed load from written to done.
    P50,
    /// 90th percentile, of an open load.
    P90,
    /// 99th percentile.
    P99,
    /// Processor time of all proxies, microseconds a request.
    CpuOfProxy,
    /// Processor time of all services, microseconds a request; where there is no proxy.
    CpuOfServices,
    /// Largest resident size of any proxy.
    MemoryOfProxy,
}

/// What a figure is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// 0 to 1.
    Share,
    /// Requests a second.
    ASecond,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds a request.
    MicrosecondsARequest,
    /// Bytes.
    Bytes,
}

impl Figure {
    /// Its name, as limits write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Rate => "rate",
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P99 => "p99",
            Self::CpuOfProxy => "cpu of proxy",
            Self::CpuOfServices => "cpu of services",
            Self::MemoryOfProxy => "memory of proxy",
        }
    }

    /// What it is counted in.
    pub fn unit(self) -> Unit {
        match self {
            Self::Success => Unit::Share,
            Self::Rate => Unit::ASecond,
            Self::P50 | Self::P90 | Self::P99 => Unit::Milliseconds,
            Self::CpuOfProxy | Self::CpuOfServices => Unit::MicrosecondsARequest,
            Self::MemoryOfProxy => Unit::Bytes,
        }
    }

    /// Which way is better.
    pub fn direction(self) -> Direction {
        self.unit().direction()
    }
}

impl Unit {
    /// Which way is better.
    pub fn direction(self) -> Direction {
        match self {
            Self::Share | Self::ASecond => Direction::HigherIsBetter,
            Self::Milliseconds | Self::MicrosecondsARequest | Self::Bytes => Direction::LowerIsBetter,
        }
    }
}

/// Figures of one measurement. Never more than six: so many that each can be a discovery of its own among eight blocks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures(pub BTreeMap<Figure, f64>);

impl Figures {
    /// Of a record; what was not measured is missing.
    pub fn of(record: &Record) -> Self {
        let load = Load::of(record);
        let arm = main_arm(record);
        let a_request =
            |micros: Option<u64>| micros.filter(|_| load.planned > 0).map(|micros| micros as f64 / load.planned as f64);
        let cpu = arm.and_then(|arm| arm.cpu_of_proxies(arm.judged()));
        let services = arm.filter(|_| cpu.is_none()).and_then(|arm| arm.cpu_of_services(arm.judged()));
        let closed = load.r#loop == "closed";
        let times = if closed { &load.service } else { &load.response };
        let time = |name| times.as_ref().map(|times: &Latencies| times.figure(name));
        let success = (load.planned > 0).then(|| 1.0 - load.lost as f64 / load.planned as f64);
        let figures = [
            (Figure::Success, success),
            (Figure::Rate, closed.then_some(load.rate.answered)),
            (Figure::P50, time("p50")),
            (Figure::P90, time("p90").filter(|_| !closed)),
            (Figure::P99, time("p99")),
            (Figure::CpuOfProxy, a_request(cpu)),
            (Figure::CpuOfServices, a_request(services)),
            (Figure::MemoryOfProxy, arm.and_then(Arm::largest_proxy).map(|(_, bytes)| bytes as f64)),
        ];
        Self(figures.into_iter().filter_map(|(figure, value)| Some((figure, value?))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::fixture::record;

    #[test]
    fn an_open_load_has_its_response_times_and_a_closed_one_what_was_served() {
        let mut record = record();
        let whole = crate::record::Latency { phase: None, ..record.arms[0].latencies[0].clone() };
        record.arms[0].latencies.push(whole);
        let totals = crate::record::PhaseTotals { phase: "whole".to_owned(), ..record.arms[0].totals[0].clone() };
        record.arms[0].totals.push(totals);
        let names = |record: &Record| Figures::of(record).0.keys().map(|figure| figure.name()).collect::<Vec<_>>();
        let open = names(&record);
        assert!(open.starts_with(&["success", "p50", "p90", "p99"]), "{open:?}");
        record.arms[0].flows[0].rate = 0.0;
        let closed = names(&record);
        assert!(closed.starts_with(&["success", "rate"]) && !closed.contains(&"p90"), "{closed:?}");
        assert!(open.len() <= 6 && closed.len() <= 6);
    }
}
