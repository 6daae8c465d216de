//! How a load ended, for people.

use squall_reports::load::{Latencies, Load};
use squall_reports::record::{Outcome, Verdict};
use squall_reports::words::{count, number};
use std::fmt::Write;

/// Cells of the longest bar.
const BAR: usize = 40;

/// The figures, with colours where they are wanted.
pub(super) fn text(load: &Load, colour: bool) -> String {
    let mut text = String::new();
    // Writing to a string never fails.
    let _ = write(&mut text, load, &Paint { colour });
    text
}

struct Paint {
    colour: bool,
}

impl Paint {
    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }

    fn verdict(&self, verdict: Verdict) -> String {
        let code = match verdict {
            Verdict::Pass => "1;32",
            Verdict::Fail => "1;31",
            _ => "1;33",
        };
        self.paint(code, &verdict.to_string())
    }
}

fn write(text: &mut String, load: &Load, paint: &Paint) -> std::fmt::Result {
    let pace = if load.r#loop == "closed" {
        format!("closed loop, {} connections, {} s", load.connections, number(load.seconds))
    } else {
        format!("{}/s, {} connections, {} s", number(load.rate.asked), load.connections, number(load.seconds))
    };
    let generators = if load.generators > 1 { format!(", by {} generators", load.generators) } else { String::new() };
    writeln!(text, "{}\n{pace}{generators}\n", paint.bold(&load.title))?;
    requests(text, load, paint)?;
    latencies(text, load, paint)?;
    spread(text, load)?;
    generator(text, load)?;
    for one in &load.expectations {
        writeln!(text, "{}  {}", paint.verdict(one.verdict), one.detail)?;
    }
    if load.expectations.is_empty() && load.verdict == Verdict::Pass {
        return Ok(());
    }
    for reason in load.reasons.iter().filter(|_| load.verdict != Verdict::Pass) {
        writeln!(text, "{reason}")?;
    }
    Ok(())
}

fn requests(text: &mut String, load: &Load, paint: &Paint) -> std::fmt::Result {
    let answered = load.planned - load.lost.min(load.planned);
    let share = |part: u64| 100.0 * part as f64 / load.planned.max(1) as f64;
    writeln!(text, "sent      {} of {} planned, {}/s", count(load.sent), count(load.planned), number(load.rate.sent))?;
    writeln!(text, "answered  {}, {:.2} %, {}/s", count(answered), share(answered), number(load.rate.answered))?;
    let lost = format!("{}, {:.2} %", count(load.lost), share(load.lost));
    writeln!(text, "lost      {}", if load.lost > 0 { paint.paint("31", &lost) } else { lost })?;
    let bad = load.outcomes.iter().filter(|(outcome, _)| **outcome != Outcome::Acceptable);
    for (outcome, times) in bad {
        writeln!(text, "  {outcome}: {}", count(*times))?;
    }
    let statuses: Vec<String> =
        load.statuses.iter().map(|(status, times)| format!("{status}: {}", count(*times))).collect();
    writeln!(text, "statuses  {}\n", if statuses.is_empty() { "none".to_owned() } else { statuses.join(", ") })
}

fn latencies(text: &mut String, load: &Load, paint: &Paint) -> std::fmt::Result {
    const FIGURES: [&str; 7] = ["p50", "p90", "p95", "p99", "p99.9", "max", "mean"];
    writeln!(text, "{}", paint.bold(&row("milliseconds", &FIGURES.map(str::to_owned))))?;
    // Of a load that waits for its answers only the service time says anything.
    let response = load.response.as_ref().filter(|_| load.r#loop == "open");
    let rows: [(&str, Option<&Latencies>); 4] = [
        ("response", response),
        ("service", load.service.as_ref()),
        ("connection wait", load.connection_wait.as_ref()),
        ("pacer lag", load.pacer_lag.as_ref().filter(|_| load.r#loop == "open")),
    ];
    for (name, latencies) in rows.into_iter().filter_map(|(name, latencies)| Some((name, latencies?))) {
        writeln!(text, "{}", row(name, &FIGURES.map(|figure| millis(latencies.figure(figure)))))?;
    }
    writeln!(text)
}

/// A name and its cells, each in its column.
fn row(name: &str, cells: &[String]) -> String {
    cells.iter().fold(format!("{name:<16}"), |row, cell| row + &format!("{cell:>10}"))
}

/// Three digits that count.
fn millis(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value if value >= 1.0 => format!("{value:.2}"),
        value => format!("{value:.3}"),
    }
}

fn spread(text: &mut String, load: &Load) -> std::fmt::Result {
    let all: u64 = load.spread.iter().map(|(_, times)| times).sum();
    let most = load.spread.iter().map(|(_, times)| *times).max().unwrap_or(0);
    for (bound, times) in &load.spread {
        let length = (*times as f64 / most.max(1) as f64 * BAR as f64).ceil() as usize;
        let share = 100.0 * *times as f64 / all.max(1) as f64;
        writeln!(text, "up to {:>7} ms  {:<BAR$}  {share:6.2} %", number(*bound), "█".repeat(length))?;
    }
    if load.spread.is_empty() { Ok(()) } else { writeln!(text) }
}

fn generator(text: &mut String, load: &Load) -> std::fmt::Result {
    let generator = &load.generator;
    write!(text, "generator: at most {:.0} % of a core", 100.0 * generator.cpu_share)?;
    if let Some(bare) = generator.bare_timer_p99 {
        write!(text, ", a bare timer is {} ms late (p99)", millis(bare))?;
    }
    writeln!(text)?;
    match &generator.saturated {
        Some(side) => writeln!(text, "the pace was set by the {side}, not by the plan"),
        None => Ok(()),
    }
}
