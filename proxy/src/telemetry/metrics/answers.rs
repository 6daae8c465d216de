//! Answers by status.

use super::cell::Cell;
use super::sample::Scope;
use super::tally::Tally;
use std::collections::BTreeMap;

/// Answers by status and class; `N` statuses at most have a number of their own.
#[derive(Debug, Default)]
pub(super) struct Answers<const N: usize> {
    completed: Cell,
    classes: [Cell; 5],
    statuses: Tally<N>,
}

impl<const N: usize> Answers<N> {
    /// Counts one.
    pub(super) fn count(&self, status: u16) {
        self.completed.add(1);
        if let Some(class) = usize::from(status / 100).checked_sub(1).and_then(|class| self.classes.get(class)) {
            class.add(1);
        }
        self.statuses.of(u64::from(status)).add(1);
    }

    /// Adds everything up; `group` is what stands ahead of names: `retry.`.
    pub(super) fn samples<'a>(shards: impl Iterator<Item = &'a Self>, group: &str, scope: &mut Scope<'_>) {
        let (mut completed, mut classes) = (0, [0; 5]);
        let mut statuses = BTreeMap::<u64, u64>::new();
        for shard in shards {
            completed += shard.completed.get();
            classes.iter_mut().zip(&shard.classes).for_each(|(sum, cell)| *sum += cell.get());
            // Statuses beyond the table stay within their class.
            for (status, cell) in shard.statuses.iter().filter_map(|(status, cell)| Some((status?, cell))) {
                *statuses.entry(status).or_default() += cell.get();
            }
        }
        // What has never been retried says nothing of it, as in Envoy.
        if completed > 0 || group.is_empty() {
            scope.counter(&format!("{group}upstream_rq_completed"), completed);
        }
        for (class, count) in classes.into_iter().enumerate().filter(|(_, count)| *count > 0) {
            scope.class(&format!("{group}upstream_rq"), class + 1, count);
        }
        for (status, count) in statuses {
            scope.status(&format!("{group}upstream_rq"), status, count);
        }
    }
}
