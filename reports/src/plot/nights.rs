//! A figure night after night: a dot a run, the mean between changes, and each change marked.

use super::frame::Width;
use super::labels;
use super::scale;
use super::svg::{Paint, Path, Svg, Type};
use super::theme::Token;
use crate::compare::words;
use crate::history::{Change, Series};

/// Height of the plot.
const HEIGHT: f64 = 84.0;
/// Room above it, for the names of changes.
const TOP: f64 = 18.0;

/// Draws it, with `which` in its id; None if there is nothing to draw.
pub fn nights(which: &str, series: &Series, width: Width) -> Option<String> {
    let values = series.values();
    let most = values.iter().copied().reduce(f64::max)?;
    let (left, right) = if width.narrow() { (62.0, 346.0) } else { (132.0, 1012.0) };
    let base = TOP + HEIGHT;
    let changes = series.changes();
    let mut svg = Svg::new(
        &format!("nights-{which}-{}", width.letter()),
        (width.pixels(), base + 22.0),
        &format!("{} run by run", series.name),
        &about(series, &values, &changes),
    );
    let (reach, tick) = scale::round_up(most, 2);
    let x = |at: usize| left + (right - left) * (at as f64 + 0.5) / values.len() as f64;
    let y = |value: f64| base - (value / reach).clamp(0.0, 1.0) * HEIGHT;
    let mut value = 0.0;
    while value <= reach * 1.001 {
        svg.line((left, y(value)), (right, y(value)), Paint::stroke(Token::Grid, 1.0));
        let text = if value > 0.0 { words::value(series.unit, value) } else { "0".to_owned() };
        svg.text(left - 6.0, y(value) + 4.0, &text, Type::SMALL.end());
        value += tick;
    }
    means(&mut svg, &values, &changes, &x, &y);
    for (at, value) in values.iter().enumerate() {
        svg.circle((x(at), y(*value)), 2.2, Paint::fill(Token::Ok));
    }
    marks(&mut svg, &changes, &x, (left, right), base);
    let day = |at: usize| series.nights.get(at).map_or("", |night| night.started.get(..10).unwrap_or(&night.run));
    svg.text(left, base + 16.0, day(0), Type::SMALL);
    if values.len() > 1 {
        svg.text(right, base + 16.0, day(values.len() - 1), Type::SMALL.end());
    }
    Some(svg.finish())
}

fn about(series: &Series, values: &[f64], changes: &[Change]) -> String {
    let told = |value: f64| words::value(series.unit, value);
    let last = values.last().copied().map_or(String::new(), told);
    let changes: Vec<String> = changes
        .iter()
        .map(|change| format!("from {} to {} at run {}", told(change.before), told(change.after), change.at + 1))
        .collect();
    let changes = if changes.is_empty() { "no change".to_owned() } else { changes.join("; ") };
    format!("{} runs, the last {last}; {changes}", values.len())
}

/// The mean between one change and the next.
fn means(svg: &mut Svg, values: &[f64], changes: &[Change], x: &impl Fn(usize) -> f64, y: &impl Fn(f64) -> f64) {
    let starts = std::iter::once(0).chain(changes.iter().map(|change| change.at));
    let ends = changes.iter().map(|change| change.at).chain([values.len()]);
    for (from, to) in starts.zip(ends).filter(|(from, to)| from < to) {
        let mean = values[from..to].iter().sum::<f64>() / (to - from) as f64;
        let mut path = Path::default();
        path.go(x(from), y(mean));
        path.across(x(to - 1).max(x(from) + 2.0));
        svg.path(&path, Paint::stroke(Token::Ink3, 1.4));
    }
}

fn marks(svg: &mut Svg, changes: &[Change], x: &impl Fn(usize) -> f64, (left, right): (f64, f64), base: f64) {
    let style = Type { size: 11.5, ..Type::BOLD };
    let texts: Vec<String> = changes.iter().map(|change| words::change(change.after / change.before)).collect();
    let boxes: Vec<(f64, f64)> = changes
        .iter()
        .zip(&texts)
        .map(|(change, text)| {
            let half = style.width(text) / 2.0;
            let middle = x(change.at).clamp(left + half, right - half);
            (middle - half, middle + half)
        })
        .collect();
    let free = labels::in_line(&boxes, 6.0);
    for (((change, text), (from, to)), free) in changes.iter().zip(&texts).zip(&boxes).zip(free) {
        let (line, word) = if change.worse { (Token::Lost, Token::LostText) } else { (Token::Heal, Token::HealText) };
        svg.line((x(change.at), TOP - 4.0), (x(change.at), base), Paint::stroke(line, 1.3).dash("4 3"));
        if free {
            svg.text(f64::midpoint(*from, *to), 11.0, text, style.token(word).middle());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::Unit;
    use crate::plot::overlap;

    #[test]
    fn a_change_is_marked_and_texts_keep_clear() {
        for scale in [0.004, 1.0, 37.0, 5_000.0] {
            let share = Some(Unit::Share).filter(|_| scale < 1.0);
            for unit in [Unit::Milliseconds, Unit::Bytes, Unit::ASecond].into_iter().chain(share) {
                let value = |at: usize| scale * if at < 20 { 1.0 } else { 1.4 } * (1.0 + (at % 3) as f64 / 100.0);
                let series = Series::made("one", "load.p99", unit, &(0..30).map(value).collect::<Vec<_>>());
                for width in [Width::Wide, Width::Narrow] {
                    let svg = nights("0", &series, width).unwrap();
                    overlap::none(&format!("{scale} {unit:?}"), &svg);
                    assert_eq!(
                        (svg.matches("<circle").count(), svg.matches("stroke-dasharray").count()),
                        (30, 1),
                        "{svg}"
                    );
                    assert!(svg.contains(">+40 %</text>"), "{svg}");
                }
            }
        }
        assert!(nights("0", &Series::made("one", "none", Unit::Bytes, &[]), Width::Wide).is_none());
    }
}
