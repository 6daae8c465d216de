//! How old a stream may become: by its cluster, by its route, by its listener, and by what gRPC asks for.

use squall_tests::bootstrap::Bootstrap;
use squall_tests::http::{Answer, Backend, Connection};
use squall_tests::proxy::Proxy;

const SHORT: &str = "common_http_protocol_options: {max_stream_duration: 0.2s}";
const GRPC: &str = "content-type: application/grpc\r\ngrpc-timeout: 200m\r\n";

fn proxy(bootstrap: &Bootstrap<'_>, backend: &Backend) -> Proxy {
    Proxy::on_bootstrap(&bootstrap.text(&[backend.address]))
}

#[test]
fn a_stream_to_the_upstream_that_is_too_old_is_504_umsdr_and_nobody_is_accused() {
    let backend = Backend::start(|_| Answer::Silence);
    let cluster = format!("{SHORT}, outlier_detection: {{consecutive_5xx: 1, max_ejection_percent: 100}}");
    let proxy = proxy(&Bootstrap { cluster: &cluster, ..Bootstrap::default() }, &backend);
    let answer = proxy.get("/");
    assert_eq!((answer.status(), answer.text().as_str()), (504, "upstream max stream duration reached"));
    let line = &proxy.access_log(1)[0];
    assert_eq!(line["response_flags"], "UMSDR");
    assert_eq!(line["response_code_details"], "upstream_max_stream_duration_reached");
    assert_eq!(proxy.count("envoy_cluster_upstream_rq_max_duration_reached{", "cart"), 1);
    assert_eq!(proxy.count("envoy_cluster_outlier_detection_ejections_active{", "cart"), 0);
}

#[test]
fn an_answer_that_has_begun_is_cut_at_that_age() {
    let backend = Backend::reading_only_heads(|_| Answer::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"));
    let proxy = proxy(&Bootstrap { cluster: SHORT, ..Bootstrap::default() }, &backend);
    let mut client = Connection::to(proxy.listen).expect("a connection");
    client.send("GET / HTTP/1.1\r\nhost: cart\r\n\r\n").expect("sent");
    assert!(client.answer().is_err(), "its body is not whole");
    assert_eq!(proxy.access_log(1)[0]["response_flags"], "UMSDR");
}

#[test]
fn a_stream_that_is_too_old_is_tried_again_where_resets_are() {
    let backend = Backend::start(|_| Answer::Silence);
    let retries = Bootstrap { cluster: SHORT, action: "retry_policy: {retry_on: reset}", ..Bootstrap::default() };
    let proxy = proxy(&retries, &backend);
    assert_eq!(proxy.get("/").status(), 504);
    assert_eq!(backend.asked().len(), 2);
    assert_eq!(proxy.access_log(1)[0]["response_flags"], "URX,UMSDR");
}

#[test]
fn grpc_ends_its_stream_by_its_own_time_where_the_route_lets_it() {
    let backend = Backend::start(|_| Answer::Silence);
    let ask = |action: &str| {
        let proxy = proxy(&Bootstrap { action, ..Bootstrap::default() }, &backend);
        let answer = proxy.get_with("/a/b", GRPC);
        (answer.field("grpc-status").to_owned(), answer.field("grpc-message").to_owned())
    };
    let own = ask("max_stream_duration: {grpc_timeout_header_max: 60s}");
    assert_eq!(own, ("4".to_owned(), "downstream duration timeout".to_owned()));
    let capped = ask("max_stream_duration: {max_stream_duration: 0.2s}");
    assert_eq!(capped.1, "downstream duration timeout");
    // The former fields make a time-out of the router of it.
    assert_eq!(ask("max_grpc_timeout: 60s"), ("14".to_owned(), "upstream request timeout".to_owned()));
    assert!(backend.asked().iter().all(|request| request.field("grpc-timeout").ends_with('m')));
}

#[test]
fn max_stream_duration_takes_the_place_of_the_routes_time_out() {
    let backend = Backend::start(|_| Answer::Silence);
    let action = "timeout: 0.1s, max_stream_duration: {max_stream_duration: 0.4s}";
    let proxy = proxy(&Bootstrap { action, ..Bootstrap::default() }, &backend);
    let answer = proxy.get("/");
    assert_eq!((answer.status(), answer.text().as_str()), (504, "downstream duration timeout"));
    assert_eq!(proxy.count("envoy_cluster_upstream_rq_timeout{", "cart"), 0);
}
