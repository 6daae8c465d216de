//! Outlier detection and active checks, seen by where requests go.

use squall_tests::http::{Answer, Backend, Refusing, ok, status};
use squall_tests::proxy::{Proxy, rule};
use squall_tests::until;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

/// A backend whose status can be changed.
fn switchable(code: &Arc<AtomicU16>) -> Backend {
    let code = Arc::clone(code);
    Backend::start(move |_| status(code.load(Ordering::SeqCst)))
}

fn detector(fields: &str) -> String {
    rule(&format!("{{loadBalancer: {{simple: ROUND_ROBIN}}, outlierDetection: {{{fields}, maxEjectionPercent: 100}}}}"))
}

#[test]
fn consecutive_5xx_take_an_endpoint_out_and_time_brings_it_back() {
    let code = Arc::new(AtomicU16::new(500));
    let (bad, good) = (switchable(&code), Backend::named("well"));
    let proxy =
        Proxy::start(&detector("consecutive5xxErrors: 3, interval: 100ms, baseEjectionTime: 500ms"), &[&bad, &good]);
    until("the endpoint is out", || {
        let _ = proxy.get("/");
        proxy.metric("envoy_cluster_outlier_detection_ejections_active", "cart") >= 1.0
    });
    // Those that were on their way when it happened are all that it ever got.
    assert_eq!(bad.asked().len(), 3);
    assert!(proxy.admin("/clusters").text().contains("/failed_outlier_check"));
    code.store(200, Ordering::SeqCst);
    until("the endpoint is back", || {
        let _ = proxy.get("/");
        bad.asked().len() > 3
    });
}

#[test]
fn a_success_in_between_begins_the_count_anew() {
    let seen = std::sync::atomic::AtomicUsize::new(0);
    let bad = Backend::start(move |_| if seen.fetch_add(1, Ordering::SeqCst) % 3 == 2 { ok("") } else { status(500) });
    let proxy = Proxy::start(&detector("consecutive5xxErrors: 3, interval: 100ms, baseEjectionTime: 60s"), &[&bad]);
    for _ in 0..30 {
        let _ = proxy.get("/");
    }
    assert_eq!(bad.asked().len(), 30);
}

#[test]
fn gateway_errors_count_apart_and_a_500_is_none() {
    let code = Arc::new(AtomicU16::new(500));
    let bad = switchable(&code);
    let proxy = Proxy::start(
        &detector("consecutive5xxErrors: 0, consecutiveGatewayErrors: 2, interval: 10s, baseEjectionTime: 60s"),
        &[&bad],
    );
    for _ in 0..10 {
        let _ = proxy.get("/");
    }
    assert_eq!(bad.asked().len(), 10, "a 500 is no gateway error");
    code.store(503, Ordering::SeqCst);
    until("two gateway errors take it out", || proxy.get("/").text() == "no healthy upstream");
    assert_eq!(bad.asked().len(), 12);
    assert_eq!(proxy.access_log(13).last().expect("a line")["response_flags"], "UH");
}

#[test]
fn max_ejection_percent_leaves_some_in() {
    let bad = Backend::start(|_| status(500));
    let policies = rule(
        "{outlierDetection: {consecutive5xxErrors: 1, interval: 10s, baseEjectionTime: 60s, maxEjectionPercent: 10}}",
    );
    let others = [Backend::start(|_| status(500)), Backend::start(|_| status(500))];
    let proxy = Proxy::start(&policies, &[&bad, &others[0], &others[1]]);
    for _ in 0..30 {
        assert_eq!(proxy.get("/").text(), "", "an answer of an endpoint");
    }
    let active = proxy.metric("envoy_cluster_outlier_detection_ejections_active", "cart");
    assert!(active <= 1.0, "{active}");
}

#[test]
fn a_failure_to_connect_counts_as_503_unless_split() {
    for (split, fields) in [
        (false, "consecutive5xxErrors: 2"),
        (true, "consecutive5xxErrors: 2, splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: 4"),
    ] {
        let gone = Refusing::start();
        let policies = detector(&format!("{fields}, interval: 10s, baseEjectionTime: 60s"));
        let no_retries = squall_tests::proxy::routes("    - retries: {}\n      route: [{destination: {host: cart}}]");
        let proxy = Proxy::with_endpoints(&format!("{no_retries}{policies}"), &[(gone.address, "v1", true)]);
        let mut tries = 0;
        until("it is out", || {
            tries += 1;
            proxy.get("/").text() == "no healthy upstream"
        });
        assert_eq!(tries - 1, if split { 4 } else { 2 }, "split: {split}");
    }
}

#[test]
fn panic_uses_all_endpoints_when_too_few_are_well() {
    let bad = [Backend::start(|_| status(500)), Backend::start(|_| status(500))];
    let policies = rule(
        "{outlierDetection: {consecutive5xxErrors: 1, interval: 10s, baseEjectionTime: 60s, maxEjectionPercent: 100, minHealthPercent: 60}}",
    );
    let proxy = Proxy::start(&policies, &[&bad[0], &bad[1]]);
    for _ in 0..20 {
        assert_eq!(proxy.get("/").status(), 500, "never `no healthy upstream`");
    }
    assert!(proxy.metric("envoy_cluster_lb_healthy_panic", "cart") >= 1.0);
}

#[test]
fn an_endpoint_that_is_not_ready_gets_nothing_until_it_is() {
    let (one, two) = (Backend::named("one"), Backend::named("two"));
    let proxy = Proxy::with_endpoints("", &[(one.address, "v1", true), (two.address, "v1", false)]);
    for _ in 0..10 {
        assert_eq!(proxy.get("/").text(), "one");
    }
    proxy.write_endpoints(&[(one.address, "v1", false), (two.address, "v1", true)]);
    until("the change is seen", || proxy.get("/").text() == "two");
}

#[test]
fn active_checks_take_an_endpoint_out_and_back() {
    let code = Arc::new(AtomicU16::new(200));
    let probed = Arc::clone(&code);
    let checked = Backend::start(move |asked| match asked.target() {
        "/health" => status(probed.load(Ordering::SeqCst)),
        _ => ok("checked"),
    });
    let policies = "apiVersion: squall.dev/v1\nkind: HealthCheck\nmetadata: {name: cart}\nspec: {host: cart, path: /health, interval: 20ms, timeout: 1s, healthyThreshold: 2, unhealthyThreshold: 2}\n";
    let proxy = Proxy::start(policies, &[&checked]);
    assert_eq!(proxy.get("/").text(), "checked", "a proxy that is ready has checked");
    code.store(503, Ordering::SeqCst);
    until("it is out", || proxy.get("/").text() == "no healthy upstream");
    // A check that is taken out of the policies does not leave its verdict behind.
    proxy.write_policies("apiVersion: v1\nkind: List\nitems: []\n");
    until("it is used unchecked", || proxy.get("/").text() == "checked");
    proxy.write_policies(policies);
    until("it is out again", || proxy.get("/").text() == "no healthy upstream");
    code.store(200, Ordering::SeqCst);
    until("it is back", || proxy.get("/").text() == "checked");
}

#[test]
fn an_endpoint_that_never_passed_its_check_is_never_used() {
    let failing = Backend::start(|asked| status(if asked.target() == "/health" { 500 } else { 200 }));
    let policies = "apiVersion: squall.dev/v1\nkind: HealthCheck\nmetadata: {name: cart}\nspec: {host: cart, path: /health, interval: 1s, timeout: 1s}\n";
    let proxy = Proxy::start(policies, &[&failing]);
    assert_eq!(proxy.get("/").text(), "no healthy upstream");
    assert!(failing.asked().iter().all(|asked| asked.target() == "/health"));
}

#[test]
fn a_time_out_between_two_tries_is_nobodys_failure() {
    let bad = Backend::start(|_| status(503));
    let routes = squall_tests::proxy::routes(
        "    - timeout: 150ms\n      retries: {attempts: 1, retryOn: 5xx, backoff: 60s}\n      route: [{destination: {host: cart}}]",
    );
    let policies = detector("consecutive5xxErrors: 2, interval: 10s, baseEjectionTime: 60s");
    let proxy = Proxy::start(&format!("{routes}{policies}"), &[&bad]);
    // Full jitter may draw a short wait, and then both tries count.
    let mut timed_out = 0;
    while bad.asked().len() < 2 {
        timed_out += u32::from(proxy.get("/").status() == 504);
        let out = proxy.metric("envoy_cluster_outlier_detection_ejections_active", "cart");
        assert!(out < 0.5 || bad.asked().len() >= 2, "one failed try has ejected it");
    }
    assert!(timed_out > 0);
}

#[test]
fn a_time_out_counts_as_a_failure_of_the_endpoint() {
    let stuck = Backend::start(|_| Answer::Silence);
    let routes = squall_tests::proxy::routes("    - timeout: 30ms\n      route: [{destination: {host: cart}}]");
    let policies = detector("consecutive5xxErrors: 2, interval: 10s, baseEjectionTime: 60s");
    let proxy = Proxy::start(&format!("{routes}{policies}"), &[&stuck]);
    until("it is out", || proxy.get("/").text() == "no healthy upstream");
    assert_eq!(stuck.asked().len(), 2);
}
