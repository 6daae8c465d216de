//! New configurations under load: nobody notices.

use serde_json::Value;
use squall_tests::http::{Backend, Connection, status};
use squall_tests::proxy::{Endpoint, Proxy, routes, rule};
use squall_tests::until;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const RELOADS: u64 = 100;
const CLIENTS: usize = 8;
/// Between two requests of a client, if it is answered at once.
const PAUSE: Duration = Duration::from_millis(4);

fn policies(version: u64) -> String {
    let routes = routes(&format!(
        "    - match: [{{uri: {{prefix: /v{version}}}}}]\n      timeout: {}s\n      route: [{{destination: {{host: cart}}}}]\n    - route: [{{destination: {{host: cart}}}}]",
        version + 5
    ));
    // Every third changes the cluster itself.
    let detection = format!("{{outlierDetection: {{consecutive5xxErrors: {}, interval: 60s}}}}", 5 + version / 3);
    format!("{routes}{}", rule(&detection))
}

/// Asks until told to stop; how many requests were answered otherwise than well.
fn client(proxy: &Proxy, keeps: bool, stop: &AtomicBool, asked: &AtomicU64) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut connection: Option<Connection> = None;
    while !stop.load(Ordering::Relaxed) {
        let mut open = connection.take().unwrap_or_else(|| proxy.connect());
        let sent = open.send("GET / HTTP/1.1\r\nhost: cart\r\n\r\n");
        match sent.and_then(|()| open.answer()) {
            Ok(Some(answer)) if answer.status() == 200 => {}
            other => wrong.push(format!("{other:?}")),
        }
        asked.fetch_add(1, Ordering::Relaxed);
        connection = keeps.then_some(open);
        thread::park_timeout(PAUSE);
    }
    wrong
}

/// Requests a second while something is done.
#[allow(clippy::disallowed_methods, reason = "a rate is measured by the real clock")]
fn rate(asked: &AtomicU64, during: impl FnOnce()) -> f64 {
    let (begin, before) = (Instant::now(), asked.load(Ordering::Relaxed));
    during();
    (asked.load(Ordering::Relaxed) - before) as f64 / begin.elapsed().as_secs_f64()
}

#[test]
fn under_load_a_hundred_reloads_of_routes_clusters_and_endpoints_lose_no_request() {
    let (one, two) = (Backend::named("one"), Backend::named("two"));
    let proxy = Proxy::start(&policies(0), &[&one, &two]);
    let (stop, asked) = (AtomicBool::new(false), AtomicU64::new(0));
    let wrong: Vec<String> = thread::scope(|scope| {
        // One of them comes on a new connection each time.
        let clients: Vec<_> = (0..CLIENTS)
            .map(|at| {
                scope.spawn({
                    let (proxy, stop, asked) = (&proxy, &stop, &asked);
                    move || client(proxy, at > 0, stop, asked)
                })
            })
            .collect();
        let alone = rate(&asked, || until("requests go by", || asked.load(Ordering::Relaxed) > 1000));
        let amid = rate(&asked, || {
            for version in 1..=RELOADS {
                let before = asked.load(Ordering::Relaxed);
                proxy.write_policies(&policies(version));
                if version % 5 == 0 {
                    let both: [Endpoint; 2] = [(one.address, "v1", true), (two.address, "v1", true)];
                    proxy.write_endpoints(&both[..=(version / 5 % 2) as usize]);
                }
                until("it is taken up", || proxy.stat("server.reloads") >= version);
                until("requests have gone by it", || asked.load(Ordering::Relaxed) > before + CLIENTS as u64);
            }
        });
        stop.store(true, Ordering::Relaxed);
        assert!(amid * 4.0 >= alone, "{amid:.0} requests a second amid reloads, {alone:.0} without");
        clients.into_iter().flat_map(|client| client.join().expect("no panic")).collect()
    });
    assert_eq!(wrong, [""; 0], "of {} requests", asked.load(Ordering::Relaxed));
    assert_eq!(proxy.stat("server.reloads_refused"), 0);
}

#[test]
fn an_endpoint_that_is_out_stays_out_and_connections_stay_open_over_reloads_of_something_else() {
    let (bad, good) = (Backend::start(|_| status(500)), Backend::named("well"));
    let detection = rule(
        "{loadBalancer: {simple: ROUND_ROBIN}, outlierDetection: {consecutive5xxErrors: 1, interval: 10s, baseEjectionTime: 60s, maxEjectionPercent: 100}}",
    );
    let policies = |version: u64| {
        let route = format!("    - timeout: {}s\n      route: [{{destination: {{host: cart}}}}]", version + 5);
        format!("{}{detection}", routes(&route))
    };
    let proxy = Proxy::start(&policies(0), &[&bad, &good]);
    until("the endpoint is out", || {
        let _ = proxy.get("/");
        proxy.metric("envoy_cluster_outlier_detection_ejections_active", "cart") >= 1.0
    });
    assert_eq!(proxy.get("/").text(), "well");
    let (failed, connections) = (bad.asked().len(), good.connections());
    for version in 1..=3 {
        proxy.write_policies(&policies(version));
        until("it is taken up", || proxy.stat("server.reloads") >= version);
        for _ in 0..4 {
            assert_eq!(proxy.get("/").text(), "well");
        }
        assert_eq!(proxy.count("envoy_cluster_outlier_detection_ejections_active", "cart"), 1);
    }
    assert_eq!((bad.asked().len(), good.connections()), (failed, connections));
}

#[test]
fn endpoints_are_followed_while_the_newest_policies_are_refused() {
    let (one, two) = (Backend::named("one"), Backend::named("two"));
    let proxy = Proxy::start(&policies(0), &[&one]);
    let dump = |proxy: &Proxy| -> Value { serde_json::from_slice(&proxy.admin("/config_dump").body).expect("JSON") };
    let refused = || dump(&proxy)["refused"].as_str().map(str::to_owned);
    proxy.write_policies(&policies(1).replace("timeout: 6s", "timeout: soon"));
    until("the policy is refused", || refused().is_some());
    proxy.write_endpoints(&[(two.address, "v1", true)]);
    until("the other endpoint is asked", || proxy.get("/").text() == "two");
    assert!(refused().is_some_and(|why| why.contains("`soon` is no duration")), "{:?}", refused());
    assert_eq!(dump(&proxy)["refusals"], 1, "the policy was refused once");
    proxy.write_policies(&policies(2));
    until("the good policy is obeyed", || refused().is_none());
    assert_eq!(proxy.get("/v2").text(), "two");
}
