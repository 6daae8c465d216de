//! Endpoints that come, go and change: who stays, who counts, and when the balancer is told.

use squall_tests::bootstrap::Bootstrap;
use squall_tests::http::{Answer, Backend, Message, ok, status};
use squall_tests::proxy::Proxy;
use squall_tests::until;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

/// A proxy on a bootstrap that a test can write anew.
fn on(text: &str) -> Proxy {
    Proxy::with_files(&[("policies.yaml", text)], &["--envoy-bootstrap", "policies.yaml"])
}

fn cluster(fields: &str) -> Bootstrap<'_> {
    Bootstrap { cluster: fields, ..Bootstrap::default() }
}

#[test]
fn an_endpoint_that_is_no_longer_listed_stays_for_as_long_as_it_passes_its_checks() {
    let code = Arc::new(AtomicU16::new(200));
    let probed = Arc::clone(&code);
    let leaving = Backend::start(move |asked: &Message| match asked.target() {
        "/health" => status(probed.load(Ordering::SeqCst)),
        _ => ok("leaving"),
    });
    let (stays, new) = (Backend::named("stays"), Backend::named("new"));
    let check = "apiVersion: squall.dev/v1\nkind: HealthCheck\nmetadata: {name: cart}\nspec: {host: cart, path: /health, interval: 20ms, timeout: 1s, unhealthyThreshold: 1}\n";
    let proxy = Proxy::start(check, &[&leaving, &stays]);
    proxy.write_endpoints(&[(stays.address, "v1", true), (new.address, "v1", true)]);
    until("the new one is used", || proxy.get("/").text() == "new");
    until("the one that left is used too", || proxy.get("/").text() == "leaving");
    code.store(503, Ordering::SeqCst);
    let gone = leaving.address.to_string();
    until("it is gone", || !proxy.admin("/clusters").text().contains(&gone));
    for _ in 0..20 {
        assert_ne!(proxy.get("/").text(), "leaving");
    }
}

fn ejecting(window: &str) -> String {
    format!(
        "common_lb_config: {{healthy_panic_threshold: {{value: 0}}{window}}}, outlier_detection: {{consecutive_5xx: 1, base_ejection_time: 600s, max_ejection_percent: 100}}"
    )
}

#[test]
fn within_the_merge_window_the_balancer_hears_of_the_first_change_alone() {
    for (window, last) in [("", 503), (", update_merge_window: 600s", 500)] {
        let bad = [0, 1].map(|_| Backend::start(|_| status(500)));
        let proxy = on(&cluster(&ejecting(window)).text(&bad.each_ref().map(|backend| backend.address)));
        let mut seen = Vec::new();
        until("both are out", || {
            seen.push(proxy.get("/").status());
            proxy.metric("envoy_cluster_outlier_detection_ejections_active{", "cart") >= 2.0
        });
        let answer = proxy.get("/");
        assert_eq!(answer.status(), last, "{window}: {}", answer.text());
    }
}

#[test]
fn connections_are_closed_when_endpoints_come_where_that_is_said() {
    for (fields, connections) in [("", 1), ("common_lb_config: {close_connections_on_host_set_change: true}", 2)] {
        let (one, two) = (Backend::named("one"), Backend::named("two"));
        let bootstrap = cluster(fields);
        let proxy = on(&bootstrap.text(&[one.address]));
        // The proxy's workers have pools of their own: one connection of a client stays with one of them.
        let mut client = proxy.connect();
        let mut ask = || client.ask("GET / HTTP/1.1\r\nhost: cart\r\n\r\n").text();
        assert_eq!((ask(), ask()), ("one".to_owned(), "one".to_owned()));
        assert_eq!(one.connections(), 1);
        proxy.write_policies(&bootstrap.text(&[one.address, two.address]));
        until("the second is used", || ask() == "two");
        until("the first is used again", || ask() == "one");
        assert_eq!(one.connections(), connections, "{fields}");
    }
}

#[test]
fn an_endpoint_that_was_never_checked_does_not_count_where_that_is_said() {
    for (fields, counts) in [("", true), (", ignore_new_hosts_until_first_hc: true", false)] {
        let well = Backend::named("well");
        let new =
            Backend::start(|asked: &Message| if asked.target() == "/health" { Answer::Silence } else { ok("new") });
        // With both counted half of them are well, which is panic.
        let fields = format!(
            "common_lb_config: {{healthy_panic_threshold: {{value: 60}}{fields}}}, health_checks: [{{timeout: 60s, interval: 0.1s, no_traffic_interval: 0.1s, healthy_threshold: 1, unhealthy_threshold: 1, http_health_check: {{path: /health}}}}]"
        );
        let bootstrap = cluster(&fields);
        let proxy = on(&bootstrap.text(&[well.address]));
        proxy.write_policies(&bootstrap.text(&[well.address, new.address] as &[SocketAddr]));
        until("the new one is being checked", || !new.asked().is_empty());
        let answers: Vec<String> = (0..10).map(|_| proxy.get("/").text()).collect();
        assert_eq!(answers.iter().any(|answer| answer == "new"), counts, "{answers:?}");
    }
}
