//! The frame of every picture over time: the same left edge, scale, phases and fault band, so that the eye can go straight down.

use super::labels;
use super::scale;
use super::svg::{Hatch, Paint, Svg, Type};
use super::theme::Token;
use crate::record::{Arm, EventKind, FaultSpan, Micros, SLOT};

/// For which page a picture is drawn; type has the same size on both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Width {
    /// 1120 pixels.
    Wide,
    /// 358 pixels.
    Narrow,
}

impl Width {
    /// Pixels.
    pub fn pixels(self) -> f64 {
        match self {
            Self::Wide => 1120.0,
            Self::Narrow => 358.0,
        }
    }

    /// Is it for a phone?
    pub fn narrow(self) -> bool {
        self == Self::Narrow
    }

    /// The end of an id.
    pub fn letter(self) -> &'static str {
        match self {
            Self::Wide => "w",
            Self::Narrow => "n",
        }
    }
}

/// A stretch of time laid over a stretch of pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeFrame {
    /// First instant.
    pub from: Micros,
    /// Last instant.
    pub to: Micros,
    /// Left edge of the plot.
    pub left: f64,
    /// Right edge of the plot.
    pub right: f64,
}

/// A fault's kinds and instances that began and ended together.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// When the first of them acted.
    pub from: Micros,
    /// When the last was cleared.
    pub to: Micros,
    /// What it says.
    pub label: String,
    /// The instances that it is on.
    pub instances: Vec<usize>,
}

/// Height of a bar that names a fault, with the room about it.
const BAR: f64 = 16.0;

impl TimeFrame {
    /// The whole run of an arm, as all pictures over time have it.
    pub fn of(arm: &Arm, width: Width) -> Self {
        let (left, right) = match width {
            Width::Wide => (132.0, 1012.0),
            Width::Narrow => (48.0, 350.0),
        };
        Self { from: 0, to: end(arm), left, right }
    }

    /// Where an instant stands; instants outside stand at the edges.
    pub fn x(&self, at: Micros) -> f64 {
        let share = (at.clamp(self.from, self.to) - self.from) as f64 / (self.to - self.from).max(1) as f64;
        self.left + share * (self.right - self.left)
    }

    /// Where a slot of `step` begins; the last one ends with the plot.
    pub fn slice(&self, number: usize, step: usize) -> f64 {
        self.x((number * step) as Micros * SLOT)
    }

    /// Says to scripts where time is.
    pub fn tell(&self, svg: &mut Svg) {
        svg.data("time", &format!("{} {} {:.1} {:.1}", self.from, self.to, self.left, self.right));
    }

    /// Names the phases above the plot, and draws a bar for each fault; gives the height that it took from `top`.
    pub fn header(&self, svg: &mut Svg, arm: &Arm, top: f64) -> f64 {
        let bands = bands(arm);
        let height = Self::header_height(arm);
        let rule = top + height - 1.0;
        svg.line((self.left, rule), (self.right, rule), Paint::stroke(Token::Grid, 1.0));
        let mut spans = Vec::new();
        let mut names = Vec::new();
        for phase in arm.phases.iter().filter(|phase| phase.to > self.from && phase.from < self.to) {
            let (from, to) = (self.x(phase.from), self.x(phase.to));
            let text = Type::SMALL.fitted(&phase.name, to - from - 6.0);
            // A stump of a name says less than none.
            if text == phase.name || text.chars().count() > 7 {
                spans.push((from + 3.0, from + 3.0 + Type::SMALL.width(&text)));
                names.push((from + 3.0, text));
            }
            if phase.from > self.from {
                svg.line((from, top + 4.0), (from, rule), Paint::stroke(Token::Line, 1.0));
            }
        }
        let free = labels::in_line(&spans, 4.0);
        for ((x, name), _) in names.into_iter().zip(free).filter(|(_, free)| *free) {
            svg.text(x, top + 12.0, &name, Type::SMALL);
        }
        for (number, band) in bands.iter().enumerate() {
            let y = top + BAR * (number as f64 + 1.0);
            let (from, to) = (self.x(band.from), self.x(band.to).max(self.x(band.from) + 2.0));
            svg.rect(from, y + BAR - 2.5, (to - from, 2.5), Paint::fill(Token::FaultLine));
            let style = Type { size: 11.5, ..Type::BOLD };
            let room = (self.right - from).max(from - self.left) - 4.0;
            let text = style.fitted(&band.label, room);
            // A label begins with its bar, or ends with the plot where the bar is near its end.
            if from + style.width(&text) > self.right {
                svg.text(self.right, y + 10.0, &text, style.end());
            } else {
                svg.text(from, y + 10.0, &text, style);
            }
        }
        height
    }

    /// Height that [`TimeFrame::header`] takes.
    pub fn header_height(arm: &Arm) -> f64 {
        BAR * (bands(arm).len() as f64 + 1.0) + 1.0
    }

    /// The fault bands behind a plot from `top` to `bottom`.
    pub fn bands(&self, svg: &mut Svg, arm: &Arm, (top, bottom): (f64, f64)) {
        for (begin, end) in veils(arm).into_iter().filter(|(begin, end)| *end > self.from && *begin < self.to) {
            let (from, to) = (self.x(begin), self.x(end));
            svg.rect(from, top, ((to - from).max(1.0), bottom - top), Paint::fill(Token::Fault));
            let edge = Paint::stroke(Token::FaultLine, 1.0);
            for (at, x) in [(begin, from), (end, to)] {
                if at >= self.from && at < self.to {
                    svg.line((x, top), (x, bottom), edge);
                }
            }
        }
    }

    /// Hatches the row of an instance for as long as a fault is on it.
    pub fn hatch(&self, svg: &mut Svg, arm: &Arm, instance: usize, (top, bottom): (f64, f64)) {
        for fault in faults(arm).iter().filter(|fault| fault.instance == instance) {
            let (from, to) = span(arm, fault);
            if to > self.from && from < self.to {
                let (from, to) = (self.x(from), self.x(to));
                svg.rect(from, top, ((to - from).max(1.0), bottom - top), Paint::hatch(Hatch::Fault));
            }
        }
    }

    /// What was never counted stays empty, and says so.
    pub fn missing(&self, svg: &mut Svg, slots: usize, (top, bottom): (f64, f64)) {
        let from = self.x(slots as Micros * SLOT);
        if self.right - from > 4.0 {
            svg.rect(from, top, (self.right - from, bottom - top), Paint::fill(Token::Bg));
            svg.line((from, top), (from, bottom), Paint::stroke(Token::Ink3, 1.0).dash("2 3"));
            let text = "no data";
            if self.right - from > Type::SMALL.width(text) + 6.0 {
                svg.text(f64::midpoint(from, self.right), bottom - 6.0, text, Type::SMALL.middle());
            }
        }
    }

    /// The axis at `y`, with labels below: takes 20 pixels.
    pub fn axis(&self, svg: &mut Svg, y: f64) {
        svg.axis(y, |svg| self.ticks(svg, y));
    }

    fn ticks(&self, svg: &mut Svg, y: f64) {
        let axis = Paint::stroke(Token::Ink3, 1.0);
        svg.line((self.left, y), (self.right, y), axis);
        let most = ((self.right - self.left) / 52.0).max(2.0) as usize;
        let ticks = scale::time_ticks(self.from, self.to, most);
        for (number, at) in ticks.iter().enumerate() {
            let x = self.x(*at);
            svg.line((x, y), (x, y + 4.0), axis);
            let text = scale::time_label(*at, number == 0);
            let half = Type::SMALL.width(&text) / 2.0;
            let style = match number {
                0 if x - half < self.left => Type::SMALL,
                _ if x + half > self.right => Type::SMALL.end(),
                _ => Type::SMALL.middle(),
            };
            svg.text(x, y + 17.0, &text, style);
        }
    }
}

/// When the last phase ends, or the last slot that was counted.
pub fn end(arm: &Arm) -> Micros {
    let counted = arm.outcomes.iter().map(|outcomes| outcomes.planned.len() as Micros * SLOT).max().unwrap_or(0);
    arm.phases.last().map_or(counted, |phase| phase.to).max(SLOT)
}

/// When the counts of an arm end: before its last phase does if the run was cut.
pub fn counted(arm: &Arm) -> Micros {
    let slots = arm.outcomes.iter().map(|outcomes| outcomes.planned.len());
    let slots = slots.chain(arm.offers.iter().map(|offers| offers.offered.len())).max().unwrap_or(0);
    (slots as Micros * SLOT).min(end(arm))
}

/// The faults of an arm; those of a cut run, which were never told to the end, from what happened.
pub fn faults(arm: &Arm) -> Vec<FaultSpan> {
    let mut faults = arm.faults.clone();
    for event in arm.events.iter().filter(|event| event.kind == EventKind::FaultAsked) {
        let Some(instance) = arm.instances.iter().position(|instance| instance.name == event.subject) else { continue };
        let told = |fault: &FaultSpan| fault.instance == instance && (fault.asked - event.at).abs() < 100_000;
        if arm.faults.iter().any(told) {
            continue;
        }
        let later = |kind: EventKind| {
            let same = arm.events.iter().filter(|other| other.kind == kind && other.subject == event.subject);
            same.map(|other| other.at).find(|at| *at >= event.at)
        };
        faults.push(FaultSpan {
            kind: event.text.split(' ').next().unwrap_or_default().to_owned(),
            what: event.text.clone(),
            instance,
            phase: arm.phases.iter().rposition(|phase| phase.from <= event.at).unwrap_or(0),
            asked: event.at,
            effect: later(EventKind::FaultEffect),
            cleared: later(EventKind::FaultCleared),
            harmed: 0,
            victims: Vec::new(),
        });
    }
    faults
}

/// When a fault was on: from its effect, or from when it was asked for, until it was cleared or the arm ended.
pub fn span(arm: &Arm, fault: &FaultSpan) -> (Micros, Micros) {
    let end = match counted(arm) {
        0 => end(arm),
        counted => counted,
    };
    let from = fault.effect.unwrap_or(fault.asked).clamp(0, end);
    (from, fault.cleared.unwrap_or(end).clamp(from, end))
}

/// When any fault was on, each stretch once: veils over each other would look like something worse.
fn veils(arm: &Arm) -> Vec<(Micros, Micros)> {
    let mut spans: Vec<(Micros, Micros)> = bands(arm).into_iter().map(|band| (band.from, band.to)).collect();
    spans.sort_unstable();
    let mut veils: Vec<(Micros, Micros)> = Vec::new();
    for (from, to) in spans {
        match veils.last_mut().filter(|last| from <= last.1) {
            Some(last) => last.1 = last.1.max(to),
            None => veils.push((from, to)),
        }
    }
    veils
}

/// The faults of an arm, those of one kind and phase together.
pub fn bands(arm: &Arm) -> Vec<Band> {
    let faults = faults(arm);
    let mut bands: Vec<(usize, &str, Band)> = Vec::new();
    for fault in &faults {
        let (from, to) = span(arm, fault);
        let same = bands.iter_mut().find(|(phase, kind, _)| *phase == fault.phase && *kind == fault.kind);
        let Some((_, _, band)) = same else {
            let band = Band { from, to, label: fault.what.clone(), instances: vec![fault.instance] };
            bands.push((fault.phase, &fault.kind, band));
            continue;
        };
        band.from = band.from.min(from);
        band.to = band.to.max(to);
        if !band.instances.contains(&fault.instance) {
            let first = band.label.split(" and ").next().unwrap_or_default();
            band.label = format!("{first} and {} more", band.instances.len());
            band.instances.push(fault.instance);
        }
    }
    bands.into_iter().map(|(_, _, band)| band).collect()
}
