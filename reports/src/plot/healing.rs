//! The healing picture: what each instance was offered, when the fault was on, when it was out and back, and what was lost.

use super::escaped;
use super::palette::{BACKGROUND, FAULT, FAULT_EDGE, FONT, GRID, INK, LOST, OK, QUIET, SAID};
use crate::record::{Arm, Micros, SLOT, SaidKind};
use std::fmt::Write;

const WIDTH: f64 = 1120.0;
const LEFT: f64 = 132.0;
const RIGHT: f64 = 108.0;
const TOP: f64 = 64.0;
const ROW: f64 = 64.0;
const GAP: f64 = 18.0;
/// Most bars of one row; longer runs get wider bars.
const BARS: usize = 600;

struct Scale {
    from: Micros,
    to: Micros,
}

impl Scale {
    fn x(&self, at: Micros) -> f64 {
        LEFT + (at - self.from) as f64 / (self.to - self.from).max(1) as f64 * (WIDTH - LEFT - RIGHT)
    }
}

/// Draws the picture. Instances without counts are hatched as such, never drawn as zero.
pub fn healing(arm: &Arm) -> String {
    let slots = arm.outcomes.first().map_or(0, |outcomes| outcomes.planned.len());
    let end = arm.phases.last().map_or(1, |phase| phase.to);
    let scale = Scale { from: 0, to: end };
    let rows = arm.instances.len() + 1;
    let bottom = TOP + rows as f64 * (ROW + GAP);
    let height = bottom + 36.0;
    let mut svg = String::new();
    let w = &mut svg;
    let _ = write!(
        w,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" font-family="{FONT}" font-size="12.5" role="img"><title>Attempts offered to each instance, and requests lost, in 100 ms over time</title><defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line x1="0" y1="0" x2="0" y2="6" stroke="{FAULT_EDGE}" stroke-width="1" stroke-opacity="0.5"/></pattern></defs><rect width="{WIDTH}" height="{height}" fill="{BACKGROUND}"/>"#
    );
    phases(w, arm, &scale, bottom);
    faults(w, arm, &scale, bottom);
    let group = slots.div_ceil(BARS).max(1);
    let most = arm.offers.iter().flat_map(|offers| grouped(&offers.offered, group)).max().unwrap_or(1).max(1);
    for (row, instance) in arm.instances.iter().enumerate() {
        let y = TOP + row as f64 * (ROW + GAP);
        let offers = arm.offers.iter().find(|offers| offers.instance == row);
        let note = if instance.faulty { "faulty" } else { "never faulty" };
        label(w, y, &instance.name, note);
        match offers {
            Some(offers) => {
                bars(w, &scale, y, &grouped(&offers.offered, group), most, group, OK);
                let total: u64 = offers.offered.iter().map(|count| u64::from(*count)).sum();
                total_of(w, y, total, "offered");
            }
            None => {
                let _ = write!(
                    w,
                    r#"<rect x="{LEFT}" y="{y}" width="{}" height="{ROW}" fill="{GRID}"/><text x="{}" y="{}" fill="{QUIET}">no counts</text>"#,
                    WIDTH - LEFT - RIGHT,
                    LEFT + 8.0,
                    y + ROW / 2.0
                );
            }
        }
        said(w, arm, &scale, row, y + ROW + 3.0, end);
    }
    let y = TOP + arm.instances.len() as f64 * (ROW + GAP);
    let mut lost = vec![0; slots];
    for outcomes in &arm.outcomes {
        lost.iter_mut().zip(outcomes.lost()).for_each(|(sum, count)| *sum += count);
    }
    label(w, y, "requests lost", "by due time");
    let lost_groups = grouped(&lost, group);
    let most_lost = lost_groups.iter().copied().max().unwrap_or(0).max(most / 4).max(1);
    bars(w, &scale, y, &lost_groups, most_lost, group, LOST);
    total_of(w, y, lost.iter().map(|count| u64::from(*count)).sum(), "lost");
    marks(w, arm, &scale, bottom);
    axis(w, &scale, bottom);
    svg.push_str("</svg>\n");
    svg
}

fn grouped(series: &[u32], group: usize) -> Vec<u32> {
    series.chunks(group).map(|chunk| chunk.iter().sum()).collect()
}

fn label(w: &mut String, y: f64, name: &str, note: &str) {
    let _ = write!(
        w,
        r#"<text x="{0}" y="{1}" text-anchor="end" fill="{INK}" font-weight="bold">{2}</text><text x="{0}" y="{3}" text-anchor="end" fill="{QUIET}" font-size="11.5">{4}</text>"#,
        LEFT - 12.0,
        y + 24.0,
        escaped(name),
        y + 40.0,
        escaped(note)
    );
}

fn total_of(w: &mut String, y: f64, total: u64, what: &str) {
    let _ = write!(
        w,
        r#"<text x="{0}" y="{1}" fill="{INK}" font-weight="bold">{total}</text><text x="{0}" y="{2}" fill="{QUIET}" font-size="11.5">{what}</text>"#,
        WIDTH - RIGHT + 12.0,
        y + 24.0,
        y + 40.0
    );
}

/// All bars of a row in one path.
fn bars(w: &mut String, scale: &Scale, y: f64, counts: &[u32], most: u32, group: usize, colour: &str) {
    let base = y + ROW;
    let mut path = String::new();
    for (number, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let from = scale.x((number * group) as Micros * SLOT);
        let to = scale.x(((number + 1) * group) as Micros * SLOT).min(WIDTH - RIGHT);
        let height = f64::from(*count) / f64::from(most) * ROW;
        let _ = write!(path, "M{from:.1} {base:.1}V{:.1}H{:.1}V{base:.1}Z", base - height, (to - 0.4).max(from + 0.4));
    }
    let _ = write!(
        w,
        r#"<line x1="{LEFT}" y1="{base}" x2="{}" y2="{base}" stroke="{GRID}"/><path d="{path}" fill="{colour}"/>"#,
        WIDTH - RIGHT
    );
}

fn phases(w: &mut String, arm: &Arm, scale: &Scale, bottom: f64) {
    for phase in &arm.phases {
        let (from, to) = (scale.x(phase.from), scale.x(phase.to));
        let _ = write!(w, r#"<line x1="{from:.1}" y1="{TOP}" x2="{from:.1}" y2="{bottom}" stroke="{GRID}"/>"#);
        if to - from > 40.0 {
            let _ = write!(
                w,
                r#"<text x="{:.1}" y="18" text-anchor="middle" fill="{QUIET}">{}</text>"#,
                f64::midpoint(from, to),
                escaped(&phase.name)
            );
        }
    }
}

fn faults(w: &mut String, arm: &Arm, scale: &Scale, bottom: f64) {
    for (number, fault) in arm.faults.iter().enumerate() {
        let end = arm.phases.last().map_or(0, |phase| phase.to);
        let from = scale.x(fault.effect.unwrap_or(fault.asked).max(0));
        let to = scale.x(fault.cleared.unwrap_or(end).clamp(0, end));
        let (width, bar) = ((to - from).max(1.0), TOP - 26.0 - 4.0 * number as f64);
        let row = TOP + fault.instance as f64 * (ROW + GAP);
        let _ = write!(
            w,
            r#"<rect x="{from:.1}" y="{TOP}" width="{width:.1}" height="{:.1}" fill="{FAULT}" fill-opacity="0.18"/><rect x="{from:.1}" y="{row:.1}" width="{width:.1}" height="{ROW}" fill="url(#hatch)"/><line x1="{from:.1}" y1="{bar}" x2="{to:.1}" y2="{bar}" stroke="{FAULT_EDGE}" stroke-width="2.5"/>"#,
            bottom - TOP - GAP
        );
        if number == 0 {
            let _ = write!(
                w,
                r#"<text x="{from:.1}" y="{:.1}" fill="{FAULT_EDGE}" font-weight="bold">{}</text>"#,
                TOP - 8.0,
                escaped(&fault.what)
            );
        }
    }
}

/// The proxy's own word as a strip below the row: the stretch in which it says that the instance is out.
fn said(w: &mut String, arm: &Arm, scale: &Scale, instance: usize, y: f64, end: Micros) {
    let mut out_since = None;
    let words = arm.said.iter().filter(|said| said.instance == instance);
    let mut strip = |from: Micros, to: Micros| {
        let (from, to) = (scale.x(from.clamp(0, end)), scale.x(to.clamp(0, end)));
        let _ = write!(
            w,
            r#"<rect x="{from:.1}" y="{y:.1}" width="{:.1}" height="4" fill="{SAID}"/>"#,
            (to - from).max(1.0)
        );
    };
    for word in words {
        match (word.what, out_since) {
            (SaidKind::Ejected, None) => out_since = Some(word.at),
            (SaidKind::Readmitted, Some(since)) => {
                strip(since, word.at);
                out_since = None;
            }
            _ => {}
        }
    }
    if let Some(since) = out_since {
        strip(since, end);
    }
}

/// Numbered discs at their exact time; the numbers stand in the table of events.
fn marks(w: &mut String, arm: &Arm, scale: &Scale, bottom: f64) {
    let mut last = f64::NEG_INFINITY;
    let mut low = false;
    for (number, mark) in arm.marks.iter().enumerate() {
        let x = scale.x(mark.at.clamp(scale.from, scale.to));
        low = x - last < 20.0 && !low;
        last = x;
        let y = if low { bottom + 2.0 } else { bottom - 12.0 };
        let _ = write!(
            w,
            r#"<line x1="{x:.1}" y1="{TOP}" x2="{x:.1}" y2="{y:.1}" stroke="{INK}" stroke-width="1" stroke-opacity="0.6"/><circle cx="{x:.1}" cy="{y:.1}" r="8" fill="{INK}"/><text x="{x:.1}" y="{:.1}" text-anchor="middle" fill="{BACKGROUND}" font-size="11">{}</text>"#,
            y + 4.0,
            number + 1
        );
    }
}

fn axis(w: &mut String, scale: &Scale, bottom: f64) {
    let seconds = (scale.to / 1_000_000).max(1);
    let step = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600].into_iter().find(|step| seconds / step <= 14).unwrap_or(1200);
    for second in (0..=seconds).step_by(step as usize) {
        let unit = if second == 0 { " s" } else { "" };
        let _ = write!(
            w,
            r#"<text x="{:.1}" y="{:.1}" text-anchor="middle" fill="{QUIET}">{second}{unit}</text>"#,
            scale.x(second * 1_000_000),
            bottom + 28.0
        );
    }
}
