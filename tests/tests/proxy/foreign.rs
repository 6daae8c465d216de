//! The proxy alone, in front of servers that are not Squall's.

use squall_tests::http::get;
use squall_tests::proxy::{Proxy, routes, rule};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

/// Python's own web server: HTTP/1.0 answers, a connection each.
struct Python {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Python {
    fn start(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("name.txt"), name).expect("a file");
        std::fs::write(folder.path().join("large.bin"), vec![b'x'; 3 << 20]).expect("a file");
        let mut child = Command::new("python3")
            .args(["-u", "-m", "http.server", "--bind", "127.0.0.1", "0"])
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3 starts");
        // Serving HTTP on 127.0.0.1 port 40123 (http://127.0.0.1:40123/) ...
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let port = line.split("port ").nth(1).and_then(|rest| rest.split(' ').next()).expect("its port");
        let address = SocketAddr::from(([127, 0, 0, 1], port.parse().expect("a number")));
        Self { child, address, _folder: folder }
    }

    fn kill(&mut self) {
        self.child.kill().expect("it lives");
        self.child.wait().expect("it was started here");
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CI sets the variable, so that there a missing Python is a failure.
fn has_python() -> bool {
    let found = Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success());
    assert!(found || std::env::var_os("SQUALL_TEST_FOREIGN").is_none(), "python3 is needed: apt-get install python3");
    if !found {
        eprintln!("not tested: there is no python3 here");
    }
    found
}

#[test]
fn servers_of_others_are_balanced_ejected_and_missed_by_nobody() {
    if !has_python() {
        return;
    }
    let mut servers = ["one", "two", "three"].map(Python::start);
    let policies = format!(
        "{}{}",
        routes(
            "    - retries: {attempts: 2, retryOn: \"connect-failure,reset\"}\n      route: [{destination: {host: cart}}]"
        ),
        rule(
            "{loadBalancer: {simple: ROUND_ROBIN}, outlierDetection: {consecutive5xxErrors: 2, interval: 1s, baseEjectionTime: 60s, maxEjectionPercent: 100}}"
        )
    );
    let endpoints: Vec<_> = servers.iter().map(|server| (server.address, "v1", true)).collect();
    let proxy = Proxy::with_endpoints(&policies, &endpoints);
    let ask = || get(proxy.listen, "/name.txt", "host: cart\r\n");

    let names: Vec<_> = (0..6).map(|_| ask().text()).collect();
    for name in ["one", "two", "three"] {
        assert_eq!(names.iter().filter(|seen| *seen == name).count(), 2, "{names:?}");
    }
    assert_eq!(proxy.get("/large.bin").body.len(), 3 << 20);
    assert_eq!(proxy.get("/no-such-file").status(), 404);

    servers[0].kill();
    for _ in 0..30 {
        let answer = ask();
        assert_eq!(answer.status(), 200);
        assert_ne!(answer.text(), "one");
    }
    proxy.until_metric("envoy_cluster_outlier_detection_ejections_active", "cart", 1.0);
    let retries = proxy.metric("envoy_cluster_upstream_rq_retry{", "cart");
    assert!((2.0..=3.0).contains(&retries), "two failures take it out, after which nothing is tried there: {retries}");
}
