//! Texts from elsewhere, made safe for the place where they are shown.
//!
//! A scenario's title, a program's last words or a policy may hold anything. [`visible`] is for people everywhere; the others
//! are for one syntax each, and begin with it.

use std::borrow::Cow;
use std::fmt::Write;

/// Longest text that is shown on one line, in bytes.
const LONGEST: usize = 1024;

/// One line in which nothing is hidden: control characters, line ends and marks that turn the direction of writing are spelt
/// out, and what is longer than a kilobyte is cut.
pub fn visible(text: &str) -> String {
    spelt_out(&cut(text, LONGEST), false)
}

/// The same for a text of many lines: line ends and tabs stay, and nothing is cut.
pub fn visible_lines(text: &str) -> String {
    spelt_out(text, true)
}

fn spelt_out(text: &str, lines: bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\t' if lines => shown.push(letter),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push(' '),
            // Writing to a string cannot fail.
            letter if letter.is_control() => drop(write!(shown, "\\x{:02x}", u32::from(letter))),
            letter if is_hidden(letter) => drop(write!(shown, "\\u{{{:x}}}", u32::from(letter))),
            letter => shown.push(letter),
        }
    }
    shown
}

/// Marks of direction, of zero width, and what is no character at all.
fn is_hidden(letter: char) -> bool {
    matches!(letter,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
    )
}

/// At most so many bytes, and a mark where something is missing.
pub fn cut(text: &str, longest: usize) -> Cow<'_, str> {
    if text.len() <= longest {
        return text.into();
    }
    let end = (0..=longest).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…", &text[..end]).into()
}

/// For HTML, SVG and XML, in text and in quoted attributes.
pub fn markup(text: &str) -> String {
    tagless(&visible(text))
}

/// The same for a page, which has room for lines and for long texts.
pub fn page(text: &str) -> String {
    tagless(&visible_lines(text))
}

fn tagless(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            letter => safe.push(letter),
        }
    }
    safe
}

/// Makes every value of a page's template go through [`page`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page;

impl askama::filters::Escaper for Page {
    fn write_escaped_str<W: Write>(&self, mut dest: W, text: &str) -> std::fmt::Result {
        dest.write_str(&page(text))
    }
}

/// For a cell of a Markdown table, or a line of Markdown.
pub fn markdown(text: &str) -> String {
    let mut safe = String::new();
    for letter in visible(text).chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '~' | '#' | '!' | '$' => safe.extend(['\\', letter]),
            letter => safe.push(letter),
        }
    }
    safe
}

/// For a line of a Markdown code block, which ends at three accents; readers differ about markup in it.
pub fn code(text: &str) -> String {
    visible(text).replace('`', "'").replace('<', "‹").replace('>', "›")
}

/// For the message of a GitHub log command.
pub fn annotation(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// For a property of a GitHub log command.
pub fn annotation_property(text: &str) -> String {
    annotation(&visible(text)).replace(':', "%3A").replace(',', "%2C")
}

/// For a line of a log: a reader of the log obeys lines that begin with two colons.
pub fn log_line(text: &str) -> String {
    let line = visible(text);
    if line.trim_start().starts_with("::") || line.trim_start().starts_with("##[") {
        format!("· {line}")
    } else {
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hidden_stays_hidden() {
        assert_eq!(visible("a\u{1b}[31mred\u{7}\r\nb\0"), "a\\x1b[31mred\\x07\\r\\nb\\x00");
        assert_eq!(visible("user\u{202e}gpj.exe\u{2066}\u{200b}\u{85}"), "user\\u{202e}gpj.exe\\u{2066}\\u{200b}\\x85");
        assert_eq!(visible_lines("a:\n\tb\u{1b}"), "a:\n\tb\\x1b");
        assert_eq!(visible("grüße → 日本"), "grüße → 日本");
        assert_eq!(page("a\n<b>\u{202e}\0"), "a\n&lt;b&gt;\\u{202e}\\x00");
    }

    #[test]
    fn long_texts_are_cut_between_letters() {
        assert_eq!(cut("äöü", 3), "ä…");
        assert!(visible(&"é".repeat(2000)).len() <= LONGEST + "…".len());
    }

    #[test]
    fn each_syntax_is_escaped() {
        assert_eq!(
            markup(r#"</title><script>alert('1')</script>"&"#),
            "&lt;/title&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;"
        );
        assert_eq!(
            markdown("a|b `c` <d> [e](f)\n# g"),
            "a\\|b \\`c\\` &lt;d&gt; \\[e\\](f)\\n# g".replace("\\n# g", "\\\\n\\# g")
        );
        assert_eq!(code("```<b>\n"), "'''‹b›\\n");
        assert_eq!(annotation("100 %\r\nnext"), "100 %25%0D%0Anext");
        assert_eq!(annotation_property("a:b,c%\n"), "a%3Ab%2Cc%25\\n");
        assert_eq!(log_line("::set-env name=PATH::x"), "· ::set-env name=PATH::x");
    }
}
