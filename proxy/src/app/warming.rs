//! A configuration on its way: it is live once the names of its endpoints were looked up, and the endpoints of clusters that are checked from
//! now on were asked once. Until then the last one goes on.

use super::checks::Found;
use super::load::Loaded;
use crate::clock::now;
use crate::policy::Config;
use crate::serve::snapshot::Built;
use squall_yaml::Source;
use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Longest wait for the names of endpoints.
const NAMES: Duration = Duration::from_secs(5);

/// What is waited for, and what has come.
#[derive(Debug)]
pub(super) struct Warming {
    pub(super) version: String,
    pub(super) config: Config,
    /// Files in which anything stands at all.
    pub(super) filled: BTreeSet<PathBuf>,
    /// Texts of its policies.
    pub(super) policies: Vec<Source>,
    /// Why it goes on with policies that are not the newest.
    pub(super) refused: Option<String>,
    /// It goes live then, whatever has not come.
    due: Instant,
    pub(super) stage: Stage,
}

/// How far it has come.
#[derive(Debug)]
pub(super) enum Stage {
    /// Names are being looked up.
    Names,
    /// Endpoints are being asked.
    Checks(Box<Asked>),
}

/// Endpoints that are asked for the first time.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) built: Built,
    /// The endpoint and which of its checks, for each answer that is waited for.
    pub(super) waiting: HashSet<(u64, usize)>,
    pub(super) found: Vec<Found>,
}

impl Asked {
    /// Nobody needs to be asked.
    pub(super) fn nobody(built: Built) -> Self {
        Self { built, waiting: HashSet::new(), found: Vec::new() }
    }
}

impl Warming {
    /// One that takes the place of another has no more time than that had: files that change again and again must go live as well.
    pub(super) fn new(loaded: Loaded, refused: Option<String>, before: Option<&Self>) -> Self {
        let Loaded { version, config, filled, policies, .. } = loaded;
        let checks = config.clusters.iter().flat_map(|cluster| &cluster.health_checks);
        let patience = NAMES + checks.map(|check| check.timeout).max().unwrap_or_default();
        let due = before.map_or_else(|| now() + patience, |before| before.due);
        Self { version, config, filled, policies, refused, due, stage: Stage::Names }
    }

    /// It has waited long enough.
    pub(super) fn is_due(&self) -> bool {
        self.due <= now()
    }

    /// It waits for this answer.
    pub(super) fn waits_for(&self, found: &Found) -> bool {
        matches!(&self.stage, Stage::Checks(asked) if asked.waiting.contains(&found.key()))
    }

    /// Takes an answer that it waits for.
    pub(super) fn take(&mut self, found: Found) {
        if let Stage::Checks(asked) = &mut self.stage {
            asked.waiting.remove(&found.key());
            asked.found.push(found);
        }
    }
}
