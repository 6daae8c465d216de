//! No text of these kinds makes the reading panic, however it was spoilt.

use super::fields::FIELDS;
use super::*;
use proptest::prelude::*;

/// Every use of every field, as an object.
fn valid() -> Vec<String> {
    let mut texts = Vec::new();
    for kind in FIELDS {
        for group in kind.groups {
            texts.extend(group.fields.iter().map(|(_, used, _)| {
                let object = group.around.replacen('%', used, 1);
                format!("apiVersion: {}\nkind: {}\n{}{object}\n", kind.version, kind.kind, kind.head)
            }));
        }
    }
    texts
}

/// What stands in place of a piece.
const SPOILT: [&str; 22] = [
    "",
    "null",
    "0",
    "-1",
    "1",
    "65536",
    "18446744073709551615",
    "9223372036854775807",
    "1.5",
    "true",
    "''",
    "'*'",
    "'('",
    "a",
    "/",
    "[]",
    "{}",
    "[[]]",
    "{a: b}",
    "9223372036s",
    "é",
    "'%'",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn a_value_in_place_of_another_is_read_or_refused(
        pick in any::<prop::sample::Index>(),
        piece in any::<prop::sample::Index>(),
        spoilt in prop::sample::select(&SPOILT[..]),
    ) {
        let texts = valid();
        let text = pick.get(&texts);
        // Pieces between the signs of the flow style.
        let signs: Vec<usize> = text.char_indices().filter(|(_, sign)| "{}[],:\n ".contains(*sign)).map(|(at, _)| at).collect();
        let from = piece.index(signs.len() - 1);
        let text = format!("{}{spoilt}{}", &text[..=signs[from]], &text[signs[from + 1]..]);
        let _ = read(&sources(&text), &LoadOptions::default());
    }

    #[test]
    fn a_text_cut_at_any_letter_is_read_or_refused(pick in any::<prop::sample::Index>(), at in any::<prop::sample::Index>()) {
        let texts = valid();
        let text = pick.get(&texts);
        let at = at.index(text.len());
        let cut: String = text.chars().take(at).collect();
        let _ = read(&sources(&cut), &LoadOptions::default());
    }

    #[test]
    fn any_accepted_names_are_taken(names in prop::collection::vec("[A-Za-z.]{0,40}", 0..4)) {
        let _ = read(&sources("{}"), &LoadOptions { accept_unsupported: names, ..LoadOptions::default() });
    }
}
