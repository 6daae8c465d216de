//! What filters do, in words.

use super::Filter;
use crate::policy::{AbortWith, FaultInjection, Fraction, HttpFilter, RateLimit, words};
use crate::serve::rehearsal::{Does, FilterRun};

/// One filter, in words.
pub(super) fn told(run: &FilterRun<'_>) -> Filter {
    let name = match run.filter {
        HttpFilter::HealthCheck(_) => "health check",
        HttpFilter::Cors => "cors",
        HttpFilter::Fault(_) => "fault",
        HttpFilter::LocalRateLimit(_) => "rate limit",
    };
    let whose = |of_route| if of_route { "by the route" } else { "by the listener" };
    let does = match &run.does {
        Does::Nothing => "nothing with this request".to_owned(),
        Does::AnswersHealthCheck => "answers 200 by itself, 503 while the proxy was told to fail".to_owned(),
        Does::AnswersPreflight(status) => format!("answers the preflight by itself: {status}"),
        Does::AllowsOrigin => "lets it pass, and says in the answer that its origin is allowed".to_owned(),
        Does::Faults(injection, of_route) => format!("{}, {}", faults(injection), whose(*of_route)),
        Does::Limits(limit, of_route) => format!("{}, {}", limits(limit), whose(*of_route)),
    };
    Filter { name, does }
}

fn faults(injection: &FaultInjection) -> String {
    let of = |share: Fraction| format!("{} of the requests", words::share(share));
    let mut all = Vec::new();
    if let Some(delay) = injection.delay {
        let long =
            delay.fixed.map_or_else(|| "for as long as x-envoy-fault-delay-request says".to_owned(), words::time);
        all.push(format!("holds back {} {long}", of(delay.share)));
    }
    if let Some(abort) = injection.abort {
        let with = match abort.with {
            AbortWith::Http(status) => status.to_string(),
            AbortWith::Grpc(status) => format!("gRPC {}", words::grpc_status(status)),
            AbortWith::Header => "what x-envoy-fault-abort-request says".to_owned(),
        };
        all.push(format!("answers {} with {with}, which no retry or detector sees", of(abort.share)));
    }
    if let Some(rate) = injection.response_rate {
        let fast = rate
            .kib_per_second
            .map_or_else(|| "as x-envoy-fault-throughput-response says".to_owned(), |kib| format!("{kib}KiB/s"));
        all.push(format!("slows the answers of {} to {fast}", of(rate.share)));
    }
    all.extend(injection.max_active.map(|most| format!("no more than {most} at once")));
    if all.is_empty() { "makes no faults".to_owned() } else { all.join("; ") }
}

fn limits(limit: &RateLimit) -> String {
    let each = if limit.per_connection { " for each connection" } else { "" };
    let bucket = format!(
        "takes one of {} tokens{each}, of which {} come in {}",
        limit.bucket.max_tokens,
        limit.bucket.tokens_per_fill,
        words::time(limit.bucket.fill_interval)
    );
    let described = match limit.descriptors.len() {
        0 => String::new(),
        number => format!(", or of one of {number} buckets for requests that are described"),
    };
    let shares = match (limit.enabled, limit.enforced) {
        (Fraction::ALL, Fraction::ALL) => String::new(),
        (enabled, enforced) => {
            format!(" (looks at {}, refuses {} of those)", words::share(enabled), words::share(enforced))
        }
    };
    format!("{bucket}{described}; without one it answers {}{shares}", limit.status)
}
