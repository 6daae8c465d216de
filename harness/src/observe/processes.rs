//! What each process took, by second and by phase.

use crate::process::proc::Usage;
use squall_reports::record::{Micros, Phase, Process, SECOND, Thread};

/// A sample of memory that is older tells nothing of now.
const FRESH: Micros = SECOND * 3 / 2;

/// Samples of all processes.
#[derive(Debug, Default)]
pub(super) struct Processes {
    all: Vec<(String, Vec<Sample>)>,
}

/// Threads of a process that are told apart, at most: the busiest.
const MOST_THREADS: usize = 16;

#[derive(Debug)]
struct Sample {
    at: Micros,
    usage: Usage,
}

/// A count that only grows, but for a process that was started again.
type Count = fn(&Usage, &str) -> u64;

impl Processes {
    /// A process that was started again has less processor time than before: its count goes on from there.
    pub(super) fn sample(&mut self, name: &str, at: Micros, usage: Usage) {
        let at_name = self.all.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.all.push((name.to_owned(), Vec::new()));
            self.all.len() - 1
        });
        self.all[at_name].1.push(Sample { at, usage });
    }

    /// Share of a core between the last two samples of each proxy, and its memory, all together.
    pub(super) fn of_proxies(&self) -> Option<(f64, u64)> {
        let of_one = |(_, samples): &(String, Vec<Sample>)| {
            let [.., from, to] = samples.as_slice() else { return None };
            let share = to.usage.cpu.saturating_sub(from.usage.cpu) as f64 / 1e3 / (to.at - from.at).max(1) as f64;
            Some((share, to.usage.memory))
        };
        let proxies = self.all.iter().filter(|(name, _)| Process::is_named_proxy(name));
        proxies.filter_map(of_one).reduce(|(cpu, memory), more| (cpu + more.0, memory + more.1))
    }

    pub(super) fn finish(self, phases: &[Phase]) -> Vec<Process> {
        self.all.into_iter().map(|(name, samples)| process(name, &samples, phases)).collect()
    }
}

fn process(name: String, samples: &[Sample], phases: &[Phase]) -> Process {
    let grown = |count: Count, of: &str, from: Micros, to: Micros| -> u64 {
        let at = |when: Micros| interpolated(samples, when, count, of);
        (at(to) - at(from)).max(0.0).round() as u64
    };
    let spent = |from, to| grown(|usage, _| usage.cpu, "", from, to) / 1_000;
    let from = samples.first().map_or(0, |sample| sample.at.max(0) / SECOND * SECOND);
    let last = samples.last().map_or(0, |sample| sample.at);
    let seconds =
        || (0..((last - from) / SECOND).max(0)).map(|second| (from + second * SECOND, from + (second + 1) * SECOND));
    // A process that is away holds nothing, whatever it had.
    let held = |when: Micros, what: fn(&Usage) -> u64| {
        let fresh = |sample: &&Sample| (when - FRESH..=when).contains(&sample.at);
        samples.iter().rev().find(fresh).map_or(0, |sample| what(&sample.usage))
    };
    let thread = |name: &String| Thread {
        name: name.clone(),
        cpu: seconds().map(|(from, to)| grown(of_thread, name, from, to) / 1_000).collect(),
    };
    Process {
        cpu: seconds().map(|(from, to)| spent(from, to)).collect(),
        memory: seconds().map(|(_, to)| held(to, |usage| usage.memory)).collect(),
        cpu_by_phase: phases.iter().map(|phase| spent(phase.from, phase.to)).collect(),
        descriptors: seconds().map(|(_, to)| held(to, |usage| usage.descriptors)).collect(),
        switches: seconds().map(|(from, to)| grown(|usage, _| usage.switches, "", from, to)).collect(),
        threads: busiest(samples).iter().map(thread).collect(),
        name,
        from,
    }
}

fn of_thread(usage: &Usage, name: &str) -> u64 {
    usage.threads.iter().find(|(known, _)| known == name).map_or(0, |(_, cpu)| *cpu)
}

/// Names of the threads that took the most, the busiest first.
fn busiest(samples: &[Sample]) -> Vec<String> {
    let mut all: Vec<(&String, u64)> = Vec::new();
    for (name, cpu) in samples.iter().flat_map(|sample| &sample.usage.threads) {
        match all.iter_mut().find(|(known, _)| *known == name) {
            Some((_, most)) => *most = (*most).max(*cpu),
            None => all.push((name, *cpu)),
        }
    }
    all.sort_by_key(|(_, cpu)| std::cmp::Reverse(*cpu));
    all.into_iter().take(MOST_THREADS).map(|(name, _)| name.clone()).collect()
}

/// Largest share of the machine's time that the hypervisor took away between two samples of ticks, stolen and all.
pub(super) fn worst_steal(samples: &[(u64, u64)]) -> Option<f64> {
    let share = |pair: &[(u64, u64)]| {
        let (stolen, all) = (pair[1].0.saturating_sub(pair[0].0), pair[1].1.saturating_sub(pair[0].1));
        stolen as f64 / all.max(1) as f64
    };
    samples.windows(2).map(share).max_by(f64::total_cmp)
}

/// What was counted until then, over all generations of the process; even between samples.
fn interpolated(samples: &[Sample], when: Micros, count: Count, of: &str) -> f64 {
    let mut total = 0.0;
    for pair in samples.windows(2) {
        let (from, to) = (&pair[0], &pair[1]);
        let (before, after) = (count(&from.usage, of), count(&to.usage, of));
        // What was started again has counted nothing before.
        let (grown, begun) =
            if after >= before { (after - before, from.at) } else { (after, from.at.max(to.at - SECOND)) };
        if when >= to.at {
            total += grown as f64;
        } else if when > begun {
            total += grown as f64 * (when - begun) as f64 / (to.at - begun) as f64;
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(cpu: u64) -> Usage {
        let threads = vec![("worker-0".to_owned(), cpu / 4), ("worker-1".to_owned(), cpu / 4 * 3)];
        Usage { cpu, memory: 7, descriptors: 12, switches: cpu / 1_000_000, threads }
    }

    #[test]
    fn a_process_that_was_started_again_goes_on_from_what_it_had() {
        let mut processes = Processes::default();
        for (at, cpu) in [(0, 0), (SECOND, 500_000_000), (2 * SECOND, 100_000_000)] {
            processes.sample("cart/1", at, usage(cpu));
        }
        let process = processes.finish(&[]).remove(0);
        assert_eq!(process.cpu, [500_000, 100_000]);
        assert_eq!(process.memory, [7, 7]);
        assert_eq!((process.descriptors, process.switches), (vec![12, 12], vec![500, 100]));
        let threads: Vec<(&str, &[u64])> =
            process.threads.iter().map(|one| (one.name.as_str(), &one.cpu[..])).collect();
        assert_eq!(threads, [("worker-1", &[375_000, 75_000][..]), ("worker-0", &[125_000, 25_000])]);
    }

    #[test]
    fn a_process_that_is_away_spends_nothing_and_holds_nothing() {
        let mut processes = Processes::default();
        for (at, cpu) in [(0, 0), (1, 500_000_000), (2, 900_000_000), (6, 100_000_000)] {
            processes.sample("cart/1", at * SECOND, usage(cpu));
        }
        let process = processes.finish(&[]).remove(0);
        assert_eq!(process.cpu, [500_000, 400_000, 0, 0, 0, 100_000]);
        assert_eq!(process.memory, [7, 7, 7, 0, 0, 7]);
    }
}
