//! Figures of rounds, and the table that `docs/performance.md` shows.

/// What one round of a way has measured.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    /// Processor microseconds of the process in between, a request.
    pub cpu: f64,
    /// Microseconds.
    pub p50: f64,
    /// Microseconds.
    pub p99: f64,
    /// Requests a second.
    pub rate: f64,
}

/// A row of the table: the medians of all rounds.
#[must_use]
pub fn row(name: &str, has_process: bool, rounds: &[Round]) -> String {
    let cpu = if has_process { format!("{:.1} us", median(rounds, |round| round.cpu)) } else { "-".to_owned() };
    let [p50, p99, rate] = [|round: &Round| round.p50, |round: &Round| round.p99, |round: &Round| round.rate];
    format!(
        "| {name} | {cpu} | {:.0} us | {:.0} us | {:.0} |",
        median(rounds, p50),
        median(rounds, p99),
        median(rounds, rate)
    )
}

fn median(rounds: &[Round], figure: impl Fn(&Round) -> f64) -> f64 {
    let mut all: Vec<f64> = rounds.iter().map(figure).collect();
    all.sort_unstable_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}
