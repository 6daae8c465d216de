//! The buckets of one limit: that of all requests, and those of requests that are described alike.

use super::Bucket;
use crate::policy::{LimitDescriptor, RateLimit, TokenBucket};
use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// A request as one description tells of it: keys with values, in order.
pub(crate) type Described<'a> = Vec<(&'a str, Cow<'a, str>)>;

/// The buckets of one limit.
#[derive(Debug)]
pub(crate) struct Limiter {
    of_all: Arc<Bucket>,
    always_of_all: bool,
    /// The one that fills slowest first.
    described: Vec<OfDescribed>,
    most_values: usize,
}

#[derive(Debug)]
struct OfDescribed {
    policy: LimitDescriptor,
    buckets: Buckets,
}

#[derive(Debug)]
enum Buckets {
    One(Arc<Bucket>),
    /// One for each value that comes, the last used at the end. Behind a lock, since what comes is not known beforehand.
    OfValues(Mutex<Vec<(Vec<String>, Arc<Bucket>)>>),
}

/// What became of a request.
#[derive(Debug)]
pub(crate) struct Taken {
    /// It may go on.
    pub allowed: bool,
    /// The bucket that decided.
    pub by: Arc<Bucket>,
}

impl Limiter {
    /// All of them full.
    pub(crate) fn full(limit: &RateLimit, now: Instant) -> Self {
        let mut described: Vec<_> = limit.descriptors.iter().map(|policy| OfDescribed::full(policy, now)).collect();
        described.sort_by(|one, other| rate(&one.policy.bucket).total_cmp(&rate(&other.policy.bucket)));
        let of_all = Arc::new(Bucket::full(&limit.bucket, now));
        Self { of_all, always_of_all: limit.always_of_all, described, most_values: limit.most_values }
    }

    /// True if it matters how requests are described.
    pub(crate) fn wants_descriptions(&self) -> bool {
        !self.described.is_empty()
    }

    /// Takes a token from every bucket that a request meets, the slowest first. The first that is empty refuses it, and what was taken
    /// before is gone.
    pub(crate) fn take(&self, requests: &[Described<'_>], now: Instant) -> Taken {
        let mut first = None;
        for own in &self.described {
            for request in requests {
                let Some(bucket) = own.bucket(request, self.most_values, now) else { continue };
                if !bucket.take(now) {
                    return Taken { allowed: false, by: bucket };
                }
                first.get_or_insert(bucket);
            }
        }
        if first.is_some() && !self.always_of_all {
            let by = first.unwrap_or_else(|| Arc::clone(&self.of_all));
            return Taken { allowed: true, by };
        }
        let allowed = self.of_all.take(now);
        let by = first.filter(|_| allowed).unwrap_or_else(|| Arc::clone(&self.of_all));
        Taken { allowed, by }
    }
}

impl OfDescribed {
    fn full(policy: &LimitDescriptor, now: Instant) -> Self {
        let open = policy.entries.iter().any(|(_, value)| value.is_empty());
        let buckets = if open {
            Buckets::OfValues(Mutex::default())
        } else {
            Buckets::One(Arc::new(Bucket::full(&policy.bucket, now)))
        };
        Self { policy: policy.clone(), buckets }
    }

    /// The bucket of a request, if it is described as this asks for.
    fn bucket(&self, request: &Described<'_>, most: usize, now: Instant) -> Option<Arc<Bucket>> {
        let entries = &self.policy.entries;
        let alike = entries.len() == request.len()
            && entries.iter().zip(request).all(|((key, value), (own_key, own_value))| {
                key == own_key && (value.is_empty() || *value == **own_value)
            });
        if !alike {
            return None;
        }
        let known = match &self.buckets {
            Buckets::One(bucket) => return Some(Arc::clone(bucket)),
            Buckets::OfValues(known) => known,
        };
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |values: &[String]| values.iter().zip(request).all(|(value, (_, own))| *value == **own);
        let entry = if let Some(at) = known.iter().position(|(values, _)| same(values)) {
            known.remove(at)
        } else {
            if known.len() >= most.max(1) {
                known.remove(0);
            }
            let values = request.iter().map(|(_, value)| value.to_string()).collect();
            (values, Arc::new(Bucket::full(&self.policy.bucket, now)))
        };
        let bucket = Arc::clone(&entry.1);
        known.push(entry);
        Some(bucket)
    }
}

/// Tokens a second.
fn rate(bucket: &TokenBucket) -> f64 {
    f64::from(bucket.tokens_per_fill) / bucket.fill_interval.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::now;
    use crate::policy::{Fraction, HostDescriptions, Refill};
    use std::time::Duration;

    fn bucket(max_tokens: u32, fill_seconds: u64) -> TokenBucket {
        TokenBucket {
            max_tokens,
            tokens_per_fill: 1,
            fill_interval: Duration::from_secs(fill_seconds),
            refill: Refill::Evenly,
        }
    }

    fn limit(of_all: u32, always_of_all: bool, descriptors: &[(&[(&str, &str)], TokenBucket)]) -> Limiter {
        let own = |entries: &[(&str, &str)]| {
            entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let descriptors =
            descriptors.iter().map(|(entries, bucket)| LimitDescriptor { entries: own(entries), bucket: *bucket });
        let limit = RateLimit {
            stat_prefix: "limit".to_owned(),
            bucket: bucket(of_all, 3600),
            descriptors: descriptors.collect(),
            stage: 0,
            describe: Vec::new(),
            of_host: HostDescriptions::Otherwise,
            always_of_all,
            most_values: 2,
            enabled: Fraction::ALL,
            enforced: Fraction::ALL,
            status: 429,
            response_headers: Vec::new(),
            per_connection: false,
            grpc_resource_exhausted: false,
            rate_limit_headers: false,
        };
        Limiter::full(&limit, now())
    }

    fn told(entries: &[(&'static str, &'static str)]) -> Described<'static> {
        entries.iter().map(|(key, value)| (*key, Cow::Borrowed(*value))).collect()
    }

    fn takes(limiter: &Limiter, request: &[Described<'_>], times: usize) -> usize {
        (0..times).filter(|_| limiter.take(request, now()).allowed).count()
    }

    #[test]
    fn requests_that_are_described_alike_have_a_bucket_beside_that_of_all() {
        let limiter = limit(100, true, &[(&[("user", "a"), ("path", "buy")], bucket(2, 3600))]);
        assert_eq!(takes(&limiter, &[told(&[("user", "a"), ("path", "buy")])], 5), 2);
        for other in [&[("user", "a")][..], &[("user", "b"), ("path", "buy")], &[("path", "buy"), ("user", "a")]] {
            assert_eq!(takes(&limiter, &[told(other)], 5), 5, "{other:?}");
        }
        assert_eq!(takes(&limiter, &[], 5), 5);
    }

    #[test]
    fn the_bucket_of_all_is_taken_from_too_unless_that_is_switched_off() {
        let of = |always| limit(3, always, &[(&[("user", "a")], bucket(9, 3600))]);
        let request = [told(&[("user", "a")])];
        assert_eq!(takes(&of(true), &request, 12), 3);
        let alone = of(false);
        assert_eq!(takes(&alone, &request, 12), 9);
        assert_eq!(takes(&alone, &[], 12), 3, "nothing of it was used");
    }

    #[test]
    fn the_slowest_bucket_is_asked_first_and_what_was_taken_is_gone() {
        let limiter = limit(100, true, &[(&[("a", "1")], bucket(3, 1)), (&[("b", "1")], bucket(1, 3600))]);
        let both = [told(&[("a", "1")]), told(&[("b", "1")])];
        assert_eq!(takes(&limiter, &both, 3), 1);
        assert_eq!(takes(&limiter, &[told(&[("a", "1")])], 3), 2, "refused requests took nothing of it");
    }

    #[test]
    fn an_empty_value_is_a_bucket_for_each_and_the_one_not_used_for_longest_is_forgotten() {
        let limiter = limit(100, true, &[(&[("user", "")], bucket(1, 3600))]);
        let user = |name| [told(&[("user", name)])];
        assert_eq!(
            ["a", "b", "a", "b"].map(|name| limiter.take(&user(name), now()).allowed),
            [true, true, false, false]
        );
        // A third takes the place of the one that was used first.
        assert!(limiter.take(&user("c"), now()).allowed);
        assert!(!limiter.take(&user("b"), now()).allowed);
        assert!(limiter.take(&user("a"), now()).allowed);
    }
}
