//! What was measured of a phase, before it is held against a limit.

use super::CONFIDENCE;
use crate::scenario::resolved::Metric;
use crate::slo::words;
use squall_reports::record::{Arm, Interval, LatencyKind, Outcome, PhaseTotals, Population};
use squall_reports::stats::{Histogram, clopper_pearson};

/// A number with its interval.
pub(super) struct Measured {
    pub(super) value: f64,
    pub(super) text: String,
    pub(super) interval: Option<Interval>,
    pub(super) samples: u64,
    /// What the number rests on.
    pub(super) basis: String,
}

impl Measured {
    /// Adds why it does not decide, if it does not.
    pub(super) fn explain(&mut self, why: Option<String>) {
        if let Some(why) = why {
            self.basis.push_str("; ");
            self.basis.push_str(&why);
        }
    }
}

/// None: it was not measured.
pub(super) fn measure(metric: &Metric, arm: &Arm, totals: &PhaseTotals, phase: &str) -> Option<Measured> {
    let count_of = |outcomes: &dyn Fn(&Outcome) -> bool| -> u64 {
        totals.outcomes.iter().filter(|(outcome, _)| outcomes(outcome)).map(|(_, count)| count).sum()
    };
    let planned = totals.planned;
    let share = |good: u64, what: &str| Measured {
        value: good as f64 / planned as f64,
        text: words::percent(good as f64 / planned as f64),
        interval: Some(clopper_pearson(good, planned, CONFIDENCE)),
        samples: planned,
        basis: format!("{} of {} requests were {what}", words::count(good), words::count(planned)),
    };
    let counted = |bad: u64, what: &str| {
        let of_all = clopper_pearson(bad, planned, CONFIDENCE);
        Measured {
            value: bad as f64,
            text: words::count(bad),
            interval: Some(Interval { low: of_all.low * planned as f64, high: of_all.high * planned as f64 }),
            samples: planned,
            basis: format!("{} of {} requests {what}", words::count(bad), words::count(planned)),
        }
    };
    Some(match metric {
        Metric::Success => share(count_of(&|outcome| *outcome == Outcome::Acceptable), "acceptable"),
        Metric::Degraded => share(count_of(&|outcome| *outcome == Outcome::Degraded), "degraded"),
        Metric::Lost => counted(totals.lost, "were lost"),
        Metric::TimeOuts => counted(count_of(&|outcome| *outcome == Outcome::TimeOut), "timed out"),
        Metric::Resets => counted(count_of(&|outcome| *outcome == Outcome::Reset), "were reset"),
        Metric::Status(status) => {
            let seen = totals.statuses.get(status).copied().unwrap_or(0);
            counted(seen, &format!("were answered {status}"))
        }
        Metric::Response { quantile, name } => return response(arm, totals, phase, *quantile, name),
        Metric::Rate => Measured {
            value: totals.rate,
            text: format!("{}/s", words::number(totals.rate)),
            interval: None,
            samples: planned,
            basis: format!("{} requests were sent a second", words::number(totals.rate)),
        },
        Metric::AttemptsPerRequest => {
            let ratio = totals.attempts as f64 / totals.ended.max(1) as f64;
            let room = totals.open_at_edges as f64 / totals.ended.max(1) as f64;
            Measured {
                value: ratio,
                text: words::number(ratio),
                interval: Some(Interval { low: ratio - room, high: ratio + room }),
                samples: totals.ended,
                basis: format!(
                    "{} attempts were offered while {} requests ended, {} open at the edges",
                    words::count(totals.attempts),
                    words::count(totals.ended),
                    words::count(totals.open_at_edges)
                ),
            }
        }
        Metric::FalseEjections => {
            let subjects: Vec<_> = arm.figures.false_ejections.iter().map(|figure| figure.subject.as_str()).collect();
            let who = if subjects.is_empty() { "no healthy instance".to_owned() } else { subjects.join(", ") };
            Measured {
                value: subjects.len() as f64,
                text: subjects.len().to_string(),
                interval: None,
                samples: arm.instances.len() as u64,
                basis: format!("{who} fell silent outside any fault"),
            }
        }
        Metric::CpuOfProxy => {
            let micros = arm.cpu_of_proxies(of_phases(arm, phase))?;
            let a_request = micros as f64 / planned as f64;
            Measured {
                value: a_request / 1e6,
                text: format!("{} us a request", words::number(a_request)),
                interval: None,
                samples: planned,
                basis: format!("{micros} us of processor time over {} requests", words::count(planned)),
            }
        }
        // Of searches, not of arms.
        Metric::HighestRate => return None,
        Metric::MemoryOfProxy => {
            let (largest, bytes) = arm.largest_proxy()?;
            Measured {
                value: bytes as f64,
                text: format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
                interval: None,
                samples: largest.memory.len() as u64,
                basis: format!("the largest resident size of `{}` at the end of any second", largest.name),
            }
        }
    })
}

fn of_phases<'a>(arm: &'a Arm, phase: &'a str) -> impl Iterator<Item = usize> + 'a {
    let wanted = move |at: &usize| arm.phases[*at].name == phase || (phase == "whole" && arm.phases[*at].judged);
    (0..arm.phases.len()).filter(wanted)
}

/// The distribution of the response times of a phase; limits are judged by that of all requests.
fn histogram(arm: &Arm, population: Population, phase: &str, flow: Option<&str>) -> Option<Histogram> {
    let phase = if phase == "whole" { None } else { Some(arm.phases.iter().position(|known| known.name == phase)?) };
    let flow =
        flow.and_then(|flow| arm.flows.iter().position(|known| known.name == flow)).filter(|_| arm.flows.len() > 1);
    let latency = arm.latencies.iter().find(|latency| {
        (latency.kind, latency.population) == (LatencyKind::Response, population)
            && latency.phase == phase
            && latency.flow == flow
    })?;
    Histogram::decode(&latency.histogram).ok()
}

fn response(arm: &Arm, totals: &PhaseTotals, phase: &str, quantile: f64, name: &str) -> Option<Measured> {
    let histogram = histogram(arm, Population::All, phase, totals.flow.as_deref())?;
    let value = histogram.quantile(quantile) as f64 / 1e6;
    let interval = histogram.quantile_interval(quantile);
    let answered = || self::histogram(arm, Population::Acceptable, phase, totals.flow.as_deref());
    let lost = match answered().filter(|answered| totals.lost > 0 && answered.count() > 0) {
        Some(answered) => format!(
            "{} lost ones counted as their time-out; of the others it was {}",
            words::count(totals.lost),
            words::seconds(answered.quantile(quantile) as f64 / 1e6)
        ),
        None => format!("{} lost ones counted as their time-out", words::count(totals.lost)),
    };
    Some(Measured {
        value,
        text: words::seconds(value),
        interval: interval.map(|micros| Interval { low: micros.low / 1e6, high: micros.high / 1e6 }),
        samples: histogram.count(),
        basis: format!("{name} of {} requests, {lost}", words::count(histogram.count())),
    })
}
