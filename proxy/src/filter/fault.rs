//! Faults of the client's side: drawn once a request, ahead of the router, so that nothing that heals ever sees them.

use crate::policy::FaultInjection;
use rand::{Rng, RngExt};
use std::time::Duration;

/// What the draw decided: the delay comes first, then the abort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Drawn {
    /// Hold the request back.
    pub delay: Option<Duration>,
    /// Answer with this status.
    pub abort: Option<u16>,
}

/// Two independent draws.
pub(crate) fn draw(fault: &FaultInjection, rng: &mut impl Rng) -> Drawn {
    let mut hit = |percent: f64| rng.random::<f64>() * 100.0 < percent;
    let delay = fault.delay.as_ref().filter(|delay| hit(delay.percent)).map(|delay| delay.fixed);
    let abort = fault.abort.filter(|(_, percent)| hit(*percent)).map(|(status, _)| status);
    Drawn { delay, abort }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Delay;
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

    #[test]
    fn an_absent_percentage_of_nothing_never_hits_and_a_hundred_always_does() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let delay = |percent| Some(Delay { fixed: Duration::from_millis(5), percent });
        let never = FaultInjection { delay: delay(0.0), abort: Some((503, 0.0)) };
        let always = FaultInjection { delay: delay(100.0), abort: Some((503, 100.0)) };
        for _ in 0..1000 {
            assert_eq!(draw(&never, &mut rng), Drawn::default());
            assert_eq!(draw(&always, &mut rng).abort, Some(503));
        }
    }
}
