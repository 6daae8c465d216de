//! How wide a text is, so that labels can keep out of each other's way before anything is drawn.

use crate::escape::visible_lines;

/// Advances of ` ` to `~` in Noto Sans, thousandths of the size; it is wider than most system fonts.
const REGULAR: [u16; 95] = [
    260, 269, 408, 646, 572, 831, 732, 225, 300, 300, 551, 572, 268, 322, 268, 372, 572, 572, 572, 572, 572, 572, 572,
    572, 572, 572, 268, 268, 572, 572, 572, 434, 899, 639, 650, 632, 730, 556, 519, 728, 741, 339, 273, 619, 524, 907,
    760, 781, 605, 781, 622, 549, 556, 731, 600, 930, 586, 566, 572, 329, 372, 329, 572, 444, 281, 561, 615, 480, 615,
    564, 344, 615, 618, 258, 258, 534, 258, 935, 618, 605, 615, 615, 413, 479, 361, 618, 508, 786, 529, 510, 470, 380,
    551, 380, 572,
];

/// The same in bold.
const BOLD: [u16; 95] = [
    260, 286, 472, 646, 572, 901, 750, 266, 339, 339, 545, 572, 285, 322, 285, 413, 572, 572, 572, 572, 572, 572, 572,
    572, 572, 572, 285, 285, 572, 572, 572, 477, 897, 690, 672, 637, 740, 560, 549, 724, 765, 389, 331, 664, 565, 943,
    813, 796, 628, 796, 660, 551, 579, 756, 650, 967, 667, 624, 579, 331, 413, 331, 572, 411, 362, 604, 633, 514, 633,
    591, 387, 633, 657, 305, 305, 620, 305, 982, 657, 619, 633, 633, 454, 497, 434, 657, 569, 856, 578, 569, 488, 394,
    551, 394, 572,
];

/// Room for fonts that are wider still.
const ROOM: f64 = 1.04;

/// Weight of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    Regular,
    Bold,
}

/// Width in pixels.
pub(super) fn width(text: &str, size: f64, face: Face) -> f64 {
    visible_lines(text).chars().map(|letter| advance(letter, face)).sum::<f64>() * size * ROOM
}

fn advance(letter: char, face: Face) -> f64 {
    let table = if face == Face::Bold { &BOLD } else { &REGULAR };
    let known = (letter as usize).checked_sub(32).and_then(|at| table.get(at));
    match (known, letter) {
        (Some(advance), _) => f64::from(*advance) / 1e3,
        (None, '\u{202f}') => 0.2,
        // Latin letters with accents are as wide as a wide letter, ideographs and emoji fill the square.
        (None, '\u{a0}'..='\u{24f}') => 0.66,
        (None, _) => 1.0,
    }
}

/// The text, cut with an ellipsis to fit.
pub(super) fn fitted(text: &str, size: f64, face: Face, room: f64) -> String {
    let text = visible_lines(text);
    if width(&text, size, face) <= room {
        return text;
    }
    let mut cut = String::new();
    let mut used = size;
    for letter in text.chars() {
        used += advance(letter, face) * size * ROOM;
        if used > room {
            break;
        }
        cut.push(letter);
    }
    format!("{}…", cut.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_letters_are_wide_and_bold_is_wider() {
        let plain = |text: &str| width(text, 10.0, Face::Regular);
        assert!(plain("WWW") > 2.0 * plain("iii"));
        assert!(width("lost", 10.0, Face::Bold) > plain("lost"));
        assert!(plain("日本") > plain("ab"));
    }

    #[test]
    fn what_does_not_fit_ends_in_an_ellipsis() {
        assert_eq!(fitted("baseline", 12.0, Face::Regular, 200.0), "baseline");
        let cut = fitted("a phase with a very long name", 12.0, Face::Regular, 80.0);
        assert!(cut.ends_with('…') && width(&cut, 12.0, Face::Regular) <= 80.0, "{cut}");
        assert_eq!(fitted("x", 12.0, Face::Regular, 0.0), "…");
    }
}
