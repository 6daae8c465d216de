//! Whether what clients see is so bad that a run is cut short. Decisions are pure.

use crate::clock::Nanos;
use crate::scenario::resolved::{AbortWhen, Alarm};
use crate::units::{Percent, TimeSpan};
use std::collections::VecDeque;
use std::time::Duration;

/// Fewer requests than this say nothing.
const LEAST: usize = 20;

/// The conditions on what clients see, and what they have seen of late.
#[derive(Debug)]
pub struct Alarms {
    conditions: Vec<AbortWhen>,
    /// Requests that have ended within the longest time that a condition looks back.
    ended: VecDeque<Ended>,
    longest: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Ended {
    at: Nanos,
    good: bool,
    took: Duration,
}

impl Alarms {
    /// Those of a scenario's conditions that look at requests.
    pub fn new(all: &[AbortWhen]) -> Self {
        let of_requests = |one: &&AbortWhen| matches!(one.alarm, Alarm::Success { .. } | Alarm::P99 { .. });
        let conditions: Vec<AbortWhen> = all.iter().filter(of_requests).cloned().collect();
        let longest = conditions.iter().map(|one| one.over).max().unwrap_or_default();
        Self { conditions, ended: VecDeque::new(), longest }
    }

    /// A request has ended.
    pub fn ended(&mut self, at: Nanos, good: bool, took: Duration) {
        if !self.conditions.is_empty() {
            self.ended.push_back(Ended { at, good, took });
        }
    }

    /// Why the run is to be cut short, if it is. Not before there was time for what a condition looks at.
    pub fn rings(&mut self, now: Nanos, since: Nanos) -> Option<String> {
        while self.ended.front().is_some_and(|one| now.since(one.at) > self.longest) {
            self.ended.pop_front();
        }
        self.conditions.iter().filter(|one| now.since(since) >= one.over).find_map(|one| self.of(one, now))
    }

    fn of(&self, condition: &AbortWhen, now: Nanos) -> Option<String> {
        let window: Vec<Ended> = self.ended.iter().filter(|one| now.since(one.at) <= condition.over).copied().collect();
        if window.len() < LEAST {
            return None;
        }
        let over = TimeSpan(condition.over);
        match condition.alarm {
            Alarm::Success { below } => {
                let good = window.iter().filter(|one| one.good).count();
                let share = Percent((good as f64 / window.len() as f64 * 1_000.0).round() / 10.0);
                (good as f64 * 100.0 < below.0 * window.len() as f64).then(|| {
                    format!(
                        "abort-when: over {over} {share} of {} requests succeeded, < {below} is too few",
                        window.len()
                    )
                })
            }
            Alarm::P99 { above } => {
                let slow = window.iter().filter(|one| one.took > above).count();
                (slow * 100 > window.len()).then(|| {
                    format!(
                        "abort-when: over {over} {slow} of {} requests took longer than {}, more than 1 % is too many",
                        window.len(),
                        TimeSpan(above)
                    )
                })
            }
            Alarm::Probe { .. } | Alarm::Command { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Nanos {
        Nanos(millis * 1_000_000)
    }

    fn alarms(alarm: Alarm) -> Alarms {
        Alarms::new(&[AbortWhen { alarm, over: Duration::from_secs(1) }])
    }

    #[test]
    fn too_few_successes_ring_once_there_are_enough_requests_and_time() {
        let mut alarms = alarms(Alarm::Success { below: Percent(50.0) });
        for number in 0..100 {
            alarms.ended(at(1_000 + number * 10), number % 3 == 0, Duration::ZERO);
        }
        assert_eq!(alarms.rings(at(2_000), at(1_500)), None, "it has not looked for a second yet");
        let why = alarms.rings(at(2_000), at(0)).expect("a third is less than a half");
        assert_eq!(why, "abort-when: over 1s 34% of 100 requests succeeded, < 50% is too few");
        assert_eq!(alarms.rings(at(2_950), at(0)), None, "five requests say nothing");
    }

    #[test]
    fn exactly_as_many_as_asked_are_enough() {
        let mut alarms = alarms(Alarm::Success { below: Percent(50.0) });
        (0..40).for_each(|number| alarms.ended(at(1_000), number % 2 == 0, Duration::ZERO));
        assert_eq!(alarms.rings(at(1_500), at(0)), None);
    }

    #[test]
    fn more_than_one_slow_request_in_a_hundred_rings() {
        for (slow, rings) in [(1, false), (2, true)] {
            let mut alarms = alarms(Alarm::P99 { above: Duration::from_millis(100) });
            for number in 0..100 {
                alarms.ended(at(1_000), true, Duration::from_millis(if number < slow { 101 } else { 100 }));
            }
            assert_eq!(alarms.rings(at(1_900), at(0)).is_some(), rings, "{slow}");
        }
    }
}
