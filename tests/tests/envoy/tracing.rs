//! The context of a trace, where what goes on is what came: under Zipkin a service's side goes on with the span of its caller.

use squall_tests::envoy::{Case, case, hold_all};

#[test]
fn as_envoy_does() {
    hold_all(&cases());
}

const IDS: &str = "x-b3-traceid: 80f198ee56343ba864fe8b2a57d3eff7; x-b3-spanid: e457b5a2e4d86bd1";
const SINGLE: &str = "b3: 80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1";

/// All of them. Nothing is sampled, so that no collector is needed.
pub(crate) fn cases() -> Vec<Case> {
    let zipkin = |name| {
        case(name).backend("one", &["200"]).cluster("collector", "one", "").manager(
            "tracing: {random_sampling: {value: 0}, provider: {name: zipkin, typed_config: {\"@type\": \
             type.googleapis.com/envoy.config.trace.v3.ZipkinConfig, collector_cluster: collector, \
             collector_endpoint: /api/v2/spans, collector_endpoint_version: HTTP_JSON}}}",
        )
    };
    vec![
        zipkin("a_callers_span_goes_on").asks(&[
            &format!("GET / {IDS}; x-b3-sampled: 0"),
            &format!("GET / {IDS}; x-b3-sampled: 0; x-b3-parentspanid: 05e3ac9a4f6e3b90"),
            &format!("GET / {IDS}"),
            "GET / x-b3-traceid: 64fe8b2a57d3eff7; x-b3-spanid: e457b5a2e4d86bd1; x-b3-sampled: 0",
        ]),
        zipkin("a_callers_span_in_one_field_goes_on").asks(&[
            &format!("GET / {SINGLE}-0"),
            &format!("GET / {SINGLE}-0-05e3ac9a4f6e3b90"),
            &format!("GET / {SINGLE}"),
        ]),
        zipkin("a_context_that_cannot_be_read_is_left_alone")
            .asks(&["GET / b3: nonsense", "GET / x-b3-traceid: zz; x-b3-spanid: e457b5a2e4d86bd1"]),
    ]
}
