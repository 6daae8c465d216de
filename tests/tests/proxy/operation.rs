//! What people and scripts see of a proxy, how it takes changes, and how it ends.

use nix::sys::signal::Signal;
use squall_tests::http::{Backend, get, ok};
use squall_tests::proxy::{Proxy, routes};
use squall_tests::{binary, until};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;

#[test]
fn changed_policies_are_taken_up_and_wrong_ones_are_refused_while_the_last_good_go_on() {
    let backend = Backend::named("cart");
    let proxy = Proxy::start(&routes("    - directResponse: {status: 201}"), &[&backend]);
    assert_eq!(proxy.get("/").status(), 201);
    proxy.write_policies(&routes("    - directResponse: {status: 202}"));
    until("the change is taken up", || proxy.get("/").status() == 202);
    proxy.write_policies(&routes("    - directResponce: {status: 203}"));
    until("the mistake is told", || proxy.log().contains("directResponce"));
    assert_eq!(proxy.get("/").status(), 202);
    proxy.write_policies(&routes("    - directResponse: {status: 204}"));
    until("the next good one is taken up", || proxy.get("/").status() == 204);
}

#[test]
fn the_access_log_says_what_became_of_each_request() {
    let backend = Backend::named("cart");
    let proxy = Proxy::start("", &[&backend]);
    let _ = proxy.get_with("/items?x=1", "x-request-id: abc\r\n");
    let line = &proxy.access_log(1)[0];
    assert_eq!(line["method"], "GET");
    assert_eq!(line["path"], "/items?x=1");
    assert_eq!(line["authority"], "cart");
    assert_eq!(line["request_id"], "abc");
    assert_eq!(line["response_code"], 200);
    assert_eq!(line["response_flags"], "-");
    assert_eq!(line["upstream_host"], backend.address.to_string());
    assert_eq!(line["attempts"], 1);
    assert!(line["duration"].is_u64(), "{line}");
    assert!(line["upstream_service_time"].as_str().is_some_and(|time| time.parse::<u32>().is_ok()), "{line}");
}

#[test]
fn prometheus_has_istios_names() {
    let backend = Backend::named("cart");
    let proxy = Proxy::start("", &[&backend]);
    for _ in 0..3 {
        let _ = proxy.get("/");
    }
    proxy.until_metric("istio_requests_total{", "response_code=\"200\"", 3.0);
    let text = proxy.admin("/stats/prometheus").text();
    for name in [
        "istio_requests_total{reporter=\"source\",destination_service=\"cart",
        "istio_request_duration_milliseconds_bucket{",
        "istio_request_duration_milliseconds_sum{",
        "envoy_cluster_upstream_rq_retry{",
        "envoy_cluster_outlier_detection_ejections_active{",
        "envoy_cluster_circuit_breakers_default_cx_open{",
    ] {
        assert!(text.lines().any(|line| line.starts_with(name)), "{name} is missing in\n{text}");
    }
    assert_eq!(proxy.admin("/ready").text(), "LIVE\n");
    assert!(proxy.admin("/clusters").text().contains(&format!("::{}::health_flags::healthy", backend.address)));
}

#[test]
fn the_admin_interface_does_not_answer_to_other_pages_and_is_on_loopback_only() {
    let proxy = Proxy::start("", &[]);
    assert_eq!(get(proxy.admin, "/ready", "host: evil.example\r\n").status(), 403);
    assert_eq!(get(proxy.admin, "/ready", "host: localhost\r\norigin: http://evil.example\r\n").status(), 403);
    let folder = tempfile::tempdir().expect("a folder");
    let output = std::process::Command::new(binary())
        .args(["proxy", "--admin", "0.0.0.0:0", "--policies"])
        .arg(folder.path())
        .output()
        .expect("the binary runs");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("loopback"));
}

#[test]
fn on_term_what_is_under_way_is_finished_and_nothing_new_is_taken() {
    let (release, released) = channel::<()>();
    let released = Mutex::new(released);
    let backend = Arc::new(Backend::start(move |_| {
        // The test says when; an error means that the test is over.
        let _ = released.lock().expect("no panic").recv();
        ok("finished")
    }));
    let mut proxy = Proxy::start("", &[&backend]);
    let listen = proxy.listen;
    let under_way = thread::spawn(move || get(listen, "/", "host: cart\r\n"));
    until("the request is under way", || backend.asked().len() == 1);
    proxy.signal(Signal::SIGTERM);
    until("no new connection is taken", || std::net::TcpStream::connect(listen).is_err());
    release.send(()).expect("the backend waits");
    let answer = under_way.join().expect("an answer");
    assert_eq!((answer.status(), answer.text().as_str()), (200, "finished"));
    assert_eq!(answer.field("connection"), "close");
    assert!(proxy.ended().success());
}

#[test]
fn what_was_taken_out_stays_out_after_every_reload() {
    let backend = Backend::start(|_| squall_tests::http::status(503));
    let policies = routes("    - retries: {attempts: 3, retryOn: 5xx}\n      route: [{destination: {host: cart}}]");
    let proxy = Proxy::with_arguments(&policies, &[(backend.address, "v1", true)], &["--disarm", "retries"]);
    assert_eq!(proxy.get("/").status(), 503);
    assert_eq!(backend.asked().len(), 1);
    proxy.write_policies(&format!("{policies}      timeout: 5s\n"));
    until("the change is taken up", || {
        let _ = proxy.get("/");
        backend.asked().last().is_some_and(|asked| !asked.field("x-envoy-expected-rq-timeout-ms").is_empty())
    });
    assert!(backend.asked().iter().all(|asked| asked.field("x-envoy-attempt-count") == "1"));
}

#[test]
fn policies_that_are_not_obeyed_are_refused_at_the_start_with_104() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("p.yaml");
    let rule = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: cart}\nspec: {host: cart, trafficPolicy: {proxyProtocol: {version: V1}}}\n";
    std::fs::write(&file, rule).expect("a file");
    let output = std::process::Command::new(binary())
        .args(["proxy", "--policies"])
        .arg(&file)
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(104));
    assert!(String::from_utf8_lossy(&output.stderr).contains("proxyProtocol"));
}
