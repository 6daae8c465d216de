//! Response times over time: percentiles of each second as steps, on a logarithmic axis.

use super::Error;
use super::palette::{BACKGROUND, FAULT, FONT, GRID, LOST, QUIET};
use crate::record::Arm;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

const SIZE: (u32, u32) = (1120, 320);

/// Colour and name of each line, the rarer the darker.
const LINES: [(&str, &str); 3] = [("p50", "#4c96c6"), ("p90", "#1f77ad"), ("p99", "#003f63")];

pub(super) fn colour(hex: &str) -> RGBColor {
    let channel = |at: usize| hex.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).unwrap_or(0);
    RGBColor(channel(1), channel(3), channel(5))
}

pub(super) fn failed(error: impl std::fmt::Display) -> Error {
    Error::Chart(error.to_string())
}

/// Draws the picture; lost requests count as their flow's time-out.
pub fn latency(arm: &Arm) -> Result<String, Error> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&colour(BACKGROUND)).map_err(failed)?;
        let end = arm.phases.last().map_or(1.0, |phase| phase.to as f64 / 1e6);
        let most = arm.seconds.iter().map(|second| second.max).max().unwrap_or(10_000) as f64 / 1e3;
        let least = arm.seconds.iter().map(|second| second.p50).min().unwrap_or(1_000) as f64 / 1e3;
        let mut chart = ChartBuilder::on(&root)
            .margin(12)
            .margin_right(70)
            .x_label_area_size(28)
            .y_label_area_size(110)
            .build_cartesian_2d(0.0..end, (least.max(0.01) / 2.0..most.max(1.0) * 2.0).log_scale())
            .map_err(failed)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(colour(GRID))
            .light_line_style(colour(BACKGROUND))
            .axis_style(colour(GRID))
            .label_style((FONT, 13).into_font().color(&colour(QUIET)))
            .x_label_formatter(&|second| if *second == 0.0 { "0 s".to_owned() } else { format!("{second}") })
            .y_label_formatter(&|millis| unit(*millis))
            .draw()
            .map_err(failed)?;
        for fault in &arm.faults {
            let from = fault.effect.unwrap_or(fault.asked) as f64 / 1e6;
            let to = fault.cleared.map_or(end, |cleared| cleared as f64 / 1e6).min(end);
            let band = Rectangle::new(
                [(from, least.max(0.01) / 2.0), (to, most.max(1.0) * 2.0)],
                colour(FAULT).mix(0.18).filled(),
            );
            chart.draw_series([band]).map_err(failed)?;
        }
        for (which, (name, hex)) in LINES.iter().enumerate() {
            let mut points: Vec<(f64, f64)> = Vec::new();
            for second in arm.seconds.iter().filter(|second| second.flow == 0) {
                let value = match which {
                    0 => Some(second.p50),
                    1 => Some(second.p90),
                    _ => second.p99,
                };
                if let Some(value) = value {
                    let (at, millis) = (second.at as f64 / 1e6, (value as f64 / 1e3).max(0.011));
                    points.extend([(at, millis), ((at + 1.0).min(end), millis)]);
                }
            }
            let last = points.last().copied();
            chart.draw_series(LineSeries::new(points, colour(hex).stroke_width(2))).map_err(failed)?;
            if let Some(last) = last {
                let style = (FONT, 13).into_font().color(&colour(hex)).pos(Pos::new(HPos::Left, VPos::Center));
                chart
                    .draw_series([EmptyElement::at(last) + Text::new((*name).to_owned(), (6, 0), style)])
                    .map_err(failed)?;
            }
        }
        let lost = arm.singles.requests.iter().filter(|single| single.outcome.is_lost());
        let lost = lost.take(2_000).map(|single| {
            (single.due as f64 / 1e6, ((single.done - single.due) as f64 / 1e3).clamp(0.02, most.max(1.0)))
        });
        chart.draw_series(lost.map(|at| Circle::new(at, 2, colour(LOST).filled()))).map_err(failed)?;
        root.present().map_err(failed)?;
    }
    Ok(svg)
}

pub(super) fn unit(millis: f64) -> String {
    match millis {
        m if m < 1.0 => format!("{:.0} us", m * 1e3),
        m if m < 1000.0 => format!("{m:.0} ms"),
        m => format!("{:.0} s", m / 1e3),
    }
}
