//! The 99th percentile in each cell: the number stands in it, hatching says that the rate was not achieved, an outline that a limit was missed.

use super::Sweep;
use crate::plot::frame::Width;
use crate::plot::number;
use crate::plot::svg::{Hatch, Paint, Svg, Type};
use crate::plot::theme::Token;

/// Height of a cell.
const CELL: f64 = 30.0;
/// Left of the cells: names of rows.
const LEFT: f64 = 50.0;
/// A cell is at least this wide, so that a number fits, and at most that.
const LEAST: f64 = 28.0;
const MOST: f64 = 84.0;
/// Between panels.
const GAP: f64 = 28.0;

const SHADES: [Token; 5] = [Token::H0, Token::H1, Token::H2, Token::H3, Token::H4];

/// A shade, and the words for what it stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    /// Its colour.
    pub token: Token,
    /// `1 to 2 ms`.
    pub text: String,
    /// Values below this, milliseconds.
    below: f64,
}

/// The shades of a sweep: at most five, with round bounds about what was measured.
pub fn classes(sweep: &Sweep) -> Vec<Class> {
    let values: Vec<f64> = sweep.points.iter().flatten().filter_map(super::Point::p99).collect();
    let (least, most) =
        values.iter().fold((f64::INFINITY, 0f64), |(least, most), value| (least.min(*value), most.max(*value)));
    if values.is_empty() {
        return Vec::new();
    }
    let rounds = || (-3..7).flat_map(|power| [1.0, 2.0, 5.0].map(|factor| factor * 10f64.powi(power)));
    let inside: Vec<f64> = rounds().filter(|bound| *bound > least && *bound <= most).collect();
    let about = (
        rounds().take_while(|bound| *bound <= least).last().unwrap_or(0.0),
        rounds().find(|bound| *bound > most).unwrap_or(most),
    );
    let bounds: Vec<f64> =
        if inside.len() <= 4 { inside } else { (0..4).map(|n| inside[(n * (inside.len() - 1) + 1) / 3]).collect() };
    let count = bounds.len() + 1;
    (0..count)
        .map(|n| {
            let text = match (n.checked_sub(1).and_then(|n| bounds.get(n)), bounds.get(n)) {
                (None, Some(high)) => format!("under {}", bound(*high)),
                (Some(low), Some(high)) => stretch(*low, *high),
                (Some(low), None) => format!("{} and more", bound(*low)),
                (None, None) => stretch(about.0, about.1),
            };
            // Few classes keep apart from each other.
            let shade = if count == 1 { 0 } else { n * (SHADES.len() - 1) / (count - 1) };
            Class { token: SHADES[shade], text, below: bounds.get(n).copied().unwrap_or(f64::INFINITY) }
        })
        .collect()
}

fn bound(millis: f64) -> String {
    number::limit((millis * 1e3).round() as u64)
}

/// `1 to 10 ms`, `500 us to 1 ms`.
fn stretch(low: f64, high: f64) -> String {
    let (low, high) = (bound(low), bound(high));
    match (low.split_once(number::NARROW), high.split_once(number::NARROW)) {
        (Some((value, unit)), Some((_, other))) if unit == other => format!("{value} to {high}"),
        _ => format!("{low} to {high}"),
    }
}

fn ink(shade: Token) -> Token {
    match shade {
        Token::H3 => Token::OnH3,
        Token::H4 => Token::Bg,
        _ => Token::Ink,
    }
}

/// The number of a cell, as exact as it fits; milliseconds, or seconds with their unit.
fn figure(millis: f64, room: f64) -> String {
    let two = |value: f64| {
        if value >= 9.95 { format!("{value:.0}") } else { format!("{value:.1}") }
    };
    let mut texts = vec![number::three(millis), two(millis)];
    if millis >= 1e3 {
        texts = vec![
            number::count(millis.round() as u64),
            format!("{}s", two(millis / 1e3)),
            format!("{:.0}s", millis / 1e3),
        ];
    }
    let fits = |text: &String| Type::SMALL.width(text) <= room;
    texts.iter().find(|text| fits(text)).or(texts.last()).cloned().unwrap_or_default()
}

/// Which way round the cells of all panels lie, and how many panels stand beside each other.
struct Layout {
    /// Rates from left to right; else from top to bottom.
    upright: bool,
    cell: f64,
    /// Columns of a block; further columns go below.
    block: usize,
    blocks: usize,
    panels: usize,
    panel: (f64, f64),
}

impl Layout {
    fn of(sweep: &Sweep, width: Width) -> Self {
        let (rates, connections) = (sweep.rates.len(), sweep.connections.len());
        let room = width.pixels() - LEFT;
        let fitting = (room / LEAST) as usize;
        let upright = rates <= fitting || rates <= connections;
        let (columns, rows) = if upright { (rates, connections) } else { (connections, rates) };
        // As many panels beside each other as leave each number its room.
        let wanted = |panels: usize| (width.pixels() - GAP * (panels as f64 - 1.0)) / panels as f64;
        let most = if width.narrow() { 1 } else { sweep.modes().clamp(1, 3) };
        let panels = (1..=most).rev().find(|panels| (wanted(*panels) - LEFT) / columns as f64 >= 40.0).unwrap_or(1);
        let slots = if width.narrow() { 1 } else { panels.max(2).min(if panels == 1 && most > 1 { 1 } else { 3 }) };
        let across = wanted(slots);
        let block = columns.min(((across - LEFT) / LEAST) as usize).max(1);
        let cell = ((across - LEFT) / block as f64).min(MOST);
        let blocks = columns.div_ceil(block);
        let height = 22.0 + blocks as f64 * (rows as f64 * CELL + 24.0) + 18.0;
        Self { upright, cell, block, blocks, panels, panel: (across, height) }
    }
}

/// Draws the picture.
pub fn heat(sweep: &Sweep, width: Width) -> String {
    let layout = Layout::of(sweep, width);
    let rows = sweep.modes().div_ceil(layout.panels);
    let mut svg = Svg::new(
        &format!("heat-{}", width.letter()),
        (width.pixels(), layout.panel.1 * rows as f64),
        "99th percentile of each cell, by asked rate and connections",
        &format!(
            "{} cells, of which {} were not run.",
            sweep.size(),
            sweep.points.iter().filter(|one| one.is_none()).count()
        ),
    );
    let classes = classes(sweep);
    for mode in 0..sweep.modes() {
        let left = (mode % layout.panels) as f64 * (layout.panel.0 + GAP);
        let top = (mode / layout.panels) as f64 * layout.panel.1;
        svg.text(left, top + 13.0, &Type::BOLD.fitted(sweep.mode_name(mode), layout.panel.0), Type::BOLD);
        for block in 0..layout.blocks {
            panel(&mut svg, sweep, &layout, &classes, (mode, block), (left, top + 22.0));
        }
    }
    svg.finish()
}

fn panel(
    svg: &mut Svg,
    sweep: &Sweep,
    layout: &Layout,
    classes: &[Class],
    (mode, block): (usize, usize),
    (left, top): (f64, f64),
) {
    let (columns, rows) = if layout.upright {
        (sweep.rates.len(), sweep.connections.len())
    } else {
        (sweep.connections.len(), sweep.rates.len())
    };
    let top = top + block as f64 * (rows as f64 * CELL + 24.0);
    let name = |upright: bool, at: usize| {
        if upright { number::short(sweep.rates[at]) } else { sweep.connections[at].to_string() }
    };
    let first = block * layout.block;
    let last = (first + layout.block).min(columns);
    for row in 0..rows {
        // More connections stand higher, more requests lower.
        let at = if layout.upright { rows - 1 - row } else { row };
        let y = top + row as f64 * CELL;
        let text = Type::SMALL.fitted(&name(!layout.upright, at), LEFT - 8.0);
        svg.text(left + LEFT - 8.0, y + CELL / 2.0 + 4.0, &text, Type::SMALL.end());
        for column in first..last {
            let x = left + LEFT + (column - first) as f64 * layout.cell;
            let (rate, connections) = if layout.upright { (column, at) } else { (at, column) };
            cell(svg, sweep, classes, (mode, rate, connections), (x, y), layout.cell);
        }
    }
    let base = top + rows as f64 * CELL;
    let boxes: Vec<(f64, f64, String)> = (first..last)
        .map(|column| {
            let x = left + LEFT + (column - first) as f64 * layout.cell + layout.cell / 2.0;
            let text = name(layout.upright, column);
            let half = Type::SMALL.width(&text) / 2.0;
            let x = x.min(left + layout.panel.0 - half);
            (x - half, x + half, text)
        })
        .collect();
    let spans: Vec<(f64, f64)> = boxes.iter().map(|(from, to, _)| (*from, *to)).collect();
    for ((from, to, text), _) in boxes.iter().zip(crate::plot::labels::in_line(&spans, 3.0)).filter(|(_, free)| *free) {
        svg.text(f64::midpoint(*from, *to), base + 15.0, text, Type::SMALL.middle());
    }
    if block + 1 == layout.blocks {
        let text = if layout.upright {
            "asked requests/s; rows: connections; cells: p99 in ms"
        } else {
            "connections; rows: asked requests/s; cells: p99 in ms"
        };
        let room = layout.panel.0 - LEFT;
        let (x, room) = if Type::SMALL.width(text) > room { (left, layout.panel.0) } else { (left + LEFT, room) };
        svg.text(x, base + 34.0, &Type::SMALL.fitted(text, room), Type::SMALL);
    }
}

fn cell(
    svg: &mut Svg,
    sweep: &Sweep,
    classes: &[Class],
    (mode, rate, connections): (usize, usize, usize),
    (x, y): (f64, f64),
    width: f64,
) {
    let (x, y, size) = (x + 1.0, y + 1.0, (width - 2.0, CELL - 2.0));
    let middle = (x + size.0 / 2.0, y + size.1 / 2.0);
    let point = sweep.at(mode, rate, connections);
    let Some((point, p99)) = point.and_then(|point| Some((point, point.p99()?))) else {
        svg.rect(x + 0.5, y + 0.5, (size.0 - 1.0, size.1 - 1.0), Paint::stroke(Token::Ink3, 1.0).dash("2 3"));
        let text = if point.is_none() { ["not", "run"] } else { ["no", "data"] };
        if Type::SMALL.width(&text.join(" ")) <= size.0 - 4.0 {
            svg.text(middle.0, middle.1 + 4.0, &text.join(" "), Type::SMALL.middle());
        } else {
            svg.text(middle.0, middle.1 - 2.0, text[0], Type::SMALL.middle());
            svg.text(middle.0, middle.1 + 9.5, text[1], Type::SMALL.middle());
        }
        return;
    };
    let shade = classes.iter().find(|class| p99 < class.below).map_or(Token::H4, |class| class.token);
    svg.rect(x, y, size, Paint::fill(shade));
    let text = figure(p99, size.0 - 3.0);
    if !sweep.achieved(rate, point) {
        svg.rect(x, y, size, Paint::hatch(Hatch::Ink));
        let room = Type::SMALL.width(&text) + 5.0;
        svg.rect(middle.0 - room / 2.0, middle.1 - 7.5, (room, 15.0), Paint::fill(shade));
    }
    if sweep.missed(mode, rate, connections) {
        svg.rect(x + 1.0, y + 1.0, (size.0 - 2.0, size.1 - 2.0), Paint::stroke(Token::Lost, 2.0));
    }
    svg.text(middle.0, middle.1 + 4.0, &text, Type::SMALL.token(ink(shade)).middle());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_names_its_unit_once() {
        let plain = |low, high| stretch(low, high).replace(number::NARROW, " ");
        assert_eq!([plain(1.0, 10.0), plain(0.5, 1.0)], ["1 to 10 ms", "500 us to 1 ms"]);
    }

    #[test]
    fn a_number_keeps_the_digits_that_fit() {
        let shown = |room| [0.512, 5.399, 62.04, 1_750.4].map(|millis| figure(millis, room));
        assert_eq!(shown(60.0), ["0.512", "5.40", "62.0", "1,750"]);
        assert_eq!(shown(22.0), ["0.5", "5.4", "62", "2s"]);
    }
}
