//! An absolute latency limit over any stretch of time.
//!
//! A limit on a quantile is a limit on a count: `p99 <= 250 ms` holds in a window exactly if at most one request in a hundred took longer. So
//! no window needs a histogram of its own.

/// A limit with what it was held to.
#[derive(Debug, Clone, PartialEq)]
pub struct Ceiling {
    /// The service whose recovery it belongs to.
    pub service: String,
    /// 0 to 1.
    pub quantile: f64,
    /// Requests planned, and those that took longer, by slot of their due time.
    pub slots: Vec<(u32, u32)>,
}

impl Ceiling {
    /// The limit holds over these slots.
    pub(super) fn holds(&self, slots: std::ops::Range<usize>) -> bool {
        let window = self.slots.get(slots).unwrap_or_default();
        let (planned, beyond) = window.iter().fold((0, 0), |(p, b), (planned, beyond)| (p + planned, b + beyond));
        // Nearest rank: so many samples must be at or below the limit.
        let needed = (f64::from(planned) * self.quantile - 1e-9).ceil();
        f64::from(planned) - f64::from(beyond) >= needed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_holds_while_no_more_than_its_share_is_slower() {
        let held =
            |quantile, beyond| Ceiling { service: String::new(), quantile, slots: vec![(100, beyond), (100, 0)] };
        assert!(held(0.99, 2).holds(0..2));
        assert!(!held(0.99, 3).holds(0..2));
        assert!(!held(0.99, 2).holds(0..1));
        assert!(held(0.5, 100).holds(0..2));
        assert!(!held(1.0, 1).holds(0..2), "the maximum allows none");
        assert!(held(0.999, 0).holds(0..2));
    }
}
