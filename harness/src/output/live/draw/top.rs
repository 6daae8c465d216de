//! What stands on every screen: title, running arms, phases, the fault, and the keys at the foot.

use super::row::{Ink, Pen, Row, column, cut};
use super::{Block, Scene};
use crate::output::story::arm::{ArmStory, plain};
use crate::slo::words::count;
use ratatui_core::text::Span;
use squall_reports::record::{Micros, Verdict};

/// Title, arms, phases, fault.
pub(super) fn blocks(scene: &Scene<'_>, pen: &Pen, height: usize) -> Vec<Block<'static>> {
    let mut blocks = vec![Block::new(0, vec![title(scene, pen)])];
    let rows = scene.view.rows();
    if rows.len() > 1 {
        let most = if height < 24 { 3 } else { (height / 4).max(4) };
        let list = list(scene, pen, most);
        let least = list.len().min(2);
        blocks.push(Block::shrinking(3, least, list));
        blocks.push(Block::gap(12));
    }
    let Some(arm) = scene.arm() else {
        blocks.push(Block::new(0, vec![Row::new(vec![pen.ink(Ink::Faint, "nothing has begun yet")])]));
        return blocks;
    };
    blocks.push(Block::new(0, vec![phases(scene, arm, pen), fault(scene, arm, pen)]));
    blocks
}

/// `11.6 of 32 s`.
fn progress(elapsed: Micros, length: Micros) -> String {
    let whole = plain(length as f64 / 1e6);
    format!("{:>width$.1} of {whole} s", elapsed as f64 / 1e6, width = whole.len().max(2) + 2)
}

fn title(scene: &Scene<'_>, pen: &Pen) -> Row {
    let what = if scene.replay { "squall replay" } else { "squall run" };
    let Some(arm) = scene.arm() else { return Row::new(vec![pen.ink(Ink::Strong, what)]) };
    let mut right = Vec::new();
    if scene.view.frozen().is_some() {
        right.push(pen.ink(Ink::Fault, "paused   "));
    }
    let number = scene.story.scenarios.len();
    if number > 1 && pen.width >= 100 {
        right.push(pen.ink(Ink::Plain, so_far(scene)));
    }
    if number > 1 {
        right.push(pen.ink(Ink::Plain, format!("{} of {number}   ", arm.scenario + 1)));
    }
    right.push(pen.ink(Ink::Plain, progress(arm.elapsed(scene.at), arm.length())));
    let name =
        fitted(scene.story.title(arm.scenario), &arm.label(), pen.width.saturating_sub(what.len() + 5 + width(&right)));
    Row::new(vec![pen.ink(Ink::Plain, format!("{what}   ")), pen.ink(Ink::Strong, name)]).right(right)
}

/// `2 failed, 1 passed so far   `.
fn so_far(scene: &Scene<'_>) -> String {
    let verdicts = || scene.story.arms.iter().filter(|arm| !arm.is_control()).filter_map(|arm| arm.ended.as_ref());
    let of = |wanted: fn(Verdict) -> bool| verdicts().filter(|ended| wanted(ended.verdict)).count();
    let (failed, passed) = (of(|one| one == Verdict::Fail), of(|one| one == Verdict::Pass));
    match (failed, passed, verdicts().count() - failed - passed) {
        (0, 0, 0) => String::new(),
        (failed, passed, 0) => format!("{failed} failed, {passed} passed so far   "),
        (failed, passed, other) => format!("{failed} failed, {passed} passed, {other} proved nothing so far   "),
    }
}

fn width(spans: &[Span<'static>]) -> usize {
    spans.iter().map(Span::width).sum()
}

/// Title and label, of which the label is never cut.
fn fitted(title: &str, label: &str, width: usize) -> String {
    if label.is_empty() {
        return cut(title, width);
    }
    let label = cut(label, width);
    let room = width.saturating_sub(Span::raw(label.as_str()).width() + 2);
    if room < 8 { label } else { format!("{}, {label}", cut(title, room)) }
}

/// One row an arm; the one in focus is always among them.
fn list(scene: &Scene<'_>, pen: &Pen, most: usize) -> Vec<Row> {
    let rows = scene.view.rows();
    let focus = rows.iter().position(|row| *row == scene.view.focus()).unwrap_or(0);
    let first = (focus + 1).saturating_sub(most).min(rows.len().saturating_sub(most));
    rows.iter().skip(first).take(most).map(|index| entry(scene, *index, pen)).collect()
}

fn entry(scene: &Scene<'_>, index: usize, pen: &Pen) -> Row {
    let arm = &scene.story.arms[index];
    let focused = index == scene.view.focus();
    let mark = if focused { pen.sign("▸ ", "> ") } else { "  " };
    let bar = if pen.width >= 78 { 10 } else { 0 };
    let phase = if pen.width >= 78 { 12 } else { 0 };
    let (rate, lost, state) = (if pen.width >= 70 { 9 } else { 0 }, 12, if pen.width >= 70 { 12 } else { 11 });
    let room = pen.width.saturating_sub(2 + bar + phase + rate + lost + state + 2);
    let name = column(&fitted(scene.story.title(arm.scenario), &arm.label(), room), room);
    let asked = arm.last().map(|tally| format!("{:.0}/s", tally.planned as f64 / tally.seconds())).unwrap_or_default();
    let mut spans = vec![
        pen.ink(Ink::Strong, mark),
        pen.ink(if focused { Ink::Strong } else { Ink::Plain }, name),
        pen.ink(Ink::Plain, "  "),
    ];
    if bar > 0 {
        spans.extend(line(arm.elapsed(scene.at), arm.length(), bar - 1, Ink::Plain, pen));
        let phase_name = if arm.is_over() { "" } else { phase_name(arm) };
        spans.push(pen.ink(Ink::Faint, format!(" {}", column(phase_name, phase - 1))));
        spans.push(pen.ink(Ink::Plain, " "));
    }
    if rate > 0 {
        let asked = if arm.is_over() { String::new() } else { asked };
        spans.push(pen.ink(Ink::Plain, format!("{asked:>w$}", w = rate - 1)));
    }
    let ink = if arm.lost() > 0 { Ink::Lost } else { Ink::Plain };
    spans.push(pen.ink(ink, format!("{:>w$}", format!("{} lost", count(arm.lost())), w = lost)));
    let (ink, word) = verdict(arm);
    spans.push(pen.ink(ink, format!("  {}", column(&word, state - 2))));
    Row::new(spans)
}

fn phase_name(arm: &ArmStory) -> &str {
    match arm.phase.and_then(|phase| arm.phases().get(phase)) {
        Some(phase) => phase.name.as_str(),
        None if arm.outline.is_some() => "",
        None => "deploying",
    }
}

/// What can be said of an arm's verdict now.
fn verdict(arm: &ArmStory) -> (Ink, String) {
    match (&arm.ended, arm.doomed().is_empty()) {
        (Some(ended), _) => {
            let good = (ended.verdict == Verdict::Pass) != arm.is_control();
            let ink = match ended.verdict {
                Verdict::Pass | Verdict::Fail if good => Ink::Good,
                Verdict::Invalid | Verdict::Inconclusive => Ink::Said,
                _ => Ink::Lost,
            };
            (ink, ended.verdict.to_string())
        }
        (None, false) if arm.is_control() => (Ink::Plain, "will fail".to_owned()),
        (None, false) => (Ink::Lost, "will fail".to_owned()),
        (None, true) if arm.outline.is_some() => (Ink::Plain, "holds".to_owned()),
        (None, true) => (Ink::Plain, String::new()),
    }
}

/// How far it is: the part behind in one ink, the part to come faint.
fn line(done: Micros, of: Micros, width: usize, ink: Ink, pen: &Pen) -> Vec<Span<'static>> {
    let cells = (width as Micros * done.clamp(0, of) / of.max(1)) as usize;
    vec![pen.ink(ink, pen.sign("━", "=").repeat(cells)), pen.ink(Ink::Faint, pen.sign("─", "-").repeat(width - cells))]
}

/// `baseline ━━│ failing ━━━━──────│ recovery ───────`, each as long as it lasts, with room for its name.
fn phases(scene: &Scene<'_>, arm: &ArmStory, pen: &Pen) -> Row {
    let elapsed = arm.elapsed(scene.at);
    let judged: Vec<_> = arm.phases().iter().filter(|phase| phase.judged).collect();
    let Some(last) = judged.last() else { return Row::new(line(elapsed, arm.length(), pen.width, Ink::Plain, pen)) };
    let whole = (last.to - judged[0].from).max(1);
    let names: usize = judged.iter().map(|phase| Span::raw(phase.name.as_str()).width() + 3).sum();
    let mut left = pen.width.saturating_sub(names);
    let mut spans = Vec::new();
    for (number, phase) in judged.iter().enumerate() {
        let share = (phase.to - phase.from) as f64 / whole as f64;
        let bar = if number + 1 == judged.len() {
            left
        } else {
            (share * pen.width.saturating_sub(names) as f64).round() as usize
        };
        let bar = bar.min(left);
        left -= bar;
        let on = (phase.from..phase.to).contains(&elapsed);
        let faulty = arm.outline.as_ref().is_some_and(|outline| {
            outline.faulty.iter().any(|index| outline.phases.get(*index).is_some_and(|one| one.name == phase.name))
        });
        let name = format!(" {} ", phase.name);
        spans.push(pen.ink(if on { Ink::Strong } else { Ink::Plain }, name));
        let ink = if faulty { Ink::Fault } else { Ink::Plain };
        spans.extend(line(elapsed - phase.from, phase.to - phase.from, bar, ink, pen));
        if number + 1 < judged.len() {
            spans.push(pen.ink(Ink::Faint, pen.sign("│", "|")));
        }
    }
    Row::new(spans)
}

/// What is broken now, and how long the phase still lasts.
fn fault(scene: &Scene<'_>, arm: &ArmStory, pen: &Pen) -> Row {
    if scene.story.stopping && !arm.is_over() {
        let text = format!("{} (Ctrl-C again to leave it to the guardian)", scene.story.undoing());
        return Row::new(vec![pen.ink(Ink::Fault, label("stopping", pen)), pen.ink(Ink::Strong, text)]);
    }
    if let Some(ended) = &arm.ended {
        let (ink, word) = verdict(arm);
        let must = if arm.is_control() && ended.verdict == Verdict::Fail { " as it must" } else { "" };
        let reason = ended.reason.as_deref().map(crate::output::story::clean).filter(|_| must.is_empty());
        let text = reason.unwrap_or_else(|| format!("{word}{must}"));
        return Row::new(vec![pen.ink(Ink::Plain, label("ended", pen)), pen.ink(ink, text)]);
    }
    let elapsed = arm.elapsed(scene.at);
    let right = match arm.phase.and_then(|phase| arm.phases().get(phase)) {
        Some(phase) => progress((elapsed - phase.from).clamp(0, phase.to - phase.from), phase.to - phase.from),
        None => String::new(),
    };
    let row = match arm.open.as_slice() {
        [] => {
            let name = phase_name(arm);
            Row::new(vec![pen.ink(Ink::Faint, label("no fault", pen)), pen.ink(Ink::Plain, name)])
        }
        [one] => Row::new(vec![pen.ink(Ink::Fault, label("fault on", pen)), pen.ink(Ink::Plain, one.what.clone())]),
        [first, more @ ..] => {
            let text = format!("{}, and {} more", first.what, more.len());
            Row::new(vec![pen.ink(Ink::Fault, label("faults on", pen)), pen.ink(Ink::Plain, text)])
        }
    };
    row.right(vec![pen.ink(Ink::Plain, right)])
}

/// The name of a row.
pub(super) fn label(text: &str, pen: &Pen) -> String {
    column(text, label_width(pen))
}

/// Where what a row says begins.
pub(super) fn label_width(pen: &Pen) -> usize {
    if pen.width < 70 { 11 } else { 13 }
}

/// The keys.
pub(super) fn foot(scene: &Scene<'_>, pen: &Pen) -> Row {
    let is_over = scene.story.running().next().is_none() && !scene.story.arms.is_empty();
    let several = scene.view.rows().len() > 1;
    let mut keys: Vec<(&str, &str)> = match (scene.replay, is_over) {
        (true, true) => vec![("q", "leave: the record ends here")],
        (true, false) => vec![("q", "leave")],
        (false, _) if scene.story.stopping => vec![("Ctrl-C", "leave the rest to the guardian")],
        (false, _) if pen.width >= 70 => vec![("Ctrl-C", "stop, undo, report")],
        (false, _) => vec![("Ctrl-C", "stop")],
    };
    if several {
        keys.push(("tab", "next"));
    }
    keys.extend([("d", "details"), ("e", "events")]);
    if pen.width >= 100 {
        keys.push(("p", "pause the screen"));
    }
    if !scene.replay {
        keys.push(("q", "quiet"));
    }
    let gap = if pen.width >= 100 { "      " } else { "   " };
    let mut spans = Vec::new();
    for (number, (key, what)) in keys.into_iter().enumerate() {
        spans.push(pen.ink(Ink::Plain, if number > 0 { gap } else { "" }));
        spans.push(pen.ink(Ink::Strong, key));
        spans.push(pen.ink(Ink::Faint, format!(" {what}")));
    }
    Row::new(spans)
}
