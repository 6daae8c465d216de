//! Processor time and memory of each process, by second and by phase.

use squall_reports::record::{Micros, Phase, Process, SECOND};

/// A sample of memory that is older tells nothing of now.
const FRESH: Micros = SECOND * 3 / 2;

/// Samples of all processes.
#[derive(Debug, Default)]
pub(super) struct Processes {
    all: Vec<(String, Vec<Sample>)>,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Micros,
    cpu: u64,
    memory: u64,
}

impl Processes {
    /// A process that was started again has less processor time than before: its count goes on from there.
    pub(super) fn sample(&mut self, name: &str, at: Micros, cpu: u64, memory: u64) {
        let at_name = self.all.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.all.push((name.to_owned(), Vec::new()));
            self.all.len() - 1
        });
        self.all[at_name].1.push(Sample { at, cpu, memory });
    }

    /// Share of a core between the last two samples of each proxy, and its memory, all together.
    pub(super) fn of_proxies(&self) -> Option<(f64, u64)> {
        let of_one = |(_, samples): &(String, Vec<Sample>)| {
            let [.., from, to] = samples.as_slice() else { return None };
            let share = to.cpu.saturating_sub(from.cpu) as f64 / 1e3 / (to.at - from.at).max(1) as f64;
            Some((share, to.memory))
        };
        let proxies = self.all.iter().filter(|(name, _)| Process::is_named_proxy(name));
        proxies.filter_map(of_one).reduce(|(cpu, memory), more| (cpu + more.0, memory + more.1))
    }

    pub(super) fn finish(self, phases: &[Phase]) -> Vec<Process> {
        self.all.into_iter().map(|(name, samples)| process(name, &samples, phases)).collect()
    }
}

fn process(name: String, samples: &[Sample], phases: &[Phase]) -> Process {
    let spent = |from: Micros, to: Micros| -> u64 {
        let at = |when: Micros| interpolated(samples, when);
        ((at(to) - at(from)).max(0.0) / 1000.0) as u64
    };
    let from = samples.first().map_or(0, |sample| sample.at.max(0) / SECOND * SECOND);
    let last = samples.last().map_or(0, |sample| sample.at);
    let seconds = ((last - from) / SECOND).max(0);
    // A process that is away has no memory, whatever it had.
    let memory_at = |when: Micros| {
        let fresh = |sample: &&Sample| (when - FRESH..=when).contains(&sample.at);
        samples.iter().rev().find(fresh).map_or(0, |sample| sample.memory)
    };
    Process {
        name,
        from,
        cpu: (0..seconds).map(|second| spent(from + second * SECOND, from + (second + 1) * SECOND)).collect(),
        memory: (0..seconds).map(|second| memory_at(from + (second + 1) * SECOND)).collect(),
        cpu_by_phase: phases.iter().map(|phase| spent(phase.from, phase.to)).collect(),
    }
}

/// Largest share of the machine's time that the hypervisor took away between two samples of ticks, stolen and all.
pub(super) fn worst_steal(samples: &[(u64, u64)]) -> Option<f64> {
    let share = |pair: &[(u64, u64)]| {
        let (stolen, all) = (pair[1].0.saturating_sub(pair[0].0), pair[1].1.saturating_sub(pair[0].1));
        stolen as f64 / all.max(1) as f64
    };
    samples.windows(2).map(share).max_by(f64::total_cmp)
}

/// Nanoseconds spent until then, over all generations of the process; even between samples.
fn interpolated(samples: &[Sample], when: Micros) -> f64 {
    let mut total = 0.0;
    for pair in samples.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        // What was started again has spent nothing before.
        let (spent, begun) =
            if to.cpu >= from.cpu { (to.cpu - from.cpu, from.at) } else { (to.cpu, from.at.max(to.at - SECOND)) };
        if when >= to.at {
            total += spent as f64;
        } else if when > begun {
            total += spent as f64 * (when - begun) as f64 / (to.at - begun) as f64;
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_was_started_again_goes_on_from_what_it_had() {
        let mut processes = Processes::default();
        for (at, cpu) in [(0, 0), (SECOND, 500_000_000), (2 * SECOND, 100_000_000)] {
            processes.sample("cart/1", at, cpu, 7);
        }
        let process = processes.finish(&[]).remove(0);
        assert_eq!(process.cpu, [500_000, 100_000]);
        assert_eq!(process.memory, [7, 7]);
    }

    #[test]
    fn a_process_that_is_away_spends_nothing_and_holds_nothing() {
        let mut processes = Processes::default();
        for (at, cpu) in [(0, 0), (1, 500_000_000), (2, 900_000_000), (6, 100_000_000)] {
            processes.sample("cart/1", at * SECOND, cpu, 7);
        }
        let process = processes.finish(&[]).remove(0);
        assert_eq!(process.cpu, [500_000, 400_000, 0, 0, 0, 100_000]);
        assert_eq!(process.memory, [7, 7, 7, 0, 0, 7]);
    }
}
