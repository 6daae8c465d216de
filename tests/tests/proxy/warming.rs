//! A new configuration is live once it can be: until then, and if it never can, the last one goes on whole.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use squall_tests::http::{Answer, Backend, Message, get, ok, status};
use squall_tests::proxy::Proxy;
use squall_tests::{binary, until};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};

/// A listener with one route, and clusters with what is special of each.
fn bootstrap(route: &str, clusters: &[(&str, &str, &[SocketAddr])]) -> String {
    let listener = format!(
        "admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}}}
static_resources:
  listeners:
  - name: in
    address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: in
          route_config: {{virtual_hosts: [{{name: all, domains: [\"*\"], routes: [{{match: {{prefix: /}}, route: {{cluster: {route}}}}}]}}]}}
          http_filters: [{{name: envoy.filters.http.router, typed_config: {{\"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}}}]
  clusters:
"
    );
    let cluster = |(name, special, endpoints): &(&str, &str, &[SocketAddr])| {
        let endpoint = |address: &SocketAddr| {
            format!(
                "{{endpoint: {{address: {{socket_address: {{address: {}, port_value: {}}}}}}}}}",
                address.ip(),
                address.port()
            )
        };
        let endpoints = endpoints.iter().map(endpoint).collect::<Vec<_>>().join(", ");
        format!(
            "  - name: {name}\n    {special}\n    load_assignment: {{cluster_name: {name}, endpoints: [{{lb_endpoints: [{endpoints}]}}]}}\n"
        )
    };
    listener + &clusters.iter().map(cluster).collect::<String>()
}

const CHECKED: &str = "health_checks: [{timeout: 60s, interval: 60s, unhealthy_threshold: 1, healthy_threshold: 1, http_health_check: {path: /health}}]";

/// Holds back all answers to checks until it is opened.
#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn pass(&self) {
        drop(self.opened.wait_while(self.open.lock().expect("no panic"), |open| !*open).expect("no panic"));
    }

    fn open(&self) {
        *self.open.lock().expect("no panic") = true;
        self.opened.notify_all();
    }
}

fn behind(gate: &Arc<Gate>, name: &'static str) -> Backend {
    let gate = Arc::clone(gate);
    Backend::start(move |asked: &Message| {
        if asked.target() == "/health" {
            gate.pass();
        }
        ok(name)
    })
}

fn checks(backend: &Backend) -> usize {
    backend.asked().iter().filter(|asked| asked.target() == "/health").count()
}

fn write(proxy: &Proxy, bootstrap: &str) {
    let new = proxy.file("envoy.new");
    std::fs::write(&new, bootstrap).expect("a file");
    std::fs::rename(&new, proxy.file("envoy.yaml")).expect("a rename");
}

#[test]
fn what_is_refused_changes_nothing_of_what_is_live() {
    let fails = Backend::start(|asked: &Message| -> Answer {
        if asked.target() == "/health" { status(404) } else { status(503) }
    });
    let well = Backend::start(|asked: &Message| if asked.target() == "/health" { status(404) } else { ok("well") });
    let endpoints = [fails.address, well.address];
    let detection = "outlier_detection: {consecutive_5xx: 1, interval: 60s, base_ejection_time: 60s, max_ejection_percent: 100}\n    common_lb_config: {healthy_panic_threshold: {value: 0}}";
    let good = bootstrap("cart", &[("cart", detection, &endpoints)]);
    let proxy = Proxy::on_bootstrap(&good);
    // Checks for the cluster that is live, and a listener that cannot be had.
    let checked = format!("{detection}\n    {CHECKED}");
    let bad = bootstrap("cart", &[("cart", &checked, &endpoints)]).replace(
        "    filter_chains:\n    -",
        "    filter_chains:\n    - transport_socket: {name: tls, typed_config: {\"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext, common_tls_context: {tls_certificates: [{certificate_chain: {filename: /nowhere.pem}, private_key: {filename: /nowhere.key}}]}}}\n     ",
    );
    write(&proxy, &bad);
    until("it is refused", || proxy.stat("server.reloads_refused") >= 1);
    // An ejection makes the picks anew.
    until("the one that fails is out", || {
        let _ = get(proxy.listen, "/", "host: cart\r\n");
        proxy.stat("cluster.cart.outlier_detection.ejections_active") == 1
    });
    for _ in 0..10 {
        assert_eq!(get(proxy.listen, "/", "host: cart\r\n").text(), "well");
    }
    assert!(!proxy.admin("/clusters").text().contains("failed_active_hc"));
    assert_eq!(checks(&fails) + checks(&well), 0);
}

#[test]
fn endpoints_that_are_checked_from_now_on_are_asked_before_the_checks_count() {
    let gate = Arc::new(Gate::default());
    let backend = behind(&gate, "one");
    let proxy = Proxy::on_bootstrap(&bootstrap("cart", &[("cart", "", &[backend.address])]));
    write(&proxy, &bootstrap("cart", &[("cart", CHECKED, &[backend.address])]));
    until("it is asked", || checks(&backend) == 1);
    for _ in 0..10 {
        assert_eq!(get(proxy.listen, "/", "host: cart\r\n").status(), 200);
    }
    assert_eq!(proxy.stat("server.reloads"), 0);
    gate.open();
    until("it is live", || {
        assert_eq!(get(proxy.listen, "/", "host: cart\r\n").status(), 200);
        proxy.stat("server.reloads") == 1
    });
    assert_eq!(proxy.stat("cluster.cart.health_check.success"), 1);
    assert_eq!(get(proxy.listen, "/", "host: cart\r\n").status(), 200);
}

#[test]
fn a_route_leads_to_a_new_cluster_once_its_endpoints_were_asked() {
    let gate = Arc::new(Gate::default());
    let (old, new) = (Backend::named("old"), behind(&gate, "new"));
    let proxy = Proxy::on_bootstrap(&bootstrap("cart", &[("cart", "", &[old.address])]));
    let both = [("cart", "", &[old.address][..]), ("other", CHECKED, &[new.address])];
    write(&proxy, &bootstrap("other", &both));
    until("it is asked", || checks(&new) == 1);
    assert_eq!(get(proxy.listen, "/", "host: cart\r\n").text(), "old");
    gate.open();
    until("it is live", || {
        let answer = get(proxy.listen, "/", "host: cart\r\n");
        assert_eq!(answer.status(), 200);
        answer.text() == "new"
    });
}

#[test]
fn what_comes_while_another_is_on_its_way_takes_its_place() {
    let gate = Arc::new(Gate::default());
    let (old, slow, third) = (Backend::named("old"), behind(&gate, "slow"), Backend::named("third"));
    let proxy = Proxy::on_bootstrap(&bootstrap("cart", &[("cart", "", &[old.address])]));
    write(&proxy, &bootstrap("other", &[("other", CHECKED, &[slow.address])]));
    until("it is asked", || checks(&slow) == 1);
    write(&proxy, &bootstrap("third", &[("third", "", &[third.address])]));
    until("the third is live", || get(proxy.listen, "/", "host: cart\r\n").text() == "third");
    gate.open();
    assert_eq!(proxy.stat("server.reloads"), 1);
}

#[test]
fn a_name_that_is_new_is_looked_up_before_it_is_used() {
    let backend = Backend::named("one");
    let fixed = bootstrap("cart", &[("cart", "", &[backend.address])]);
    let proxy = Proxy::on_bootstrap(&fixed);
    let named =
        bootstrap("named", &[("named", "type: STRICT_DNS\n    dns_lookup_family: V4_ONLY", &[backend.address])]);
    write(
        &proxy,
        &named
            .replace("address: 127.0.0.1, port_value: ", "address: localhost, port_value: ")
            .replace("address: localhost, port_value: 0", "address: 127.0.0.1, port_value: 0"),
    );
    until("it is live", || {
        assert_eq!(get(proxy.listen, "/", "host: cart\r\n").status(), 200);
        proxy.stat("server.reloads") >= 1
    });
    assert_eq!(get(proxy.listen, "/", "host: cart\r\n").status(), 200);
}

#[test]
fn it_ends_when_it_is_told_to_though_it_was_never_ready() {
    let gate = Arc::new(Gate::default());
    let backend = behind(&gate, "one");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("envoy.yaml");
    std::fs::write(&file, bootstrap("cart", &[("cart", CHECKED, &[backend.address])])).expect("a file");
    let mut command = Command::new(binary());
    command.arg("proxy").arg("--envoy-bootstrap").arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("a process");
    until("it asks", || checks(&backend) == 1);
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).expect("a signal");
    until("it has ended", || child.try_wait().expect("a child").is_some());
    gate.open();
}
