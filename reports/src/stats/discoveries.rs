//! Many figures at once: which of their small probabilities are more than the luck of many tries?

/// Share of false ones among all discoveries that a night may have in the long run.
pub const NIGHTLY: f64 = 0.01;

/// Which of these probabilities are discoveries, by Benjamini and Hochberg's procedure: of all that it names, the expected share of false ones is at most `level`
/// (Y. Benjamini, Y. Hochberg, 1995), also where figures rise and fall together. One answer a probability, in their order.
///
/// What was not tested (None, NaN) is no discovery, and does not count among the tries.
pub fn discoveries(probabilities: &[Option<f64>], level: f64) -> Vec<bool> {
    let mut ordered: Vec<f64> = probabilities.iter().flatten().copied().filter(|p| !p.is_nan()).collect();
    ordered.sort_by(f64::total_cmp);
    let tries = ordered.len() as f64;
    // The largest p with p <= rank / tries * level; it and all smaller ones are discoveries.
    let passes = |(at, p): &(usize, f64)| *p <= (at + 1) as f64 / tries * level;
    let limit = ordered.into_iter().enumerate().filter(passes).map(|(_, p)| p).next_back();
    probabilities.iter().map(|p| p.zip(limit).is_some_and(|(p, limit)| p <= limit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(probabilities: &[f64], level: f64) -> usize {
        let all: Vec<Option<f64>> = probabilities.iter().copied().map(Some).collect();
        discoveries(&all, level).into_iter().filter(|one| *one).count()
    }

    #[test]
    fn the_fifteen_probabilities_of_the_paper_give_four() {
        // Section 4.1 of the paper: thrombolysis after myocardial infarction; four at 5 %, where Bonferroni finds three.
        let paper = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
            0.7590, 1.0,
        ];
        assert_eq!(found(&paper, 0.05), 4);
        // 0.0019 is below 3 / 15 of 1 %, 0.0095 above 4 / 15.
        assert_eq!(found(&paper, 0.01), 3);
    }

    #[test]
    fn one_of_fifty_must_be_fifty_times_as_rare() {
        let with = |p: f64, times: usize| [vec![p; times], vec![0.5; 50 - times]].concat();
        assert_eq!((found(&with(0.000_2, 1), NIGHTLY), found(&with(0.000_21, 1), NIGHTLY)), (1, 0));
        // The least of eight pairs is a discovery only where forty of the fifty figures have it.
        assert_eq!((found(&with(2.0 / 256.0, 40), NIGHTLY), found(&with(2.0 / 256.0, 39), NIGHTLY)), (40, 0));
    }

    #[test]
    fn what_was_not_tested_is_no_try() {
        assert_eq!(discoveries(&[None, Some(0.009), Some(f64::NAN)], 0.01), [false, true, false]);
        assert_eq!(discoveries(&[], 0.01), Vec::<bool>::new());
        assert_eq!(found(&[0.0, 0.5], f64::NAN), 0);
    }

    proptest! {
        #[test]
        fn the_smaller_is_found_first_and_order_does_not_matter(values in prop::collection::vec(0.0..0.1_f64, 0..60), level in 0.0..0.2_f64) {
            let all: Vec<Option<f64>> = values.iter().copied().map(Some).collect();
            let here = discoveries(&all, level);
            let most = values.iter().zip(&here).filter(|(_, found)| **found).map(|(p, _)| *p).fold(-1.0, f64::max);
            prop_assert!(values.iter().zip(&here).all(|(p, found)| *found == (*p <= most)));
            let turned: Vec<Option<f64>> = all.iter().rev().copied().collect();
            let mut there = discoveries(&turned, level);
            there.reverse();
            prop_assert_eq!(here, there);
        }
    }
}
