//! Matches and faults of Istio's routes.

use super::{Silent, Told, both, hold, routed, rule, silent, told};

/// Two rules for `cart`, the first for a path.
fn two(matching: &str, to: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: cart}}\nspec:\n  hosts: [cart]\n  http:\n    - match:\n        - {matching}\n      route: [{{destination: {{host: pay}}}}]\n    - route: [{{destination: {{host: {to}}}}}]\n"
    )
}

pub(super) fn table() -> (Vec<Told>, Vec<Silent>) {
    let told = vec![
        told(
            "SQ0528",
            "8:15",
            "this abort tests no retry: it happens ahead of them",
            routed("fault: {abort: {httpStatus: 503, percentage: {value: 50}}}\nretries: {attempts: 2, retryOn: 5xx}"),
        ),
        told(
            "SQ0528",
            "16:15",
            "this delay tests no detector of cart: it happens ahead of them",
            both(
                &rule("outlierDetection: {maxEjectionPercent: 50}"),
                &routed("fault: {delay: {fixedDelay: 3s, percentage: {value: 50}}}"),
            ),
        ),
        told(
            "SQ0529",
            "9:15",
            "this delay of 10s is waited out in full: timeout 2s begins behind it",
            routed("timeout: 2s\nfault: {delay: {fixedDelay: 10s, percentage: {value: 50}}}"),
        ),
        told(
            "SQ0530",
            "8:15",
            "this abort happens to no request: its percentage is 0 where none is written",
            routed("fault: {abort: {httpStatus: 503}}"),
        ),
        told(
            "SQ0531",
            "5:11",
            "requests for cart that do not match the one rule are answered 404, not sent on as before",
            routed("match: [{uri: {prefix: /a}}]"),
        ),
        told(
            "SQ0532",
            "8:17",
            "the prefix `/foo` takes `/foobar` as well, which `/` would have taken",
            two("uri: {prefix: /foo}", "cart"),
        ),
    ];
    let silent = vec![
        silent("SQ0528", routed("fault: {abort: {httpStatus: 503, percentage: {value: 50}}}")),
        silent(
            "SQ0528",
            routed("fault: {abort: {httpStatus: 503, percentage: {value: 0}}}\nretries: {attempts: 2, retryOn: 5xx}"),
        ),
        silent("SQ0528", routed("retries: {attempts: 2, retryOn: 5xx}")),
        silent("SQ0529", routed("timeout: 5s\nfault: {delay: {fixedDelay: 2s, percentage: {value: 50}}}")),
        silent("SQ0530", routed("fault: {abort: {httpStatus: 503, percentage: {value: 0}}}")),
        silent("SQ0531", routed("match: [{uri: {prefix: /}}]")),
        silent("SQ0531", routed("match: [{port: 80}]")),
        silent("SQ0531", two("uri: {prefix: /foo}", "cart")),
        silent("SQ0532", two("uri: {prefix: /foo/}", "cart")),
        silent("SQ0532", two("uri: {exact: /foo}", "cart")),
        silent("SQ0532", two("uri: {prefix: /foo}", "pay")),
    ];
    (told, silent)
}

#[test]
fn routing() {
    let (told, silent) = table();
    hold(told, silent);
}
