//! Rounds of all peers, and what is told of them: medians, and ratios within rounds.

/// Rows are rounds, columns peers, ours the first.
pub(crate) struct Table {
    title: String,
    names: &'static [&'static str],
    rounds: Vec<Vec<f64>>,
}

impl Table {
    pub(crate) fn new(title: &str, names: &'static [&'static str]) -> Self {
        Self { title: title.to_owned(), names, rounds: Vec::new() }
    }

    pub(crate) fn add(&mut self, round: Vec<f64>) {
        eprintln!("{}: {round:.1?}", self.title);
        self.rounds.push(round);
    }

    /// As Markdown. Ratios are squall's by the peer's, pair by pair: their median, least and most.
    pub(crate) fn print(&self) {
        println!("\n{}, {} rounds\n", self.title, self.rounds.len());
        println!("| | median | squall's by it: median (least to most) |\n|---|---|---|");
        for (column, name) in self.names.iter().enumerate() {
            let own = sorted(self.rounds.iter().map(|round| round[column]));
            let ratios = sorted(self.rounds.iter().map(|round| round[0] / round[column]));
            let median = |of: &[f64]| of[of.len() / 2];
            let ratio = if column == 0 {
                "-".to_owned()
            } else {
                format!("{:.2} ({:.2} to {:.2})", median(&ratios), ratios[0], ratios[ratios.len() - 1])
            };
            println!("| {name} | {:.2} | {ratio} |", median(&own));
        }
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}
