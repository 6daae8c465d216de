//! How late the generator sent, by second: whether any of the other pictures is evidence.

use super::chart::{Chart, Upright};
use super::frame::{TimeFrame, Width};
use super::latency;
use super::svg::{Paint, Svg, Type};
use super::theme::Token;
use super::{id, number, scale};
use crate::record::{Arm, HealthSecond, SECOND};

/// The lag that makes a run INVALID, microseconds.
pub const ALLOWED: u64 = 10_000;

/// Most slices.
const MOST: usize = 300;

/// The largest lags of groups of seconds: the worst of each.
fn thinned(seconds: &[HealthSecond]) -> Vec<latency::Slice> {
    let group = seconds.len().div_ceil(MOST).max(1);
    seconds
        .chunks(group)
        .map(|group| {
            let most = |pick: fn(&HealthSecond) -> u64| group.iter().map(pick).max().unwrap_or(0);
            let p99 = most(|second| second.lag_p99);
            latency::Slice {
                from: group[0].at,
                to: group[group.len() - 1].at + SECOND,
                p50: p99,
                p90: p99,
                p99: Some(p99),
                max: most(|second| second.lag_max),
            }
        })
        .collect()
}

/// Draws the picture: 380 pixels beside the table, 358 on a narrow page. None if no second was measured.
pub fn lag(arm: &Arm, width: Width) -> Option<String> {
    let slices = thinned(&arm.generator.seconds);
    let values = slices.iter().flat_map(|slice| [slice.p99.unwrap_or(1), slice.max]);
    let range = scale::decades(values.chain([ALLOWED]))?;
    if slices.is_empty() {
        return None;
    }
    let pixels = if width.narrow() { width.pixels() } else { 380.0 };
    let frame = TimeFrame { left: 52.0, right: pixels - 8.0, ..TimeFrame::of(arm, width) };
    let (top, base) = (18.0, 122.0);
    let chart = Chart {
        x: frame.from as f64..frame.to as f64,
        y: Upright::Log(range.clone()),
        across: (frame.left, frame.right),
        upright: (top, base),
    };
    let about =
        format!("p99 {}, largest {}.", number::micros(arm.generator.lag_p99), number::micros(arm.generator.lag_max));
    let mut svg =
        Svg::new(&id("lag", arm, width), (pixels, base + 40.0), "How late each second's requests were sent", &about);
    frame.tell(&mut svg);
    frame.bands(&mut svg, arm, (top, base));
    latency::axis(&mut svg, &chart, &range);
    latency::steps(&mut svg, &chart, &slices, |slice| slice.p99, Paint::stroke(Token::Q99, 2.0));
    for slice in slices.iter().filter(|_| slices.len() <= 90) {
        let middle = slice.from as f64 / 2.0 + slice.to as f64 / 2.0;
        chart.circle(&mut svg, (middle, slice.max.max(1) as f64), 2.2, Paint::stroke(Token::Ink, 1.0));
    }
    let y = chart.y(ALLOWED as f64);
    svg.line((frame.left, y), (frame.right, y), Paint::stroke(Token::Lost, 1.3).dash("6 3"));
    let style = Type { size: 11.5, ..Type::BOLD }.token(Token::LostText);
    let text = format!("limit on p99: {}", number::limit(ALLOWED));
    let room = style.width(&text);
    svg.rect(frame.right - room - 2.0, y - 15.0, (room + 4.0, 13.0), Paint::fill(Token::Bg).opacity(0.75));
    svg.text(frame.right, y - 5.0, &text, style.end());
    frame.axis(&mut svg, base);
    let rings = if slices.len() <= 90 { ", largest (rings)" } else { "" };
    svg.text(frame.left, base + 35.0, &format!("sent late, by second: p99 (line){rings}"), Type::SMALL);
    Some(svg.finish())
}
