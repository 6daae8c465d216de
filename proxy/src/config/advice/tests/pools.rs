//! Limits, balancing, and blocks that replace each other.

use super::{Silent, Told, both, hold, routed, rule, silent, told};

/// A DestinationRule with a policy, from line 6 on, and a subset, whose policy stands in line 9.
fn with_subset(policy: &str, of_subset: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: cart}}\nspec:\n  host: cart\n  trafficPolicy: {policy}\n  subsets:\n    - name: v1\n      trafficPolicy: {of_subset}\n      labels: {{version: v1}}\n"
    )
}

fn to_subset() -> String {
    routed("timeout: 2s").replace("host: cart}", "host: cart, subset: v1}")
}

fn entry(weights: [u32; 2], balance: &str) -> String {
    let [one, other] = weights;
    format!(
        "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: api}}\nspec:\n  hosts: [api.example.com]\n  resolution: STATIC\n  ports: [{{number: 80, name: http, protocol: HTTP}}]\n  endpoints: [{{address: 10.0.0.1, weight: {one}}}, {{address: 10.0.0.2, weight: {other}}}]\n---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: api}}\nspec:\n  host: api.example.com\n  trafficPolicy: {{loadBalancer: {{simple: {balance}}}}}\n"
    )
}

pub(super) fn table() -> (Vec<Told>, Vec<Silent>) {
    let told = vec![
        told(
            "SQ0525",
            "6:28",
            "maxConnections 10 refuses nothing: further requests to cart wait, without http1MaxPendingRequests or timeout for ever",
            rule("connectionPool: {tcp: {maxConnections: 10}}"),
        ),
        told(
            "SQ0526",
            "6:29",
            "http1MaxPendingRequests 1: of two requests to cart that find no connection ready one is answered 503",
            rule("connectionPool: {http: {http1MaxPendingRequests: 1}, tcp: {maxConnections: 10}}"),
        ),
        told(
            "SQ0527",
            "6:28",
            "maxConnections 2 allows 3 connections to the 3 instances of cart: one each",
            rule("connectionPool: {tcp: {maxConnections: 2}}"),
        ),
        told("SQ0541", "6:29", "maxRetries 0 of cart is no limit", rule("connectionPool: {http: {maxRetries: 0}}")),
        told(
            "SQ0533",
            "15:34",
            "instances of api.example.com weigh 1 and 4, and RANDOM picks all alike",
            entry([1, 4], "RANDOM"),
        ),
        told(
            "SQ0534",
            "6:37",
            "a request to cart without the cookie `user` goes to any instance: without `ttl` nobody sets it",
            rule("loadBalancer: {consistentHash: {httpCookie: {name: user}}}"),
        ),
        told(
            "SQ0534",
            "16:7",
            "requests to cart go to any instance: a hash for port 80 counts only where the destination names the port",
            both(
                &rule("portLevelSettings: [{port: {number: 80}, loadBalancer: {consistentHash: {httpHeaderName: x}}}]"),
                &routed(""),
            ),
        ),
        told(
            "SQ0535",
            "9:23",
            "outlierDetection of the subset v1 takes the place of that of cart whole: interval and maxEjectionPercent are the defaults again",
            both(
                &with_subset(
                    "{outlierDetection: {interval: 1s, maxEjectionPercent: 50, consecutive5xxErrors: 5}}",
                    "{outlierDetection: {consecutive5xxErrors: 3}}",
                ),
                &to_subset(),
            ),
        ),
        told(
            "SQ0536",
            "8:25",
            "port 80 of cart has nothing of the policy above it: outlierDetection and connectionPool.tcp.maxConnections are the defaults again",
            rule(
                "outlierDetection: {maxEjectionPercent: 50},\nconnectionPool: {tcp: {maxConnections: 9, connectTimeout: 1s}},\nportLevelSettings: [{port: {number: 80}, connectionPool: {tcp: {connectTimeout: 2s}}}]",
            ),
        ),
        told(
            "SQ0537",
            "8:13",
            "no route sends to the subset v1 of cart: its policy holds for no request",
            with_subset("{tls: {mode: DISABLE}}", "{outlierDetection: {consecutive5xxErrors: 3}}"),
        ),
    ];
    let silent = vec![
        silent("SQ0525", rule("connectionPool: {tcp: {maxConnections: 10}, http: {http1MaxPendingRequests: 10}}")),
        silent("SQ0525", both(&rule("connectionPool: {tcp: {maxConnections: 10}}"), &routed("timeout: 2s"))),
        silent("SQ0526", rule("connectionPool: {tcp: {maxConnections: 1}, http: {http1MaxPendingRequests: 1}}")),
        silent("SQ0526", rule("connectionPool: {http: {http1MaxPendingRequests: 10}}")),
        silent("SQ0541", rule("connectionPool: {http: {maxRetries: 1, http2MaxRequests: 9}}")),
        silent("SQ0527", rule("connectionPool: {tcp: {maxConnections: 3}}")),
        silent("SQ0533", entry([2, 2], "RANDOM")),
        silent("SQ0533", entry([1, 4], "ROUND_ROBIN")),
        silent("SQ0534", rule("loadBalancer: {consistentHash: {httpCookie: {name: user, ttl: 0s}}}")),
        silent("SQ0534", rule("loadBalancer: {consistentHash: {httpHeaderName: x-user}}")),
        // Told where it stands, by whoever reads it.
        silent("SQ0534", rule("loadBalancer: {consistentHash: {ringHash: {minimumRingSize: 2048}}}")),
        silent(
            "SQ0535",
            with_subset("{outlierDetection: {interval: 1s}}", "{connectionPool: {tcp: {maxConnections: 9}}}"),
        ),
        silent(
            "SQ0535",
            with_subset("{loadBalancer: {simple: RANDOM}}", "{loadBalancer: {consistentHash: {httpHeaderName: x}}}"),
        ),
        silent(
            "SQ0536",
            rule(
                "connectionPool: {tcp: {maxConnections: 9}},\nportLevelSettings: [{port: {number: 80}, connectionPool: {tcp: {maxConnections: 2}}}]",
            ),
        ),
        silent(
            "SQ0537",
            both(&with_subset("{tls: {mode: DISABLE}}", "{outlierDetection: {interval: 1s}}"), &to_subset()),
        ),
    ];
    (told, silent)
}

#[test]
fn pools() {
    let (told, silent) = table();
    hold(told, silent);
}
