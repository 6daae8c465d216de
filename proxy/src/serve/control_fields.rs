//! Fields by which a caller steers this proxy: obeyed where the caller comes from inside, and taken off on the way.

use squall_http1::Headers;

/// Asks for 204 in place of 504.
pub(super) const TIMEOUT_WITHOUT_A_WORD: &str = "x-envoy-upstream-rq-timeout-alt-response";

/// How long the endpoint may take: the proxy ahead says it to this one, and this one to the endpoint.
const EXPECTED_TIMEOUT: &str = "x-envoy-expected-rq-timeout-ms";

/// Asks for a span of each hop from here on.
const FORCE_TRACE: &str = "x-envoy-force-trace";

/// How all of their names begin.
const PREFIX: &str = "x-envoy-";

/// Those that are for this proxy alone. The two others go on to the endpoint, so they are no part of this list.
const FOR_THIS_PROXY: [&str; 9] = [
    TIMEOUT_WITHOUT_A_WORD,
    "x-envoy-max-retries",
    "x-envoy-retry-on",
    "x-envoy-retry-grpc-on",
    "x-envoy-retriable-status-codes",
    "x-envoy-retriable-header-names",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-hedge-on-per-try-timeout",
];

/// Takes off all of them: only whoever comes from inside is trusted with them. `keep_expected`: any caller may say how long it waits.
pub(super) fn strip_untrusted(headers: &mut Headers, keep_expected: bool) {
    let is_trusted = |name: &str| match name {
        FORCE_TRACE => false,
        EXPECTED_TIMEOUT => keep_expected,
        name => !FOR_THIS_PROXY.contains(&name),
    };
    headers.retain(|name, _| !name.starts_with(PREFIX) || is_trusted(name));
}

/// Takes off what no endpoint needs to see.
pub(super) fn strip(headers: &mut Headers) {
    headers.retain(|name, _| !name.starts_with(PREFIX) || !FOR_THIS_PROXY.contains(&name));
}
