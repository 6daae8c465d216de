//! What came by the network, made harmless: one line, and nothing that a terminal obeys.

use std::io::Write;

/// True if nothing of it is to be escaped, whatever it is for: most values are, and they should cost nothing.
pub(crate) fn is_plain(raw: &[u8]) -> bool {
    raw.iter().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\'))
}

/// Appends `raw` for a line of text: control letters, bytes that are no UTF-8 and marks that turn text round become `\n`, `\x1b`,
/// `\u{202e}`.
pub(crate) fn text(raw: &[u8], out: &mut Vec<u8>) {
    let letter = |letter: char, out: &mut Vec<u8>| match letter {
        '\n' => write!(out, "\\n"),
        '\r' => write!(out, "\\r"),
        '\t' => write!(out, "\\t"),
        _ if !is_harmful(letter) => write!(out, "{letter}"),
        '\0'..='\x7f' => write!(out, "\\x{:02x}", u32::from(letter)),
        _ => write!(out, "\\u{{{:x}}}", u32::from(letter)),
    };
    each(raw, out, letter, |byte, out| write!(out, "\\x{byte:02x}"));
}

/// Appends `raw` for the inside of a JSON string; a byte that is no UTF-8 is read back as `\xff`.
pub(crate) fn json(raw: &[u8], out: &mut Vec<u8>) {
    let letter = |letter: char, out: &mut Vec<u8>| match letter {
        '"' => write!(out, "\\\""),
        '\\' => write!(out, "\\\\"),
        '\n' => write!(out, "\\n"),
        '\r' => write!(out, "\\r"),
        '\t' => write!(out, "\\t"),
        _ if !is_harmful(letter) => write!(out, "{letter}"),
        _ => write!(out, "\\u{:04x}", u32::from(letter)),
    };
    each(raw, out, letter, |byte, out| write!(out, "\\\\x{byte:02x}"));
}

/// Appends `raw` for the value of a field: control bytes are left out.
pub(crate) fn field(raw: &[u8], out: &mut Vec<u8>) {
    out.extend(raw.iter().filter(|byte| !byte.is_ascii_control()));
}

/// Appends `raw` for the value of a Prometheus label.
pub(crate) fn label(raw: &str, out: &mut String) {
    for letter in raw.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            _ => out.push(letter),
        }
    }
}

/// Writing to a vector cannot fail.
type Written = std::io::Result<()>;

fn each(
    raw: &[u8],
    out: &mut Vec<u8>,
    letter: impl Fn(char, &mut Vec<u8>) -> Written,
    byte: impl Fn(u8, &mut Vec<u8>) -> Written,
) {
    for chunk in raw.utf8_chunks() {
        chunk.valid().chars().for_each(|one| drop(letter(one, out)));
        chunk.invalid().iter().for_each(|one| drop(byte(*one, out)));
    }
}

/// Control letters, ends of lines, and marks that turn the direction of text round. All of them have no more than 16 bits.
fn is_harmful(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn escaped(raw: &[u8], with: fn(&[u8], &mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        with(raw, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_a_terminal_or_a_reader_of_lines_would_obey_is_spelled_out() {
        let turned = "a\u{202e}b".as_bytes();
        for (raw, as_text, as_json) in [
            (&b"plain ~"[..], "plain ~", "plain ~"),
            (b"a\r\nb", "a\\r\\nb", "a\\r\\nb"),
            (b"\x1b[31m", "\\x1b[31m", "\\u001b[31m"),
            (b"say \"hi\"", "say \"hi\"", "say \\\"hi\\\""),
            (b"back\\slash", "back\\slash", "back\\\\slash"),
            (b"\xff", "\\xff", "\\\\xff"),
            ("é".as_bytes(), "é", "é"),
            (turned, "a\\u{202e}b", "a\\u202eb"),
        ] {
            assert_eq!(escaped(raw, text), as_text);
            assert_eq!(escaped(raw, json), as_json);
        }
        assert_eq!(escaped(b"a\r\nb", field), "ab");
        let mut out = String::new();
        label("a\"b\\c\n", &mut out);
        assert_eq!(out, "a\\\"b\\\\c\\n");
    }

    proptest! {
        #[test]
        fn any_bytes_stay_on_one_line_and_make_valid_json(raw: Vec<u8>) {
            prop_assert!(!escaped(&raw, text).chars().any(is_harmful));
            let string = format!("\"{}\"", escaped(&raw, json));
            let read: String = serde_json::from_str(&string).unwrap();
            prop_assert!(!string.chars().any(is_harmful));
            if let Ok(utf8) = std::str::from_utf8(&raw) {
                prop_assert_eq!(read, utf8);
            }
        }
    }
}
