//! Magnified moments: every request 0.3 s about a mark is one line from when it was due until it was done.

use super::frame::{TimeFrame, Width};
use super::marks::disc;
use super::svg::{Paint, Path, Svg, Type};
use super::theme::Token;
use super::{healing, marks, number, scale};
use crate::record::{Arm, Micros, Single};
use std::collections::BTreeSet;

/// About a mark.
const ABOUT: Micros = 300_000;
/// How far behind a window lost requests are followed.
const BEHIND: Micros = 400_000;
/// Most moments of a page; further ones are named.
const MOST: usize = 4;
/// Lines in one path.
const LINES: usize = 550;

/// A moment of the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// The numbers of its marks, from 1.
    pub numbers: Vec<usize>,
    /// What happened: `abort on, out after 18 ms`.
    pub title: String,
    /// First instant.
    pub from: Micros,
    /// Last instant.
    pub to: Micros,
}

/// The moments of an arm of which single requests are known, and how many marks are not among them.
pub fn moments(arm: &Arm) -> (Vec<Moment>, usize) {
    let mut all: Vec<Moment> = Vec::new();
    for (number, mark) in arm.marks.iter().enumerate() {
        let (from, to) = ((mark.at - ABOUT).max(0), mark.at + ABOUT);
        let title = marks::label(arm, mark);
        match all.last_mut() {
            Some(last) if from < last.to => {
                last.to = to;
                last.numbers.push(number + 1);
                last.title = format!("{}, {title}", last.title);
            }
            _ => all.push(Moment { numbers: vec![number + 1], title, from, to }),
        }
    }
    let known = |moment: &Moment| {
        let within = |at: Micros| (moment.from..moment.to).contains(&at);
        arm.singles.offers.iter().any(|offer| within(offer.at))
            || arm.singles.requests.iter().any(|single| within(single.due))
    };
    all.retain(known);
    all.truncate(MOST);
    let shown: usize = all.iter().map(|moment| moment.numbers.len()).sum();
    (all, arm.marks.len() - shown)
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Answered,
    Saved,
    Lost,
}

/// Draws a moment, 540 or 358 pixels wide.
pub fn moment(arm: &Arm, moment: &Moment, number: usize, width: Width) -> String {
    let pixels = if width.narrow() { width.pixels() } else { 540.0 };
    let within = |at: Micros| (moment.from..=moment.to).contains(&at);
    let requests: Vec<&Single> = arm.singles.requests.iter().filter(|single| within(single.due)).collect();
    let lost_until = requests.iter().filter(|one| one.outcome.is_lost()).map(|one| one.done).max().unwrap_or(0);
    let left = if width.narrow() { 64.0 } else { 92.0 };
    let to = moment.to.max(lost_until.min(moment.to + BEHIND));
    let frame = TimeFrame { from: moment.from, to, left, right: pixels - 8.0 };
    // Attempts that a fault kept, by number of the request: what was answered after one was saved.
    let kept: BTreeSet<u64> = arm
        .singles
        .offers
        .iter()
        .filter(|offer| offer.withheld.is_some() || offer.attempt > 1)
        .filter_map(|offer| offer.id)
        .collect();
    let fate = |single: &Single| match single.outcome.is_lost() {
        true => Fate::Lost,
        false if kept.contains(&single.id) => Fate::Saved,
        false => Fate::Answered,
    };
    let lanes: Vec<Option<usize>> = (0..arm.instances.len()).map(Some).chain([None]).collect();
    let of_lane = |lane: Option<usize>| -> Vec<&Single> {
        requests
            .iter()
            .copied()
            .filter(|one| if one.outcome.is_lost() { lane.is_none() } else { one.instance == lane && lane.is_some() })
            .collect()
    };
    let top = 28.0;
    let height = if arm.instances.len() > 4 { 38.0 } else { 58.0 };
    let any_lost = requests.iter().any(|one| one.outcome.is_lost());
    let shown = if any_lost { lanes.len() } else { lanes.len() - 1 };
    let base = top + shown as f64 * height + 4.0;
    let kind = if arm.kind == crate::record::ArmKind::Control { "control-" } else { "" };
    let lost = requests.iter().filter(|one| one.outcome.is_lost()).count();
    let mut svg = Svg::new(
        &format!("{kind}moment-{number}-{}", width.letter()),
        (pixels, base + 24.0),
        &format!("Single requests about {}", moment.title),
        &format!("{} requests, {} of them lost.", number::count(requests.len() as u64), number::count(lost as u64)),
    );
    frame.bands(&mut svg, arm, (top - 4.0, base));
    for (row, lane) in lanes.iter().take(shown).enumerate() {
        let y = top + row as f64 * height;
        let of_lane = of_lane(*lane);
        let name = lane.map_or("lost", |lane| arm.instances[lane].name.as_str());
        let style = if lane.is_none() {
            Type { size: 11.5, ..Type::BOLD }.token(Token::LostText)
        } else {
            Type::SMALL.token(Token::Ink)
        };
        svg.text(left - 7.0, y + 12.0, &style.fitted(name, left - 9.0), style.end());
        let said = if lane.is_none() {
            format!("{} lost", number::count(of_lane.len() as u64))
        } else {
            number::count(of_lane.len() as u64)
        };
        let quiet = Type::SMALL.end();
        if lane.is_some() {
            svg.text(left - 7.0, y + 26.0, &said, quiet);
            ticks(&mut svg, arm, &frame, *lane, (y + 3.0, 9.0));
        } else {
            svg.text(left - 7.0, y + 26.0, &number::count(of_lane.len() as u64), quiet);
        }
        let first = if lane.is_some() { y + 15.0 } else { y + 5.0 };
        waterfall(&mut svg, &frame, &of_lane, (first, y + height - 6.0), fate);
        if let Some(lane) = lane {
            for (from, to) in
                healing::said_spans(arm, *lane).into_iter().filter(|(from, to)| *to > frame.from && *from < frame.to)
            {
                let (from, to) = (frame.x(from), frame.x(to));
                svg.rect(from, y - 1.0, ((to - from).max(1.0), 2.5), Paint::fill(Token::Said));
            }
        }
        svg.line((left, y + height - 3.0), (frame.right, y + height - 3.0), Paint::stroke(Token::Grid, 1.0));
    }
    let mut last = f64::NEG_INFINITY;
    for mark in &moment.numbers {
        let at = arm.marks[mark - 1].at;
        let x = frame.x(at);
        svg.line((x, 16.0), (x, base), Paint::stroke(Token::Ink, 1.0));
        let place = x.max(last + 17.0).min(frame.right);
        disc(&mut svg, (place, 10.0), *mark);
        last = place;
    }
    axis(&mut svg, &frame, base);
    svg.finish()
}

/// Every attempt offered to an instance, in the colour of what became of it.
fn ticks(svg: &mut Svg, arm: &Arm, frame: &TimeFrame, lane: Option<usize>, (top, height): (f64, f64)) {
    let offers = arm.singles.offers.iter().filter(|offer| Some(offer.instance) == lane);
    let offers = offers.filter(|offer| (frame.from..=frame.to).contains(&offer.at));
    let (mut served, mut kept) = (Vec::new(), Vec::new());
    for offer in offers {
        if offer.withheld.is_some() { kept.push(offer.at) } else { served.push(offer.at) }
    }
    for (series, paint) in [(served, Paint::stroke(Token::Ok, 1.0)), (kept, Paint::stroke(Token::Lost, 1.4))] {
        for part in series.chunks(LINES) {
            let mut path = Path::default();
            for at in part {
                path.go(frame.x(*at), top);
                path.up(top + height);
            }
            svg.path(&path, paint);
        }
    }
}

/// Requests one below the other in the order in which they were due.
fn waterfall(
    svg: &mut Svg,
    frame: &TimeFrame,
    requests: &[&Single],
    (top, bottom): (f64, f64),
    fate: impl Fn(&Single) -> Fate,
) {
    let apart = ((bottom - top) / requests.len().max(1) as f64).min(2.2);
    let stroke = (apart * 0.9).clamp(1.0, 1.4);
    let groups = [
        (Fate::Answered, Token::Ok, stroke),
        (Fate::Saved, Token::Heal, stroke.max(1.0)),
        (Fate::Lost, Token::Lost, stroke),
    ];
    for (wanted, token, stroke) in groups {
        let lines: Vec<(usize, &&Single)> =
            requests.iter().enumerate().filter(|(_, one)| fate(one) == wanted).collect();
        for part in lines.chunks(LINES) {
            let mut path = Path::default();
            for (at, single) in part {
                let y = top + (*at as f64 + 0.5) * apart;
                let from = frame.x(single.due);
                path.go(from, y);
                path.across(frame.x(single.done).max(from + 0.8));
            }
            svg.path(&path, Paint::stroke(token, (stroke * 10.0).round() / 10.0));
        }
    }
}

/// The axis in hundredths, since all is within a second.
fn axis(svg: &mut Svg, frame: &TimeFrame, y: f64) {
    let axis = Paint::stroke(Token::Ink3, 1.0);
    svg.line((frame.left, y), (frame.right, y), axis);
    let most = ((frame.right - frame.left) / 58.0) as usize;
    for (number, at) in scale::time_ticks(frame.from, frame.to, most).into_iter().enumerate() {
        let x = frame.x(at);
        svg.line((x, y), (x, y + 4.0), axis);
        let text = scale::time_label(at, number == 0);
        let half = Type::SMALL.width(&text) / 2.0;
        let style = if x + half > frame.right { Type::SMALL.end() } else { Type::SMALL.middle() };
        svg.text(x, y + 17.0, &text, style);
    }
}
