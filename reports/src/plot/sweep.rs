//! A sweep: the 99th percentile by rate, a line for each mode and number of connections.

use super::Error;
use crate::record::{ArmKind, Record};
use plotters::prelude::*;
use std::collections::BTreeMap;

/// Colours of this picture alone.
const BACKGROUND: &str = "#fdfdfb";
const QUIET: &str = "#697077";
const GRID: &str = "#e5e6e1";
const FONT: &str = "Noto Sans, DejaVu Sans, sans-serif";

const SIZE: (u32, u32) = (1120, 380);
const COLOURS: [&str; 6] = ["#1f77ad", "#d55e00", "#009e73", "#a2437f", "#4c96c6", "#c88500"];

/// Draws the picture.
pub fn sweep(record: &Record) -> Result<String, Error> {
    let mut lines: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    for arm in record.arms.iter().filter(|arm| arm.kind == ArmKind::Cell && !arm.superseded) {
        let (Some(cell), Some(totals)) = (&arm.cell, arm.totals_of("measure", None)) else { continue };
        if let Some(p99) = totals.response.get("p99") {
            let name = format!("{}, {} connections", cell.mode, cell.connections);
            lines.entry(name).or_default().push((totals.rate, p99.max(0.011)));
        }
    }
    lines.values_mut().for_each(|points| points.sort_by(|one, other| one.0.total_cmp(&other.0)));
    let all = || lines.values().flatten();
    let fastest = all().map(|(rate, _)| *rate).fold(1.0, f64::max);
    let (least, most) =
        (all().map(|(_, p99)| *p99).fold(f64::MAX, f64::min), all().map(|(_, p99)| *p99).fold(1.0, f64::max));
    let least = if least < f64::MAX { least } else { 1.0 };
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&colour(BACKGROUND)).map_err(failed)?;
        let mut chart = ChartBuilder::on(&root)
            .margin(12)
            .margin_right(40)
            .x_label_area_size(44)
            .y_label_area_size(110)
            .build_cartesian_2d(0.0..fastest * 1.1, (least / 2.0..most * 2.0).log_scale())
            .map_err(failed)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(colour(GRID))
            .light_line_style(colour(BACKGROUND))
            .axis_style(colour(GRID))
            .label_style((FONT, 13).into_font().color(&colour(QUIET)))
            .x_desc("requests/s achieved")
            .y_desc("p99")
            .x_label_formatter(&|rate| format!("{rate:.0}"))
            .y_label_formatter(&|millis| unit(*millis))
            .draw()
            .map_err(failed)?;
        for ((name, points), hex) in lines.iter().zip(COLOURS.iter().cycle()) {
            let style = colour(hex).stroke_width(2);
            chart
                .draw_series(LineSeries::new(points.iter().copied(), style).point_size(4))
                .map_err(failed)?
                .label(name.clone())
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        }
        chart
            .configure_series_labels()
            .label_font((FONT, 13).into_font().color(&colour(QUIET)))
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(colour(BACKGROUND))
            .border_style(colour(GRID))
            .draw()
            .map_err(failed)?;
        root.present().map_err(failed)?;
    }
    Ok(svg)
}

fn colour(hex: &str) -> RGBColor {
    let channel = |at: usize| hex.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).unwrap_or(0);
    RGBColor(channel(1), channel(3), channel(5))
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Chart(error.to_string())
}

fn unit(millis: f64) -> String {
    match millis {
        m if m < 1.0 => format!("{:.0} us", m * 1e3),
        m if m < 1000.0 => format!("{m:.0} ms"),
        m => format!("{:.0} s", m / 1e3),
    }
}
