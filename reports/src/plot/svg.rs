//! Writes SVG: presentation attributes and classes only, every text escaped, coordinates to a tenth of a pixel.

mod letters;
mod paint;
mod path;

pub use letters::{Anchor, Type};
pub use paint::{Hatch, Paint};
pub use path::Path;
pub(super) use path::px;

use super::theme::{FONT, Token};
use std::fmt::Write;

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
        if !path.is_empty() {
            let paint = self.painted(paint);
            let _ = write!(self.body, "<path d=\"{}\"{paint}/>", path.data());
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

    /// A series that a key can turn off.
    pub fn series(&mut self, name: &str, draw: impl FnOnce(&mut Self)) {
        self.group("series", name, draw);
    }

    /// An axis of time whose line is at `y`: scripts put another in its place.
    pub fn axis(&mut self, y: f64, draw: impl FnOnce(&mut Self)) {
        self.group("axis", &px(y).to_string(), draw);
    }

    fn group(&mut self, key: &str, value: &str, draw: impl FnOnce(&mut Self)) {
        let _ = write!(self.body, "<g data-{key}=\"{}\">", escaped(value));
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
        if let Some(hatch) = paint.hatching().filter(|hatch| !self.hatches.contains(hatch)) {
            self.hatches.push(hatch);
        }
        paint.attributes(&escaped(&self.id))
    }
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
