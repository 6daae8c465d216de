//! What goes beyond Envoy, under real faults, beside what the same policies do without it.

use squall_tests::http::{Answer, Backend, get, ok, status};
use squall_tests::proxy::{Proxy, routes, rule, slice};
use squall_tests::{project, until};
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::Duration;

fn start(policies: &str, backends: &[&Backend], beyond: &[&str]) -> Proxy {
    let endpoints: Vec<_> = backends.iter().map(|backend| (backend.address, "v1", true)).collect();
    Proxy::with_arguments(policies, &endpoints, beyond)
}

fn detector(fields: &str) -> String {
    rule(&format!("{{loadBalancer: {{simple: ROUND_ROBIN}}, outlierDetection: {{{fields}, maxEjectionPercent: 100}}}}"))
}

/// Events of a proxy that hold `text`.
fn events(proxy: &Proxy, text: &str) -> usize {
    let log = fs::read_to_string(proxy.file("events.jsonl")).unwrap_or_default();
    log.lines().filter(|line| line.contains(text)).count()
}

/// Clients that ask again as soon as they are answered, until dropped.
struct Load {
    over: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    fn start(listen: SocketAddr, clients: usize) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let client = |over: Arc<AtomicBool>| {
            move || {
                while !over.load(SeqCst) {
                    let _ = get(listen, "/", "host: cart\r\n");
                }
            }
        };
        let clients = (0..clients).map(|_| thread::spawn(client(Arc::clone(&over)))).collect();
        Self { over, clients }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.over.store(true, SeqCst);
        self.clients.drain(..).for_each(|client| drop(client.join()));
    }
}

/// What an endpoint has seen that takes its time and answers with a status that can be changed.
#[derive(Default)]
struct Busy {
    status: AtomicU16,
    asked: AtomicUsize,
    at_once: AtomicUsize,
    /// Good answers by the time at which two requests were there at once.
    well_before_two: AtomicUsize,
    well: AtomicUsize,
}

impl Busy {
    fn start() -> (Arc<Self>, Backend) {
        let busy =
            Arc::new(Self { status: AtomicU16::new(503), well_before_two: usize::MAX.into(), ..Self::default() });
        let seen = Arc::clone(&busy);
        (busy, Backend::start(move |_| seen.answer()))
    }

    fn answer(&self) -> Answer {
        self.asked.fetch_add(1, SeqCst);
        if self.at_once.fetch_add(1, SeqCst) > 0 {
            self.well_before_two.fetch_min(self.well.load(SeqCst), SeqCst);
        }
        thread::park_timeout(Duration::from_millis(20));
        let code = self.status.load(SeqCst);
        self.well.fetch_add(usize::from(code == 200), SeqCst);
        self.at_once.fetch_sub(1, SeqCst);
        status(code)
    }
}

#[test]
fn an_endpoint_that_comes_back_is_tried_by_one_request_at_a_time() {
    for (arguments, beyond) in [(&[][..], false), (&["--beyond-envoy", "half-open"], true)] {
        let (busy, bad) = Busy::start();
        let good = Backend::named("well");
        let policies = detector("consecutive5xxErrors: 3, interval: 50ms, baseEjectionTime: 50ms");
        let proxy = start(&policies, &[&bad, &good], arguments);
        let load = Load::start(proxy.listen, 8);
        until("it is out", || events(&proxy, "\"eject\"") == 1);
        until("what was on its way has ended", || busy.at_once.load(SeqCst) == 0 || !beyond);
        let before = busy.asked.load(SeqCst);
        busy.well_before_two.store(usize::MAX, SeqCst);
        until("it was taken out four times more", || events(&proxy, "\"eject\"") >= 5);
        let (asked, failed) = (busy.asked.load(SeqCst) - before, events(&proxy, "failed-trial"));
        if !beyond {
            assert!(asked >= 12 && failed == 0, "{asked} requests: three for each time");
            continue;
        }
        // One may be under way by now.
        assert!(asked <= events(&proxy, "\"eject\""), "{asked} requests, {failed} failed trials");
        assert!(failed >= 4, "{failed}");
        busy.status.store(200, SeqCst);
        until("it has its share again", || busy.well_before_two.load(SeqCst) != usize::MAX);
        assert!(busy.well_before_two.load(SeqCst) >= 3, "three good answers one after the other come first");
        drop(load);
    }
}

const CHECK: &str = "---\napiVersion: squall.dev/v1\nkind: HealthCheck\nmetadata: {name: cart}\nspec: {host: cart, path: /health, interval: 20ms, timeout: 20s, unhealthyThreshold: 1}\n";

/// Requests but for checks.
fn asked(backend: &Backend) -> usize {
    backend.asked().iter().filter(|asked| asked.target() != "/health").count()
}

#[test]
fn a_check_that_does_not_see_a_fault_does_not_end_an_ejection() {
    let fresh = &["--beyond-envoy", "fresh-evidence"][..];
    for (check, arguments, overruled) in [("", &[][..], false), (CHECK, &[], true), (CHECK, fresh, false)] {
        // Of ten requests three fail in a row; checks know nothing of it.
        let (seen, checks) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
        let checked = Arc::clone(&checks);
        let bad = Backend::start(move |asked| match asked.target() {
            "/health" => {
                checked.fetch_add(1, SeqCst);
                ok("")
            }
            _ if seen.fetch_add(1, SeqCst) % 10 < 3 => status(503),
            _ => ok("bad"),
        });
        let good = Backend::named("well");
        let policies = detector("consecutive5xxErrors: 3, interval: 50ms, baseEjectionTime: 60s") + check;
        let proxy = start(&policies, &[&bad, &good], arguments);
        until("it is out", || {
            let _ = proxy.get("/");
            events(&proxy, "\"eject\"") >= 1
        });
        let (begin, mut sent) = (checks.load(SeqCst), 0);
        until("checks have passed, and requests were sent", || {
            let _ = proxy.get("/");
            sent += 1;
            sent >= 100 && (check.is_empty() || checks.load(SeqCst) >= begin + 10)
        });
        let (asked, events) = (asked(&bad), events(&proxy, "active-check"));
        assert_eq!((asked > 10, events > 0), (overruled, overruled), "{arguments:?} {asked} requests");
    }
}

#[test]
fn a_check_that_has_seen_a_fault_ends_its_ejection() {
    let (code, health) = (Arc::new(AtomicU16::new(503)), Arc::new(AtomicU16::new(200)));
    let (answers, checked) = (Arc::clone(&code), Arc::clone(&health));
    let bad = Backend::start(move |asked| {
        status(if asked.target() == "/health" { checked.load(SeqCst) } else { answers.load(SeqCst) })
    });
    let good = Backend::named("well");
    let policies = detector("consecutive5xxErrors: 3, interval: 50ms, baseEjectionTime: 60s") + CHECK;
    let proxy = start(&policies, &[&bad, &good], &["--beyond-envoy", "fresh-evidence"]);
    until("it is out", || {
        let _ = proxy.get("/");
        events(&proxy, "\"eject\"") == 1
    });
    health.store(503, SeqCst);
    until("its check fails", || proxy.admin("/clusters").text().contains("/failed_active_hc"));
    let before = asked(&bad);
    code.store(200, SeqCst);
    health.store(200, SeqCst);
    until("it is back long before its time", || {
        let _ = proxy.get("/");
        asked(&bad) > before
    });
}

#[test]
fn a_hang_is_found_before_any_request_has_ended() {
    let (stuck, good) = (Backend::start(|_| Answer::Silence), Backend::named("well"));
    let policies = routes("    - timeout: 8s\n      route: [{destination: {host: cart}}]")
        + &detector("consecutive5xxErrors: 3, interval: 10s, baseEjectionTime: 60s");
    let proxy = start(&policies, &[&stuck, &good], &["--beyond-envoy", "stalled"]);
    let load = Load::start(proxy.listen, 4);
    // All clients are held by the endpoint that hangs after a moment: others go on asking.
    until("it is out", || {
        let listen = proxy.listen;
        if stuck.asked().len() >= 3 && events(&proxy, "\"eject\"") == 0 {
            drop(thread::spawn(move || get(listen, "/", "host: cart\r\n")));
        }
        events(&proxy, "\"stalled\"") == 1
    });
    let late = proxy.access_log_now().iter().filter(|line| line["response_code"] == 504).count();
    assert_eq!(late, 0, "it did not wait for a time-out");
    until("everybody goes elsewhere", || (0..10).all(|_| proxy.get("/").text() == "well"));
    drop(load);
}

#[test]
fn an_endpoint_that_hangs_cannot_use_up_the_limit_of_its_cluster() {
    for (arguments, held) in [(&[][..], 6), (&["--beyond-envoy", "per-instance-limits"], 2)] {
        let stuck = Backend::start(|_| Answer::Silence);
        let good = [Backend::named("well"), Backend::named("well")];
        let policies = rule("{loadBalancer: {simple: ROUND_ROBIN}, connectionPool: {http: {http2MaxRequests: 6}}}");
        let proxy = start(&policies, &[&stuck, &good[0], &good[1]], arguments);
        let listen = proxy.listen;
        until("the endpoint that hangs has all it gets", || {
            drop(thread::spawn(move || get(listen, "/", "host: cart\r\n")));
            stuck.asked().len() == held
        });
        let answers: Vec<_> = (0..30).map(|_| proxy.get("/")).collect();
        let refused = answers.iter().filter(|answer| answer.text().contains("overflow")).count();
        let well = answers.iter().filter(|answer| answer.text() == "well").count();
        assert_eq!((refused, well), if held == 6 { (30, 0) } else { (0, 30) }, "{arguments:?}");
        assert_eq!(stuck.asked().len(), held);
    }
}

#[test]
fn what_goes_beyond_envoy_is_told_and_a_name_that_means_nothing_refused() {
    let backend = Backend::named("cart");
    for (arguments, told) in [
        (&[][..], "[]"),
        (&["--beyond-envoy", "stalled,half-open"], r#"["half-open","stalled"]"#),
        (&["--beyond-envoy", "all"], r#"["half-open","fresh-evidence","stalled","per-instance-limits"]"#),
    ] {
        let dump = start("", &[&backend], arguments).admin("/config_dump").text();
        let dump: serde_json::Value = serde_json::from_str(&dump).expect("JSON");
        assert_eq!(dump["beyond_envoy"].to_string(), told);
    }
    let refused = project().run(&["proxy", "--policies", ".", "--beyond-envoy", "faster"]).expect_code(2).err();
    assert!(refused.contains("half-open, fresh-evidence, stalled, per-instance-limits, all"), "{refused}");
}

/// Connections that an endpoint of bytes has now.
fn holding() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let (address, open) = (listener.local_addr().expect("an address"), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&open);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let open = Arc::clone(&counted);
            open.fetch_add(1, SeqCst);
            thread::spawn(move || {
                let _ = std::io::copy(&mut stream, &mut std::io::sink());
                open.fetch_sub(1, SeqCst);
            });
        }
    });
    (address, open)
}

#[test]
fn connections_of_bytes_go_where_there_is_room() {
    let policies =
        "apiVersion: v1\nkind: Service\nmetadata: {name: cart}\nspec: {ports: [{name: tcp-cache, port: 6379}]}\n"
            .to_owned()
            + &rule("{loadBalancer: {simple: ROUND_ROBIN}, connectionPool: {tcp: {maxConnections: 2}}}");
    for (further, expected) in [(&[][..], [2, 0]), (&["--beyond-envoy", "per-instance-limits"], [1, 1])] {
        let both = [holding(), holding()];
        let slices: Vec<_> = both.iter().map(|(address, _)| slice("tcp-cache", address.port())).collect();
        let slices = format!("{}---\n{}", slices[0], slices[1].replace("cart-1", "cart-2"));
        let files =
            ["--policies", "policies.yaml", "--endpoints", "endpoints.yaml", "--listen", "cart:6379=127.0.0.1:0"];
        let proxy = Proxy::with_files(
            &[("policies.yaml", &policies), ("endpoints.yaml", &slices)],
            &[&files, further].concat(),
        );
        let open = || both.each_ref().map(|(_, open)| open.load(SeqCst));
        let first = proxy.connect();
        until("the first is there", || open().iter().sum::<usize>() == 1);
        let other = proxy.connect();
        until("each has one", || open() == [1, 1]);
        drop(other);
        until("one is left", || open().iter().sum::<usize>() == 1);
        // In turn it would be the one that still has its connection.
        let third = proxy.connect();
        until("the third is there", || open().iter().sum::<usize>() == 2);
        let mut now = open();
        now.sort_unstable_by(|one, other| other.cmp(one));
        assert_eq!(now, expected, "{further:?}");
        drop((first, third));
    }
}
