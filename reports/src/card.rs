//! `summary.png`: a scenario in one picture of 1200 x 630, for chats and dashboards that show nothing else.

use crate::digest::{Control, Digest, main_arm};
use crate::escape::{markup, visible};
use crate::glyph::Pictured;
use crate::plot;
use crate::record::{ArmKind, Record, SLOT, Verdict};
use crate::words;
use std::fmt::Write;

const WIDTH: f64 = 1200.0;
const HEIGHT: f64 = 630.0;
const EDGE: f64 = 56.0;
/// Where the picture begins and ends, the line between arrivals and losses included.
const TOP: f64 = 352.0;
const LINE: f64 = 466.0;
const BOTTOM: f64 = 540.0;
/// Where a sweep begins.
const SWEEP: f64 = 232.0;
const RIGHT: f64 = WIDTH - EDGE;
const LEFT: f64 = EDGE + 60.0;

const PAPER: &str = "#fdfdfb";
const INK: &str = "#16191c";
const INK2: &str = "#4c5258";
const INK3: &str = "#697077";

/// The picture as PNG.
pub fn png(record: &Record) -> Result<Vec<u8>, plot::Error> {
    plot::png(&svg(record)?)
}

/// The picture as SVG, half as large, since pictures are drawn at twice their size.
pub fn svg(record: &Record) -> Result<String, plot::Error> {
    let digest = Digest::of(record);
    let mut svg = String::new();
    let w = &mut svg;
    // Writing to a string cannot fail.
    let _ = write!(
        w,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{}" height="{}" font-family="Noto Sans"><rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/><rect width="{WIDTH}" height="10" fill="{}"/>"#,
        WIDTH / 2.0,
        HEIGHT / 2.0,
        colour(digest.verdict)
    );
    head(w, &digest);
    if record.arms.iter().any(|arm| arm.kind == ArmKind::Cell) {
        sweep(w, record)?;
    } else {
        numbers(w, &digest);
        match main_arm(record).and_then(Pictured::of) {
            Some(pictured) => picture(w, &pictured),
            None => text(w, EDGE, 285.0, 24.0, INK2, "Nothing was counted."),
        }
    }
    foot(w, &digest);
    svg.push_str("</svg>\n");
    Ok(svg)
}

fn colour(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "#00704f",
        Verdict::Inconclusive => "#7d5600",
        Verdict::Invalid => "#a2437f",
        Verdict::Fail | Verdict::Error | Verdict::Aborted => "#a84600",
    }
}

/// The verdict's sign in a field of 16, never without its word.
fn sign(verdict: Verdict) -> String {
    let colour = colour(verdict);
    match verdict {
        Verdict::Pass => format!(
            r#"<circle cx="8" cy="8" r="7.2" fill="{colour}"/><path d="M4.4 8.3l2.5 2.6 4.8-5.4" fill="none" stroke="{PAPER}" stroke-width="1.9"/>"#
        ),
        Verdict::Fail | Verdict::Error => format!(
            r#"<rect x="1" y="1" width="14" height="14" rx="2" fill="{colour}"/><path d="M4.8 4.8l6.4 6.4M11.2 4.8l-6.4 6.4" fill="none" stroke="{PAPER}" stroke-width="2"/>"#
        ),
        Verdict::Inconclusive => format!(
            r#"<circle cx="8" cy="8" r="6.6" fill="none" stroke="{colour}" stroke-width="1.6"/><path d="M6 6.4a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.3" fill="none" stroke="{colour}" stroke-width="1.5"/><circle cx="8" cy="11.6" r="1" fill="{colour}"/>"#
        ),
        Verdict::Invalid => format!(
            r#"<path d="M8 .8L15.2 8 8 15.2.8 8z" fill="none" stroke="{colour}" stroke-width="1.6"/><path d="M4.6 8h6.8" stroke="{colour}" stroke-width="1.8"/>"#
        ),
        Verdict::Aborted => format!(
            r#"<path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" fill="none" stroke="{colour}" stroke-width="1.6"/><path d="M5 5h6v6H5z" fill="{colour}"/>"#
        ),
    }
}

/// The claim, then the verdict on it in a sentence.
fn head(w: &mut String, digest: &Digest) {
    text(w, EDGE, 62.0, 26.0, INK2, &one_line(&digest.title, 26.0, RIGHT - EDGE));
    let _ = write!(w, r#"<g transform="translate({EDGE} 92) scale(2.6)">{}</g>"#, sign(digest.verdict));
    // The sentence goes on beside the word, and below it.
    let word = format!("{}: ", digest.verdict);
    let beside = EDGE + 56.0 + width(&word, 40.0);
    let mut lines = wrapped(&digest.headline, 32.0, &[RIGHT - beside, RIGHT - EDGE, RIGHT - EDGE]).into_iter();
    let _ = write!(
        w,
        r#"<text x="{:.1}" y="126" font-weight="bold" font-size="32" fill="{INK}"><tspan font-size="40" fill="{}">{}</tspan><tspan dx="14">{}</tspan></text>"#,
        EDGE + 56.0,
        colour(digest.verdict),
        word.trim_end(),
        markup(&lines.next().unwrap_or_default())
    );
    for (number, line) in lines.enumerate() {
        bold(w, EDGE, 170.0 + 42.0 * number as f64, 32.0, INK, &line);
    }
}

/// The two numbers that decide: what was asked and what came, or what was lost in both arms.
fn numbers(w: &mut String, digest: &Digest) {
    let mut shown: Vec<(String, String)> = Vec::new();
    if let Some(missed) = digest.failed.first() {
        shown.push((missed.observed.text.clone(), format!("observed, {}", missed.id)));
        shown.push((missed.limit_text.clone(), "asked".to_owned()));
    } else {
        shown.extend(digest.lost.map(|lost| (lost.text(), "requests lost in the fault".to_owned())));
        match digest.control {
            Control::Ran(_, Some(lost)) => {
                shown.push((lost.text(), "lost in the control".to_owned()));
            }
            _ => shown.extend(digest.p99.map(|p99| (words::seconds(p99), "99th percentile in the fault".to_owned()))),
        }
    }
    for (number, (value, label)) in shown.iter().enumerate() {
        let x = EDGE + 560.0 * number as f64;
        let ink = if number == 0 && digest.verdict != Verdict::Pass { colour(digest.verdict) } else { INK };
        let value = one_line(value, 50.0, 520.0);
        bold(w, x, 285.0, 50.0, ink, &value);
        text(w, x, 316.0, 22.0, INK2, &one_line(label, 22.0, 520.0));
    }
}

/// Arrivals upwards, losses downwards, in requests a second on one scale, the fault behind them.
fn picture(w: &mut String, pictured: &Pictured<'_>) {
    let each = pictured.lost.len().div_ceil(360).max(1);
    let per_second = 1e6 / (each as f64 * SLOT as f64);
    let rates = |counts: &[u32]| -> Vec<f64> {
        counts.chunks(each).map(|chunk| f64::from(chunk.iter().sum::<u32>()) * per_second).collect()
    };
    let (arrivals, lost) = (rates(&pictured.arrivals), rates(&pictured.lost));
    let most = |rates: &[f64]| rates.iter().copied().fold(0.0, f64::max);
    // One scale for both, by what needs more room.
    let per_pixel = (most(&arrivals) / (LINE - TOP)).max(most(&lost) / (BOTTOM - LINE)).max(1e-9);
    let seconds = pictured.seconds();
    let x = |second: f64| LEFT + second / seconds * (RIGHT - LEFT);
    for (from, to) in pictured.bands() {
        let (from, to) = (x(from as f64 / 1e6), x(to as f64 / 1e6));
        let _ = write!(
            w,
            r##"<rect x="{from:.1}" y="{0}" width="{1:.1}" height="{2}" fill="#f0e442" fill-opacity="0.22"/><path d="M{from:.1} {0}V{BOTTOM}M{to:.1} {0}V{BOTTOM}" stroke="#8c8000" fill="none"/><rect x="{from:.1}" y="{0}" width="{1:.1}" height="4" fill="#8c8000"/>"##,
            TOP - 14.0,
            (to - from).max(1.0),
            BOTTOM - TOP + 14.0
        );
    }
    for (rates, sign, colour) in [(&arrivals, -1.0, "#7d96aa"), (&lost, 1.0, "#d55e00")] {
        let mut path = String::new();
        for (number, rate) in rates.iter().enumerate().filter(|(_, rate)| **rate > 0.0) {
            let (from, to) = (x(number as f64 / per_second), x(((number + 1) as f64 / per_second).min(seconds)));
            let height = (rate / per_pixel).max(1.5);
            let _ = write!(path, "M{from:.1} {LINE}V{:.1}H{to:.1}V{LINE}Z", LINE + sign * height);
        }
        let _ = write!(w, r#"<path d="{path}" fill="{colour}"/>"#);
    }
    let _ = write!(w, r#"<path d="M{LEFT} {LINE}H{RIGHT}" stroke="{INK3}" fill="none"/>"#);
    let label = |w: &mut String, y: f64, value: f64| {
        let _ = write!(
            w,
            r#"<text x="{}" y="{:.1}" font-size="18" fill="{INK3}" text-anchor="end">{}</text>"#,
            LEFT - 10.0,
            y + 6.0,
            words::count(value.round() as u64)
        );
    };
    label(w, LINE, 0.0);
    let (top, bottom) = (most(&arrivals), most(&lost));
    if top > 0.0 && top / per_pixel > 24.0 {
        label(w, LINE - top / per_pixel, top);
    }
    if bottom > 0.0 && bottom / per_pixel > 24.0 {
        label(w, LINE + bottom / per_pixel, bottom);
    }
    let step =
        [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200].into_iter().find(|step| seconds / f64::from(*step) <= 12.0);
    let step = step.unwrap_or(3600);
    for second in (0..=seconds as u32).step_by(step as usize) {
        let unit = if second == 0 { " s" } else { "" };
        let _ = write!(
            w,
            r#"<text x="{:.1}" y="{:.1}" font-size="18" fill="{INK3}" text-anchor="middle">{second}{unit}</text>"#,
            x(f64::from(second)),
            BOTTOM + 30.0
        );
    }
    let _ = write!(
        w,
        r##"<text x="{EDGE}" y="{0}" font-size="18" fill="{INK2}"><tspan fill="#5f7789" font-weight="bold">arrivals at {1}</tspan> upwards, <tspan fill="#a84600" font-weight="bold">requests lost</tspan> downwards, a second; the fault in yellow</text>"##,
        HEIGHT - 22.0,
        markup(&one_line(&pictured.whom(), 18.0, 300.0))
    );
}

/// The sweep's own picture, in the room that there is.
fn sweep(w: &mut String, record: &Record) -> Result<(), plot::Error> {
    let found = plot::highest(&record.searches, plot::Width::Wide);
    let drawn = found.or_else(|| plot::Sweep::of(record).map(|sweep| plot::sweep::lines(&sweep, plot::Width::Wide)));
    let Some(svg) = drawn else {
        text(w, EDGE, 285.0, 24.0, INK2, "Nothing was compared.");
        return Ok(());
    };
    let size = svg.split("viewBox=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    let size: Vec<f64> = size.split(' ').filter_map(|number| number.parse().ok()).collect();
    let (Some(width), Some(height)) = (size.get(2), size.get(3)) else {
        return Err(plot::Error::Picture("the sweep has no size".to_owned()));
    };
    let room = HEIGHT - 24.0 - SWEEP;
    let scale = ((RIGHT - EDGE) / width).min(room / height);
    let start = svg.find("<svg").unwrap_or(0);
    let _ = write!(w, r#"<g transform="translate({EDGE} {SWEEP}) scale({scale:.4})">{}</g>"#, &svg[start..]);
    Ok(())
}

/// What the control says, at the right of the last line.
fn foot(w: &mut String, digest: &Digest) {
    let (verdict, said) = match digest.control {
        Control::Ran(Verdict::Fail, _) => (Verdict::Pass, "control: fails, as it must".to_owned()),
        Control::Ran(verdict, _) => (Verdict::Invalid, format!("control: {verdict}")),
        Control::None => return,
        Control::NotRun(_) => (Verdict::Inconclusive, "control: not run".to_owned()),
    };
    let _ = write!(
        w,
        r#"<g transform="translate({:.1} {}) scale(1.2)">{}</g><text x="{:.1}" y="{}" font-size="20" font-weight="bold" text-anchor="end" fill="{}">{}</text>"#,
        RIGHT - 20.0,
        HEIGHT - 38.0,
        sign(verdict),
        RIGHT - 28.0,
        HEIGHT - 22.0,
        colour(verdict),
        markup(&said)
    );
}

fn text(w: &mut String, x: f64, y: f64, size: f64, ink: &str, text: &str) {
    let _ = write!(w, r#"<text x="{x:.1}" y="{y:.1}" font-size="{size}" fill="{ink}">{}</text>"#, markup(text));
}

fn bold(w: &mut String, x: f64, y: f64, size: f64, ink: &str, text: &str) {
    let text = markup(text);
    let _ =
        write!(w, r#"<text x="{x:.1}" y="{y:.1}" font-size="{size}" font-weight="bold" fill="{ink}">{text}</text>"#);
}

/// As much of a text as fits into one line.
fn one_line(text: &str, size: f64, room: f64) -> String {
    wrapped(text, size, &[room]).concat()
}

/// A text in as many lines as there is room for; where that is too little, the last ends in an ellipsis.
fn wrapped(text: &str, size: f64, rooms: &[f64]) -> Vec<String> {
    let text = visible(text);
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let number = lines.len() - 1;
        let line = &mut lines[number];
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if width(&longer, size) <= rooms[number] {
            *line = longer;
        } else if line.is_empty() {
            *line = fitting(word, size, rooms[number]);
        } else if let Some(room) = rooms.get(number + 1) {
            lines.push(fitting(word, size, *room));
        } else {
            line.push_str(" …");
            break;
        }
    }
    lines
}

/// A word that is too long for its line is cut.
fn fitting(word: &str, size: f64, room: f64) -> String {
    if width(word, size) <= room {
        return word.to_owned();
    }
    let mut cut = String::new();
    for letter in word.chars() {
        if width(&cut, size) + size * 1.5 > room {
            break;
        }
        cut.push(letter);
    }
    cut + "…"
}

/// About how wide a bold text is: a guess on the safe side, by the shape of its letters.
fn width(text: &str, size: f64) -> f64 {
    let of = |letter: char| match letter {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' | 'I' => 0.31,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '-' | '/' | '"' => 0.43,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' => 0.95,
        'A'..='Z' => 0.7,
        '\u{0}'..='\u{2ff}' => 0.61,
        _ => 1.0,
    };
    text.chars().map(of).sum::<f64>() * size
}
