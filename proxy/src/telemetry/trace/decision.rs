//! Whether a request is traced.

use super::request_id::{self, Reason};
use super::{Incoming, context};
use crate::policy::{Fraction, Tracing};
use crate::telemetry::FieldsMut;
use rand::{Rng, RngExt};

/// What was decided.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decision {
    /// What the request's id says now.
    pub reason: Reason,
    /// The trace that the request came with.
    pub incoming: Incoming,
    /// Whether spans of it are told: as those ahead have decided, else as the id says.
    pub sampled: bool,
}

/// Decides, and says so in `x-request-id`. An id that is missing or broken is not traced here.
///
/// In order: what the id says already, `x-client-trace-id`, `x-envoy-force-trace`, chance by the id; the overall share can only remove.
/// `x-envoy-force-trace` must have been taken from requests that are not internal.
pub(crate) fn decide(fields: &mut impl FieldsMut, tracing: &Tracing, rng: &mut impl Rng) -> Decision {
    let reason = by_id(fields, tracing, rng);
    let kind = tracing.provider.as_ref().map(|provider| provider.context);
    let incoming = kind.map_or(Incoming::Nothing, |kind| context::extract(kind, fields));
    let sampled = match &incoming {
        Incoming::Parent(parent) => parent.sampled.unwrap_or(reason.traced()),
        Incoming::Only { sampled } => *sampled,
        Incoming::Nothing => reason.traced(),
        Incoming::Broken => false,
    };
    Decision { reason, incoming, sampled }
}

fn by_id(fields: &mut impl FieldsMut, tracing: &Tracing, rng: &mut impl Rng) -> Reason {
    let Some(mut id) = fields.get("x-request-id").map(<[u8]>::to_vec) else { return Reason::NotTraced };
    let Some(number) = request_id::number(&id) else { return Reason::NotTraced };
    let drawn = |share: Fraction| number % 10_000 < share.0 / 100;
    let said = Reason::of(&id);
    let mut reason = said;
    if !reason.traced() {
        let client = fields.get("x-client-trace-id").is_some();
        if client && rng.random_range(0..Fraction::ALL.0) < tracing.client.0 {
            reason = Reason::Client;
        } else if fields.get("x-envoy-force-trace").is_some() {
            reason = Reason::Forced;
        } else if drawn(tracing.random) {
            reason = Reason::Sampled;
        }
    }
    if !drawn(tracing.overall) {
        reason = Reason::NotTraced;
    }
    if reason != said {
        reason.write(&mut id);
        fields.set("x-request-id", &id);
    }
    reason
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{TraceContext, TraceProtocol, TraceProvider};
    use proptest::prelude::*;
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    use squall_http1::Headers;

    fn tracing(random: f64, client: f64, overall: f64) -> Tracing {
        let share = Fraction::percent;
        Tracing { random: share(random), client: share(client), overall: share(overall), provider: None }
    }

    fn decided(id: &str, fields: &[(&str, &str)], tracing: &Tracing) -> (Decision, String) {
        let mut headers = Headers::new();
        headers.add("x-request-id", id.as_bytes());
        fields.iter().for_each(|(name, value)| headers.add(name, value.as_bytes()));
        let decision = decide(&mut headers, tracing, &mut ChaCha8Rng::seed_from_u64(7));
        (decision, headers.get_str("x-request-id").unwrap().to_owned())
    }

    /// 99 of 10,000.
    const LOW: &str = "00000063-0000-4000-8000-000000000000";
    /// 100 of 10,000.
    const HIGH: &str = "00000064-0000-4000-8000-000000000000";

    #[test]
    fn what_was_decided_goes_first_then_the_client_then_force_then_chance() {
        let client = ("x-client-trace-id", "x");
        let force = ("x-envoy-force-trace", "true");
        let (all, none, istio) = (tracing(100.0, 100.0, 100.0), tracing(0.0, 0.0, 100.0), tracing(1.0, 100.0, 100.0));
        for (id, fields, tracing, reason) in [
            (LOW, &[][..], &istio, Reason::Sampled),
            (HIGH, &[], &istio, Reason::NotTraced),
            (HIGH, &[client, force], &all, Reason::Client),
            (HIGH, &[client, force], &none, Reason::Forced),
            (HIGH, &[client], &none, Reason::NotTraced),
            (HIGH, &[force], &istio, Reason::Forced),
            (HIGH, &[], &all, Reason::Sampled),
            ("00000064-0000-a000-8000-000000000000", &[client], &all, Reason::Forced),
            ("00000064-0000-9000-8000-000000000000", &[], &none, Reason::Sampled),
        ] {
            let (decision, after) = decided(id, fields, tracing);
            assert_eq!(decision.reason, reason, "{id} {fields:?}");
            assert_eq!(Reason::of(after.as_bytes()), reason);
            assert_eq!(decision.sampled, reason.traced());
        }
    }

    #[test]
    fn the_overall_share_can_only_remove() {
        let forced = "00000064-0000-a000-8000-000000000000";
        let (decision, after) = decided(forced, &[], &tracing(100.0, 100.0, 1.0));
        assert_eq!((decision.reason, after.as_str()), (Reason::NotTraced, HIGH));
        assert_eq!(decided(HIGH, &[], &tracing(0.0, 0.0, 100.0)).0.reason, Reason::NotTraced);
    }

    #[test]
    fn an_id_that_is_no_number_is_left_alone_and_one_that_is_no_uuid_is_traced_without_saying_so() {
        let (decision, after) = decided("mine", &[("x-envoy-force-trace", "1")], &tracing(100.0, 100.0, 100.0));
        assert_eq!((decision.reason, after.as_str()), (Reason::NotTraced, "mine"));
        let (decision, after) = decided("00000001", &[], &tracing(100.0, 100.0, 100.0));
        assert_eq!((decision.reason, after.as_str()), (Reason::Sampled, "00000001"));
    }

    #[test]
    fn what_those_ahead_have_decided_of_a_trace_stands() {
        let provider = TraceProvider {
            context: TraceContext::W3c,
            cluster: "otel".to_owned(),
            protocol: TraceProtocol::OtlpGrpc,
            timeout: None,
            service_name: None,
        };
        let with = |random| Tracing { provider: Some(provider.clone()), ..tracing(random, 100.0, 100.0) };
        let parent = |flags: &str| format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}");
        for (random, flags, sampled) in [(0.0, "01", true), (100.0, "00", false)] {
            let (decision, _) = decided(HIGH, &[("traceparent", &parent(flags))], &with(random));
            assert_eq!(decision.sampled, sampled);
            assert!(matches!(decision.incoming, Incoming::Parent(_)));
        }
        let (decision, _) = decided(HIGH, &[("traceparent", "nonsense")], &with(100.0));
        assert_eq!((decision.incoming, decision.sampled), (Incoming::Broken, false));
    }

    proptest! {
        #[test]
        fn every_proxy_that_sees_the_same_id_decides_the_same(seed: u64, other: u64, percent in 0.0..100.0) {
            let id = request_id::fresh(&mut ChaCha8Rng::seed_from_u64(seed));
            let mut fields = Headers::new();
            fields.add("x-request-id", &id);
            let mut again = fields.clone();
            let tracing = tracing(percent, 100.0, 100.0);
            let first = decide(&mut fields, &tracing, &mut ChaCha8Rng::seed_from_u64(seed)).reason;
            prop_assert_eq!(first, decide(&mut again, &tracing, &mut ChaCha8Rng::seed_from_u64(other)).reason);
        }
    }
}
