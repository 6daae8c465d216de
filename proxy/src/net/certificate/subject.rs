//! The subject of a certificate as RFC 2253 writes it, the way OpenSSL does.

use super::super::der::{Der, OBJECT, SEQUENCE, SET};
use std::fmt::Write as _;

/// Identifiers of what is told by a short name.
const SHORT: [(&[u8], &str); 16] = [
    (COMMON_NAME, "CN"),
    (&[0x55, 4, 4], "SN"),
    (&[0x55, 4, 5], "serialNumber"),
    (&[0x55, 4, 6], "C"),
    (&[0x55, 4, 7], "L"),
    (&[0x55, 4, 8], "ST"),
    (&[0x55, 4, 9], "street"),
    (&[0x55, 4, 10], "O"),
    (&[0x55, 4, 11], "OU"),
    (&[0x55, 4, 12], "title"),
    (&[0x55, 4, 17], "postalCode"),
    (&[0x55, 4, 42], "GN"),
    (&[0x55, 4, 43], "initials"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1], "emailAddress"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25], "DC"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1], "UID"),
];

const COMMON_NAME: &[u8] = &[0x55, 4, 3];

/// Its parts from the last to the first: `CN=cart,O=Shop`.
pub(super) fn text(subject: &[u8]) -> String {
    let mut parts = Vec::new();
    let mut sets = Der::new(subject);
    while let Some(mut set) = sets.inside(SET) {
        let mut part = String::new();
        while let Some(mut pair) = set.inside(SEQUENCE) {
            let (Some(id), Some((kind, value))) = (pair.take(OBJECT), pair.next()) else { continue };
            if !part.is_empty() {
                part.push('+');
            }
            write(&mut part, id, kind, value);
        }
        parts.push(part);
    }
    parts.reverse();
    parts.join(",")
}

/// The last of its common names.
pub(super) fn common_name(subject: &[u8]) -> Option<String> {
    let mut last = None;
    let mut sets = Der::new(subject);
    while let Some(mut set) = sets.inside(SET) {
        while let Some(mut pair) = set.inside(SEQUENCE) {
            if pair.take(OBJECT) == Some(COMMON_NAME) {
                last = pair.next().and_then(|(kind, value)| decoded(kind, value)).or(last);
            }
        }
    }
    last
}

fn write(out: &mut String, id: &[u8], kind: u8, value: &[u8]) {
    let short = SHORT.iter().find(|(known, _)| *known == id).map(|(_, short)| *short);
    match short {
        Some(short) => out.push_str(short),
        None => dotted(out, id),
    }
    out.push('=');
    if let Some(text) = decoded(kind, value).filter(|_| short.is_some()) {
        return escaped(out, &text);
    }
    // What has no name, and what is no text, is told byte by byte, its tag and its length too.
    let long = u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes();
    let mut length: Vec<u8> = long.into_iter().skip_while(|byte| *byte == 0).collect();
    if value.len() >= 0x80 {
        length.insert(0, 0x80 | length.len() as u8);
    } else if length.is_empty() {
        length.push(0);
    }
    out.push('#');
    for byte in [kind].iter().chain(&length).chain(value) {
        let _ = write!(out, "{byte:02X}");
    }
}

/// A text of one of the kinds that stand in subjects.
fn decoded(kind: u8, value: &[u8]) -> Option<String> {
    match kind {
        // UTF8String, NumericString, PrintableString, IA5String, VisibleString.
        0x0c | 0x12 | 0x13 | 0x16 | 0x1a => str::from_utf8(value).ok().map(ToOwned::to_owned),
        // TeletexString, of one byte a letter.
        0x14 => Some(value.iter().map(|byte| char::from(*byte)).collect()),
        // BMPString, of two.
        0x1e => {
            let units = value.chunks(2).map(|pair| pair.iter().fold(0, |unit, byte| unit << 8 | u16::from(*byte)));
            char::decode_utf16(units).collect::<Result<_, _>>().ok()
        }
        _ => None,
    }
}

fn escaped(out: &mut String, text: &str) {
    let last = text.chars().count().saturating_sub(1);
    for (at, letter) in text.chars().enumerate() {
        match letter {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => out.extend(['\\', letter]),
            '#' if at == 0 => out.push_str("\\#"),
            ' ' if at == 0 || at == last => out.push_str("\\ "),
            ' '..='~' => out.push(letter),
            _ => letter.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| {
                let _ = write!(out, "\\{byte:02X}");
            }),
        }
    }
}

/// `2.5.4.3` of its bytes.
fn dotted(out: &mut String, id: &[u8]) {
    let mut arc = 0_u64;
    let mut first = true;
    for byte in id {
        arc = arc << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        if std::mem::take(&mut first) {
            let root = (arc / 40).min(2);
            let _ = write!(out, "{root}.{}", arc - root * 40);
        } else {
            let _ = write!(out, ".{arc}");
        }
        arc = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
    }

    /// An identifier, a kind and a text.
    type Pair<'a> = (&'a [u8], u8, &'a [u8]);

    fn subject(parts: &[&[Pair<'_>]]) -> Vec<u8> {
        let pair =
            |(id, kind, text): &(&[u8], u8, &[u8])| value(SEQUENCE, &[value(OBJECT, id), value(*kind, text)].concat());
        parts.iter().flat_map(|part| value(SET, &part.iter().flat_map(pair).collect::<Vec<u8>>())).collect()
    }

    const ORGANISATION: &[u8] = &[0x55, 4, 10];

    #[test]
    fn a_subject_is_told_from_its_end_with_short_names() {
        let of = subject(&[&[(ORGANISATION, 0x13, b"Shop")], &[(COMMON_NAME, 0x0c, b"cart")]]);
        assert_eq!(text(&of), "CN=cart,O=Shop");
        assert_eq!(common_name(&of).as_deref(), Some("cart"));
        assert_eq!(text(&[]), "");
        assert_eq!(common_name(&[]), None);
    }

    #[test]
    fn what_means_something_to_a_reader_is_escaped() {
        for (kind, bytes, told) in [
            (0x0c, &b"a,b+c\"d\\e<f>g;h"[..], "CN=a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;h"),
            (0x0c, b" a ", "CN=\\ a\\ "),
            (0x0c, b"#a#", "CN=\\#a#"),
            (0x0c, "\u{e9}\n".as_bytes(), "CN=\\C3\\A9\\0A"),
            (0x14, b"\xe9", "CN=\\C3\\A9"),
            (0x1e, b"\0c\0a", "CN=ca"),
            (0x02, b"\x05", "CN=#020105"),
        ] {
            assert_eq!(text(&subject(&[&[(COMMON_NAME, kind, bytes)]])), told);
        }
    }

    #[test]
    fn several_of_one_part_are_joined_and_unknown_ones_told_byte_by_byte() {
        let of = subject(&[&[(COMMON_NAME, 0x0c, b"a"), (&[0x2a, 0x86, 0x48, 1], 0x0c, b"b")]]);
        assert_eq!(text(&of), "CN=a+1.2.840.1=#0C0162");
    }
}
