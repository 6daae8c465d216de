//! `report.html`: one scenario, from the verdict to the last event.

use super::parts::{Key, Pair, key};
use super::{filters, marked, parts, rows, story};
use crate::escape::visible;
use crate::plot::key::Sample;
use crate::plot::phases::curves;
use crate::plot::svg::Hatch;
use crate::plot::theme::{self, Token};
use crate::plot::{self, Side, Width, number};
use crate::record::{Arm, ArmKind, Outcome, Record, Verdict};
use askama::Template;
use serde_json::json;

/// Whose curve it is, beside those of the run.
const CONTROLS: &str = "control's";

#[derive(Template)]
#[template(path = "report.html")]
struct Report<'a> {
    record: &'a Record,
    theme: String,
    facts: String,
    headline: String,
    findings: Vec<String>,
    expectations: String,
    asked: Vec<rows::Asked<'a>>,
    control_row: Option<rows::ControlRow>,
    health_title: String,
    health: Vec<rows::Health>,
    lag: Option<Pair>,
    main: Option<Main<'a>>,
    control: Option<Control<'a>>,
    /// Sections of their own: pictures of a sweep, where the requests went, what each process took.
    sweep: Option<String>,
    topology: Option<String>,
    resources: Option<String>,
    cells: Vec<&'a Arm>,
    scenario: Vec<marked::Line>,
    policies: Vec<(&'a str, Vec<marked::Line>)>,
    command: String,
    earlier: Vec<&'a Arm>,
    /// Series for reading by pointer.
    data: String,
}

/// What is shown of the scenario as written.
struct Main<'a> {
    arm: &'a Arm,
    healing_title: String,
    slice: u64,
    narrow_slice: u64,
    even: bool,
    healing: Pair,
    healing_key: Vec<Key>,
    marks: Vec<(usize, String, String)>,
    moments: Vec<(String, Vec<usize>, Pair)>,
    moments_key: Vec<Key>,
    unmagnified: usize,
    outcomes_title: String,
    outcomes: Pair,
    outcomes_seconds: u64,
    outcomes_key: Vec<Key>,
    kinds: Vec<(String, u64)>,
    latency_title: String,
    latency: Pair,
    latency_seconds: i64,
    latency_key: Vec<Key>,
    phases: Option<Pair>,
    phases_key: Vec<Key>,
    happened: Vec<rows::Happened>,
    words_left_out: usize,
}

/// The control beside the run.
struct Control<'a> {
    arm: &'a Arm,
    title: String,
    picture: Pair,
    rows: Vec<rows::Beside>,
}

/// The page.
pub(super) fn report(record: &Record, command: String) -> Result<String, crate::artifacts::Error> {
    let current = || record.arms.iter().filter(|arm| !arm.superseded);
    let main = current().find(|arm| arm.kind == ArmKind::Main);
    let control = current().find(|arm| arm.kind == ArmKind::Control);
    let cells: Vec<&Arm> = current().filter(|arm| arm.kind == ArmKind::Cell).collect();
    let judged = main.or_else(|| cells.iter().copied().max_by_key(|arm| arm.generator.lag_p99));
    let health = judged.map(rows::health).unwrap_or_default();
    let sound = health.iter().all(|row| matches!(row.state.sign(), Verdict::Pass | Verdict::Inconclusive));
    let page = Report {
        record,
        theme: format!("{}{}", theme::variables(), theme::classes()),
        facts: facts(record, main),
        headline: story::headline(record),
        findings: story::findings(record),
        expectations: story::expectations(record),
        asked: rows::asked(&record.expectations),
        control_row: rows::control(record, control),
        health_title: story::health(record, sound),
        lag: judged.and_then(|arm| Pair::drawn(|width| plot::lag(arm, width))),
        health,
        main: main.map(|arm| shown(arm, control, record.complete)),
        control: main.zip(control).map(|(main, control)| Control {
            arm: control,
            title: story::control(record, control),
            picture: Pair::of(|width| beside(main, control, width)),
            rows: rows::beside(main, control),
        }),
        sweep: parts::searches(record)?.map_or_else(|| parts::sweep(record), |searches| Ok(Some(searches)))?,
        topology: main.map(parts::topology).transpose()?.flatten(),
        resources: main.map(parts::resources).transpose()?.flatten(),
        cells,
        scenario: marked::scenario(record),
        policies: record
            .scenario
            .policies
            .iter()
            .map(|file| (file.path.as_str(), marked::policy(&file.text)))
            .collect(),
        command,
        earlier: record.arms.iter().filter(|arm| arm.superseded).collect(),
        data: main.map(data).unwrap_or_default(),
    };
    Ok(page.render()?)
}

/// The control beside the run.
fn beside(main: &Arm, control: &Arm, width: Width) -> String {
    let note = match control.difference() {
        unknown if unknown.is_empty() => "healing removed".to_owned(),
        known => known,
    };
    let title = match &control.policies[..] {
        [] => "The same run with healing and without, at the same scales",
        _ => "The same run under two sets of policies, at the same scales",
    };
    let sides = [Side { arm: main, name: "as written", note: "" }, Side { arm: control, name: "control", note: &note }];
    plot::beside("control", title, sides, width)
}

/// What was run, in one line above the verdict.
fn facts(record: &Record, main: Option<&Arm>) -> String {
    let mut facts = Vec::new();
    if let Some(arm) = main {
        let seconds = plot::frame::end(arm) as f64 / 1e6;
        facts.push(format!("{} for {}", rows::loads(arm), number::duration(seconds)));
    }
    facts.push(record.run.started.chars().take(16).collect::<String>().replace('T', " ") + " UTC");
    facts.push(format!("seed {}", record.run.seed));
    let (number, of) = record.run.repetition;
    if of > 1 {
        facts.push(format!("repetition {number} of {of}"));
    }
    if record.run.quick {
        facts.push("quick: no control, never compared with others".to_owned());
    }
    facts.join(" · ")
}

fn shown<'a>(arm: &'a Arm, control: Option<&Arm>, complete: bool) -> Main<'a> {
    let (moments, unmagnified) = plot::moments(arm);
    let slice = |width| plot::healing::slice(arm, width) as u64 * 100;
    Main {
        arm,
        healing_title: story::healing(arm, complete),
        slice: slice(Width::Wide),
        narrow_slice: slice(Width::Narrow),
        even: arm.instances.iter().any(|instance| plot::healing::even_share(arm, instance).is_some()),
        healing: Pair::of(|width| plot::healing(arm, width)),
        healing_key: healing_key(arm),
        marks: arm
            .marks
            .iter()
            .enumerate()
            .map(|(number, mark)| (number + 1, story::upper(&plot::marks::label(arm, mark)), number::instant(mark.at)))
            .collect(),
        moments: moments
            .iter()
            .enumerate()
            .map(|(number, one)| {
                (one.title.clone(), one.numbers.clone(), Pair::of(|width| plot::moment(arm, one, number + 1, width)))
            })
            .collect(),
        moments_key: moments_key(),
        unmagnified,
        outcomes_title: story::outcomes(arm, complete),
        outcomes: Pair::of(|width| plot::outcomes(arm, width)),
        outcomes_seconds: plot::outcomes::slice_seconds(arm, Width::Wide),
        outcomes_key: outcomes_key(arm),
        kinds: plot::outcomes::kinds(arm),
        latency_title: story::latency(arm),
        latency: Pair::of(|width| plot::latency(arm, width)),
        latency_seconds: plot::latency::slice_seconds(arm, Width::Wide),
        latency_key: latency_key(arm),
        phases: Pair::drawn(|width| plot::phases(arm, control.map(|control| (CONTROLS, control)), width)),
        phases_key: phases_key(arm, control),
        happened: rows::happened(arm),
        words_left_out: rows::words_left_out(arm),
    }
}

fn healing_key(arm: &Arm) -> Vec<Key> {
    let mut entries = vec![(Some("served"), Sample::Area(Token::Ok), "reached the instance".to_owned())];
    let harmed = arm
        .offers
        .iter()
        .any(|one| one.withheld.values().flatten().chain(&one.cut).chain(&one.inferred).any(|count| *count > 0));
    let lost = story::lost(arm).iter().any(|count| *count > 0);
    if harmed || lost {
        let text = if harmed { "blocked by the fault, or cut; requests lost" } else { "requests lost" };
        entries.push((Some("harmed"), Sample::Hatched(Hatch::Lost), text.to_owned()));
    }
    if !plot::frame::faults(arm).is_empty() {
        entries.push((None, Sample::Edged(Token::Fault, Token::FaultLine), "a fault is on".to_owned()));
        entries.push((None, Sample::Framed(Hatch::Fault, Token::FaultLine), "the instance it is on".to_owned()));
    }
    entries.push((
        Some("said"),
        Sample::Area(Token::Said),
        if arm.said.is_empty() { "the proxy's own word: it said nothing" } else { "what the proxy says of itself" }
            .to_owned(),
    ));
    key("healing", entries)
}

fn moments_key() -> Vec<Key> {
    key(
        "moments",
        vec![
            (
                None,
                Sample::Line(Token::Ok, 1.4, None),
                "tick: an attempt; line: an answered request, from due to done".to_owned(),
            ),
            (None, Sample::Line(Token::Heal, 1.6, None), "answered by a later attempt".to_owned()),
            (None, Sample::Line(Token::Lost, 1.6, None), "blocked by the fault; lost".to_owned()),
        ],
    )
}

fn outcomes_key(arm: &Arm) -> Vec<Key> {
    let mut entries = vec![(Some("answered"), Sample::Area(Token::OkSoft), "answered".to_owned())];
    if arm.outcomes.iter().any(|one| one.by_outcome.contains_key(&Outcome::Degraded)) {
        entries.push((Some("degraded"), Sample::Area(Token::Warn), "answered, degraded".to_owned()));
    }
    entries.push((Some("lost"), Sample::Hatched(Hatch::Lost), "lost".to_owned()));
    entries.push((Some("sent"), Sample::Line(Token::Ink, 1.3, None), "sent".to_owned()));
    entries.push((Some("asked"), Sample::Line(Token::Ink3, 1.6, Some("2 3")), "asked".to_owned()));
    key("outcomes", entries)
}

fn latency_key(arm: &Arm) -> Vec<Key> {
    let mut entries = vec![
        (Some("p50"), Sample::Line(Token::Q50, 2.0, None), "p50".to_owned()),
        (Some("p90"), Sample::Line(Token::Q90, 2.0, None), "p90".to_owned()),
        (Some("p99"), Sample::Line(Token::Q99, 2.4, None), "p99, where 100 samples or more".to_owned()),
        (Some("max"), Sample::Ring, "largest".to_owned()),
    ];
    if arm
        .expectations
        .iter()
        .any(|one| [".p50", ".p90", ".p95", ".p99", ".max"].iter().any(|name| one.id.contains(name)))
    {
        entries.push((None, Sample::Line(Token::Lost, 1.3, Some("6 3")), "limit".to_owned()));
    }
    key("latency", entries)
}

fn phases_key(arm: &Arm, control: Option<&Arm>) -> Vec<Key> {
    let entry = |curve: plot::phases::Curve| match curve.stroke {
        Some(stroke) => (None, Sample::Stroke(stroke), format!("{}, {}", curve.name, number::count(curve.count))),
        None => (
            None,
            Sample::Framed(Hatch::Ink, Token::Line),
            format!("{}: {} requests, too few to draw", curve.name, number::count(curve.count)),
        ),
    };
    key("phases", curves(arm, control.map(|control| (CONTROLS, control))).into_iter().map(entry).collect())
}

/// What a pointer reads: one line a slice. In a script block, so no text may end it.
fn data(arm: &Arm) -> String {
    let seconds = plot::latency::slice_seconds(arm, Width::Wide).max(1);
    let slots = (seconds * 10) as usize;
    let count = (plot::frame::end(arm) / 100_000) as usize;
    let slices = count.div_ceil(slots);
    let sum = |series: &[u32]| plot::slices::sums(series, slots);
    let planned = arm.outcomes.iter().fold(vec![0u64; slices], |mut total, one| {
        total.iter_mut().zip(sum(&one.planned)).for_each(|(total, count)| *total += count);
        total
    });
    let lost = plot::slices::sums(&story::lost(arm).iter().map(|count| *count as u32).collect::<Vec<_>>(), slots);
    let arrivals: Vec<_> = arm
        .instances
        .iter()
        .enumerate()
        .map(|(number, instance)| {
            let offers = arm.offers.iter().find(|offers| offers.instance == number);
            json!({"name": visible(&instance.name), "offered": offers.map(|offers| sum(&offers.offered))})
        })
        .collect();
    let timed = plot::latency::read(arm, slices, seconds);
    json!({"seconds": seconds, "planned": planned, "lost": lost, "p50": timed[0], "p99": timed[1], "max": timed[2], "arrivals": arrivals})
        .to_string()
        .replace('<', "\\u003c")
}
