//! One row of the screen: text from the left, text from the right, and the colours in which it is written.

use super::Looks;
use crate::output::story::Tone;
use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::{Color, Modifier, Style};
use ratatui_core::text::{Line, Span};

/// What a piece of text is, by which it gets its colour; everything reads without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Ink {
    #[default]
    Plain,
    /// Scenario, the phase that is on, numbers that changed the verdict.
    Strong,
    /// Units, axes, keys.
    Faint,
    /// Lost, FAIL, faulty and receiving; never anything else.
    Lost,
    /// In, holds, PASS.
    Good,
    /// A fault that is on, an instance that is out.
    Fault,
    /// The proxy's word, where it disagrees.
    Said,
}

impl From<Tone> for Ink {
    fn from(tone: Tone) -> Self {
        match tone {
            Tone::Plain => Self::Plain,
            Tone::Fault => Self::Fault,
            Tone::Good => Self::Good,
            Tone::Bad => Self::Lost,
            Tone::Said => Self::Said,
        }
    }
}

/// How to write: how wide the screen is, and what it can show.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pen {
    pub(super) width: usize,
    pub(super) looks: Looks,
}

impl Pen {
    fn style(self, ink: Ink) -> Style {
        let plain = Style::default();
        let colour = |colour| if self.looks.colour { plain.fg(colour) } else { plain };
        match ink {
            Ink::Plain => plain,
            Ink::Strong => plain.add_modifier(Modifier::BOLD),
            Ink::Faint => plain.add_modifier(Modifier::DIM),
            Ink::Lost => colour(Color::Red),
            Ink::Good => colour(Color::Green),
            Ink::Fault => colour(Color::Yellow),
            Ink::Said => colour(Color::Magenta),
        }
    }

    pub(super) fn ink(self, ink: Ink, text: impl Into<String>) -> Span<'static> {
        Span::styled(text.into(), self.style(ink))
    }

    /// The sign, or its plain form.
    pub(super) fn sign(self, sign: &'static str, ascii: &'static str) -> &'static str {
        if self.looks.ascii { ascii } else { sign }
    }
}

/// One row.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    left: Line<'static>,
    right: Line<'static>,
}

impl Row {
    pub(super) fn new(left: Vec<Span<'static>>) -> Self {
        Self { left: Line::from(left), right: Line::default() }
    }

    /// The same with text at the right edge, which is never covered.
    pub(super) fn right(mut self, right: Vec<Span<'static>>) -> Self {
        self.right = Line::from(right);
        self
    }

    /// Two rows beside each other, the left one in so many columns.
    pub(super) fn beside(left: &Self, right: &Self, width: usize) -> Self {
        let mut spans = Vec::new();
        let mut room = width.saturating_sub(2);
        for span in &left.left.spans {
            let text = cut(&span.content, room);
            room -= Span::raw(text.as_str()).width().min(room);
            spans.push(Span::styled(text, span.style));
        }
        spans.push(Span::raw(" ".repeat(room + 2)));
        spans.extend(right.left.spans.iter().cloned());
        Self::new(spans)
    }

    pub(super) fn draw(&self, buffer: &mut Buffer, area: Rect) {
        let right = (self.right.width() as u16).min(area.width);
        let gap = if right > 0 { 2 } else { 0 };
        let left = area.width.saturating_sub(right + gap);
        if self.left.width() <= usize::from(left) {
            buffer.set_line(area.x, area.y, &self.left, left);
        } else if left > 0 {
            buffer.set_line(area.x, area.y, &self.left, left - 1);
            buffer.set_string(area.x + left - 1, area.y, "…", Style::default());
        }
        buffer.set_line(area.right() - right, area.y, &self.right, right);
    }
}

/// The text in so many columns: cut with `…`, filled with blanks.
pub(super) fn column(text: &str, width: usize) -> String {
    let text = cut(text, width);
    let blanks = width.saturating_sub(Span::raw(text.as_str()).width());
    text + &" ".repeat(blanks)
}

/// The text in so many columns at most.
pub(super) fn cut(text: &str, width: usize) -> String {
    let mut short = String::new();
    if Span::raw(text).width() <= width {
        return text.to_owned();
    }
    for letter in text.chars() {
        short.push(letter);
        if Span::raw(short.as_str()).width() + 1 > width {
            short.pop();
            break;
        }
    }
    let mut short = short.trim_end().to_owned();
    if width > 0 {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        assert_eq!(column("cart", 6), "cart  ");
        assert_eq!(column("checkout", 6), "check…");
        assert_eq!(cut("checkout", 0), "");
        assert_eq!(cut("a bc", 3), "a…", "no blank before the sign");
    }
}
