//! How a text looks, and how wide it is.

use super::Token;
use crate::plot::text::{self, Face};

/// Where a text stands about its point.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Anchor {
    /// Begins there.
    #[default]
    Start,
    /// Is centred there.
    Middle,
    /// Ends there.
    End,
}

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub struct Type {
    /// Pixels.
    pub size: f64,
    /// Colour.
    pub token: Token,
    /// Bold.
    pub bold: bool,
    /// Where it stands.
    pub anchor: Anchor,
}

impl Type {
    /// Axes, notes: the smallest.
    pub const SMALL: Self = Self { size: 11.5, token: Token::Ink2, bold: false, anchor: Anchor::Start };
    /// Labels in a plot.
    pub const PLAIN: Self = Self { size: 12.5, token: Token::Ink, bold: false, anchor: Anchor::Start };
    /// Names of rows, totals.
    pub const BOLD: Self = Self { size: 12.5, token: Token::Ink, bold: true, anchor: Anchor::Start };

    /// In another colour.
    pub const fn token(self, token: Token) -> Self {
        Self { token, ..self }
    }

    /// Ends at its point.
    pub const fn end(self) -> Self {
        Self { anchor: Anchor::End, ..self }
    }

    /// Is centred at its point.
    pub const fn middle(self) -> Self {
        Self { anchor: Anchor::Middle, ..self }
    }

    /// Width of a text, a little more than it takes in the fonts that are asked for.
    pub fn width(self, text: &str) -> f64 {
        text::width(text, self.size, if self.bold { Face::Bold } else { Face::Regular })
    }

    /// The text, cut with an ellipsis to fit a width.
    pub fn fitted(self, text: &str, width: f64) -> String {
        text::fitted(text, self.size, if self.bold { Face::Bold } else { Face::Regular }, width)
    }
}
