//! Retry budgets: retries under way as a share of all that is under way. Pure.

use crate::policy::RetryBudget;

/// How many retries may be under way, as of this moment: the share of active and pending requests, rounded down, but never fewer than
/// the least.
pub(crate) fn limit(budget: &RetryBudget, active: u32, pending: u32) -> u32 {
    let under_way = f64::from(active) + f64::from(pending);
    let share = under_way * budget.percent / 100.0;
    (share as u32).max(budget.min_concurrency)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_a_share_of_what_is_under_way_or_the_least() {
        for (percent, least, active, pending, expected) in [
            (20.0, 3, 0, 0, 3),
            (20.0, 3, 15, 0, 3),
            (20.0, 3, 10, 9, 3),
            (20.0, 3, 10, 10, 4),
            (20.0, 3, 100, 0, 20),
            (20.0, 3, 0, 100, 20),
            (0.2, 3, 100, 0, 3),
            (0.0, 0, 100, 0, 0),
            (100.0, 3, u32::MAX, u32::MAX, u32::MAX),
        ] {
            let budget = RetryBudget { percent, min_concurrency: least };
            assert_eq!(limit(&budget, active, pending), expected, "{percent} % of {active} + {pending}");
        }
    }
}
