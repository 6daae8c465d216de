//! Want of descriptors, of disk and of readers: what is there is served, what is missing is told, and all is well once it is back.

use nix::sys::signal::Signal;
use squall_tests::http::{Backend, Connection, ok};
use squall_tests::proxy::{Proxy, routes};
use squall_tests::until;
use std::collections::BTreeSet;
use std::net::TcpStream;

/// Lowers the number of descriptors that a running proxy may have.
fn allow(proxy: &Proxy, descriptors: usize) {
    let limit = format!("--nofile={descriptors}:{descriptors}");
    let set = std::process::Command::new("prlimit").args(["--pid", &proxy.id().to_string(), &limit]).status();
    assert!(set.expect("prlimit runs").success(), "the limit is lowered");
}

#[test]
fn without_descriptors_who_is_there_is_served_the_admin_answers_and_others_come_in_later() {
    let backend = Backend::named("cart");
    let proxy = Proxy::start("", &[&backend]);
    let ask = "GET / HTTP/1.1\r\nhost: cart\r\n\r\n";
    let mut known = proxy.connect();
    assert_eq!(known.ask(ask).status(), 200);
    // Room for three more.
    allow(&proxy, proxy.descriptors() + 3);
    let mut crowd: Vec<Connection> = (0..20).map(|_| proxy.connect()).collect();
    crowd.iter_mut().for_each(|connection| connection.send(ask).expect("sent"));
    until("it is told", || proxy.log().contains("no connection can be taken: Too many open files"));
    for _ in 0..20 {
        assert_eq!(known.ask(ask).status(), 200);
    }
    for _ in 0..5 {
        assert_eq!(proxy.admin("/ready").text(), "LIVE\n");
    }
    until("it is counted", || proxy.metric("envoy_listener_downstream_cx_accept_failed", "") >= 3.0);
    let lines = proxy.log().lines().filter(|line| line.contains("Too many open files")).count();
    let failures = proxy.metric("envoy_listener_downstream_cx_accept_failed", "");
    assert!(lines as f64 <= 1.0 + failures / 8.0, "{lines} lines for {failures} failures");
    // Those who came first leave.
    crowd.drain(..10).for_each(drop);
    for mut waiting in crowd {
        let answer = waiting.answer().expect("read").expect("an answer");
        assert!(matches!(answer.status(), 200 | 503), "{}", answer.status());
    }
    until("all is well", || proxy.get("/").status() == 200);
}

#[test]
fn near_the_limit_of_memory_requests_are_refused_until_there_is_room_again() {
    // Bodies that are kept for another try, and taken by nobody.
    const KEPT: usize = 1 << 20;
    let held = Backend::reading_only_heads(|_| squall_tests::http::Answer::Raw(b""));
    let policies = routes(
        "    - match: [{uri: {prefix: /free}}]\n      directResponse: {status: 204}\n    - retries: {attempts: 2, retryOn: 5xx}\n      route: [{destination: {host: cart}}]",
    );
    let least = Proxy::start(&policies, &[&held]).resident();
    let limit = format!("memory={}KiB", (least >> 10) + (40 << 10));
    let proxy = Proxy::with_arguments(&policies, &[(held.address, "v1", true)], &["--limit", &limit]);
    assert_eq!(proxy.get("/free").status(), 204);
    let head = format!("POST / HTTP/1.1\r\nhost: cart\r\ncontent-length: {KEPT}\r\n\r\n");
    let mut crowd = Vec::new();
    until("there is no room", || {
        let mut client = proxy.connect();
        // One that is refused is closed at once.
        let _ = client.send(&head).and_then(|()| client.send(vec![b'x'; KEPT - 1]));
        crowd.push(client);
        proxy.get("/free").status() == 503
    });
    let refused = proxy.get("/free");
    assert_eq!((refused.text().as_str(), refused.field("connection")), ("envoy overloaded", "close"));
    until("it is logged", || {
        let logged = proxy.access_log_now();
        logged.iter().any(|line| line["response_flags"] == "OM" && line["response_code_details"] == "overload")
    });
    assert!(proxy.metric("envoy_http_downstream_rq_overload_close", "") >= 2.0);
    assert!(proxy.stat("overload.envoy.resource_monitors.fixed_heap.pressure") >= 95);
    drop(crowd);
    until("there is room again", || proxy.get("/free").status() == 204);
}

#[test]
fn a_worker_that_stands_still_is_counted() {
    let proxy = Proxy::start("", &[]);
    let misses = || (proxy.stat("server.worker_0.watchdog_miss"), proxy.stat("server.worker_0.watchdog_mega_miss"));
    let before = misses();
    // Only who has come round once can miss a turn.
    until("that it stood still is counted", || {
        proxy.signal(Signal::SIGSTOP);
        #[allow(clippy::disallowed_methods, reason = "how long it stands still is what is counted")]
        let stopped = std::time::Instant::now();
        until("it has stood still for more than a second", || stopped.elapsed().as_millis() > 1_100);
        proxy.signal(Signal::SIGCONT);
        let after = misses();
        after.0 > before.0 && after.1 > before.1
    });
}

#[test]
fn the_clock_on_the_wall_is_read_for_dates_and_logs_and_decides_nothing() {
    // The last asks how far away a moment is that a backend has named.
    let may = ["clock.rs", "serve/worker.rs", "telemetry/stream_info.rs", "serve/tries/retries.rs"];
    let root = squall_tests::repository().join("proxy/src");
    let (mut folders, mut readers) = (vec![root.clone()], BTreeSet::new());
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a file");
            if ["SystemTime::now(", "unix_seconds(", "wall("].iter().any(|call| text.contains(call)) {
                let name = path.strip_prefix(&root).expect("a file of the proxy");
                readers.insert(name.to_string_lossy().into_owned());
            }
        }
    }
    assert_eq!(readers, may.map(ToOwned::to_owned).into());
}

#[test]
fn connections_of_every_ending_leave_no_descriptor_and_no_task() {
    const ROUNDS: usize = 150;
    let backend = Backend::start(|asked| match asked.target() {
        "/close" => squall_tests::http::Answer::Close,
        "/reset" => squall_tests::http::Answer::Reset,
        "/cut" => squall_tests::http::Answer::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ncut"),
        "/silent" => squall_tests::http::Answer::Silence,
        _ => ok("whole"),
    });
    let proxy = Proxy::start("", &[&backend]);
    let begin = |bytes: &str| {
        let mut connection = proxy.connect();
        connection.send(bytes).expect("sent");
        connection
    };
    let ask = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: cart\r\n\r\n");
    let round = || {
        for path in ["/", "/close", "/reset", "/cut"] {
            drop(begin(&ask(path)).answer());
        }
        // Left before anything, amid a head, amid a body, ahead of the answer, and by a reset.
        drop(begin(""));
        drop(begin("GET / HT"));
        drop(begin("POST / HTTP/1.1\r\nhost: cart\r\ncontent-length: 9\r\n\r\nhello"));
        drop(begin(&ask("/silent")));
        let reset = begin(&ask("/silent"));
        socket2::SockRef::from(reset.socket()).set_linger(Some(std::time::Duration::ZERO)).expect("a socket");
        drop(reset);
        drop(begin("nonsense\r\n\r\n").answer());
        let mut frames = squall_tests::frames::Frames::to(proxy.listen);
        frames.ask(1, 1, &squall_tests::frames::request("GET", "/silent", &[])).expect("sent");
        drop(frames);
    };
    (0..5).for_each(|_| round());
    let settled = || {
        proxy.metric("envoy_http_downstream_cx_active", "") < 1.0
            && proxy.metric("envoy_http_downstream_rq_active", "") < 1.0
            && proxy.metric("envoy_cluster_upstream_rq_active{", "cart") < 1.0
    };
    until("all are gone", settled);
    let (descriptors, memory) = (proxy.descriptors(), proxy.resident());
    (0..ROUNDS).for_each(|_| round());
    until("all are gone", settled);
    until("descriptors are back", || proxy.descriptors() <= descriptors + 3);
    let grown = proxy.resident().saturating_sub(memory);
    assert!(grown < 4 << 20, "{} KiB more after {} connections", grown >> 10, ROUNDS * 11);
}

#[test]
fn a_log_on_a_full_disk_holds_up_no_request_and_is_counted() {
    let backend = Backend::named("cart");
    let proxy = Proxy::with_arguments("", &[(backend.address, "v1", true)], &["--access-log", "/dev/full"]);
    for _ in 0..50 {
        assert_eq!(proxy.get("/").status(), 200);
    }
    until("it is counted", || {
        proxy
            .admin("/stats")
            .text()
            .lines()
            .any(|line| line.starts_with("access_log.writes_failed") && !line.ends_with(": 0"))
    });
}

#[test]
fn a_log_in_a_pipe_that_nobody_reads_holds_up_no_request() {
    let backend = Backend::named("cart");
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("log");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    // Somebody has it open, and never reads.
    let held = std::fs::File::options().read(true).write(true).open(&pipe).expect("the pipe");
    let proxy =
        Proxy::with_arguments("", &[(backend.address, "v1", true)], &["--access-log", pipe.to_str().expect("a path")]);
    let long = "x".repeat(4000);
    // More than the pipe and the queue of lines hold would take minutes; more than the pipe holds shows whether anybody waits.
    for _ in 0..300 {
        assert_eq!(proxy.get(&format!("/{long}")).status(), 200);
    }
    drop(held);
}

#[test]
fn a_log_in_a_pipe_without_a_reader_is_an_error_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("log");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    let output = std::process::Command::new(squall_tests::binary())
        .args(["proxy", "--policies", folder.path().to_str().expect("a path")])
        .args(["--access-log", pipe.to_str().expect("a path")])
        .output()
        .expect("the binary runs");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("nobody reads"), "{output:?}");
}

#[test]
fn standard_error_on_a_full_disk_ends_nothing() {
    let backend = Backend::named("cart");
    let proxy = Proxy::telling_to(
        std::fs::File::options().write(true).open("/dev/full").expect("a device"),
        &routes("    - directResponse: {status: 201}"),
        &[(backend.address, "v1", true)],
    );
    assert_eq!(proxy.get("/").status(), 201);
    proxy.write_policies("nonsense: [");
    until("it is refused", || proxy.stat("server.reloads_refused") >= 1);
    proxy.write_policies(&routes("    - directResponse: {status: 202}"));
    until("the next is taken up", || proxy.get("/").status() == 202);
    assert!(proxy.stat("server.messages_lost") >= 1);
}

#[test]
fn there_are_descriptors_left_for_everything_else_when_clients_have_theirs() {
    // The limit is that of the proxy's start; clients have 90 % of it.
    const ALLOWED: u32 = 500;
    const CLIENTS: usize = 450;
    let backend = Backend::named("cart");
    let proxy = Proxy::allowed(ALLOWED, &[(backend.address, "v1", true)]);
    let mut known = proxy.connect();
    let crowd: Vec<TcpStream> = (1..CLIENTS).map(|_| TcpStream::connect(proxy.listen).expect("a connection")).collect();
    proxy.until_metric("envoy_listener_downstream_cx_active", "", CLIENTS as f64);
    let turned_away = || proxy.count("envoy_listener_downstream_global_cx_overflow", "");
    assert_eq!(turned_away(), 0);
    for more in 1..=20 {
        let mut one_more = proxy.connect();
        assert!(matches!(one_more.read(&mut [0]), Ok(0) | Err(_)), "it is closed");
        assert_eq!(turned_away(), more);
    }
    // All others have what they need: an upstream and the admin interface a connection each.
    assert_eq!(known.ask("GET / HTTP/1.1\r\nhost: cart\r\n\r\n").status(), 200);
    assert_eq!(proxy.admin("/ready").status(), 200);
    assert_eq!(proxy.count("envoy_listener_downstream_cx_accept_failed", ""), 0);
    drop(crowd);
    until("all is well", || {
        Connection::to(proxy.listen).is_ok_and(|mut connection| {
            connection.send("GET / HTTP/1.1\r\nhost: cart\r\n\r\n").is_ok()
                && matches!(connection.answer(), Ok(Some(answer)) if answer.status() == 200)
        })
    });
}
