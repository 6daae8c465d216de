//! How an instance behaves: how long it takes, whether it fails, how many it serves at once.

use super::options::{Latency, Options, Responds};
use crate::clock::{Timer, now};
use crate::distribution::Distribution;
use crate::fault::pick::Picker;
use crate::fault::spec::Pick;
use crate::seed::Seed;
use nix::time::{ClockId, clock_gettime};
use rand_chacha::ChaCha12Rng;
use std::cell::RefCell;
use std::time::Duration;
use tokio::sync::Semaphore;

/// A draw beyond it is an accident of the tail, not a behaviour that was asked for.
const LONGEST_LATENCY: f64 = 60.0;

/// What an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Good,
    Bad,
}

/// Draws, waits and burns for each request.
pub(super) struct Behaviour {
    responds: Responds,
    latency: Distribution,
    rng: RefCell<ChaCha12Rng>,
    errors: RefCell<Picker>,
    at_once: Option<Semaphore>,
    timer: Timer,
}

impl Latency {
    fn distribution(self) -> Distribution {
        let seconds = |time: Duration| time.as_secs_f64();
        match self {
            Self::Fixed(fixed) => Distribution::Fixed(seconds(fixed)),
            Self::Lognormal { p50, p99 } => Distribution::lognormal(seconds(p50), seconds(p99)),
            Self::Uniform { min, max } => Distribution::uniform(seconds(min), seconds(max)),
        }
    }
}

impl Behaviour {
    pub(super) fn new(options: &Options, timer: Timer) -> Self {
        let seed = Seed(options.seed);
        let errors = Picker::new(Pick::Percent(options.responds.errors_percent), seed.stream("service/errors"));
        Self {
            latency: options.responds.latency.distribution(),
            rng: RefCell::new(seed.stream("service/latency")),
            errors: RefCell::new(errors),
            at_once: options.responds.limit.map(|limit| Semaphore::new(limit as usize)),
            timer,
            responds: options.responds.clone(),
        }
    }

    /// One request: its turn, its processor time, its latency.
    pub(super) async fn serve(&self) -> Verdict {
        let _turn = match &self.at_once {
            // The semaphore is never closed.
            Some(at_once) => at_once.acquire().await.ok(),
            None => None,
        };
        let begin = now();
        if !self.responds.cpu.is_zero() {
            burn(self.responds.cpu);
        }
        let latency = self.latency.draw(&mut self.rng.borrow_mut());
        self.timer.sleep_until(begin.after(Duration::from_secs_f64(latency.clamp(0.0, LONGEST_LATENCY)))).await;
        if self.errors.borrow_mut().takes(1, 1.0) { Verdict::Bad } else { Verdict::Good }
    }
}

/// Keeps this thread's processor busy for so long.
fn burn(cpu: Duration) {
    let spent = || {
        let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
        time.map_or(Duration::MAX, |time| Duration::new(time.tv_sec() as u64, time.tv_nsec() as u32))
    };
    let until = spent().saturating_add(cpu);
    while spent() < until {
        std::hint::spin_loop();
    }
}
