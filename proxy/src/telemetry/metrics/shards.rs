//! One of a thing for each worker.

/// Who counts: a worker by its number from 0, or the control thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Worker(u16);

impl Worker {
    /// The control thread, for what no request does: ejections, health checks.
    pub(crate) const CONTROL: Self = Self(0);

    /// The worker of this number.
    pub(crate) fn number(number: u16) -> Self {
        Self(number.saturating_add(1))
    }
}

/// One for each worker and one for the control thread, each on cache lines of its own.
#[derive(Debug)]
pub(super) struct Shards<T>(Box<[Apart<T>]>);

/// Two lines, since processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Apart<T>(T);

impl<T: Default> Shards<T> {
    /// For so many workers.
    pub(super) fn new(workers: u16) -> Self {
        Self((0..=workers).map(|_| Apart::default()).collect())
    }
}

impl<T> Shards<T> {
    /// That of `worker`, which alone may write it.
    pub(super) fn of(&self, worker: Worker) -> &T {
        &self.0[usize::from(worker.0) % self.0.len()].0
    }

    /// All of them, to read.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|shard| &shard.0)
    }
}
