//! What a rehearsed arm is to be: a timeline, a load, instances, faults and the healing against them.

use squall_reports::record::{ArmKind, Cell, Micros};

/// Microseconds of a number of seconds.
pub(super) const fn seconds(seconds: i64) -> Micros {
    seconds * 1_000_000
}

/// A stream of requests.
#[derive(Debug, Clone)]
pub(super) struct Stream {
    pub(super) name: String,
    pub(super) to: String,
    pub(super) rate: f64,
    pub(super) time_out: Micros,
}

/// One instance.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) name: String,
    pub(super) service: String,
    pub(super) version: Option<String>,
}

/// How a fault does harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Harm {
    /// Answers 503 at once.
    Abort,
    /// Takes the request and never answers.
    Hang,
    /// The process is gone: connections are refused.
    Kill,
    /// Answers this much later.
    Latency(Micros),
}

impl Harm {
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Abort => "abort",
            Self::Hang => "hang",
            Self::Kill => "kill",
            Self::Latency(_) => "latency",
        }
    }
}

/// A fault on an instance in a phase, on a share of what it is asked.
#[derive(Debug, Clone)]
pub(super) struct Break {
    pub(super) harm: Harm,
    pub(super) instance: usize,
    pub(super) phase: usize,
    pub(super) share: f64,
}

/// A release that answers badly and is taken back after so many answers.
#[derive(Debug, Clone)]
pub(super) struct Rollout {
    pub(super) version: &'static str,
    pub(super) phase: usize,
    pub(super) share: f64,
    pub(super) bad: f64,
    /// Never, in a control.
    pub(super) back_after: Option<u64>,
}

/// One arm to be rehearsed.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) kind: ArmKind,
    pub(super) without: Vec<String>,
    pub(super) cell: Option<Cell>,
    pub(super) seed: u64,
    /// Name and length; `warm-up` is not judged.
    pub(super) phases: Vec<(String, Micros)>,
    pub(super) streams: Vec<Stream>,
    pub(super) places: Vec<Place>,
    pub(super) breaks: Vec<Break>,
    pub(super) rollout: Option<Rollout>,
    /// Median of the response time, microseconds, and its spread.
    pub(super) latency: (f64, f64),
    /// Requests that take as long as told.
    pub(super) outliers: Vec<(u64, Micros)>,
    /// Failures in a row that take an instance out; absent: no healing of this kind.
    pub(super) eject_after: Option<u32>,
    /// What failed is tried once more elsewhere.
    pub(super) retries: bool,
    /// So late is the generator in the second half of the load.
    pub(super) late: Micros,
}

impl Plan {
    /// Three instances, five seconds of baseline, and a load of 500 requests a second.
    pub(super) fn new(kind: ArmKind) -> Self {
        Self {
            kind,
            without: Vec::new(),
            cell: None,
            seed: 1,
            phases: vec![
                ("warm-up".to_owned(), seconds(1)),
                ("baseline".to_owned(), seconds(4)),
                ("failing".to_owned(), seconds(8)),
                ("recovery".to_owned(), seconds(7)),
            ],
            streams: vec![Stream { name: "load".into(), to: "cart".into(), rate: 500.0, time_out: seconds(2) }],
            places: places("cart", 3),
            breaks: Vec::new(),
            rollout: None,
            latency: (4_500.0, 0.45),
            outliers: Vec::new(),
            eject_after: Some(5),
            retries: true,
            late: 0,
        }
    }

    /// The same with the healing taken out.
    pub(super) fn control(&self) -> Self {
        Self {
            kind: ArmKind::Control,
            without: vec!["outlier-detection".to_owned(), "retries".to_owned()],
            eject_after: None,
            retries: false,
            seed: self.seed + 1,
            rollout: self.rollout.clone().map(|rollout| Rollout { back_after: None, ..rollout }),
            ..self.clone()
        }
    }

    /// One more fault.
    pub(super) fn broken(mut self, harm: Harm, instance: usize, phase: usize) -> Self {
        self.breaks.push(Break { harm, instance, phase, share: 1.0 });
        self
    }

    /// From and to of each phase.
    pub(super) fn spans(&self) -> Vec<(Micros, Micros)> {
        let ends = self.phases.iter().scan(0, |at, (_, long)| {
            *at += long;
            Some((*at - long, *at))
        });
        ends.collect()
    }
}

/// So many instances of a service.
pub(super) fn places(service: &str, count: usize) -> Vec<Place> {
    let name = |number| format!("{service}/{number}");
    (1..=count).map(|number| Place { name: name(number), service: service.into(), version: None }).collect()
}
