//! Regular expressions as RE2 reads them, for an engine that reads a few signs otherwise.

use regex::{Regex, RegexBuilder};

/// Most bytes that a compiled expression may take.
const MOST_BYTES: usize = 1 << 20;
/// Longest expression that Istio takes.
const MOST_LETTERS: usize = 1024;

/// An expression that must match the whole of a text.
pub(super) fn whole(expression: &str) -> Result<Regex, String> {
    compile(&format!("^(?:{})$", in_rust(checked(expression)?)), expression)
}

/// An expression that is looked for anywhere in a text.
pub(super) fn anywhere(expression: &str) -> Result<Regex, String> {
    compile(&in_rust(checked(expression)?), expression)
}

fn checked(expression: &str) -> Result<&str, String> {
    match expression.len() {
        0 => Err("an expression is missing".to_owned()),
        length if length > MOST_LETTERS => {
            Err(format!("the expression is {length} characters long, and Istio takes {MOST_LETTERS}"))
        }
        // Alone it must be whole, so that nothing closes what stands around it.
        _ => compile(&in_rust(expression), expression).map(|_| expression),
    }
}

fn compile(translated: &str, expression: &str) -> Result<Regex, String> {
    RegexBuilder::new(translated).size_limit(MOST_BYTES).nest_limit(100).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(limit) => format!("the expression `{expression}` takes more than {limit} bytes"),
        error => {
            let last = error.to_string();
            let last = last.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            format!("the expression `{expression}` is not understood: {last}")
        }
    })
}

/// Classes of letters are those of ASCII, and inside brackets only what RE2 knows has a meaning.
fn in_rust(expression: &str) -> String {
    let mut text = String::with_capacity(expression.len() + 8);
    let mut rest = expression;
    let mut brackets = false;
    // Whether the next sign is the first in its brackets, where a closing one stands for itself.
    let mut first = false;
    while let Some(letter) = rest.chars().next() {
        rest = &rest[letter.len_utf8()..];
        let was_first = std::mem::replace(&mut first, false);
        match letter {
            '\\' => {
                let Some(escaped) = rest.chars().next() else {
                    text.push('\\');
                    break;
                };
                rest = &rest[escaped.len_utf8()..];
                match class(escaped) {
                    _ if escaped == 'Q' && !brackets => {
                        let (literal, after) = rest.split_once("\\E").unwrap_or((rest, ""));
                        text.push_str(&regex::escape(literal));
                        rest = after;
                    }
                    Some((inside, false)) if brackets => text.push_str(inside),
                    Some((inside, negated)) => {
                        text.extend(["[", if negated { "^" } else { "" }, inside, "]"]);
                    }
                    None if escaped == 'b' && !brackets => text.push_str(r"(?-u:\b)"),
                    None => text.extend(['\\', escaped]),
                }
            }
            '[' if brackets && rest.starts_with(':') && rest.contains(":]") => {
                let end = rest.find(":]").map_or(rest.len(), |at| at + 2);
                text.push('[');
                text.push_str(&rest[..end]);
                rest = &rest[end..];
            }
            '[' if brackets => text.push_str("\\["),
            '[' => {
                brackets = true;
                text.push('[');
                if let Some(after) = rest.strip_prefix('^') {
                    text.push('^');
                    rest = after;
                }
                first = true;
            }
            ']' if brackets && was_first => text.push_str("\\]"),
            ']' => {
                brackets = false;
                text.push(']');
            }
            '&' | '~' if brackets => text.extend(['\\', letter]),
            other => text.push(other),
        }
    }
    text
}

/// What a class of Perl's holds, and whether it is all but that.
fn class(letter: char) -> Option<(&'static str, bool)> {
    let inside = match letter.to_ascii_lowercase() {
        'd' => "0-9",
        'w' => "0-9A-Za-z_",
        's' => r"\t\n\x0C\r ",
        _ => return None,
    };
    Some((inside, letter.is_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_text_must_match_as_re2_reads_it() {
        for (expression, text, yes) in [
            ("[0-9]+", "12", true),
            ("[0-9]+", "12x", false),
            ("a|b", "ab", false),
            (r"\d+", "١٢", false),
            (r"\w+", "é", false),
            (r"[\w-]+", "a-b", true),
            (r"[^\d]", "x", true),
            (r"[\D]", "x", true),
            (r"[\D]", "1", false),
            ("[[a]", "[", true),
            ("[]a]", "]", true),
            ("[^]a]", "]", false),
            ("[[:alpha:]]+", "ab", true),
            ("[a&&b]", "&", true),
            (r"\Qa.b\E+", "a.bb", true),
            (r"\Qa.b\E", "axb", false),
            (r"\bfoo\b", "foo", true),
            ("(?i)cart", "CART", true),
            (r"/a\/b", "/a/b", true),
        ] {
            assert_eq!(whole(expression).unwrap().is_match(text), yes, "{expression} {text}");
        }
        assert!(anywhere("b").unwrap().is_match("abc"));
    }

    #[test]
    fn what_is_no_expression_or_too_large_is_refused() {
        let long = "a".repeat(1025);
        for bad in ["", "(", "*", "a)(b", "[", r"(?=a)", r"(a)\1", "((a{100}){100}){100}", &long, "\\"] {
            assert!(whole(bad).is_err() && anywhere(bad).is_err(), "{bad}");
        }
    }
}
