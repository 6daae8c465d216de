//! How a shape is painted: colours by meaning, lines, hatchings.

use super::Token;
use std::fmt::Write;

/// A hatching, which says without colour what an area is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hatch {
    /// On the row of an instance that a fault is on.
    Fault,
    /// Lost.
    Lost,
    /// Not achieved, not known.
    Ink,
    /// What an earlier or other thing said; the control.
    Said,
}

/// How a shape is painted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Paint {
    fill: Option<Token>,
    hatch: Option<Hatch>,
    stroke: Option<(Token, f64)>,
    dash: Option<&'static str>,
    opacity: Option<f64>,
    class: Option<&'static str>,
}

impl Paint {
    /// An area.
    pub fn fill(token: Token) -> Self {
        Self { fill: Some(token), ..Self::default() }
    }

    /// A line of this width.
    pub fn stroke(token: Token, width: f64) -> Self {
        Self { stroke: Some((token, width)), ..Self::default() }
    }

    /// A hatched area.
    pub fn hatch(hatch: Hatch) -> Self {
        Self { hatch: Some(hatch), ..Self::default() }
    }

    /// With an outline.
    pub fn outline(self, token: Token, width: f64) -> Self {
        Self { stroke: Some((token, width)), ..self }
    }

    /// Dashed: `"2 3"`.
    pub fn dash(self, dash: &'static str) -> Self {
        Self { dash: Some(dash), ..self }
    }

    /// Partly seen through.
    pub fn opacity(self, opacity: f64) -> Self {
        Self { opacity: Some(opacity), ..self }
    }

    /// With a class for scripts and style sheets.
    pub fn class(self, class: &'static str) -> Self {
        Self { class: Some(class), ..self }
    }

    /// The hatching that its picture must define.
    pub(super) fn hatching(self) -> Option<Hatch> {
        self.hatch
    }

    /// As attributes of a shape in the picture with this id.
    pub(super) fn attributes(self, id: &str) -> String {
        let mut text = String::new();
        let mut classes: Vec<String> = Vec::new();
        match (self.fill, self.hatch) {
            (_, Some(hatch)) => {
                let _ = write!(text, " fill=\"url(#{id}-{})\"", hatch.name());
            }
            (Some(token), None) => {
                let _ = write!(text, " fill=\"{}\"", token.light());
                if let Some(opacity) = token.opacity() {
                    let _ = write!(text, " fill-opacity=\"{opacity}\"");
                }
                classes.push(format!("f-{}", token.name()));
            }
            (None, None) => text.push_str(" fill=\"none\""),
        }
        if let Some((token, width)) = self.stroke {
            let _ = write!(text, " stroke=\"{}\"", token.light());
            if (width - 1.0).abs() > 0.001 {
                let _ = write!(text, " stroke-width=\"{width}\"");
            }
            classes.push(format!("s-{}", token.name()));
        }
        if let Some(dash) = self.dash {
            let _ = write!(text, " stroke-dasharray=\"{dash}\"");
        }
        if let Some(opacity) = self.opacity {
            let _ = write!(text, " opacity=\"{opacity}\"");
        }
        classes.extend(self.class.map(str::to_owned));
        if !classes.is_empty() {
            let _ = write!(text, " class=\"{}\"", classes.join(" "));
        }
        text
    }
}

impl Hatch {
    fn name(self) -> &'static str {
        match self {
            Self::Fault => "hatch-fault",
            Self::Lost => "hatch-lost",
            Self::Ink => "hatch-ink",
            Self::Said => "hatch-said",
        }
    }

    /// Its definition in the picture with this id.
    pub(super) fn pattern(self, id: &str) -> String {
        let (size, turn, ground, line, width, opacity) = match self {
            Self::Fault => (7, 45, None, Token::FaultLine, 1.1, 0.55),
            Self::Lost => (4, -45, Some(Token::Lost), Token::Bg, 1.2, 1.0),
            Self::Ink => (5, 45, None, Token::Ink, 1.0, 0.5),
            Self::Said => (5, -45, Some(Token::SaidSoft), Token::Said, 1.2, 1.0),
        };
        let mut text = format!(
            "<pattern id=\"{id}-{}\" width=\"{size}\" height=\"{size}\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate({turn})\">",
            self.name()
        );
        if let Some(ground) = ground {
            let _ = write!(
                text,
                "<rect width=\"{size}\" height=\"{size}\" fill=\"{}\" class=\"f-{}\"/>",
                ground.light(),
                ground.name()
            );
        }
        let _ = write!(
            text,
            "<path d=\"M0 0V{size}\" stroke=\"{}\" class=\"s-{}\" stroke-width=\"{width}\" opacity=\"{opacity}\"/></pattern>",
            line.light(),
            line.name()
        );
        text
    }
}
