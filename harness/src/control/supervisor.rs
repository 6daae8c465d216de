//! What the kubelet does: readiness takes an instance out of the endpoints, liveness and crashes restart it. Pure: time comes in.

use crate::clock::Nanos;
use squall_proxy::config::objects::{Deployment, Probe};
use std::time::Duration;

/// Wait before the second restart; it doubles from there. The first restart is immediate.
const FIRST_BACK_OFF: Duration = Duration::from_secs(10);
/// Longest wait before a restart.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(300);
/// A process that ran for so long starts with a clean record.
const FORGIVEN: Duration = Duration::from_secs(600);

/// Which of the three probes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Until it passes, the others wait.
    Startup,
    /// While it fails, the instance is not ready.
    Readiness,
    /// When it fails, the instance is restarted.
    Liveness,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The instance belongs to the endpoints, or does not any more.
    Ready(bool),
    /// Kill the process; its end will be told.
    Kill,
}

/// Results of one probe in a row.
#[derive(Debug, Clone)]
struct Row {
    probe: Probe,
    next: Nanos,
    passes: u32,
    failures: u32,
    under_way: bool,
}

/// One supervised instance.
#[derive(Debug)]
pub struct Supervised {
    deployment: Deployment,
    rows: Vec<(Kind, Row)>,
    started: bool,
    ready: bool,
    started_at: Nanos,
    restarts: u32,
}

impl Supervised {
    /// An instance whose process has just been started.
    pub fn new(deployment: Deployment, now: Nanos) -> Self {
        let mut supervised =
            Self { deployment, rows: Vec::new(), started: false, ready: false, started_at: now, restarts: 0 };
        supervised.begin(now);
        supervised
    }

    /// A fresh process: probes begin anew. Without a readiness probe it is ready at once.
    pub fn begin(&mut self, now: Nanos) -> Decision {
        let probes = [
            (Kind::Startup, &self.deployment.startup),
            (Kind::Readiness, &self.deployment.readiness),
            (Kind::Liveness, &self.deployment.liveness),
        ];
        let row = |probe: &Probe| Row {
            next: now.after(probe.initial_delay),
            probe: probe.clone(),
            passes: 0,
            failures: 0,
            under_way: false,
        };
        self.rows = probes.into_iter().filter_map(|(kind, probe)| Some((kind, row(probe.as_ref()?)))).collect();
        self.started = self.deployment.startup.is_none();
        self.ready = self.started && self.deployment.readiness.is_none();
        self.started_at = now;
        Decision::Ready(self.ready)
    }

    /// Probes that are due now; each must be answered by [`Supervised::probed`].
    pub fn due(&mut self, now: Nanos) -> Vec<(Kind, Probe)> {
        let started = self.started;
        let mut due = Vec::new();
        for (kind, row) in &mut self.rows {
            let waits = if *kind == Kind::Startup { started } else { !started };
            if !waits && !row.under_way && row.next <= now {
                row.under_way = true;
                row.next = row.next.after(row.probe.period).max(now);
                due.push((*kind, row.probe.clone()));
            }
        }
        due
    }

    /// A probe has passed or failed.
    pub fn probed(&mut self, kind: Kind, passed: bool, now: Nanos) -> Option<Decision> {
        let (_, row) = self.rows.iter_mut().find(|(known, _)| *known == kind)?;
        row.under_way = false;
        if passed {
            (row.passes, row.failures) = (row.passes + 1, 0);
        } else {
            (row.passes, row.failures) = (0, row.failures + 1);
        }
        let (passes, failures) =
            (row.passes >= row.probe.success_threshold, row.failures >= row.probe.failure_threshold);
        match kind {
            Kind::Startup if passes && !self.started => {
                self.started = true;
                self.rows.iter_mut().for_each(|(_, row)| row.next = row.next.max(now));
                self.ready = self.deployment.readiness.is_none();
                self.ready.then_some(Decision::Ready(true))
            }
            Kind::Startup | Kind::Liveness if failures => {
                // No probe until the new process is there.
                self.rows.clear();
                Some(Decision::Kill)
            }
            Kind::Readiness if (passes && !self.ready) || (failures && self.ready) => {
                self.ready = passes;
                Some(Decision::Ready(self.ready))
            }
            _ => None,
        }
    }

    /// The process has ended: how long to wait until it is started again.
    pub fn ended(&mut self, now: Nanos) -> Duration {
        self.rows.clear();
        self.ready = false;
        if now.since(self.started_at) >= FORGIVEN {
            self.restarts = 0;
        }
        self.restarts += 1;
        match self.restarts {
            1 => Duration::ZERO,
            n => FIRST_BACK_OFF.saturating_mul(1 << (n - 2).min(10)).min(LONGEST_BACK_OFF),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use squall_proxy::config::objects::ProbeAction;
    use std::collections::BTreeMap;

    fn probe(period: u64, failure_threshold: u32) -> Probe {
        Probe {
            action: ProbeAction::HttpGet { path: "/health".to_owned() },
            initial_delay: Duration::ZERO,
            period: Duration::from_secs(period),
            timeout: Duration::from_secs(1),
            success_threshold: 1,
            failure_threshold,
        }
    }

    fn supervised(readiness: Option<Probe>, liveness: Option<Probe>, startup: Option<Probe>) -> Supervised {
        let deployment = Deployment {
            name: "cart".to_owned(),
            replicas: 1,
            labels: BTreeMap::new(),
            readiness,
            liveness,
            startup,
            origin: Default::default(),
        };
        Supervised::new(deployment, at(0))
    }

    fn at(seconds: u64) -> Nanos {
        Nanos(seconds * 1_000_000_000)
    }

    /// Answers every probe in the same way, second by second; gives what was decided when.
    fn run(supervised: &mut Supervised, seconds: std::ops::Range<u64>, passes: bool) -> Vec<(u64, Decision)> {
        let mut decided = Vec::new();
        for second in seconds {
            for (kind, _) in supervised.due(at(second)) {
                decided.extend(supervised.probed(kind, passes, at(second)).map(|decision| (second, decision)));
            }
        }
        decided
    }

    #[test]
    fn the_default_liveness_probe_kills_at_the_third_failure() {
        let mut cart = supervised(None, Some(probe(10, 3)), None);
        assert_eq!(run(&mut cart, 0..25, true), []);
        assert_eq!(run(&mut cart, 25..100, false), [(50, Decision::Kill)], "30, 40, 50");
    }

    #[test]
    fn readiness_begins_as_failed_and_follows_its_thresholds() {
        let mut cart = supervised(Some(probe(1, 2)), None, None);
        assert_eq!(run(&mut cart, 0..3, true), [(0, Decision::Ready(true))]);
        assert_eq!(run(&mut cart, 3..6, false), [(4, Decision::Ready(false))]);
        assert_eq!(run(&mut cart, 6..8, true), [(6, Decision::Ready(true))]);
    }

    #[test]
    fn the_others_wait_for_the_startup_probe() {
        let mut cart = supervised(None, Some(probe(1, 1)), Some(probe(2, 30)));
        assert_eq!(cart.due(at(0)).len(), 1);
        assert_eq!(cart.probed(Kind::Startup, false, at(0)), None);
        assert!(cart.due(at(1)).is_empty());
        assert_eq!(cart.due(at(2)).len(), 1);
        assert_eq!(cart.probed(Kind::Startup, true, at(2)), Some(Decision::Ready(true)));
        assert_eq!(cart.due(at(3)).into_iter().map(|(kind, _)| kind).collect::<Vec<_>>(), [Kind::Liveness]);
    }

    #[test]
    fn the_first_restart_is_immediate_then_the_wait_doubles_to_five_minutes_and_is_forgiven() {
        let mut cart = supervised(None, None, None);
        let waits: Vec<_> = (0..8).map(|_| cart.ended(at(1)).as_secs()).collect();
        assert_eq!(waits, [0, 10, 20, 40, 80, 160, 300, 300]);
        cart.begin(at(100));
        assert_eq!(cart.ended(at(701)), Duration::ZERO);
    }
}
