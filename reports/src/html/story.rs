//! What was found, in sentences: headings and findings, from the record alone.

use super::cause;
use crate::plot::arrivals::spells;
use crate::plot::healing::said_spans;
use crate::plot::{number, slices};
use crate::record::{Arm, Expectation, Reason, Record, SLOT, Verdict};

/// A sentence of the record without the verdict's word before it, which stands beside its sign.
pub(super) fn plain(reason: &Reason) -> &str {
    let word = reason.verdict.to_string();
    reason.text.strip_prefix(&word).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&reason.text)
}

/// The first sentence of the page: the one that every other output begins with.
pub(super) fn headline(record: &Record) -> String {
    record.reasons.first().map_or_else(|| "nothing was judged.".to_owned(), |reason| signs(plain(reason)))
}

/// A further sentence of the record; what begins with an id keeps its letters.
fn told(record: &Record, reason: &Reason) -> String {
    let text = signs(plain(reason));
    if record.expectations.iter().any(|one| text.starts_with(&one.id)) { text } else { upper(&text) }
}

/// Comparisons with the signs of a book.
pub(super) fn signs(text: &str) -> String {
    text.replace(">=", "≥").replace("<=", "≤")
}

/// What else was found, most important first.
pub(super) fn findings(record: &Record) -> Vec<String> {
    let mut findings: Vec<String> = record.reasons.iter().skip(1).map(|reason| told(record, reason)).collect();
    if let Some(arm) = main(record) {
        findings.extend(cause::losses(arm));
        findings.extend(cause::fault(record, arm));
        findings.extend(cause::too_early(arm));
        findings.extend(others_healed(arm));
        findings.extend(word_of_the_proxy(arm));
    }
    findings
}

fn main(record: &Record) -> Option<&Arm> {
    record.arms.iter().find(|arm| !arm.superseded && arm.kind == crate::record::ArmKind::Main)
}

/// What healed beside the first instance that was out, which has the picture's heading.
fn others_healed(arm: &Arm) -> Vec<String> {
    let figures = &arm.figures.healing;
    let mut out = figures.iter().filter(|one| one.kind == "ejected").map(|one| one.subject.as_str());
    // Of several, the heading tells only the worst.
    let first = out.next().filter(|first| out.all(|other| other == *first));
    let mut told: Vec<&str> = Vec::new();
    let mut findings = Vec::new();
    for figure in figures.iter().filter(|one| arm.instances.iter().any(|instance| instance.name == one.subject)) {
        if Some(figure.subject.as_str()) == first || told.contains(&figure.subject.as_str()) {
            continue;
        }
        told.push(&figure.subject);
        let words: Vec<String> = figures
            .iter()
            .filter(|one| one.subject == figure.subject)
            .filter_map(|one| match one.kind.as_str() {
                "ejected" => one.seconds.map(|seconds| format!("was out after {}", number::duration(seconds))),
                "readmitted" => {
                    one.seconds.map(|seconds| format!("was back {} after the fault ended", number::duration(seconds)))
                }
                "restarted" => one.seconds.map(|seconds| format!("was restarted after {}", number::duration(seconds))),
                _ => None,
            })
            .collect();
        let never_out =
            figures.iter().any(|one| one.subject == figure.subject && one.kind == "ejected" && one.at.is_none());
        if !words.is_empty() {
            findings.push(format!("{} {}.", figure.subject, words.join(", ")));
        } else if never_out {
            findings.push(format!("{} stayed in rotation.", figure.subject));
        }
    }
    findings
}

/// Requests lost by slot.
pub(super) fn lost(arm: &Arm) -> Vec<u64> {
    let mut lost = Vec::new();
    for outcomes in &arm.outcomes {
        let more = slices::sums(&outcomes.lost(), 1);
        lost.resize(lost.len().max(more.len()), 0);
        lost.iter_mut().zip(more).for_each(|(sum, count)| *sum += count);
    }
    lost
}

/// Where what the proxy says and what arrived do not agree.
fn word_of_the_proxy(arm: &Arm) -> Vec<String> {
    let mut findings = Vec::new();
    for (number, instance) in arm.instances.iter().enumerate() {
        let sent: u64 = said_spans(arm, number)
            .into_iter()
            .map(|(from, to)| {
                let slots = (from / SLOT + 1).max(0) as usize..(to / SLOT).max(0) as usize;
                let offers = arm.offers.iter().find(|offers| offers.instance == number);
                let within =
                    offers.and_then(|offers| offers.offered.get(slots.start..slots.end.min(offers.offered.len())));
                within.map_or(0, |counts| counts.iter().map(|count| u64::from(*count)).sum::<u64>())
            })
            .sum();
        if sent > 0 {
            findings.push(format!(
                "While the proxy called {} out, it still sent it {} {}.",
                instance.name,
                number::count(sent),
                if sent == 1 { "attempt" } else { "attempts" }
            ));
        }
    }
    findings
}

pub(super) fn upper(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Small numbers as words, at the start of a sentence.
fn words(count: usize) -> String {
    let known = ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"];
    known.get(count).map_or_else(|| count.to_string(), |word| (*word).to_owned())
}

/// Above the expectations.
pub(super) fn expectations(record: &Record) -> String {
    let all: &[Expectation] = &record.expectations;
    let of = |wanted: Verdict| all.iter().filter(|one| one.verdict == wanted).count();
    let (failed, open, void) = (of(Verdict::Fail), of(Verdict::Inconclusive), of(Verdict::Invalid));
    let total = words(all.len()).to_lowercase();
    let judged = failed + open + void + of(Verdict::Pass);
    match (failed, open, void) {
        _ if !record.complete && judged == 0 => "No expectation was judged: the run was cut before".to_owned(),
        _ if all.is_empty() => "Nothing was expected".to_owned(),
        _ if judged == 0 => "No expectation was judged".to_owned(),
        (0, 0, 0) if all.len() == 1 => "The one expectation held".to_owned(),
        (0, 0, 0) if all.len() == 2 => "Both expectations held".to_owned(),
        (0, 0, 0) => format!("All {total} expectations held"),
        (0, 0, _) => format!("{} of {total} expectations cannot be judged", words(void)),
        (0, _, _) => format!("{} of {total} expectations cannot be decided", words(open)),
        (_, 0, _) if failed == all.len() => "No expectation held".to_owned(),
        (_, 0, _) => format!("{} of {total} expectations did not hold", words(failed)),
        _ => format!(
            "{} of {total} expectations did not hold, and {} cannot be decided",
            words(failed),
            words(open).to_lowercase()
        ),
    }
}

/// Above the health of the generator.
pub(super) fn health(record: &Record, sound: bool) -> String {
    let unsound = record.reasons.iter().any(|reason| reason.verdict == Verdict::Invalid);
    match (sound, unsound, record.complete) {
        (_, _, false) => "The run was cut: what was not measured is not known".to_owned(),
        (false, ..) => "The evidence is not sound: read what follows with care".to_owned(),
        (true, true, _) => "The load was sound, but the run proves nothing".to_owned(),
        (true, false, _) => "The generator was healthy: what follows is the system's doing".to_owned(),
    }
}

/// Above the healing picture.
pub(super) fn healing(arm: &Arm, complete: bool) -> String {
    let reached = |kind: &str| arm.figures.healing.iter().find(|one| one.kind == kind && one.seconds.is_some());
    let of = |kind: &str| arm.figures.healing.iter().find(|one| one.kind == kind);
    let time = |seconds: Option<f64>| seconds.map(number::duration).unwrap_or_default();
    if !complete && arm.totals.is_empty() {
        return "What each instance was offered until the run was cut".to_owned();
    }
    if arm.offers.iter().all(|offers| offers.offered.is_empty()) {
        return "What each instance was offered is not known".to_owned();
    }
    if let Some(several) = several_out(arm) {
        return several;
    }
    if let Some(out) = reached("ejected") {
        let back = reached("readmitted").filter(|one| one.subject == out.subject);
        let restarted = reached("restarted").filter(|one| one.subject == out.subject);
        return match (back, restarted) {
            (Some(back), _) => {
                let (subject, out, back) = (&out.subject, time(out.seconds), time(back.seconds));
                match cause::trials(arm).len() {
                    0 => format!("{subject} was out after {out} and back {back} after the fault ended"),
                    1 => format!(
                        "{subject} was out after {out}, back too early once, and for good {back} after the fault ended"
                    ),
                    many => format!(
                        "{subject} was out after {out}, back too early {many} times, and for good {back} after the fault ended"
                    ),
                }
            }
            (None, Some(restarted)) => format!(
                "{} was out after {}, restarted after {}",
                out.subject,
                time(out.seconds),
                time(restarted.seconds)
            ),
            (None, None) => format!("{} was out after {}", out.subject, time(out.seconds)),
        };
    }
    if let Some(one) = reached("rolled-back") {
        return format!("{} was taken back {} after its first bad answer", one.subject, time(one.seconds));
    }
    if let Some(one) = reached("restarted") {
        return format!("{} was restarted after {}", one.subject, time(one.seconds));
    }
    match of("ejected").or_else(|| of("rolled-back")).or_else(|| of("restarted")) {
        Some(one) => format!("{} stayed in rotation", one.subject),
        None if arm.faults.is_empty() => "Every instance stayed in rotation".to_owned(),
        None => "What each instance was offered".to_owned(),
    }
}

/// How many were out, and the one that took longest; None if there was at most one.
fn several_out(arm: &Arm) -> Option<String> {
    let of = |kind: &str| -> Vec<&crate::record::Figure> {
        arm.figures.healing.iter().filter(|one| one.kind == kind).collect()
    };
    let slowest = |figures: &[&crate::record::Figure]| {
        let timed = figures.iter().filter_map(|one| Some((one.seconds?, one.subject.clone())));
        timed.max_by(|one, other| one.0.total_cmp(&other.0))
    };
    let (asked, back) = (of("ejected"), of("readmitted"));
    let out: Vec<_> = asked.iter().filter(|one| one.seconds.is_some()).collect();
    let (seconds, last) = slowest(&asked).filter(|_| out.len() > 1)?;
    let who = if out.len() == asked.len() { String::new() } else { format!(" of {}", asked.len()) };
    let returned = back.iter().filter(|one| one.seconds.is_some()).count();
    let then = match slowest(&back) {
        Some((seconds, last)) if returned == out.len() => {
            format!(", and all were back, {last} last, {} after its fault ended", number::duration(seconds))
        }
        Some(_) if returned == 1 => ", and one was back".to_owned(),
        Some(_) => format!(", and {} were back", words(returned).to_lowercase()),
        None => String::new(),
    };
    Some(format!(
        "{}{who} instances were out, {last} last, after {}{then}",
        words(out.len()),
        number::duration(seconds)
    ))
}

/// Above the outcomes.
pub(super) fn outcomes(arm: &Arm, complete: bool) -> String {
    let sum = |pick: fn(&crate::record::Outcomes) -> &Vec<u32>| -> u64 {
        arm.outcomes.iter().flat_map(pick).map(|count| u64::from(*count)).sum()
    };
    let planned = sum(|one| &one.planned);
    // Told by the generator itself where it was: what was released in time.
    let generator = &arm.generator;
    let sent = if generator.planned > 0 { generator.offered.min(planned) } else { sum(|one| &one.sent) };
    let lost = lost(arm);
    let rate = if arm.outcomes.is_empty() && generator.planned == 0 {
        "What became of the requests is not known".to_owned()
    } else if planned > 0 && !complete && arm.totals.is_empty() {
        "Until the run was cut the load ran".to_owned()
    } else if planned == 0 {
        "Nothing was sent".to_owned()
    } else if sent as f64 >= planned as f64 * 0.999 {
        "The load kept its rate".to_owned()
    } else {
        format!("{} of {} planned requests were sent", number::count(sent), number::count(planned))
    };
    let all: u64 = lost.iter().sum();
    match spells(&lost).len() {
        _ if planned == 0 => rate,
        0 => format!("{rate}, and nothing was lost"),
        1 => format!("{rate}; {} requests were lost in one spell", number::count(all)),
        n => format!("{rate}; {} requests were lost in {n} spells", number::count(all)),
    }
}

/// Above the latencies.
pub(super) fn latency(arm: &Arm) -> String {
    let p99 = |name: &str| arm.totals_of(name, None).and_then(|totals| totals.response.get("p99")).copied();
    let judged: Vec<_> = arm.phases.iter().filter(|phase| phase.judged).collect();
    // The phase that hurt most says most.
    let broken = judged
        .iter()
        .skip(1)
        .max_by(|one, other| p99(&one.name).unwrap_or(0.0).total_cmp(&p99(&other.name).unwrap_or(0.0)));
    let millis = |value: f64| number::duration(value / 1e3);
    match (judged.first(), broken) {
        (Some(first), Some(broken)) if lost_beyond_p99(arm, &broken.name) => format!(
            "In {} more than 1 of 100 requests was lost, and counts as its time-out{}",
            broken.name,
            p99(&first.name).map_or_else(String::new, |calm| format!(
                "; 99 of 100 took at most {} in {}",
                millis(calm),
                first.name
            ))
        ),
        (Some(first), Some(broken)) => match (p99(&first.name), p99(&broken.name)) {
            (Some(calm), Some(hurt)) => {
                format!(
                    "99 of 100 requests took at most {} in {}, {} in {}",
                    millis(calm),
                    first.name,
                    millis(hurt),
                    broken.name
                )
            }
            _ => "How long clients waited".to_owned(),
        },
        (Some(first), _) => p99(&first.name).map_or_else(
            || "How long clients waited".to_owned(),
            |calm| format!("99 of 100 requests took at most {} in {}", millis(calm), first.name),
        ),
        _ => "How long clients waited".to_owned(),
    }
}

/// Losses reach the 99th percentile of a phase.
fn lost_beyond_p99(arm: &Arm, phase: &str) -> bool {
    arm.totals_of(phase, None).is_some_and(|totals| totals.lost * 100 > totals.planned)
}

/// Above the control.
pub(super) fn control(record: &Record, control: &Arm) -> String {
    let lost: u64 = lost(control).iter().sum();
    let taken = if control.policies.is_empty() { "Without healing" } else { "Under other policies" };
    match record.control {
        Some(Verdict::Fail) if lost > 0 => {
            format!("{taken} {} were lost, so the scenario can tell", number::count(lost))
        }
        Some(Verdict::Fail) => format!("{taken} it fails, so the scenario can tell"),
        Some(Verdict::Pass) => format!("{taken} it passes too, so the scenario proves nothing"),
        Some(other) => format!("The control is {other}, so it shows nothing"),
        None => "The control was not judged".to_owned(),
    }
}

/// An arm of the run is there to be shown.
pub(super) fn main_arm(record: &Record) -> Option<&Arm> {
    main(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdicts_word_stands_once() {
        let reason = |verdict, text: &str| Reason { verdict, code: "x".to_owned(), text: text.to_owned() };
        assert_eq!(plain(&reason(Verdict::Fail, "FAIL: 3 were lost.")), "3 were lost.");
        assert_eq!(plain(&reason(Verdict::Pass, "held")), "held");
        assert_eq!([0, 1, 9, 12].map(words), ["No", "One", "Nine", "12"]);
    }
}
