//! The outline of a path, in tenths of a pixel.

use std::fmt::{self, Write};

/// The outline of a path.
#[derive(Debug, Clone, Default)]
pub struct Path {
    text: String,
    points: usize,
}

impl Path {
    /// As SVG writes it.
    pub(super) fn data(&self) -> &str {
        &self.text
    }

    /// Begins anew at a point.
    pub fn go(&mut self, x: f64, y: f64) {
        let _ = write!(self.text, "M{} {}", px(x), px(y));
        self.points += 1;
    }

    /// A line to a point.
    pub fn to(&mut self, x: f64, y: f64) {
        let _ = write!(self.text, "L{} {}", px(x), px(y));
        self.points += 1;
    }

    /// A level line.
    pub fn across(&mut self, x: f64) {
        let _ = write!(self.text, "H{}", px(x));
        self.points += 1;
    }

    /// An upright line.
    pub fn up(&mut self, y: f64) {
        let _ = write!(self.text, "V{}", px(y));
        self.points += 1;
    }

    /// A curve to a point, level at both ends.
    pub fn curve(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), (x, y): (f64, f64)) {
        let _ = write!(self.text, "C{} {} {} {} {} {}", px(x1), px(y1), px(x2), px(y2), px(x), px(y));
        self.points += 1;
    }

    /// Back to where it began.
    pub fn close(&mut self) {
        self.text.push('Z');
    }

    /// Points so far.
    pub fn points(&self) -> usize {
        self.points
    }

    /// Nothing was drawn.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// A length to a tenth of a pixel, without zeros that say nothing.
pub(in crate::plot) fn px(value: f64) -> impl fmt::Display {
    struct Tenth(i64);
    impl fmt::Display for Tenth {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let (sign, tenths) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
            match tenths % 10 {
                0 => write!(f, "{sign}{}", tenths / 10),
                tenth => write!(f, "{sign}{}.{tenth}", tenths / 10),
            }
        }
    }
    Tenth((value * 10.0).round() as i64)
}
