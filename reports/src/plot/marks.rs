//! The numbered moments of an arm: their labels, and the discs above a picture over time.

use super::frame::TimeFrame;
use super::labels::{self, BESIDE, DISC, Side};
use super::number;
use super::svg::{Paint, Svg, Type};
use super::theme::Token;
use crate::record::{Arm, Mark};

/// Height of a row of discs.
const ROW: f64 = 18.0;
/// Most rows.
const ROWS: usize = 5;

/// What stands beside the number of a mark: what happened, and how long it took where that was measured.
pub fn label(arm: &Arm, mark: &Mark) -> String {
    let reached = arm.figures.healing.iter().find(|one| one.at == Some(mark.at) && one.subject == mark.subject);
    let text = match reached.and_then(|figure| Some((figure.kind.as_str(), figure.seconds?))) {
        Some(("ejected", seconds)) => format!("out after {}", number::duration(seconds)),
        Some(("readmitted", seconds)) => format!("back, {} after the fault ended", number::duration(seconds)),
        Some(("restarted" | "rolled-back", seconds)) => format!("{} after {}", mark.label, number::duration(seconds)),
        _ => mark.label.clone(),
    };
    let subjects = arm.marks.iter().any(|other| other.subject != mark.subject);
    if subjects { format!("{}: {text}", mark.subject) } else { text }
}

/// Height of the discs of an arm; 0 without marks.
pub fn height(arm: &Arm, frame: &TimeFrame, labelled: bool) -> f64 {
    let rows = places(arm, frame, labelled).iter().map(|place| place.row + 1).max().unwrap_or(0);
    if rows == 0 { 0.0 } else { rows as f64 * ROW + 8.0 }
}

fn places(arm: &Arm, frame: &TimeFrame, labelled: bool) -> Vec<labels::Place> {
    let wanted: Vec<_> = arm
        .marks
        .iter()
        .map(|mark| (frame.x(mark.at), labelled.then(|| Type::PLAIN.width(&label(arm, mark)))))
        .collect();
    labels::marks(&wanted, (frame.left, super::frame::Width::Wide.pixels()), ROWS)
}

/// Draws the discs from `top`, each with a leader down to what `foot` says for its subject.
pub fn draw(svg: &mut Svg, arm: &Arm, frame: &TimeFrame, top: f64, labelled: bool, foot: impl Fn(&str) -> f64) {
    let places = places(arm, frame, labelled);
    let at = |row: usize| top + row as f64 * ROW + DISC + 3.0;
    for (mark, place) in arm.marks.iter().zip(&places) {
        let x = frame.x(mark.at);
        svg.line((x, at(place.row)), (x, foot(&mark.subject)), Paint::stroke(Token::Ink, 1.0));
    }
    for (number, (mark, place)) in arm.marks.iter().zip(&places).enumerate().filter(|(_, (_, place))| place.shown) {
        let (x, y) = (frame.x(mark.at), at(place.row));
        disc(svg, (x, y), number + 1);
        match place.side {
            Some(Side::Right) => svg.text(x + BESIDE, y + 4.3, &label(arm, mark), Type::PLAIN),
            Some(Side::Left) => svg.text(x - BESIDE, y + 4.3, &label(arm, mark), Type::PLAIN.end()),
            None => {}
        }
    }
}

/// A numbered disc.
pub fn disc(svg: &mut Svg, (x, y): (f64, f64), number: usize) {
    svg.circle((x, y), DISC, Paint::fill(Token::Ink));
    svg.text(x, y + 3.8, &number.to_string(), Type { size: 10.5, ..Type::BOLD }.token(Token::Bg).middle());
}
