//! B compared with A: a row a figure, a dot a block, the interval over all of them, and how far equal things lie apart.

use super::frame::Width;
use super::svg::{Paint, Path, Svg, Type};
use super::theme::Token;
use crate::compare::{Compared, Comparison, Verdict, words};

/// Pixels of a row.
const ROW: f64 = 64.0;
/// From the middle of a row to the dots below its interval.
const DOTS: f64 = 16.0;
/// Shares that the axis may reach to, each way.
const REACHES: [f64; 8] = [1.02, 1.05, 1.1, 1.25, 1.5, 2.0, 4.0, 10.0];

/// The axis of all rows: logarithmic about 1.
struct Axis {
    left: f64,
    right: f64,
    reach: f64,
}

impl Axis {
    fn of(comparison: &Comparison, width: Width) -> Self {
        let (left, right) = if width.narrow() { (12.0, 348.0) } else { (250.0, 860.0) };
        let far = |ratio: f64| if ratio > 0.0 && ratio.is_finite() { ratio.max(1.0 / ratio) } else { 1.0 };
        let of = |one: &Compared| {
            let dots = one.pairs.iter().map(|(a, b)| far(b / a)).fold(1.0, f64::max);
            let ends = one.interval.map_or(1.0, |interval| far(interval.low).max(far(interval.high)));
            dots.max(ends).max(1.0 + one.floor)
        };
        let most = comparison.figures.iter().map(of).fold(1.0, f64::max);
        let reach = REACHES.into_iter().find(|reach| *reach >= most * 1.005).unwrap_or(REACHES[REACHES.len() - 1]);
        Self { left, right, reach }
    }

    /// Where a ratio stands; what is beyond stands at the edge.
    fn x(&self, ratio: f64) -> f64 {
        let share = (ratio.ln() / self.reach.ln()).clamp(-1.0, 1.0);
        f64::midpoint(self.left, self.right) + share * (self.right - self.left) / 2.0
    }

    fn ticks(&self) -> [f64; 5] {
        let half = self.reach.sqrt();
        [1.0 / self.reach, 1.0 / half, 1.0, half, self.reach]
    }
}

/// Draws the picture; None if there is nothing to compare.
pub fn ratios(comparison: &Comparison, width: Width) -> Option<String> {
    if comparison.figures.is_empty() {
        return None;
    }
    let axis = Axis::of(comparison, width);
    let name = if width.narrow() { 34.0 } else { 0.0 };
    let row = ROW + name;
    let top = 8.0;
    let base = top + row * comparison.figures.len() as f64;
    let mut svg = Svg::new(
        &format!("ratios-{}", width.letter()),
        (width.pixels(), base + 44.0),
        "B compared with A, figure by figure",
        &about(comparison),
    );
    for ratio in axis.ticks() {
        let x = axis.x(ratio);
        let middle = (ratio - 1.0).abs() < 1e-9;
        svg.line((x, top), (x, base), Paint::stroke(if middle { Token::Ink3 } else { Token::Grid }, 1.0));
        let text = if middle { "equal".to_owned() } else { words::change(ratio) };
        let half = Type::SMALL.width(&text) / 2.0;
        svg.text(x.clamp(half, width.pixels() - half), base + 17.0, &text, Type::SMALL.middle());
    }
    svg.text(f64::midpoint(axis.left, axis.right), base + 36.0, "B by A", Type::SMALL.middle());
    for (number, one) in comparison.figures.iter().enumerate() {
        let y = top + row * number as f64;
        svg.series(one.figure.name(), |svg| figure(svg, &axis, one, (y, name), width));
    }
    Some(svg.finish())
}

fn about(comparison: &Comparison) -> String {
    let one = |one: &Compared| {
        let ratio = one.ratio.map_or("no ratio".to_owned(), words::change);
        format!("{}: {ratio}, {}", one.figure.name(), words::verdict(one))
    };
    comparison.figures.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn figure(svg: &mut Svg, axis: &Axis, one: &Compared, (y, name): (f64, f64), width: Width) {
    let (token, text) = match one.verdict {
        Verdict::Better => (Token::Heal, Token::HealText),
        Verdict::Worse => (Token::Lost, Token::LostText),
        Verdict::PerhapsBetter | Verdict::PerhapsWorse => (Token::Warn, Token::WarnText),
        Verdict::NoDifference | Verdict::Undecided => (Token::Ink2, Token::Ink2),
    };
    let values = format!("{} to {}", words::value(one.unit, one.a), words::value(one.unit, one.b));
    let verdict = words::verdict(one);
    let bold = Type { size: 11.5, ..Type::BOLD }.token(text);
    if width.narrow() {
        svg.backed(2.0, y + 14.0, one.figure.name(), Type::BOLD);
        svg.backed(width.pixels() - 4.0, y + 14.0, &values, Type::SMALL.end());
        svg.backed(2.0, y + 29.0, &verdict, bold);
    } else {
        svg.text(0.0, y + 22.0, one.figure.name(), Type::BOLD);
        svg.text(0.0, y + 38.0, &values, Type::SMALL);
        svg.text(axis.right + 14.0, y + 22.0, &one.ratio.map_or("–".to_owned(), words::change), Type::BOLD);
        svg.text(axis.right + 14.0, y + 38.0, &bold.fitted(&verdict, 1120.0 - axis.right - 14.0), bold);
    }
    let middle = y + name + 22.0;
    let (low, high) = (axis.x(1.0 / (1.0 + one.floor)), axis.x(1.0 + one.floor));
    svg.rect(low, middle - 14.0, ((high - low).max(1.0), 28.0 + DOTS), Paint::fill(Token::Line).opacity(0.45));
    if let Some(interval) = one.interval {
        let (from, to) = (axis.x(interval.low), axis.x(interval.high));
        let mut path = Path::default();
        path.go(from, middle);
        path.across(to);
        for end in [from, to] {
            path.go(end, middle - 5.0);
            path.up(middle + 5.0);
        }
        svg.path(&path, Paint::stroke(token, 1.8));
    }
    if let Some(ratio) = one.ratio {
        svg.rect(axis.x(ratio) - 4.5, middle - 4.5, (9.0, 9.0), Paint::fill(token));
    }
    for (a, b) in one.pairs.iter().filter(|(a, b)| *a > 0.0 && *b > 0.0) {
        svg.circle((axis.x(b / a), middle + DOTS), 3.0, Paint::fill(Token::Bg).outline(Token::Ink2, 1.1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{Block, Figure, Figures};
    use crate::plot::overlap;

    fn comparison(slower: f64, blocks: usize) -> Comparison {
        let of = |number: usize, times: f64| {
            let wobble = 1.0 + ((number * 7) % 5) as f64 / 100.0;
            let time = |usual: f64| usual * wobble * times;
            Figures(
                [
                    (Figure::Success, 1.0),
                    (Figure::P50, time(5.0)),
                    (Figure::P90, time(9.0)),
                    (Figure::P99, time(20.0)),
                    (Figure::CpuOfProxy, time(61.0)),
                    (Figure::MemoryOfProxy, 2e7),
                ]
                .into(),
            )
        };
        let blocks: Vec<Block> = (0..blocks)
            .map(|number| Block { a: of(number, 1.0), again: of(number + 3, 1.0), b: of(number + 1, slower) })
            .collect();
        Comparison::of("http://127.0.0.1:8080/", "http://127.0.0.1:8081/", 7, &blocks, 1)
    }

    #[test]
    fn texts_keep_clear_of_each_other_at_every_reach() {
        for slower in [1.0, 1.03, 1.1, 1.4, 3.0, 0.2, 50.0] {
            for width in [Width::Wide, Width::Narrow] {
                let svg = ratios(&comparison(slower, 8), width).unwrap();
                overlap::none(&format!("{slower}, {}", width.letter()), &svg);
            }
        }
    }

    #[test]
    fn a_change_has_its_colour_and_nothing_is_no_picture() {
        let svg = ratios(&comparison(1.4, 8), Width::Wide).unwrap();
        assert!(svg.contains("f-lost") && svg.contains(">worse</text>") && svg.contains(">+39 %</text>"), "{svg}");
        assert_eq!(svg.matches("<circle").count(), 6 * 8);
        assert!(ratios(&comparison(1.0, 0), Width::Wide).is_none());
    }
}
