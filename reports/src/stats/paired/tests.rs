use super::*;
use proptest::prelude::*;

const TERMS: Terms = Terms { direction: Direction::LowerIsBetter, level: 0.05, floor: NoiseFloor::NONE };

/// Pairs with these ratios, at ever other speeds of the machine.
fn pairs(ratios: &[f64]) -> Vec<Pair> {
    let speed = |at: usize| if at.is_multiple_of(3) { 36.0 } else { 20.0 };
    ratios.iter().enumerate().map(|(at, ratio)| Pair { a: speed(at), b: speed(at) * ratio }).collect()
}

#[test]
fn a_ratio_is_worse_or_better_as_the_direction_has_it() {
    let slower = pairs(&[1.08, 1.12, 1.09, 1.11, 1.10, 1.13, 1.07, 1.10]);
    let comparison = compare(&slower, TERMS);
    assert_eq!(comparison.verdict, Verdict::Worse);
    assert!((comparison.ratio.unwrap() - 1.10).abs() < 0.003);
    assert!((comparison.p.unwrap() - 2.0 / 256.0).abs() < 1e-12);
    let interval = comparison.interval.unwrap();
    assert!(1.07 < interval.low && interval.high < 1.13, "{interval:?}");
    let higher = Terms { direction: Direction::HigherIsBetter, ..TERMS };
    assert_eq!(compare(&slower, higher).verdict, Verdict::Better);
}

#[test]
fn what_lies_below_the_floor_is_no_difference_and_the_floor_could_have_been_seen() {
    let slower = pairs(&[1.011, 1.013, 1.012, 1.010, 1.014, 1.012, 1.009, 1.013]);
    assert_eq!(compare(&slower, TERMS).verdict, Verdict::Worse);
    let Verdict::NoDifference { could_have_seen } =
        compare(&slower, Terms { floor: NoiseFloor(0.02), ..TERMS }).verdict
    else {
        panic!("below the floor")
    };
    assert!((could_have_seen - 0.02).abs() < 1e-9);
}

#[test]
fn five_pairs_are_too_few_and_six_are_needed() {
    let five = compare(&pairs(&[2.0, 2.1, 2.2, 2.3, 2.4]), TERMS);
    assert_eq!(five.verdict, Verdict::TooFewPairs { needed: Some(6) });
    assert!(five.ratio.is_some() && five.interval.is_none());
    let strict = Terms { level: 0.01 / 50.0, ..TERMS };
    assert_eq!(compare(&pairs(&[2.0; 13]), strict).verdict, Verdict::TooFewPairs { needed: Some(14) });
    assert_eq!(compare(&pairs(&[2.0; 14]), strict).verdict, Verdict::Worse);
    assert_eq!(compare(&[], TERMS).verdict, Verdict::TooFewPairs { needed: Some(6) });
    assert_eq!(compare(&[], Terms { level: 0.0, ..TERMS }).verdict, Verdict::TooFewPairs { needed: None });
}

#[test]
fn pairs_without_a_ratio_are_told_and_not_left_out() {
    for broken in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let mut given = pairs(&[2.0; 9]);
        given[4].b = broken;
        assert_eq!(compare(&given, TERMS).verdict, Verdict::NoRatio { pairs: 1 });
        assert_eq!(NoiseFloor::from_equal(&given, 8, 0.05), None);
    }
}

#[test]
fn all_equal_is_no_difference_and_any_change_would_have_been_seen() {
    let same = compare(&pairs(&[1.0; 8]), TERMS);
    assert_eq!((same.verdict, same.p), (Verdict::NoDifference { could_have_seen: 0.0 }, Some(1.0)));
    assert_eq!(NoiseFloor::from_equal(&pairs(&[1.0; 8]), 8, 0.05), Some(NoiseFloor::NONE));
}

#[test]
fn more_pairs_than_can_be_looked_at_are_no_error() {
    let many = compare(&vec![Pair { a: 1.0, b: 2.0 }; 4_100], TERMS);
    assert_eq!((many.pairs, many.verdict), (4_000, Verdict::Worse));
}

#[test]
fn a_torn_pair_hardly_moves_the_floor() {
    let calm = [1.01, 0.99, 1.02, 0.98, 1.01, 0.99, 1.0, 1.01];
    let floor = |ratios: &[f64]| NoiseFloor::from_equal(&pairs(ratios), 8, 0.05).unwrap().share();
    let torn = [1.01, 0.99, 1.02, 0.98, 1.01, 0.99, 1.8, 1.01];
    assert!(floor(&calm) < 0.015 && floor(&torn) < 0.03, "{} {}", floor(&calm), floor(&torn));
    // A shift between equal things is the floor, however many pairs are compared.
    let shifted = NoiseFloor::from_equal(&pairs(&[1.05; 8]), 1_000, 0.05).unwrap();
    assert!((shifted.share() - 0.05).abs() < 1e-9);
    assert_eq!(NoiseFloor::from_equal(&[], 8, 0.05), None);
    assert_eq!(NoiseFloor::from_equal(&pairs(&calm), 0, 0.05), None);
}

proptest! {
    #[test]
    fn nothing_panics(values in prop::collection::vec((any::<f64>(), any::<f64>()), 0..70), level: f64, floor: f64) {
        let given: Vec<Pair> = values.into_iter().map(|(a, b)| Pair { a, b }).collect();
        compare(&given, Terms { level, floor: NoiseFloor(floor), ..TERMS });
        NoiseFloor::from_equal(&given, 8, level);
    }

    #[test]
    fn a_change_beyond_what_could_have_been_seen_is_found(ratios in prop::collection::vec(0.9..1.1_f64, 8..20), beyond in 1.001..1.5_f64) {
        if let Verdict::NoDifference { could_have_seen } = compare(&pairs(&ratios), TERMS).verdict {
            // The same spread, around one instead of around the ratio that was seen.
            let centre = compare(&pairs(&ratios), TERMS).ratio.unwrap();
            let moved: Vec<f64> = ratios.iter().map(|ratio| ratio / centre * (1.0 + could_have_seen) * beyond).collect();
            prop_assert_eq!(compare(&pairs(&moved), TERMS).verdict, Verdict::Worse);
            let moved: Vec<f64> = ratios.iter().map(|ratio| ratio / centre / (1.0 + could_have_seen) / beyond).collect();
            prop_assert_eq!(compare(&pairs(&moved), TERMS).verdict, Verdict::Better);
        }
    }

    #[test]
    fn exchanging_a_and_b_exchanges_better_and_worse(ratios in prop::collection::vec(0.9..1.3_f64, 6..20)) {
        let there = compare(&pairs(&ratios), TERMS);
        let turned: Vec<Pair> = pairs(&ratios).into_iter().map(|pair| Pair { a: pair.b, b: pair.a }).collect();
        let back = compare(&turned, TERMS);
        prop_assert!((there.ratio.unwrap() * back.ratio.unwrap() - 1.0).abs() < 1e-9);
        match (there.verdict, back.verdict) {
            (Verdict::Worse, Verdict::Better) | (Verdict::Better, Verdict::Worse) => {}
            (Verdict::NoDifference { could_have_seen: one }, Verdict::NoDifference { could_have_seen: other }) => {
                prop_assert!((one - other).abs() < 1e-9);
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
