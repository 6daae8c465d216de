//! Colours by what they mean, each with its light and its dark value.
//!
//! A picture carries the light value as a presentation attribute, so that it stands where styles are forbidden, and a
//! short class beside it, through which a style sheet turns the same picture dark. Okabe's and Ito's colours: no meaning
//! rests on telling red from green.

use crate::record::Verdict;
use std::fmt::Write;

/// What a colour means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Token {
    /// The page.
    Bg,
    /// Code, nodes.
    Surface,
    /// Text.
    Ink,
    /// Secondary text.
    Ink2,
    /// Axes.
    Ink3,
    /// Rules.
    Line,
    /// Gridlines.
    Grid,
    /// Served, in marks.
    Ok,
    /// Served, in areas.
    OkSoft,
    /// Lost, FAIL, limits.
    Lost,
    /// The same as text.
    LostText,
    /// PASS, recovery, saved by a retry.
    Heal,
    /// The same as text.
    HealText,
    /// INCONCLUSIVE, differs.
    Warn,
    /// The same as text.
    WarnText,
    /// The proxy's own word, the control, INVALID.
    Said,
    /// The same in areas.
    SaidSoft,
    /// The fault band.
    Fault,
    /// Its edges and hatching.
    FaultLine,
    /// Percentiles, the rarer the further from the page.
    Q50,
    /// 90th.
    Q90,
    /// 99th.
    Q99,
    /// Heat maps, from low to high.
    H0,
    /// Second.
    H1,
    /// Third.
    H2,
    /// Fourth.
    H3,
    /// Highest.
    H4,
    /// Text on [`Token::H3`], in either scheme.
    OnH3,
}

/// All tokens: name, light, dark.
const TABLE: [(Token, &str, &str, &str); 28] = [
    (Token::Bg, "bg", "#fdfdfb", "#14171a"),
    (Token::Surface, "surface", "#f4f4f0", "#1c2125"),
    (Token::Ink, "ink", "#16191c", "#eef0f2"),
    (Token::Ink2, "ink2", "#4c5258", "#b6bdc3"),
    (Token::Ink3, "ink3", "#697077", "#8f989f"),
    (Token::Line, "line", "#c9cbc6", "#3f474d"),
    (Token::Grid, "grid", "#e5e6e1", "#272d32"),
    (Token::Ok, "ok", "#7d96aa", "#67839a"),
    (Token::OkSoft, "ok-soft", "#c6d2db", "#33444f"),
    (Token::Lost, "lost", "#d55e00", "#f47a2e"),
    (Token::LostText, "lost-t", "#a84600", "#ff9d63"),
    (Token::Heal, "heal", "#009e73", "#2fbf95"),
    (Token::HealText, "heal-t", "#00704f", "#4fd6ae"),
    (Token::Warn, "warn", "#c88500", "#efb43a"),
    (Token::WarnText, "warn-t", "#7d5600", "#f3c25d"),
    (Token::Said, "said", "#a2437f", "#e08cc0"),
    (Token::SaidSoft, "said-soft", "#e3bdd4", "#6d3d5b"),
    (Token::Fault, "fault", "#f0e442", "#f0e442"),
    (Token::FaultLine, "fault-l", "#8c8000", "#c9bf45"),
    (Token::Q50, "q50", "#4c96c6", "#2d6f9c"),
    (Token::Q90, "q90", "#1f77ad", "#56b4e9"),
    (Token::Q99, "q99", "#003f63", "#b9e2fa"),
    (Token::H0, "h0", "#eef4f8", "#1d2a33"),
    (Token::H1, "h1", "#cfe3f0", "#22455b"),
    (Token::H2, "h2", "#9fcbe6", "#2a6387"),
    (Token::H3, "h3", "#5aa5d3", "#3c8dbd"),
    (Token::H4, "h4", "#0072b2", "#7cc4ee"),
    (Token::OnH3, "on-h3", "#14171a", "#14171a"),
];

/// How much of the fault band's colour is laid over the page: light, dark.
const FAULT_OPACITY: (&str, &str) = (".22", ".09");

/// Fonts of all pictures and pages.
pub const FONT: &str = "system-ui,-apple-system,Segoe UI,Roboto,Noto Sans,Liberation Sans,DejaVu Sans,sans-serif";

impl Token {
    /// The letters of a verdict.
    pub fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::HealText,
            Verdict::Inconclusive => Self::WarnText,
            Verdict::Invalid => Self::Said,
            Verdict::Fail | Verdict::Error | Verdict::Aborted => Self::LostText,
        }
    }

    fn row(self) -> &'static (Token, &'static str, &'static str, &'static str) {
        // The table is in the order of the variants; a test holds it there.
        &TABLE[self as usize]
    }

    /// As in a style sheet: `var(--name)`.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The value that stands without any style sheet.
    pub fn light(self) -> &'static str {
        self.row().2
    }

    /// The value on a dark page.
    pub fn dark(self) -> &'static str {
        self.row().3
    }

    /// Opacity that goes with the light value where the token is a veil.
    pub(super) fn opacity(self) -> Option<&'static str> {
        (self == Self::Fault).then_some(FAULT_OPACITY.0)
    }
}

/// Declares every token: light for all, both where the browser can choose.
pub fn variables() -> String {
    let mut css = String::from(":root{");
    for (_, name, light, _) in &TABLE {
        // Writing to a string cannot fail.
        let _ = write!(css, "--{name}:{light};");
    }
    let _ = write!(
        css,
        "--fault-o:{}}}@supports(color:light-dark(#000,#fff)){{:root{{color-scheme:light dark;",
        FAULT_OPACITY.0
    );
    for (_, name, light, dark) in TABLE.iter().filter(|(_, _, light, dark)| light != dark) {
        let _ = write!(css, "--{name}:light-dark({light},{dark});");
    }
    css.push_str("}}");
    css
}

/// Lets the classes of a picture's elements override its presentation attributes.
pub fn classes() -> String {
    let mut css = String::new();
    for (token, name, light, dark) in &TABLE {
        if *token == Token::Fault {
            // Opacity cannot be chosen by `light-dark`, a colour with opacity can.
            let (on, off) = (alpha(light, FAULT_OPACITY.0), alpha(dark, FAULT_OPACITY.1));
            let _ = write!(
                css,
                ".f-fault{{fill:{on};fill-opacity:1}}@supports(color:light-dark(#000,#fff)){{.f-fault{{fill:light-dark({on},{off})}}}}"
            );
        } else {
            let _ = write!(css, ".f-{name}{{fill:var(--{name})}}.s-{name}{{stroke:var(--{name})}}");
        }
    }
    css
}

/// `#rrggbb` and `.22` to `#rrggbb38`.
fn alpha(colour: &str, opacity: &str) -> String {
    let share: f64 = opacity.parse().unwrap_or(1.0);
    format!("{colour}{:02x}", (share * 255.0).round() as u8)
}

/// A picture that stands for itself: it follows the scheme of whoever looks at it.
pub fn standalone(svg: &str) -> String {
    let style = format!("<style>{}{}.bg{{fill:var(--bg)}}</style>", variables(), classes());
    match svg.find('>') {
        Some(at) => {
            let (head, rest) = svg.split_at(at + 1);
            format!("{head}{style}{rest}")
        }
        None => svg.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_tokens() {
        for (at, (token, ..)) in TABLE.iter().enumerate() {
            assert_eq!(*token as usize, at, "{token:?}");
        }
    }

    fn luminance(hex: &str) -> f64 {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn every_text_can_be_read_on_the_page_and_on_code() {
        let texts =
            [Token::Ink, Token::Ink2, Token::Ink3, Token::LostText, Token::HealText, Token::WarnText, Token::Said];
        for text in texts {
            for page in [Token::Bg, Token::Surface] {
                assert!(contrast(text.light(), page.light()) >= 4.5, "{text:?} on {page:?}, light");
                assert!(contrast(text.dark(), page.dark()) >= 4.5, "{text:?} on {page:?}, dark");
            }
        }
    }

    #[test]
    fn every_class_has_a_declared_colour() {
        let (variables, classes) = (variables(), classes());
        for name in classes.split("var(--").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            assert!(variables.contains(&format!("--{name}:#")), "{name}");
        }
        assert!(classes.contains("#f0e44238") && classes.contains("#f0e44217"));
    }
}
