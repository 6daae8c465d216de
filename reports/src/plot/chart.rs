//! Charts with two axes: plotters places values and draws lines, our picture takes the ink.
//!
//! Plotters thinks in whole pixels; it is given tenths of them, so that a hundred slices a second keep their places.

use super::svg::{Paint, Path, Svg};
use plotters::coord::ranged1d::Ranged;
use plotters::coord::types::RangedCoordf64;
use plotters::element::{Drawable, PointCollection};
use plotters::prelude::{
    BLACK, Cartesian2d, Circle, DrawingArea, IntoDrawingArea, IntoLogRange, LogCoord, PathElement, Rectangle,
};
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, DrawingBackend, DrawingErrorKind};
use std::convert::Infallible;
use std::ops::Range;

/// Tenths of a pixel.
const FINE: f64 = 10.0;

/// The upright axis.
#[derive(Debug, Clone)]
pub enum Upright {
    /// From zero.
    Linear(Range<f64>),
    /// In decades.
    Log(Range<f64>),
}

/// A rectangle of a picture with two axes.
#[derive(Debug, Clone)]
pub struct Chart {
    /// Values from left to right.
    pub x: Range<f64>,
    /// Values from bottom to top.
    pub y: Upright,
    /// Left and right edge, pixels.
    pub across: (f64, f64),
    /// Top and bottom edge, pixels.
    pub upright: (f64, f64),
}

impl Chart {
    /// A line through points; nothing for fewer than two.
    pub fn line(&self, svg: &mut Svg, points: Vec<(f64, f64)>, paint: Paint) {
        if points.len() > 1 {
            self.draw(svg, paint, &PathElement::new(points, BLACK));
        }
    }

    /// A circle about a point.
    pub fn circle(&self, svg: &mut Svg, at: (f64, f64), radius: f64, paint: Paint) {
        self.draw(svg, paint, &Circle::new(at, (radius * FINE) as i32, BLACK));
    }

    /// An area between two corners.
    pub fn area(&self, svg: &mut Svg, corners: [(f64, f64); 2], paint: Paint) {
        self.draw(svg, paint, &Rectangle::new(corners, BLACK));
    }

    /// Where a value stands from left to right, pixels.
    pub fn x(&self, value: f64) -> f64 {
        let axis: RangedCoordf64 = self.x.clone().into();
        f64::from(axis.map(&value, (fine(self.across.0), fine(self.across.1)))) / FINE
    }

    /// Where a value stands from bottom to top, pixels; what lies beyond the axis stands at its edge.
    pub fn y(&self, value: f64) -> f64 {
        let limits = (fine(self.upright.1), fine(self.upright.0));
        let at = match &self.y {
            Upright::Linear(range) => {
                let axis: RangedCoordf64 = range.clone().into();
                axis.map(&value.clamp(range.start, range.end), limits)
            }
            Upright::Log(range) => {
                let axis: LogCoord<f64> = range.clone().log_scale().into();
                axis.map(&value.clamp(range.start, range.end), limits)
            }
        };
        f64::from(at) / FINE
    }

    fn draw<'a, E>(&self, svg: &'a mut Svg, paint: Paint, element: &E)
    where
        for<'b> &'b E: PointCollection<'b, (f64, f64)>,
        E: for<'b> Drawable<Ink<'b>>,
    {
        let size = (fine(svg.width()).unsigned_abs(), fine(svg.height()).unsigned_abs());
        let area: DrawingArea<Ink<'a>, _> = Ink { svg, paint, size }.into_drawing_area();
        let limits = (fine(self.across.0)..fine(self.across.1), fine(self.upright.1)..fine(self.upright.0));
        // Ink is never refused.
        let _ = match &self.y {
            Upright::Linear(range) => area
                .apply_coord_spec(Cartesian2d::<RangedCoordf64, RangedCoordf64>::new(
                    self.x.clone(),
                    range.clone(),
                    limits,
                ))
                .draw(element),
            Upright::Log(range) => area
                .apply_coord_spec(Cartesian2d::<RangedCoordf64, LogCoord<f64>>::new(
                    self.x.clone(),
                    range.clone().log_scale(),
                    limits,
                ))
                .draw(element),
        };
    }
}

fn fine(pixels: f64) -> i32 {
    (pixels * FINE).round() as i32
}

/// What plotters draws on.
struct Ink<'a> {
    svg: &'a mut Svg,
    paint: Paint,
    size: (u32, u32),
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

fn coarse((x, y): BackendCoord) -> (f64, f64) {
    (f64::from(x) / FINE, f64::from(y) / FINE)
}

impl DrawingBackend for Ink<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, point: BackendCoord, _: BackendColor) -> Drawn {
        let (x, y) = coarse(point);
        self.svg.rect(x, y, (1.0 / FINE, 1.0 / FINE), self.paint);
        Ok(())
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, _: &S) -> Drawn {
        self.svg.line(coarse(from), coarse(to), self.paint);
        Ok(())
    }

    fn draw_rect<S: BackendStyle>(&mut self, one: BackendCoord, other: BackendCoord, _: &S, _: bool) -> Drawn {
        let ((left, top), (right, bottom)) = (coarse(one), coarse(other));
        self.svg.rect(left.min(right), top.min(bottom), ((right - left).abs(), (bottom - top).abs()), self.paint);
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, points: I, _: &S) -> Drawn {
        let mut path = Path::default();
        let mut last: Option<BackendCoord> = None;
        for at in points {
            let (x, y) = coarse(at);
            match last {
                None => path.go(x, y),
                Some(before) if before == at => {}
                // Steps are level and upright lines, which are half as long to write.
                Some((_, before)) if before == at.1 => path.across(x),
                Some((before, _)) if before == at.0 => path.up(y),
                Some(_) => path.to(x, y),
            }
            last = Some(at);
        }
        self.svg.path(&path, self.paint);
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(&mut self, center: BackendCoord, radius: u32, _: &S, _: bool) -> Drawn {
        self.svg.circle(coarse(center), f64::from(radius) / FINE, self.paint);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::theme::Token;

    fn chart(y: Upright) -> Chart {
        Chart { x: 0.0..32.0, y, across: (132.0, 1012.0), upright: (20.0, 260.0) }
    }

    #[test]
    fn values_stand_where_the_axes_say() {
        let log = chart(Upright::Log(100.0..1e6));
        let near = |one: f64, other: f64| assert!((one - other).abs() < 0.06, "{one} is not {other}");
        for (value, place) in [(0.0, 132.0), (32.0, 1012.0), (5.0, 269.5)] {
            near(log.x(value), place);
        }
        for (value, place) in [(100.0, 260.0), (1e6, 20.0), (1e4, 140.0)] {
            near(log.y(value), place);
        }
        // Beyond the axis is at its edge.
        near(log.y(1.0), 260.0);
        near(chart(Upright::Linear(0.0..500.0)).y(250.0), 140.0);
    }

    #[test]
    fn steps_are_drawn_with_the_paint_that_was_asked_for() {
        let mut svg = Svg::new("c", (1120.0, 286.0), "t", "d");
        let points = vec![(0.0, 1e4), (1.0, 1e4), (1.0, 1e5), (2.0, 1e5)];
        chart(Upright::Log(100.0..1e6)).line(&mut svg, points, Paint::stroke(Token::Q99, 2.4));
        let text = svg.finish();
        assert!(text.contains("<path d=\"M132 140H159.5V80H187\" fill=\"none\" stroke=\"#003f63\" stroke-width=\"2.4\" class=\"s-q99\"/>"), "{text}");
    }
}
