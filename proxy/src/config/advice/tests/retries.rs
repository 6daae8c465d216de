//! Retries and time-outs of Istio's routes and of the Gateway API's.

use super::{Silent, Told, both, hold, indented, of_host, routed, rule, silent, told};

fn solo(text: &str) -> String {
    of_host("solo", text)
}

/// A route of the Gateway API with these fields from line 15 on.
fn http_route(fields: &str) -> String {
    let indented = indented(fields, 6);
    format!(
        "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {{name: door}}\nspec:\n  gatewayClassName: istio\n  listeners: [{{name: http, port: 80, protocol: HTTP}}]\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: cart}}\nspec:\n  parentRefs: [{{name: door}}]\n  rules:\n    - backendRefs: [{{name: cart, port: 80}}]\n{indented}"
    )
}

pub(super) fn table() -> (Vec<Told>, Vec<Silent>) {
    let told = vec![
        told(
            "SQ0514",
            "8:7",
            "without retryOn neither a 503 of cart nor a connection that it resets is retried",
            routed("retries: {attempts: 3}"),
        ),
        told(
            "SQ0514",
            "15:7",
            "without codes neither a 503 of cart nor a connection that it resets is retried",
            http_route("retry: {attempts: 2}"),
        ),
        told(
            "SQ0515",
            "8:30",
            "2 retries of cart, and nothing is retried: retryOn names no failure",
            routed("retries: {attempts: 2, retryOn: retriable-status-codes}"),
        ),
        told(
            "SQ0516",
            "8:30",
            "a try at cart that takes 2s is not tried again: it only ends with 504 sooner",
            routed("retries: {attempts: 3, perTryTimeout: 2s}"),
        ),
        told(
            "SQ0516",
            "16:18",
            "a try at cart that takes 100ms is not tried again: it only ends with 504 sooner",
            http_route("retry: {codes: [503]}\ntimeouts: {backendRequest: 100ms}"),
        ),
        told(
            "SQ0517",
            "9:30",
            "perTryTimeout 2s has no effect: timeout is 2s",
            routed("timeout: 2s\nretries: {attempts: 3, perTryTimeout: 2s, retryOn: 5xx}"),
        ),
        told(
            "SQ0518",
            "9:30",
            "4 tries of 2s need 8s, and timeout 5s ends the request in try 3",
            routed("timeout: 5s\nretries: {attempts: 3, perTryTimeout: 2s, retryOn: 5xx}"),
        ),
        told(
            "SQ0519",
            "8:7",
            "a connection to cart that hangs is not retried: timeout 2s ends the request before connectTimeout 10s does",
            routed("timeout: 2s\nretries: {attempts: 3, retryOn: \"connect-failure,refused-stream\"}"),
        ),
        told(
            "SQ0519",
            "16:7",
            "a connection to cart that hangs is not retried: timeout 2s ends the request before connectTimeout 3s does",
            both(
                &rule("connectionPool: {tcp: {connectTimeout: 3s}}"),
                &routed("timeout: 2s\nretries: {attempts: 3, retryOn: \"connect-failure,5xx\"}"),
            ),
        ),
        told(
            "SQ0520",
            "8:7",
            "solo has 1 instance, and all 2 retries meet it again within 75ms",
            solo("retries: {attempts: 2, retryOn: 5xx}"),
        ),
        told(
            "SQ0520",
            "16:7",
            "a request to cart sticks to its instance, and all 3 retries meet it again within 175ms",
            both(
                &rule("loadBalancer: {consistentHash: {httpHeaderName: x-user}}"),
                &routed("retries: {attempts: 3, retryOn: 5xx}"),
            ),
        ),
        told(
            "SQ0522",
            "9:7",
            "a POST to cart with more than 1 MiB is tried once, whatever the retries say",
            routed("match: [{method: {exact: POST}}]\nretries: {attempts: 2, retryOn: 5xx}"),
        ),
        told(
            "SQ0523",
            "6:29",
            "maxRetries 1: while cart fails, 1 request is retried at a time",
            both(&rule("connectionPool: {http: {maxRetries: 1}}"), &routed("retries: {attempts: 2, retryOn: 5xx}")),
        ),
        told(
            "SQ0523",
            "6:19",
            "percent 0.2 is a percentage: of 1000 requests under way to cart 2 may be retries, or 3",
            both(&rule("retryBudget: {percent: 0.2}"), &routed("retries: {attempts: 2, retryOn: 5xx}")),
        ),
    ];
    let silent = vec![
        silent("SQ0514", routed("retries: {attempts: 3, retryOn: 5xx}")),
        silent("SQ0514", routed("retries: {attempts: 0}")),
        silent("SQ0514", routed("timeout: 2s")),
        silent("SQ0515", routed("retries: {attempts: 2}")),
        silent("SQ0516", routed("retries: {attempts: 3, perTryTimeout: 2s, retryOn: gateway-error}")),
        silent("SQ0516", routed("retries: {attempts: 3, perTryTimeout: 2s, retryOn: reset}")),
        silent("SQ0516", routed("retries: {attempts: 3}")),
        silent("SQ0517", routed("timeout: 3s\nretries: {attempts: 3, perTryTimeout: 2s, retryOn: 5xx}")),
        silent("SQ0517", routed("retries: {attempts: 3, perTryTimeout: 2s, retryOn: 5xx}")),
        silent("SQ0518", routed("timeout: 8s\nretries: {attempts: 3, perTryTimeout: 2s, retryOn: 5xx}")),
        // That they are not retried at all is told alone.
        silent("SQ0518", routed("timeout: 5s\nretries: {attempts: 3, perTryTimeout: 2s}")),
        silent("SQ0519", routed("timeout: 2s\nretries: {attempts: 3, retryOn: \"connect-failure,5xx\"}")),
        silent(
            "SQ0519",
            both(
                &rule("connectionPool: {tcp: {connectTimeout: 500ms}}"),
                &routed("timeout: 2s\nretries: {attempts: 3, retryOn: connect-failure}"),
            ),
        ),
        silent("SQ0520", routed("retries: {attempts: 2, retryOn: 5xx}")),
        silent("SQ0520", solo("retries: {attempts: 2, retryOn: 5xx, backoff: 500ms}")),
        silent("SQ0522", routed("match: [{method: {exact: GET}}]\nretries: {attempts: 2, retryOn: 5xx}")),
        silent("SQ0522", routed("match: [{method: {exact: POST}}]")),
        silent(
            "SQ0523",
            both(&rule("connectionPool: {http: {maxRetries: 10}}"), &routed("retries: {attempts: 2, retryOn: 5xx}")),
        ),
        silent("SQ0523", rule("connectionPool: {http: {maxRetries: 1}}")),
        silent("SQ0523", both(&rule("retryBudget: {percent: 20}"), &routed("retries: {attempts: 2, retryOn: 5xx}"))),
    ];
    (told, silent)
}

#[test]
fn retries() {
    let (told, silent) = table();
    hold(told, silent);
}
