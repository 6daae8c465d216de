//! Small pictures for overviews: a scenario at one look, a mark a night, a figure in steps.
//!
//! Each carries light colours as presentation attributes, so that it reads where styles are forbidden, and classes by which a
//! page gives it its own.

use crate::digest::main_arm;
use crate::escape::markup;
use crate::record::{Arm, EventKind, Micros, Record, SLOT, Verdict};
use crate::words;
use std::fmt::Write;

/// Width of the picture of a scenario of middling length, and of the longest.
const USUAL: f64 = 232.0;
const WIDEST: f64 = 260.0;
/// Height above and below the line.
const UP: f64 = 26.0;
const DOWN: f64 = 20.0;
/// Least width of a bar.
const BAR: f64 = 1.6;

/// The scale that all pictures of a page share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    /// Pixels a second.
    per_second: f64,
    /// Slots in a bar.
    each: usize,
    /// Seconds of the run of middling length.
    middle: f64,
    /// How many times the usual arrivals fill the height above the line.
    up: f64,
}

impl Scale {
    /// For all these records.
    pub(crate) fn of<'a>(records: impl Iterator<Item = &'a Record>) -> Self {
        let pictured: Vec<Pictured<'_>> = records.filter_map(|record| Pictured::of(main_arm(record)?)).collect();
        let mut lengths: Vec<f64> = pictured.iter().map(Pictured::seconds).collect();
        lengths.sort_by(f64::total_cmp);
        let middle = lengths.get(lengths.len() / 2).copied().unwrap_or(1.0).max(1.0);
        let alike = lengths.iter().filter(|seconds| !is_unlike(**seconds, middle));
        let longest = alike.copied().fold(1.0, f64::max);
        let mut scale = Self { per_second: 1.0, each: 1, up: 1.0, middle };
        scale.stretch((USUAL / middle).min(WIDEST / longest));
        let most = pictured.iter().flat_map(|one| one.usual(scale.fitting(one.seconds()).each)).fold(0.0, f64::max);
        scale.up = (most * 10.0).ceil().clamp(10.0, 20.0) / 10.0;
        scale
    }

    fn stretch(&mut self, per_second: f64) {
        self.per_second = per_second;
        self.each = ((BAR / per_second) * 1e6 / SLOT as f64).ceil().max(1.0) as usize;
    }

    /// This scale, or one in time of its own for a run that is much longer or shorter than the others.
    fn fitting(mut self, seconds: f64) -> Self {
        if is_unlike(seconds, self.middle) {
            self.stretch(USUAL / seconds.max(0.1));
        }
        self
    }

    /// Says how long a run is that has a scale in time of its own.
    pub(crate) fn own(&self, arm: &Arm) -> Option<String> {
        let seconds = Pictured::of(arm)?.seconds();
        is_unlike(seconds, self.middle).then(|| format!("{} in all", words::seconds(seconds)))
    }

    /// How high and how deep the pictures reach.
    pub(crate) fn text(&self) -> String {
        format!("up to {} of the usual share, down to 100 % of the requests due", words::percent(self.up))
    }
}

/// How many times as long or as short a run is that has a scale in time of its own.
const UNLIKE: f64 = 5.0;

fn is_unlike(seconds: f64, middle: f64) -> bool {
    seconds > middle * UNLIKE || seconds * UNLIKE < middle
}

/// The counts of one picture, by slot.
pub(crate) struct Pictured<'a> {
    arm: &'a Arm,
    planned: Vec<u32>,
    /// At what a fault is on; at all instances where there is none.
    pub(crate) arrivals: Vec<u32>,
    /// By due time.
    pub(crate) lost: Vec<u32>,
}

impl<'a> Pictured<'a> {
    /// Of an arm, if anything was counted in it.
    pub(crate) fn of(arm: &'a Arm) -> Option<Self> {
        let slots = arm.outcomes.iter().map(|outcomes| outcomes.planned.len()).max().filter(|slots| *slots > 0)?;
        let mut pictured = Self { arm, planned: vec![0; slots], arrivals: vec![0; slots], lost: vec![0; slots] };
        for outcomes in &arm.outcomes {
            add(&mut pictured.planned, &outcomes.planned);
            add(&mut pictured.lost, &outcomes.lost());
        }
        let is_faulty = |instance: usize| arm.faults.iter().any(|fault| fault.instance == instance);
        let any_faulty = !arm.faults.is_empty();
        for offers in arm.offers.iter().filter(|offers| !any_faulty || is_faulty(offers.instance)) {
            add(&mut pictured.arrivals, &offers.offered);
        }
        Some(pictured)
    }

    pub(crate) fn seconds(&self) -> f64 {
        (self.planned.len() as Micros * SLOT) as f64 / 1e6
    }

    /// Counts as share of the requests due, a bar of so many slots each.
    fn shares(&self, counts: &[u32], each: usize) -> Vec<f64> {
        let sums = counts.chunks(each).zip(self.planned.chunks(each));
        sums.map(|(counts, due)| {
            let (counts, due): (u32, u32) = (counts.iter().sum(), due.iter().sum());
            if due == 0 { 0.0 } else { f64::from(counts) / f64::from(due) }
        })
        .collect()
    }

    /// Arrivals as part of the requests due, by what is usual before anything is broken: 1 is as always, 0 is silence.
    fn usual(&self, each: usize) -> Vec<f64> {
        let slot = |at: Micros| usize::try_from(at / SLOT).unwrap_or(0).min(self.planned.len());
        let baseline =
            self.arm.phases.iter().find(|phase| phase.judged).map_or(0..0, |first| slot(first.from)..slot(first.to));
        let sum = |counts: &[u32]| counts.iter().map(|count| u64::from(*count)).sum::<u64>() as f64;
        let usual = sum(&self.arrivals[baseline.clone()]) / sum(&self.planned[baseline]).max(1.0);
        let shares = self.shares(&self.arrivals, each);
        // Where nothing arrived in the baseline nothing is usual, and shares stand for themselves.
        shares.into_iter().map(|share| if usual > 0.0 { share / usual } else { share }).collect()
    }

    /// When something was broken: each fault by its effect, each release from its first step until it was taken back.
    pub(crate) fn bands(&self) -> Vec<(Micros, Micros)> {
        let end = self.planned.len() as Micros * SLOT;
        let mut bands: Vec<(Micros, Micros)> = self
            .arm
            .faults
            .iter()
            .filter_map(|fault| Some((fault.effect?.clamp(0, end), fault.cleared.unwrap_or(end).clamp(0, end))))
            .collect();
        let first = |kind| self.arm.events.iter().find(|event| event.kind == kind).map(|event| event.at.clamp(0, end));
        bands.extend(first(EventKind::Release).map(|from| (from, first(EventKind::RolledBack).unwrap_or(end))));
        bands.sort_unstable();
        let mut joined: Vec<(Micros, Micros)> = Vec::new();
        for (from, to) in bands {
            match joined.last_mut().filter(|last| from <= last.1) {
                Some(last) => last.1 = last.1.max(to),
                None => joined.push((from, to)),
            }
        }
        joined
    }

    /// Whose arrivals these are.
    pub(crate) fn whom(&self) -> String {
        let faulty =
            (0..self.arm.instances.len()).filter(|at| self.arm.faults.iter().any(|fault| fault.instance == *at));
        let names: Vec<_> = faulty.map(|instance| self.arm.instances[instance].name.as_str()).collect();
        if names.is_empty() { "all instances".to_owned() } else { names.join(", ") }
    }

    fn label(&self) -> String {
        let lost: u64 = self.lost.iter().map(|count| u64::from(*count)).sum();
        let whom = self.whom();
        format!(
            "Over {:.0} s: arrivals at {whom} upwards, {} lost requests downwards",
            self.seconds(),
            words::count(lost)
        )
    }
}

fn add(sums: &mut [u32], counts: &[u32]) {
    sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
}

/// A scenario at one look: arrivals at what is faulty upwards, losses downwards, the fault behind them. Nothing, if nothing
/// was counted.
pub(crate) fn scenario(arm: &Arm, scale: &Scale) -> Option<String> {
    let pictured = Pictured::of(arm)?;
    let scale = &scale.fitting(pictured.seconds());
    let width = (pictured.seconds() * scale.per_second).max(2.0);
    let height = UP + DOWN;
    let x = |at: Micros| at as f64 / 1e6 * scale.per_second;
    let mut svg = String::new();
    let w = &mut svg;
    // Writing to a string cannot fail.
    let _ = write!(
        w,
        r#"<svg viewBox="0 0 {width:.1} {height}" width="{width:.1}" height="{height}" role="img" aria-label="{}">"#,
        markup(&pictured.label())
    );
    for (from, to) in pictured.bands() {
        let (from, to) = (x(from), x(to).max(x(from) + 1.0));
        let _ = write!(
            w,
            r##"<rect x="{from:.1}" y="0" width="{:.1}" height="{height}" class="fb" fill="#f0e442" fill-opacity="0.22"/><path d="M{from:.1} 0V{height}M{to:.1} 0V{height}" class="fl" stroke="#8c8000" fill="none"/>"##,
            to - from
        );
    }
    let arrivals = bars(&pictured.usual(scale.each), scale, |times| UP - (times / scale.up).min(1.0) * UP);
    let lost = bars(&pictured.shares(&pictured.lost, scale.each), scale, |share| UP + share.min(1.0) * DOWN);
    let _ = write!(
        w,
        r##"<path d="{arrivals}" class="ok" fill="#7d96aa"/><path d="{lost}" class="lost" fill="#d55e00"/><path d="M0 {UP}H{width:.1}" class="ax" stroke="#697077" fill="none"/></svg>"##
    );
    Some(svg)
}

/// The outline of bars on the line; equal neighbours share theirs.
fn bars(shares: &[f64], scale: &Scale, y: impl Fn(f64) -> f64) -> String {
    let bar = (scale.each as Micros * SLOT) as f64 / 1e6 * scale.per_second;
    let mut path = String::new();
    let mut last = None;
    for (number, share) in shares.iter().enumerate() {
        let top = format!("{:.1}", if *share > 0.0 { nearly(y(*share)) } else { UP });
        if last.as_ref() != Some(&top) {
            if last.is_none() {
                let _ = write!(path, "M0 {UP}");
            }
            let _ = write!(path, "H{:.1}V{top}", number as f64 * bar);
            last = Some(top);
        }
    }
    if last.is_some() {
        let _ = write!(path, "H{:.1}V{UP}Z", shares.len() as f64 * bar);
    }
    path
}

/// A little is never drawn as nothing.
fn nearly(y: f64) -> f64 {
    if (y - UP).abs() >= 1.0 { y } else { UP + (y - UP).signum() }
}

/// Most width of a night, and of all of them in a strip or in steps.
const NIGHT: f64 = 9.0;
const STRIP_WIDTH: f64 = 200.0;
const STEPS_WIDTH: f64 = 120.0;
/// Height of a strip.
const STRIP: f64 = 20.0;

/// Width of one of so many nights.
fn night_of(number: usize, room: f64) -> f64 {
    (room / number.max(1) as f64).clamp(1.5, NIGHT)
}

/// One night of a strip.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Night<'a> {
    /// What it is called.
    pub(crate) name: &'a str,
    /// Its verdict and its page; absent if it was not run.
    pub(crate) verdict: Option<(Verdict, String)>,
}

/// A mark a night, oldest first: a dot for PASS, a tall bar for FAIL, hollow for what proves nothing, a gap for no run.
pub(crate) fn nights(nights: &[Night<'_>]) -> String {
    let each = night_of(nights.len(), STRIP_WIDTH);
    let width = nights.len() as f64 * each + 2.0;
    let mut svg = String::new();
    let words: Vec<String> = nights
        .iter()
        .map(|night| night.verdict.as_ref().map_or("no run".to_owned(), |(verdict, _)| verdict.to_string()))
        .collect();
    let _ = write!(
        svg,
        r#"<svg viewBox="0 0 {width:.1} {STRIP}" width="{width:.1}" height="{STRIP}" role="group" aria-label="oldest first: {}">"#,
        markup(&words.join(", "))
    );
    for (number, night) in nights.iter().enumerate() {
        let Some((verdict, link)) = &night.verdict else { continue };
        let x = number as f64 * each + each / 2.0 + 1.0;
        let half = (each * 0.28).clamp(0.6, 2.5);
        let mark = match verdict {
            Verdict::Pass => {
                format!(r##"<circle cx="{x:.1}" cy="10" r="{:.1}" class="heal" fill="#009e73"/>"##, half.min(2.0))
            }
            Verdict::Fail => {
                format!(
                    r##"<rect x="{:.1}" y="2" width="{:.1}" height="16" class="lost" fill="#d55e00"/>"##,
                    x - half.min(2.0),
                    half.min(2.0) * 2.0
                )
            }
            Verdict::Invalid => hollow(x, half, "said", "#a2437f"),
            Verdict::Inconclusive => hollow(x, half, "warn", "#c88500"),
            Verdict::Error | Verdict::Aborted => format!(
                r##"<path d="M{:.1} 6.5l{w:.1} 7m0 -7l-{w:.1} 7" class="lostl" fill="none" stroke="#d55e00" stroke-width="{:.1}"/>"##,
                x - half * 1.2,
                half * 0.8,
                w = half * 2.4
            ),
        };
        let _ = write!(
            svg,
            r##"<a href="{}"><title>{}: {verdict}</title><rect x="{:.1}" y="0" width="{each:.1}" height="{STRIP}" class="hit" fill="#ffffff" fill-opacity="0"/>{mark}</a>"##,
            markup(link),
            markup(night.name),
            x - each / 2.0
        );
    }
    svg.push_str("</svg>");
    svg
}

fn hollow(x: f64, half: f64, class: &str, colour: &str) -> String {
    format!(
        r#"<rect x="{:.1}" y="6" width="{:.1}" height="8" class="{class}o" fill="none" stroke="{colour}" stroke-width="{:.1}"/>"#,
        x - half,
        half * 2.0,
        half * 0.56
    )
}

/// Height of a figure in steps.
const STEPS: f64 = 30.0;

/// A figure night by night, from zero, as a step each: it holds for its night, and nothing lies between two.
pub(crate) fn steps(values: &[Option<f64>], label: &str) -> String {
    let each = night_of(values.len(), STEPS_WIDTH);
    let width = values.len() as f64 * each + 2.0;
    let most = values.iter().flatten().copied().fold(0.0, f64::max);
    let y = |value: f64| if most > 0.0 { STEPS - 2.0 - value / most * (STEPS - 4.0) } else { STEPS - 2.0 };
    let mut path = String::new();
    let mut broken = true;
    for (number, value) in values.iter().enumerate() {
        let Some(value) = value else {
            broken = true;
            continue;
        };
        let (from, to) = (number as f64 * each + 1.0, (number + 1) as f64 * each + 1.0);
        if broken {
            let _ = write!(path, "M{from:.1} {:.1}H{to:.1}", y(*value));
        } else {
            let _ = write!(path, "V{:.1}H{to:.1}", y(*value));
        }
        broken = false;
    }
    let last = values.last().copied().flatten().map(|value| {
        let x = values.len() as f64 * each + 1.0 - each / 2.0;
        format!(r##"<circle cx="{x:.1}" cy="{:.1}" r="2.6" class="ink" fill="#16191c"/>"##, y(value))
    });
    format!(
        r##"<svg viewBox="0 0 {width:.1} {STEPS}" width="{width:.1}" height="{STEPS}" role="img" aria-label="{}"><path d="M0 {base}H{width:.1}" class="gr" stroke="#e5e6e1" fill="none"/><path d="{path}" class="step" stroke="#7d96aa" stroke-width="2" fill="none"/>{}</svg>"##,
        markup(label),
        last.unwrap_or_default(),
        base = STEPS - 1.0,
    )
}
