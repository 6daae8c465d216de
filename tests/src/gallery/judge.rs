//! What is expected of a rehearsed arm, and how the arm meets it.

use super::words::{count, percent, time};
use squall_reports::record::{Arm, Expectation, Interval, LatencyKind, Observed, PhaseTotals, Population, Verdict};
use squall_reports::stats::{Histogram, clopper_pearson};

/// An expectation before it is judged.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    /// Acceptable answers, as a share.
    Success { phase: String, flow: Option<String>, at_least: f64 },
    /// 99th percentile, milliseconds.
    P99 { phase: String, flow: Option<String>, at_most: f64 },
    /// Requests lost.
    Lost { phase: String, at_most: u64 },
    /// Seconds until a healing was seen.
    Healed { kind: &'static str, subject: String, within: f64 },
}

/// Success in a phase.
pub(super) fn success(phase: &str, at_least: f64) -> Ask {
    Ask::Success { phase: phase.to_owned(), flow: None, at_least }
}

/// 99th percentile in a phase, milliseconds.
pub(super) fn p99(phase: &str, at_most: f64) -> Ask {
    Ask::P99 { phase: phase.to_owned(), flow: None, at_most }
}

/// Healing of a subject within seconds.
pub(super) fn healed(kind: &'static str, subject: &str, within: f64) -> Ask {
    Ask::Healed { kind, subject: subject.to_owned(), within }
}

impl Ask {
    /// The same of one flow.
    pub(super) fn of(self, name: &str) -> Self {
        let flow = Some(name.to_owned());
        match self {
            Self::Success { phase, at_least, .. } => Self::Success { phase, flow, at_least },
            Self::P99 { phase, at_most, .. } => Self::P99 { phase, flow, at_most },
            other => other,
        }
    }

    fn phase(&self) -> Option<&str> {
        match self {
            Self::Success { phase, .. } | Self::P99 { phase, .. } | Self::Lost { phase, .. } => Some(phase),
            Self::Healed { .. } => None,
        }
    }

    fn id(&self) -> String {
        let of = |flow: &Option<String>| flow.as_ref().map(|flow| format!("[{flow}]")).unwrap_or_default();
        match self {
            Self::Success { phase, flow, .. } => format!("{phase}.success{}", of(flow)),
            Self::P99 { phase, flow, .. } => format!("{phase}.p99{}", of(flow)),
            Self::Lost { phase, .. } => format!("{phase}.lost"),
            Self::Healed { kind, subject, .. } => format!("healing.{kind}({subject})"),
        }
    }

    fn limit(&self) -> (f64, String) {
        match self {
            Self::Success { at_least, .. } => (*at_least, format!(">= {}", percent(*at_least))),
            Self::P99 { at_most, .. } => (at_most / 1e3, format!("<= {}", time(at_most / 1e3))),
            Self::Lost { at_most, .. } => (*at_most as f64, format!("<= {}", count(*at_most))),
            Self::Healed { within, .. } => (*within, format!("within {}", time(*within))),
        }
    }

    /// As it stands in the scenario file.
    pub(super) fn written(&self) -> String {
        match self {
            Self::Success { phase, at_least, .. } => format!("{phase}: {{success: \">= {}%\"}}", at_least * 100.0),
            Self::P99 { phase, at_most, .. } => format!("{phase}: {{p99: \"<= {at_most}ms\"}}"),
            Self::Lost { phase, at_most } => format!("{phase}: {{lost: \"<= {at_most}\"}}"),
            Self::Healed { kind, subject, within } => format!("healing: [{{{kind}: {subject}, within: {within}s}}]"),
        }
    }

    /// As the arm meets it; the line is that of the scenario file.
    pub(super) fn judge(&self, arm: &Arm, line: usize) -> Expectation {
        let (limit, limit_text) = self.limit();
        let (observed, samples, verdict, basis) = match self {
            Self::Success { phase, flow, .. } => success_of(totals(arm, phase, flow.as_deref()), limit),
            Self::P99 { phase, flow, .. } => p99_of(arm, phase, flow.as_deref(), limit),
            Self::Lost { phase, .. } => lost_of(totals(arm, phase, None), limit),
            Self::Healed { kind, subject, .. } => healed_of(arm, kind, subject, limit),
        };
        let close = observed.interval.is_some_and(|interval| interval.low < limit && limit < interval.high);
        Expectation {
            id: self.id(),
            phase: self.phase().map(str::to_owned),
            written: self.written(),
            line,
            column: 5,
            verdict,
            detail: format!("asked {limit_text}, observed {}: {basis}", observed.text),
            observed,
            limit: Some(limit),
            limit_text,
            samples,
            close: close && verdict != Verdict::Inconclusive,
        }
    }
}

type Judged = (Observed, u64, Verdict, String);

fn totals<'a>(arm: &'a Arm, phase: &str, flow: Option<&str>) -> Option<&'a PhaseTotals> {
    arm.totals_of(phase, flow).filter(|totals| totals.planned > 0)
}

fn nothing() -> Judged {
    let observed = Observed { value: None, text: "no data".to_owned(), interval: None, resolution: None };
    (observed, 0, Verdict::Invalid, "no request was due".to_owned())
}

fn held(held: bool) -> Verdict {
    if held { Verdict::Pass } else { Verdict::Fail }
}

fn success_of(totals: Option<&PhaseTotals>, limit: f64) -> Judged {
    let Some(totals) = totals else { return nothing() };
    let (planned, good) = (totals.planned, totals.planned - totals.lost);
    let share = good as f64 / planned as f64;
    let bad = clopper_pearson(totals.lost, planned, 0.95);
    let interval = Some(Interval { low: 1.0 - bad.high, high: 1.0 - bad.low });
    let observed = Observed { value: Some(share), text: percent(share), interval, resolution: None };
    let too_few = totals.lost == 0 && (planned as f64) < 3.0 / (1.0 - limit).max(1e-9);
    let verdict = if too_few { Verdict::Inconclusive } else { held(share >= limit) };
    (observed, planned, verdict, format!("{} of {} requests were acceptable", count(good), count(planned)))
}

fn p99_of(arm: &Arm, phase: &str, flow: Option<&str>, limit: f64) -> Judged {
    let phase = arm.phases.iter().position(|one| one.name == phase);
    let flow = flow.and_then(|flow| arm.flows.iter().position(|one| one.name == flow));
    let of = |one: &&squall_reports::record::Latency| {
        one.phase == phase && one.flow == flow && one.kind == LatencyKind::Response && one.population == Population::All
    };
    let Some(latency) = arm.latencies.iter().find(of) else { return nothing() };
    let histogram = Histogram::decode(&latency.histogram).unwrap_or_default();
    let value = histogram.quantile(0.99) as f64 / 1e6;
    let interval = histogram.quantile_interval(0.99);
    let verdict = if interval.is_none() { Verdict::Inconclusive } else { held(value <= limit) };
    let interval = interval.map(|interval| Interval { low: interval.low / 1e6, high: interval.high / 1e6 });
    let observed = Observed { value: Some(value), text: time(value), interval, resolution: None };
    (observed, latency.count, verdict, format!("p99 of {} requests", count(latency.count)))
}

fn lost_of(totals: Option<&PhaseTotals>, limit: f64) -> Judged {
    let Some(totals) = totals else { return nothing() };
    let value = totals.lost as f64;
    let observed = Observed { value: Some(value), text: count(totals.lost), interval: None, resolution: None };
    let basis = format!("{} of {} requests were lost", count(totals.lost), count(totals.planned));
    (observed, totals.planned, held(value <= limit), basis)
}

fn healed_of(arm: &Arm, kind: &str, subject: &str, limit: f64) -> Judged {
    let mut figures = arm.figures.healing.iter();
    let figure = figures.find(|figure| figure.kind == kind && figure.subject == subject);
    let seconds = figure.and_then(|figure| figure.seconds);
    let observed = Observed {
        value: seconds,
        text: seconds.map_or_else(|| "not seen".to_owned(), time),
        interval: None,
        resolution: figure.map(|figure| figure.resolution),
    };
    let samples = u64::from(seconds.is_some());
    let verdict = held(seconds.is_some_and(|seconds| seconds <= limit));
    (observed, samples, verdict, "measured from what each instance was offered".to_owned())
}
