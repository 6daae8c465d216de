//! Places for labels, so that none covers another.

use super::number;
use super::svg::Type;

/// A rate beside its gridline, in the longest form for which there is room.
pub fn rate(value: f64, room: f64) -> String {
    let forms = [format!("{}/s", number::short(value)), format!("{}/s", number::shortest(value))];
    let fitting = forms.into_iter().find(|form| Type::SMALL.width(form) <= room);
    fitting.unwrap_or_else(|| number::shortest(value))
}

/// Moves wanted heights apart: in order, at least `gap` from each other, within `low` and `high` where there is room.
pub fn spread(wanted: &[f64], gap: f64, (low, high): (f64, f64)) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|one, other| wanted[*one].total_cmp(&wanted[*other]).then(one.cmp(other)));
    let mut places = wanted.to_vec();
    let mut least = low;
    for at in &order {
        places[*at] = places[*at].max(least);
        least = places[*at] + gap;
    }
    let mut most = high;
    for at in order.iter().rev() {
        places[*at] = places[*at].min(most);
        most = places[*at] - gap;
    }
    places
}

/// A numbered disc, and where its label stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Row from the top.
    pub row: usize,
    /// False where no row has room: only the leader is drawn, and the number stands in lists and tables.
    pub shown: bool,
    /// None: the label is dropped, the number stays.
    pub side: Option<Side>,
}

/// On which side of its disc a label stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Behind it.
    Right,
    /// Before it.
    Left,
}

/// Radius of a disc.
pub const DISC: f64 = 7.5;
/// Discs of one row are at least this far apart.
const APART: f64 = 17.0;
/// From a disc's centre to its label.
pub const BESIDE: f64 = 12.0;

/// Places discs at `x` (rising) with labels so wide (None: no label wanted) between two edges, in at most `rows` rows.
///
/// A disc goes to the first row with room; if there is none, it is left out. Leaders go down from each disc, so a label keeps
/// clear of the leaders of its own and all higher rows, of every disc and every label; otherwise it is dropped.
pub fn marks(wanted: &[(f64, Option<f64>)], (left, right): (f64, f64), rows: usize) -> Vec<Place> {
    let mut last_in_row = vec![f64::NEG_INFINITY; rows.max(1)];
    let mut placed: Vec<Place> = Vec::new();
    for (x, _) in wanted {
        let free = last_in_row.iter().position(|last| x - last >= APART);
        let row = free.unwrap_or(last_in_row.len() - 1);
        if free.is_some() {
            last_in_row[row] = *x;
        }
        placed.push(Place { row, shown: free.is_some(), side: None });
    }
    let mut labels: Vec<(usize, f64, f64)> = Vec::new();
    for (at, (x, width)) in wanted.iter().enumerate() {
        let Some(width) = width.filter(|_| placed[at].shown) else { continue };
        let row = placed[at].row;
        for side in [Side::Right, Side::Left] {
            let (from, to) = match side {
                Side::Right => (x + BESIDE, x + BESIDE + width),
                Side::Left => (x - BESIDE - width, x - BESIDE),
            };
            let free_of_others = || {
                wanted.iter().zip(&placed).enumerate().filter(|(other, _)| *other != at).all(|(_, ((x, _), place))| {
                    let meets = |room: f64| from - room < *x && *x < to + room;
                    match place.row {
                        other if other == row => !meets(DISC + 2.0),
                        other if other < row => !meets(3.0),
                        _ => true,
                    }
                })
            };
            let free_of_labels =
                || labels.iter().all(|(other, a, b)| *other != row || to + 4.0 < *a || *b < from - 4.0);
            if from >= left && to <= right && free_of_others() && free_of_labels() {
                placed[at].side = Some(side);
                labels.push((row, from, to));
                break;
            }
        }
    }
    placed
}

/// Which of some labels can be shown in one line, each between its `from` and `to`; earlier ones win.
pub fn in_line(spans: &[(f64, f64)], gap: f64) -> Vec<bool> {
    let mut taken: Vec<(f64, f64)> = Vec::new();
    spans
        .iter()
        .map(|(from, to)| {
            let free = taken.iter().all(|(a, b)| to + gap <= *a || *b + gap <= *from);
            if free {
                taken.push((*from, *to));
            }
            free
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_move_apart_and_stay_within() {
        assert_eq!(spread(&[100.0, 40.0], 14.0, (0.0, 200.0)), [100.0, 40.0]);
        assert_eq!(spread(&[50.0, 50.0, 51.0], 14.0, (0.0, 200.0)), [50.0, 64.0, 78.0]);
        assert_eq!(spread(&[198.0, 199.0], 14.0, (0.0, 200.0)), [186.0, 200.0]);
    }

    #[test]
    fn a_disc_too_near_goes_lower_and_labels_keep_clear_of_leaders() {
        let places = marks(&[(276.0, Some(150.0)), (430.0, Some(120.0)), (440.0, Some(60.0))], (132.0, 1012.0), 2);
        assert_eq!(
            places[0],
            Place { row: 0, shown: true, side: None },
            "to the right is a disc, to the left the edge"
        );
        assert_eq!(places[1], Place { row: 0, shown: true, side: Some(Side::Right) });
        assert_eq!(places[2].row, 1);
        assert_eq!(places[2].side, Some(Side::Right), "on the left would be the leader of the disc above");
    }

    #[test]
    fn what_has_no_room_is_left_to_the_list() {
        let places = marks(&[(200.0, None), (203.0, None), (206.0, None), (300.0, None)], (132.0, 1012.0), 2);
        assert_eq!(places.iter().map(|place| place.shown).collect::<Vec<_>>(), [true, true, false, true]);
    }

    #[test]
    fn no_two_labels_overlap_whatever_is_asked() {
        let mut seed = 7u64;
        for _ in 0..200 {
            let mut next = || {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (seed >> 33) as f64 / f64::from(1u32 << 31)
            };
            let mut wanted: Vec<(f64, Option<f64>)> =
                (0..8).map(|_| (132.0 + next() * 880.0, Some(20.0 + next() * 200.0))).collect();
            wanted.sort_by(|one, other| one.0.total_cmp(&other.0));
            let places = marks(&wanted, (132.0, 1012.0), 3);
            let boxes: Vec<(usize, f64, f64)> = wanted
                .iter()
                .zip(&places)
                .filter_map(|((x, width), place)| {
                    let width = width.unwrap();
                    place.side.map(|side| match side {
                        Side::Right => (place.row, x + BESIDE, x + BESIDE + width),
                        Side::Left => (place.row, x - BESIDE - width, x - BESIDE),
                    })
                })
                .collect();
            for (at, one) in boxes.iter().enumerate() {
                for other in &boxes[at + 1..] {
                    assert!(one.0 != other.0 || one.2 < other.1 || other.2 < one.1, "{wanted:?} {places:?}");
                }
                for ((x, _), place) in wanted.iter().zip(&places) {
                    assert!(place.row > one.0 || *x < one.1 || one.2 < *x, "a leader crosses a label");
                }
            }
        }
    }
}
