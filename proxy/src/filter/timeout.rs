//! How long a request may take: the route's word, what gRPC asks for, and what callers from inside ask for. Pure.

use crate::policy::{Forward, GrpcTimeout};
use squall_http1::Headers;
use std::time::Duration;

/// Times of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Times {
    /// All tries together.
    pub route: Option<Duration>,
    /// One try.
    pub per_try: Option<Duration>,
    /// What gRPC asked for was taken into account, and is to be told to the upstream.
    pub tell_grpc: bool,
}

/// The times of a request by its route; `internal`: its control fields are obeyed.
pub(crate) fn times(forward: &Forward, headers: &Headers, internal: bool) -> Times {
    let asked = asked_by_grpc(headers);
    let (mut route, tell_grpc) = match (forward.grpc_timeout, asked) {
        (GrpcTimeout::Ignored, _) | (_, None) => (forward.timeout, false),
        (GrpcTimeout::Obeyed, Some(asked)) => (Some(asked), true),
        (GrpcTimeout::AtMost(most), Some(asked)) => (Some(asked.min(most)), true),
    };
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
        for (text, millis) in [("1H", Some(3_600_000)), ("5M", Some(300_000)), ("20m", Some(20)), ("9000u", Some(9))] {
            assert_eq!(of(&forward(None, None, GrpcTimeout::Obeyed), &[("grpc-timeout", text)], false).0, millis);
        }
        for text in ["", "S", "1", "1x", "123456789S", "-1S"] {
            let told = of(&forward(Some(7), None, GrpcTimeout::Obeyed), &[("grpc-timeout", text)], false).0;
            assert_eq!(told, Some(7), "{text:?}");
        }
        assert_eq!(for_grpc(Duration::from_millis(1500)), "1500m");
        assert_eq!(for_grpc(Duration::from_secs(200_000)), "200000S");
    }

    #[test]
    fn only_callers_from_inside_set_times_by_fields() {
        let fields = [("x-envoy-upstream-rq-timeout-ms", "100"), ("x-envoy-upstream-rq-per-try-timeout-ms", "40")];
        let forward = forward(Some(1000), None, GrpcTimeout::Ignored);
        assert_eq!(of(&forward, &fields, true), (Some(100), Some(40)));
        assert_eq!(of(&forward, &fields, false), (Some(1000), None));
    }
}
