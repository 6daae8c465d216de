//! `summary.md`: the verdicts of a run, for step summaries and chats.
//!
//! A step summary that is too long is lost whole, so this one ends before that, and says what it leaves out.

use crate::artifacts::{Recorded, shown};
use crate::digest::{Digest, main_arm};
use crate::escape::{code, cut, markdown, visible};
use crate::record::{Record, SLOT, Verdict};
use crate::spread::spreads;
use crate::words;
use std::fmt::Write;
use std::path::Path;

/// Most bytes of a summary.
pub const MOST: usize = 60_000;

/// Bytes kept for the sentence that says what is missing.
const RESERVE: usize = 200;

/// Most marks of a bar drawn in letters.
const MARKS: usize = 72;

/// Longest name before a bar, in bytes.
const LONGEST_NAME: usize = 40;

/// Heights of a bar; nothing at all is a dot.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The summary of a run, what did not pass first. Paths in it are relative to `root` where they lie in it.
pub fn summary(records: &[Recorded], root: &Path) -> String {
    let mut worst_first: Vec<(&Record, &Path, Digest)> =
        records.iter().map(|(record, folder)| (record, folder.as_path(), Digest::of(record))).collect();
    worst_first.sort_by_key(|(record, ..)| std::cmp::Reverse(record.verdict));

    let mut page = Page::default();
    page.add(&format!("# {}\n\n", title(worst_first.iter().map(|(.., digest)| digest))));
    page.add("| verdict | scenario | lost | out, back | p99 | control | seconds |\n|---|---|--:|--:|--:|---|--:|\n");
    for (.., digest) in &worst_first {
        page.add(&row(digest));
    }
    for (record, folder, digest) in worst_first.iter().filter(|(record, ..)| record.verdict != Verdict::Pass) {
        page.add(&section(record, &shown(folder, root), digest));
    }
    for spread in spreads(records.iter().map(|(record, _)| record)) {
        page.add(&spread_section(&spread));
    }
    page.end()
}

/// A text that never grows beyond its bound: what does not fit is counted, and everything after it too.
#[derive(Default)]
struct Page {
    text: String,
    left_out: usize,
}

impl Page {
    fn add(&mut self, part: &str) {
        if self.left_out > 0 || self.text.len() + part.len() + RESERVE > MOST {
            self.left_out += 1;
        } else {
            self.text.push_str(part);
        }
    }

    fn end(mut self) -> String {
        if self.left_out > 0 {
            let parts = words::many(self.left_out, "part");
            let _ =
                writeln!(self.text, "\n{parts} of this summary left out for its length: all of it is in `index.html`.");
        }
        self.text
    }
}

/// `FAIL: 2 of 14 scenarios do not hold`.
fn title<'a>(digests: impl Iterator<Item = &'a Digest> + Clone) -> String {
    let Some(worst) = digests.clone().map(|digest| digest.verdict).max() else {
        return "Squall: no scenario was run".to_owned();
    };
    format!("{} {worst}: {}", sign(worst), words::tally(digests.map(|digest| digest.verdict)))
}

fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✅",
        Verdict::Inconclusive => "❔",
        Verdict::Invalid => "🔶",
        Verdict::Fail | Verdict::Error => "❌",
        Verdict::Aborted => "⏹️",
    }
}

fn row(digest: &Digest) -> String {
    let mut title = markdown(&digest.title);
    if digest.repetition.1 > 1 {
        let _ = write!(title, " ({} of {})", digest.repetition.0, digest.repetition.1);
    }
    let dirty = if digest.dirty { ", DIRTY" } else { "" };
    format!(
        "| {} {}{dirty} | {title} | {} | {}, {} | {} | {} | {:.0} |\n",
        sign(digest.verdict),
        digest.verdict,
        digest.lost.map_or("–".to_owned(), |lost| lost.text()),
        digest.out.text(),
        digest.back.text(),
        digest.p99_text(),
        digest.control.text(),
        digest.seconds
    )
}

fn section(record: &Record, folder: &str, digest: &Digest) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "\n## {}: {}\n", record.verdict, markdown(&record.scenario.title));
    for reason in record.reasons.iter().filter(|reason| reason.code != "missed") {
        let _ = writeln!(text, "- {}", markdown(&reason.text));
    }
    for what in &record.dirty {
        let _ = writeln!(text, "- **DIRTY**: {}", markdown(what));
    }
    if !digest.failed.is_empty() {
        text.push_str("\n| expectation | verdict | asked | observed | samples | at |\n|---|---|---|---|--:|---|\n");
    }
    for one in &digest.failed {
        let place = format!("{}:{}", record.scenario.file, one.line);
        let shown = [&one.id, &one.limit_text, &one.observed.text, &place].map(|text| markdown(text));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            shown[0],
            one.verdict,
            shown[1],
            shown[2],
            words::count(one.samples),
            shown[3]
        );
    }
    text.push_str(&bars(record));
    let report = visible(&format!("{folder}/report.html")).replace('`', "'");
    let _ = writeln!(text, "\nReport: `{report}`, seed {}.", record.run.seed);
    text
}

/// What the faulty instance was offered, what was lost and when it was broken, over the same time in letters.
fn bars(record: &Record) -> String {
    let Some(arm) = main_arm(record).filter(|arm| !arm.outcomes.is_empty()) else { return String::new() };
    let slots = arm.outcomes.iter().map(|outcomes| outcomes.planned.len()).max().unwrap_or(0);
    let each = slots.div_ceil(MARKS).max(1);
    let mut rows = Vec::new();
    let faulty = (0..arm.instances.len()).find(|instance| arm.faults.iter().any(|fault| fault.instance == *instance));
    if let Some(offers) = faulty.and_then(|faulty| arm.offers.iter().find(|offers| offers.instance == faulty)) {
        rows.push((format!("offered to {}", arm.instances[offers.instance].name), letters(&offers.offered, each)));
    }
    let mut lost = vec![0; slots];
    for outcomes in &arm.outcomes {
        lost.iter_mut().zip(outcomes.lost()).for_each(|(sum, count)| *sum += count);
    }
    let total: u32 = lost.iter().sum();
    rows.push((format!("lost ({})", words::count(u64::from(total))), letters(&lost, each)));
    let width = slots.div_ceil(each);
    let broken = |place: usize| {
        let (from, to) = ((place * each) as i64 * SLOT, ((place + 1) * each) as i64 * SLOT);
        arm.faults.iter().any(|fault| {
            fault.effect.is_some_and(|effect| effect < to) && fault.cleared.is_none_or(|cleared| cleared > from)
        })
    };
    if !arm.faults.is_empty() {
        let band = (0..width).map(|place| if broken(place) { '━' } else { ' ' }).collect();
        rows.push(("fault".to_owned(), band));
    }
    let end = format!("{} s", slots as i64 * SLOT / 1_000_000);
    rows.push((String::new(), format!("0 s{end:>rest$}", rest = width.saturating_sub(3).max(end.len()))));
    let names: Vec<String> = rows.iter().map(|(name, _)| code(&cut(name, LONGEST_NAME))).collect();
    let widest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let mut text = String::from("\n```text\n");
    for (name, (_, row)) in names.iter().zip(&rows) {
        let _ = writeln!(text, "{name:widest$}  {}", row.trim_end());
    }
    text.push_str("```\n");
    text
}

/// A letter for each so many slots, in the height of their sum; zero is a dot, so that it differs from little.
fn letters(counts: &[u32], each: usize) -> String {
    let sums: Vec<u32> = counts.chunks(each).map(|chunk| chunk.iter().sum()).collect();
    let most = sums.iter().copied().max().unwrap_or(0).max(1);
    let height = |sum: u32| (u64::from(sum) * 8).div_ceil(u64::from(most)) as usize;
    sums.iter().map(|sum| if *sum == 0 { '·' } else { HEIGHTS[height(*sum) - 1] }).collect()
}

fn spread_section(spread: &crate::spread::Spread<'_>) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "\n## {} of {} passed: {}\n", spread.passed, spread.runs, markdown(spread.title));
    text.push_str("| expectation | asked | held | least | median | most |\n|---|---|---|---|---|---|\n");
    for figure in &spread.figures {
        let shown = [figure.id, figure.limit, figure.least, figure.median, figure.most].map(markdown);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            shown[0], shown[1], figure.passed, shown[2], shown[3], shown[4]
        );
    }
    text
}
