//! The admin interface: Envoy's paths, and changes by POST only.

use serde_json::Value;
use squall_tests::http::{Backend, Connection, get};
use squall_tests::proxy::Proxy;
use squall_tests::until;
use std::net::SocketAddr;

#[test]
fn what_changes_something_is_posted_and_what_is_read_is_got() {
    let proxy = Proxy::start("", &[]);
    for path in
        ["/healthcheck/fail", "/drain_listeners", "/quitquitquit", "/reset_counters", "/reopen_logs", "/logging"]
    {
        assert_eq!(proxy.admin(path).status(), 405, "{path}");
    }
    assert_eq!(proxy.post("/stats").status(), 405);
    assert_eq!(proxy.admin("/nothing").status(), 404);
    assert!(proxy.admin("/help").text().contains("/quitquitquit (POST)"));
}

#[test]
fn what_is_no_question_is_refused_at_once_and_read_no_further() {
    let proxy = Proxy::start("", &[]);
    let ask = |question: String| {
        let mut connection = Connection::to(proxy.admin).expect("connected");
        connection.send(question).expect("sent");
        connection.answer().expect("read").expect("an answer").status()
    };
    assert_eq!(ask("nonsense\r\n\r\n".into()), 400);
    assert_eq!(ask(format!("GET /stats HTTP/1.1\r\nhost: localhost\r\nlong: {}", "x".repeat(70_000))), 431);
}

#[test]
fn an_exposed_admin_interface_answers_by_its_address_and_is_warned_of() {
    let arguments = ["--admin", "0.0.0.0:0", "--admin-exposed"];
    let proxy = Proxy::with_arguments("", &[], &arguments);
    let address = SocketAddr::from(([127, 0, 0, 1], proxy.admin.port()));
    let ask = |fields: &str| get(address, "/stats/prometheus", &format!("{fields}\r\nconnection: close\r\n")).status();
    for host in ["10.0.0.5:9901", "10.0.0.5", "[fd00::5]:9901", "localhost:9901"] {
        assert_eq!(ask(&format!("host: {host}")), 200, "{host}");
    }
    // By a name of its own choice a page could ask through its visitor's browser.
    assert_eq!(ask("host: pages.example"), 403);
    assert_eq!(ask("host: 10.0.0.5\r\norigin: http://pages.example"), 403);
    until("it is warned of", || proxy.log().contains("warning: the admin interface at 0.0.0.0:"));
}

#[test]
fn an_admin_interface_that_is_not_exposed_answers_to_loopback_names_alone() {
    let proxy = Proxy::start("", &[]);
    let ask = |host: &str| get(proxy.admin, "/ready", &format!("host: {host}\r\nconnection: close\r\n")).status();
    assert_eq!((ask("127.0.0.1"), ask("10.0.0.5")), (200, 403));
    assert!(!proxy.log().contains("warning: the admin interface"));
}

#[test]
fn stats_are_filtered_and_become_json() {
    let backend = Backend::named("cart");
    let proxy = Proxy::start("", &[&backend]);
    let _ = proxy.get("/");
    let upstream = "/stats?filter=upstream_rq_total&usedonly";
    until("the request is counted", || proxy.admin(upstream).text().lines().any(|line| line.ends_with(": 1")));
    let text = proxy.admin(upstream).text();
    assert!(text.lines().all(|line| line.contains("upstream_rq_total: ")), "{text}");
    let json: Value = serde_json::from_slice(&proxy.admin(&format!("{upstream}&format=json")).body).expect("JSON");
    assert_eq!(json["stats"][0]["value"], 1, "{json}");
}

#[test]
fn counters_are_reset() {
    let backend = Backend::named("cart");
    let proxy = Proxy::start("", &[&backend]);
    let _ = proxy.get("/");
    proxy.until_metric("envoy_cluster_upstream_rq_total{", "cart", 1.0);
    assert_eq!(proxy.post("/reset_counters").status(), 200);
    assert!(proxy.metric("envoy_cluster_upstream_rq_total{", "cart") < 1.0);
}

#[test]
fn what_is_configured_is_told() {
    let backend = Backend::named("cart");
    let proxy = Proxy::start("", &[&backend]);
    let dump: Value = serde_json::from_slice(&proxy.admin("/config_dump").body).expect("JSON");
    assert!(dump.to_string().contains("outbound|80||cart.default.svc.cluster.local"), "{dump}");
    let info: Value = serde_json::from_slice(&proxy.admin("/server_info").body).expect("JSON");
    assert_eq!(info["state"], "LIVE");
    let clusters: Value = serde_json::from_slice(&proxy.admin("/clusters?format=json").body).expect("JSON");
    assert!(clusters.to_string().contains(&backend.address.port().to_string()), "{clusters}");
    assert!(proxy.admin("/listeners").text().contains(&proxy.listen.to_string()));
}

#[test]
fn drained_listeners_take_nothing_new_and_the_process_ends_when_told() {
    let mut proxy = Proxy::start("", &[]);
    assert_eq!(proxy.post("/drain_listeners").status(), 200);
    until("no connection is taken", || std::net::TcpStream::connect(proxy.listen).is_err());
    assert_eq!(proxy.post("/quitquitquit").status(), 200);
    assert!(proxy.ended().success());
}

#[test]
fn an_access_log_that_was_moved_is_opened_anew() {
    let backend = Backend::named("cart");
    let proxy = Proxy::start("", &[&backend]);
    let _ = proxy.get("/before");
    assert_eq!(proxy.access_log(1)[0]["path"], "/before");
    proxy.move_access_log();
    assert_eq!(proxy.post("/reopen_logs").status(), 200);
    until("the new file has a line", || {
        let _ = proxy.get("/after");
        proxy.access_log_now().iter().any(|line| line["path"] == "/after")
    });
    assert!(proxy.access_log_now().iter().all(|line| line["path"] == "/after"));
}
