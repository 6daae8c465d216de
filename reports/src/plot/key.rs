//! Samples for keys: the same paint as in the picture.

use super::phases::Stroke;
use super::svg::{Hatch, Paint, Svg};
use super::theme::Token;

/// What a sample shows.
#[derive(Debug, Clone, Copy)]
pub enum Sample {
    /// An area.
    Area(Token),
    /// A hatched area.
    Hatched(Hatch),
    /// A hatched area that is empty otherwise, with an edge.
    Framed(Hatch, Token),
    /// An area with an edge.
    Edged(Token, Token),
    /// A line.
    Line(Token, f64, Option<&'static str>),
    /// A ring.
    Ring,
    /// A line of the phases' picture.
    Stroke(Stroke),
}

/// Draws a sample; `id` is unique in the page.
pub fn sample(id: &str, sample: Sample) -> String {
    let long = matches!(sample, Sample::Line(..) | Sample::Stroke(_));
    let (width, height) = (if long { 28.0 } else { 14.0 }, 12.0);
    let mut svg = Svg::new(id, (width, height), "", "");
    svg.decorative();
    let area = (width, height);
    match sample {
        Sample::Area(token) => svg.rect(0.0, 0.0, area, Paint::fill(token)),
        Sample::Hatched(hatch) => svg.rect(0.0, 0.0, area, Paint::hatch(hatch)),
        Sample::Framed(hatch, edge) => svg.rect(0.5, 0.5, (13.0, 11.0), Paint::hatch(hatch).outline(edge, 1.0)),
        Sample::Edged(token, edge) => svg.rect(0.5, 0.5, (13.0, 11.0), Paint::fill(token).outline(edge, 1.0)),
        Sample::Line(token, stroke, dash) => {
            let paint = Paint::stroke(token, stroke);
            svg.line((0.0, 6.0), (width, 6.0), dash.map_or(paint, |dash| paint.dash(dash)));
        }
        Sample::Ring => svg.circle((7.0, 6.0), 2.8, Paint::stroke(Token::Ink, 1.1)),
        Sample::Stroke(stroke) => stroke.sample(&mut svg, (0.0, 6.0), (width, 6.0)),
    }
    svg.finish()
}
