//! How long a request may take: the route's word, what gRPC asks for, and what callers from inside ask for. Pure.

use crate::policy::{Forward, GrpcTimeout};
use crate::telemetry::is_grpc;
use squall_http1::Headers;
use std::time::Duration;

/// Times of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Times {
    /// All tries together.
    pub route: Option<Duration>,
    /// One try.
    pub per_try: Option<Duration>,
    /// The time is gRPC's, and is to be told to the upstream in its words.
    pub tell_grpc: bool,
}

/// The times of a request by its route; `internal`: its control fields are obeyed.
pub(crate) fn times(forward: &Forward, headers: &Headers, internal: bool) -> Times {
    let tell_grpc = forward.grpc_timeout != GrpcTimeout::Ignored && is_grpc(headers);
    let mut route = if tell_grpc { Some(of_grpc(forward, headers)) } else { forward.timeout };
    let mut per_try = forward.retry.per_try_timeout;
    if internal {
        let millis = |name| headers.get_str(name)?.trim().parse().ok().map(Duration::from_millis);
        route = millis("x-envoy-upstream-rq-timeout-ms").or(route);
        per_try = millis("x-envoy-upstream-rq-per-try-timeout-ms").or(per_try);
    }
    let route = route.filter(|route| !route.is_zero());
    // One that is no shorter than all tries together has no effect.
    let per_try = per_try.filter(|per_try| !per_try.is_zero() && route.is_none_or(|route| *per_try < route));
    Times { route, per_try, tell_grpc }
}

impl Times {
    /// After which an answer is late enough to be held against its endpoint: half of what the policy gives one try, or of what the request
    /// asks for if that is more. A client that asks for less accuses nobody. None: its time is over before that.
    pub(crate) fn stall(&self, configured: Duration) -> Option<Duration> {
        let time = self.per_try.or(self.route)?;
        Some(time.max(configured) / 2).filter(|stall| *stall < time)
    }
}

/// The time of gRPC's own; who asks for nothing asks for all that there is.
fn of_grpc(forward: &Forward, headers: &Headers) -> Duration {
    let asked = asked_by_grpc(headers).unwrap_or_default();
    let earlier = asked.saturating_sub(forward.grpc_timeout_offset);
    let asked = if earlier.is_zero() { asked } else { earlier };
    match forward.grpc_timeout {
        GrpcTimeout::AtMost(most) if asked.is_zero() || asked > most => most,
        _ => asked,
    }
}

/// Age at which a stream is ended; `listener` is what holds where the route has no say in it.
pub(crate) fn stream_age(forward: &Forward, headers: &Headers, listener: Option<Duration>) -> Option<Duration> {
    let Some((deadline, asked)) = forward.grpc_deadline.zip(asked_by_grpc(headers)) else {
        return forward.max_stream.unwrap_or(listener);
    };
    let age = deadline.most.map_or(asked, |most| asked.min(most));
    Some(age.saturating_sub(deadline.offset))
}

/// What a proxy ahead expects, which goes before the route's word where it is trusted.
pub(crate) fn expected(headers: &Headers) -> Option<Duration> {
    let millis = headers.get_str("x-envoy-expected-rq-timeout-ms")?.trim().parse().ok()?;
    Some(Duration::from_millis(millis)).filter(|expected| !expected.is_zero())
}

/// `grpc-timeout`: up to eight digits and a unit.
fn asked_by_grpc(headers: &Headers) -> Option<Duration> {
    let text = headers.get_str("grpc-timeout")?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

/// A time as gRPC writes it, in the finest unit that eight digits hold.
pub(crate) fn for_grpc(time: Duration) -> String {
    let millis = time.as_millis();
    if millis < 100_000_000 { format!("{millis}m") } else { format!("{}S", time.as_secs().min(99_999_999)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(forward: &Forward, fields: &[(&str, &str)], internal: bool) -> (Option<u64>, Option<u64>) {
        let mut headers = Headers::new();
        headers.add("content-type", b"application/grpc");
        fields.iter().for_each(|(name, value)| headers.add(name, value.as_bytes()));
        let times = times(forward, &headers, internal);
        let millis = |time: Option<Duration>| time.map(|time| time.as_millis() as u64);
        (millis(times.route), millis(times.per_try))
    }

    fn forward(route: Option<u64>, per_try: Option<u64>, grpc_timeout: GrpcTimeout) -> Forward {
        let mut forward = Forward::to("cart");
        forward.timeout = route.map(Duration::from_millis);
        forward.retry.per_try_timeout = per_try.map(Duration::from_millis);
        forward.grpc_timeout = grpc_timeout;
        forward
    }

    #[test]
    fn a_per_try_time_out_no_shorter_than_the_routes_has_no_effect() {
        let of = |route, per_try| of(&forward(route, per_try, GrpcTimeout::Ignored), &[], false);
        assert_eq!(of(Some(1000), Some(250)), (Some(1000), Some(250)));
        assert_eq!(of(Some(250), Some(250)), (Some(250), None));
        assert_eq!(of(None, Some(250)), (None, Some(250)));
        assert_eq!(of(None, None), (None, None));
    }

    #[test]
    fn what_grpc_asks_for_is_ignored_obeyed_or_bounded() {
        let asked = |route, grpc| of(&forward(route, None, grpc), &[("grpc-timeout", "2S")], false).0;
        assert_eq!(asked(Some(1000), GrpcTimeout::Ignored), Some(1000));
        assert_eq!(asked(None, GrpcTimeout::Obeyed), Some(2000));
        assert_eq!(asked(Some(1000), GrpcTimeout::AtMost(Duration::from_secs(1))), Some(1000));
        assert_eq!(asked(Some(5000), GrpcTimeout::AtMost(Duration::from_secs(5))), Some(2000));
        let silent = |grpc| of(&forward(Some(1000), None, grpc), &[], false).0;
        assert_eq!(silent(GrpcTimeout::Ignored), Some(1000));
        assert_eq!(silent(GrpcTimeout::Obeyed), None, "who asks for nothing has all the time");
        assert_eq!(silent(GrpcTimeout::AtMost(Duration::from_secs(5))), Some(5000));
        for (text, millis) in [("1H", Some(3_600_000)), ("5M", Some(300_000)), ("20m", Some(20)), ("9000u", Some(9))] {
            assert_eq!(of(&forward(None, None, GrpcTimeout::Obeyed), &[("grpc-timeout", text)], false).0, millis);
        }
        for text in ["", "S", "1", "1x", "123456789S", "-1S"] {
            let told = of(&forward(Some(7), None, GrpcTimeout::Obeyed), &[("grpc-timeout", text)], false).0;
            assert_eq!(told, None, "{text:?}");
        }
        let mut early = forward(None, None, GrpcTimeout::Obeyed);
        early.grpc_timeout_offset = Duration::from_millis(500);
        assert_eq!(of(&early, &[("grpc-timeout", "2S")], false).0, Some(1500));
        assert_eq!(of(&early, &[("grpc-timeout", "400m")], false).0, Some(400), "nothing would be left");
        let mut plain = Headers::new();
        plain.add("grpc-timeout", b"2S");
        let own = times(&forward(Some(7000), None, GrpcTimeout::Obeyed), &plain, false);
        assert_eq!((own.route, own.tell_grpc), (Some(Duration::from_secs(7)), false), "this is no gRPC");
        assert_eq!(for_grpc(Duration::from_millis(1500)), "1500m");
        assert_eq!(for_grpc(Duration::from_secs(200_000)), "200000S");
    }

    #[test]
    fn what_grpc_asks_for_ends_a_stream_where_the_route_lets_it() {
        let seconds = Duration::from_secs;
        let age = |most: Option<u64>, offset: u64, asked: Option<&str>| {
            let mut forward = Forward::to("cart");
            forward.max_stream = Some(Some(seconds(60)));
            forward.grpc_deadline =
                Some(crate::policy::GrpcDeadline { most: most.map(seconds), offset: seconds(offset) });
            let mut headers = Headers::new();
            asked.into_iter().for_each(|asked| headers.add("grpc-timeout", asked.as_bytes()));
            stream_age(&forward, &headers, None)
        };
        assert_eq!(age(None, 0, None), Some(seconds(60)));
        assert_eq!(age(None, 0, Some("90S")), Some(seconds(90)));
        assert_eq!(age(Some(30), 0, Some("90S")), Some(seconds(30)));
        assert_eq!(age(Some(30), 1, Some("5S")), Some(seconds(4)));
        assert_eq!(age(None, 6, Some("5S")), Some(Duration::ZERO));
        assert_eq!(age(None, 0, Some("soon")), Some(seconds(60)));
        let silent = stream_age(&Forward::to("cart"), &Headers::new(), Some(seconds(9)));
        assert_eq!(silent, Some(seconds(9)), "the listener says");
    }

    #[test]
    fn an_answer_is_late_at_half_the_time_that_the_policy_gives_or_the_request_asks_for() {
        let millis = Duration::from_millis;
        for (per_try, route, configured, late) in [
            (Some(200), Some(1000), 200, Some(100)),
            (None, Some(1000), 1000, Some(500)),
            (None, Some(1200), 1000, Some(600)),
            (None, Some(800), 1000, Some(500)),
            (None, Some(500), 1000, None),
            (Some(50), Some(100), 1000, None),
            (None, None, 1000, None),
        ] {
            let times = Times { route: route.map(millis), per_try: per_try.map(millis), tell_grpc: false };
            assert_eq!(times.stall(millis(configured)), late.map(millis), "{times:?} of {configured}");
        }
    }

    #[test]
    fn only_callers_from_inside_set_times_by_fields() {
        let fields = [("x-envoy-upstream-rq-timeout-ms", "100"), ("x-envoy-upstream-rq-per-try-timeout-ms", "40")];
        let forward = forward(Some(1000), None, GrpcTimeout::Ignored);
        assert_eq!(of(&forward, &fields, true), (Some(100), Some(40)));
        assert_eq!(of(&forward, &fields, false), (Some(1000), None));
    }
}
