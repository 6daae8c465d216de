//! How an instance behaves: how long it takes, whether it fails, how many it serves at once.

use super::options::{Latency, Options, Responds};
use crate::clock::{Timer, now};
use crate::fault::pick::Picker;
use crate::fault::spec::Pick;
use crate::seed::Seed;
use nix::time::{ClockId, clock_gettime};
use rand_chacha::ChaCha12Rng;
use rand_distr::{Distribution, LogNormal, Uniform};
use std::cell::RefCell;
use std::time::Duration;
use tokio::sync::Semaphore;

/// 99th percentile of the standard normal distribution.
const Z99: f64 = 2.326_347_874_040_841;

/// What an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Good,
    Bad,
}

/// Draws, waits and burns for each request.
pub(super) struct Behaviour {
    responds: Responds,
    latency: Draw,
    rng: RefCell<ChaCha12Rng>,
    errors: RefCell<Picker>,
    at_once: Option<Semaphore>,
    timer: Timer,
}

enum Draw {
    Fixed(Duration),
    Lognormal(LogNormal<f64>),
    Uniform(Uniform<f64>),
}

impl Draw {
    fn of(latency: Latency) -> Self {
        match latency {
            Latency::Fixed(fixed) => Self::Fixed(fixed),
            Latency::Lognormal { p50, p99 } => {
                let (median, high) = (p50.as_secs_f64().max(1e-9), p99.as_secs_f64().max(1e-9));
                let sigma = ((high / median).ln() / Z99).max(0.0);
                LogNormal::new(median.ln(), sigma).map_or(Self::Fixed(p50), Self::Lognormal)
            }
            Latency::Uniform { min, max } => {
                Uniform::new_inclusive(min.as_secs_f64(), max.as_secs_f64()).map_or(Self::Fixed(min), Self::Uniform)
            }
        }
    }

    fn draw(&self, rng: &mut ChaCha12Rng) -> Duration {
        let seconds = match self {
            Self::Fixed(fixed) => return *fixed,
            Self::Lognormal(distribution) => distribution.sample(rng),
            Self::Uniform(distribution) => distribution.sample(rng),
        };
        // A draw of a minute is an accident of the tail, not a behaviour that was asked for.
        Duration::from_secs_f64(seconds.clamp(0.0, 60.0))
    }
}

impl Behaviour {
    pub(super) fn new(options: &Options, timer: Timer) -> Self {
        let seed = Seed(options.seed);
        let errors = Picker::new(Pick::Percent(options.responds.errors_percent), seed.stream("service/errors"));
        Self {
            latency: Draw::of(options.responds.latency),
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
        self.timer.sleep_until(begin.after(latency)).await;
        if self.errors.borrow_mut().takes(1) { Verdict::Bad } else { Verdict::Good }
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
