//! Writes SVG: presentation attributes and classes only, every text escaped, coordinates to a tenth of a pixel.

use super::text::{self, Face};
use super::theme::{FONT, Token};
use std::fmt::{self, Write};

/// A picture that grows.
#[derive(Debug, Clone)]
pub struct Svg {
    id: String,
    width: f64,
    height: f64,
    title: String,
    about: String,
    data: String,
    decorative: bool,
    hatches: Vec<Hatch>,
    body: String,
}

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
}

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

impl Svg {
    /// An empty picture. `id` is unique in its page; `title` says what it is, `about` what is to be seen on it.
    pub fn new(id: &str, (width, height): (f64, f64), title: &str, about: &str) -> Self {
        Self {
            id: id.to_owned(),
            width,
            height,
            title: title.to_owned(),
            about: about.to_owned(),
            data: String::new(),
            decorative: false,
            hatches: Vec::new(),
            body: String::new(),
        }
    }

    /// Width in pixels.
    pub fn width(&self) -> f64 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> f64 {
        self.height
    }

    /// Says the height when it is known.
    pub fn set_height(&mut self, height: f64) {
        self.height = height;
    }

    /// Says that the words beside the picture say all that it shows; screen readers pass over it.
    pub fn decorative(&mut self) {
        self.decorative = true;
    }

    /// A `data-` attribute of the whole picture, for scripts.
    pub fn data(&mut self, key: &str, value: &str) {
        let _ = write!(self.data, " data-{key}=\"{}\"", escaped(value));
    }

    /// A rectangle.
    pub fn rect(&mut self, x: f64, y: f64, (width, height): (f64, f64), paint: Paint) {
        let (x, y, width, height) = (px(x), px(y), px(width), px(height));
        let paint = self.painted(paint);
        let _ = write!(self.body, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"{paint}/>");
    }

    /// A line.
    pub fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), paint: Paint) {
        let mut path = Path::default();
        path.go(x1, y1);
        path.to(x2, y2);
        self.path(&path, paint);
    }

    /// Whatever a path draws; nothing for an empty one.
    pub fn path(&mut self, path: &Path, paint: Paint) {
        if !path.text.is_empty() {
            let paint = self.painted(paint);
            let _ = write!(self.body, "<path d=\"{}\"{paint}/>", path.text);
        }
    }

    /// A circle.
    pub fn circle(&mut self, (x, y): (f64, f64), radius: f64, paint: Paint) {
        let (x, y, radius) = (px(x), px(y), px(radius));
        let paint = self.painted(paint);
        let _ = write!(self.body, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"{paint}/>");
    }

    /// A text on its baseline.
    pub fn text(&mut self, x: f64, y: f64, text: &str, style: Type) {
        let _ = write!(self.body, "<text x=\"{}\" y=\"{}\"", px(x), px(y));
        if (style.size - Type::PLAIN.size).abs() > 0.01 {
            let _ = write!(self.body, " font-size=\"{}\"", style.size);
        }
        if style.bold {
            self.body.push_str(" font-weight=\"600\"");
        }
        match style.anchor {
            Anchor::Start => {}
            Anchor::Middle => self.body.push_str(" text-anchor=\"middle\""),
            Anchor::End => self.body.push_str(" text-anchor=\"end\""),
        }
        let _ = write!(
            self.body,
            " fill=\"{}\" class=\"f-{}\">{}</text>",
            style.token.light(),
            style.token.name(),
            escaped(text)
        );
    }

    /// A text on a piece of paper, so that it can be read on whatever is behind it.
    pub fn backed(&mut self, x: f64, y: f64, text: &str, style: Type) {
        let width = style.width(text) + 4.0;
        let left = match style.anchor {
            Anchor::Start => x - 2.0,
            Anchor::Middle => x - width / 2.0,
            Anchor::End => x - width + 2.0,
        };
        self.rect(left, y - style.size + 1.5, (width, style.size + 1.5), Paint::fill(Token::Bg).opacity(0.8));
        self.text(x, y, text, style);
    }

    /// What a pointer reads when it rests on what `draw` draws; never the only place of a value.
    pub fn titled(&mut self, title: &str, draw: impl FnOnce(&mut Self)) {
        let _ = write!(self.body, "<g><title>{}</title>", escaped(title));
        draw(self);
        self.body.push_str("</g>");
    }

    /// A group under a class, so that a key can turn a series off.
    pub fn series(&mut self, name: &str, draw: impl FnOnce(&mut Self)) {
        let _ = write!(self.body, "<g data-series=\"{}\">", escaped(name));
        draw(self);
        self.body.push_str("</g>");
    }

    /// The text of the picture.
    pub fn finish(self) -> String {
        let (id, width, height) = (escaped(&self.id), px(self.width), px(self.height));
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" id=\"{id}\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\""
        );
        if self.decorative {
            svg.push_str(" aria-hidden=\"true\">");
        } else {
            let (title, about) = (escaped(&self.title), escaped(&self.about));
            let _ = write!(
                svg,
                " font-family=\"{FONT}\" font-size=\"12.5\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\"{}>\
                 <title id=\"{id}-t\">{title}</title><desc id=\"{id}-d\">{about}</desc>",
                self.data
            );
        }
        if !self.hatches.is_empty() {
            svg.push_str("<defs>");
            self.hatches.iter().for_each(|hatch| svg.push_str(&hatch.pattern(&id)));
            svg.push_str("</defs>");
        }
        let _ =
            write!(svg, "<rect width=\"{width}\" height=\"{height}\" fill=\"{}\" class=\"f-bg\"/>", Token::Bg.light());
        svg.push_str(&self.body);
        svg.push_str("</svg>");
        svg
    }

    fn painted(&mut self, paint: Paint) -> String {
        let mut text = String::new();
        let mut classes: Vec<String> = Vec::new();
        match (paint.fill, paint.hatch) {
            (_, Some(hatch)) => {
                if !self.hatches.contains(&hatch) {
                    self.hatches.push(hatch);
                }
                let _ = write!(text, " fill=\"url(#{}-{})\"", escaped(&self.id), hatch.name());
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
        if let Some((token, width)) = paint.stroke {
            let _ = write!(text, " stroke=\"{}\"", token.light());
            if (width - 1.0).abs() > 0.001 {
                let _ = write!(text, " stroke-width=\"{width}\"");
            }
            classes.push(format!("s-{}", token.name()));
        }
        if let Some(dash) = paint.dash {
            let _ = write!(text, " stroke-dasharray=\"{dash}\"");
        }
        if let Some(opacity) = paint.opacity {
            let _ = write!(text, " opacity=\"{opacity}\"");
        }
        classes.extend(paint.class.map(str::to_owned));
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

    fn pattern(self, id: &str) -> String {
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

/// The outline of a path.
#[derive(Debug, Clone, Default)]
pub struct Path {
    text: String,
    points: usize,
}

impl Path {
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
pub(super) fn px(value: f64) -> impl fmt::Display {
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

/// Text that is safe in SVG and HTML, in which nothing is hidden.
pub fn escaped(text: &str) -> String {
    crate::escape::page(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_no_needless_digits() {
        let shown: Vec<_> = [0.0, 1.0, 1.25, -0.04, -3.16, 1012.5].map(|value| px(value).to_string()).into();
        assert_eq!(shown, ["0", "1", "1.3", "0", "-3.2", "1012.5"]);
    }

    #[test]
    fn texts_cannot_become_markup() {
        assert_eq!(
            escaped("<b onclick='x'>\u{1b}[31m\u{202e}&\"\0"),
            "&lt;b onclick=&#39;x&#39;&gt;\\x1b[31m\\u{202e}&amp;&quot;\\x00"
        );
        let mut svg = Svg::new("a\"b", (10.0, 10.0), "<t>", "&");
        svg.text(1.0, 2.0, "</text><script>", Type::BOLD);
        svg.data("k", "\"><script>");
        let text = svg.finish();
        assert!(!text.contains("<script") && !text.contains("<t>") && text.contains("id=\"a&quot;b\""), "{text}");
    }

    #[test]
    fn a_shape_carries_its_light_colour_and_its_class() {
        let mut svg = Svg::new("p", (10.0, 10.0), "t", "d");
        svg.rect(1.0, 2.0, (3.0, 4.0), Paint::fill(Token::Lost).outline(Token::Ink, 1.5));
        svg.rect(1.0, 2.0, (3.0, 4.0), Paint::hatch(Hatch::Lost));
        svg.path(&Path::default(), Paint::fill(Token::Ok));
        let text = svg.finish();
        assert!(text.contains(
            "<rect x=\"1\" y=\"2\" width=\"3\" height=\"4\" fill=\"#d55e00\" stroke=\"#16191c\" stroke-width=\"1.5\" class=\"f-lost s-ink\"/>"
        ));
        assert!(text.contains("fill=\"url(#p-hatch-lost)\"") && text.contains("<pattern id=\"p-hatch-lost\""));
        assert!(!text.contains("<path d=\"\""), "an empty path is nothing");
        assert!(!text.contains("style"), "styles may be forbidden");
    }
}
