//! Faults of the client's side: drawn once a request, ahead of everything that heals.

use super::conditions::Asked;
use crate::policy::{AbortWith, FaultInjection, Fraction};
use rand::{Rng, RngExt};
use squall_http1::Headers;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// What was drawn for one request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Drawn {
    /// Held back first.
    pub delay: Option<Duration>,
    /// Then answered.
    pub abort: Option<Answer>,
    /// Its answer flows no faster: KiB a second.
    pub rate: Option<u64>,
}

/// The answer in place of the upstream's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A status.
    Http(u16),
    /// A gRPC status.
    Grpc(u32),
}

/// Faults under way on a listener.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    active: AtomicU32,
}

/// A fault under way; over when dropped.
#[derive(Debug)]
pub(crate) struct ActiveFault(Arc<Faults>);

impl Faults {
    /// Begins a fault, unless as many as are allowed are under way.
    pub(crate) fn begin(self: &Arc<Self>, most: Option<u32>) -> Option<ActiveFault> {
        let active = self.active.load(Ordering::Relaxed);
        if most.is_some_and(|most| active >= most) {
            return None;
        }
        self.active.fetch_add(1, Ordering::Relaxed);
        Some(ActiveFault(Arc::clone(self)))
    }
}

impl Drop for ActiveFault {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::Relaxed);
    }
}

/// True if faults are meant for a request: of its cluster, and with the fields that are asked for.
pub(crate) fn is_meant(injection: &FaultInjection, cluster: Option<&str>, asked: &Asked<'_>) -> bool {
    injection.upstream_cluster.as_deref().is_none_or(|wanted| cluster == Some(wanted))
        && injection.headers.iter().all(|condition| asked.header_fits(condition))
}

/// Draws for one request: delay and abort apart. A request's own fields choose and lower only where the policy lets them.
pub(crate) fn draw(injection: &FaultInjection, headers: &Headers, rng: &mut impl Rng) -> Drawn {
    let mut hit = |share: Fraction, own: &str| {
        // A field can only lower the share.
        let share = number(headers, own).map_or(share.0, |percent: u32| share.0.min(percent.saturating_mul(10_000)));
        share > 0 && rng.random_range(0..1_000_000) < share
    };
    let delay = injection.delay.and_then(|delay| {
        let long = delay.fixed.or_else(|| number(headers, "x-envoy-fault-delay-request").map(Duration::from_millis))?;
        hit(delay.share, "x-envoy-fault-delay-request-percentage").then_some(long)
    });
    let abort = injection.abort.and_then(|abort| {
        let answer = match abort.with {
            AbortWith::Http(status) => Answer::Http(status),
            AbortWith::Grpc(status) => Answer::Grpc(status),
            AbortWith::Header => number(headers, "x-envoy-fault-abort-request")
                .filter(|status| (200..600).contains(status))
                .map(Answer::Http)
                .or_else(|| number(headers, "x-envoy-fault-abort-grpc-request").map(Answer::Grpc))?,
        };
        hit(abort.share, "x-envoy-fault-abort-request-percentage").then_some(answer)
    });
    let rate = injection.response_rate.and_then(|rate| {
        let kib = rate.kib_per_second.or_else(|| number(headers, "x-envoy-fault-throughput-response"))?;
        // At no speed at all no answer would ever end.
        (kib > 0 && hit(rate.share, "x-envoy-fault-throughput-response-percentage")).then_some(kib)
    });
    Drawn { delay, abort, rate }
}

fn number<T: std::str::FromStr>(headers: &Headers, name: &str) -> Option<T> {
    headers.get_str(name)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Abort, Delay};
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

    fn injection(delay: f64, abort: f64) -> FaultInjection {
        FaultInjection {
            delay: Some(Delay { fixed: Some(Duration::from_millis(5)), share: Fraction::percent(delay) }),
            abort: Some(Abort { with: AbortWith::Http(503), share: Fraction::percent(abort) }),
            ..FaultInjection::default()
        }
    }

    fn shares(injection: &FaultInjection, headers: &Headers) -> (f64, f64, f64) {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let drawn: Vec<_> = (0..20_000).map(|_| draw(injection, headers, &mut rng)).collect();
        let share = |of: fn(&Drawn) -> bool| drawn.iter().filter(|one| of(one)).count() as f64 / 200.0;
        let both = share(|one| one.delay.is_some() && one.abort.is_some());
        (share(|one| one.delay.is_some()), share(|one| one.abort.is_some()), both)
    }

    #[test]
    fn delay_and_abort_are_drawn_apart() {
        let (delay, abort, both) = shares(&injection(50.0, 20.0), &Headers::new());
        assert!((delay - 50.0).abs() < 1.5 && (abort - 20.0).abs() < 1.5 && (both - 10.0).abs() < 1.5);
        let (delay, abort, both) = shares(&injection(0.0, 100.0), &Headers::new());
        assert!(delay < 0.1 && abort > 99.9 && both < 0.1);
    }

    #[test]
    fn a_field_chooses_only_where_the_policy_lets_it_and_can_only_lower_the_share() {
        let mut headers = Headers::new();
        headers.add("x-envoy-fault-abort-request", b"418");
        headers.add("x-envoy-fault-abort-request-percentage", b"10");
        assert!(shares(&injection(0.0, 0.0), &headers).1 < 0.1);
        let by_field = |percent| FaultInjection {
            abort: Some(Abort { with: AbortWith::Header, share: Fraction::percent(percent) }),
            ..FaultInjection::default()
        };
        assert!((shares(&by_field(100.0), &headers).1 - 10.0).abs() < 1.0);
        assert!((shares(&by_field(5.0), &headers).1 - 5.0).abs() < 1.0);
        assert!(shares(&by_field(100.0), &Headers::new()).1 < 0.1);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        headers.set("x-envoy-fault-abort-request-percentage", b"100");
        assert_eq!(draw(&by_field(100.0), &headers, &mut rng).abort, Some(Answer::Http(418)));
    }

    #[test]
    fn no_more_faults_than_allowed_are_under_way() {
        let faults = Arc::new(Faults::default());
        let first = faults.begin(Some(1));
        assert!(first.is_some() && faults.begin(Some(1)).is_none() && faults.begin(None).is_some());
        drop(first);
        assert!(faults.begin(Some(1)).is_some());
    }
}
