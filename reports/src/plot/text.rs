//! How wide a text is, so that labels can keep out of each other's way before anything is drawn.

use crate::escape::visible_lines;

/// Advances of ` ` to `~` in thousandths of the size, each the greater of Noto Sans, which pictures in PNG are drawn with, and
/// `DejaVu Sans`, the widest that a system comes with: what keeps clear at these keeps clear in every font that is asked for.
const REGULAR: [u16; 95] = [
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 551, 838, 318, 361, 318, 372, 636, 636, 636, 636, 636, 636, 636,
    636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775, 752, 339, 295, 656, 557, 907,
    760, 787, 605, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 372, 390, 838, 500, 500, 613, 635, 550, 635,
    615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 413, 521, 392, 634, 592, 818, 592, 592, 525, 636,
    551, 636, 838,
];

/// The same in bold.
const BOLD: [u16; 95] = [
    348, 456, 521, 838, 696, 1002, 872, 306, 457, 457, 545, 838, 380, 415, 380, 413, 696, 696, 696, 696, 696, 696, 696,
    696, 696, 696, 400, 400, 838, 838, 838, 580, 1000, 774, 762, 734, 830, 683, 683, 821, 837, 389, 372, 775, 637, 995,
    837, 850, 733, 850, 770, 720, 682, 812, 774, 1103, 771, 724, 725, 457, 413, 457, 838, 500, 500, 675, 716, 593, 716,
    678, 435, 716, 712, 343, 343, 665, 343, 1042, 712, 687, 716, 716, 493, 595, 478, 712, 652, 924, 645, 652, 582, 712,
    551, 712, 838,
];

/// Weight of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    Regular,
    Bold,
}

/// Width in pixels.
pub(super) fn width(text: &str, size: f64, face: Face) -> f64 {
    visible_lines(text).chars().map(|letter| advance(letter, face)).sum::<f64>() * size
}

fn advance(letter: char, face: Face) -> f64 {
    let table = if face == Face::Bold { &BOLD } else { &REGULAR };
    let known = (letter as usize).checked_sub(32).and_then(|at| table.get(at));
    match (known, letter) {
        (Some(advance), _) => f64::from(*advance) / 1e3,
        (None, '\u{202f}') => 0.2,
        // Latin letters with accents are as wide as a wide letter, ideographs and emoji fill the square.
        (None, '\u{a0}'..='\u{24f}') => {
            if face == Face::Bold {
                0.84
            } else {
                0.7
            }
        }
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
        used += advance(letter, face) * size;
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
