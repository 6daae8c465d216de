//! Whether two runs of random choices may come from the same odds.

/// Chi-square at p = 0.001, for 1 to 5 degrees of freedom.
const CRITICAL: [f64; 5] = [10.828, 13.816, 16.266, 18.467, 20.515];

/// Whether two rows of counts, of the same kinds in the same order, may come from the same odds: by the chi-square test for
/// homogeneity, with p > 0.001.
#[must_use]
pub fn alike(one: &[usize], two: &[usize]) -> bool {
    let (sum_one, sum_two) = (one.iter().sum::<usize>() as f64, two.iter().sum::<usize>() as f64);
    let mut statistic = 0.0;
    let mut kinds = 0_usize;
    for (one, two) in one.iter().zip(two) {
        let share = (*one + *two) as f64 / (sum_one + sum_two);
        if *one + *two == 0 {
            continue;
        }
        kinds += 1;
        for (seen, sum) in [(*one as f64, sum_one), (*two as f64, sum_two)] {
            statistic += (seen - sum * share).powi(2) / (sum * share);
        }
    }
    one.len() == two.len() && (kinds < 2 || statistic < CRITICAL[kinds - 2])
}
