//! Faults by hand, as somebody on a game day does them: begun, listed, cleared, killed; and Toxiproxy's API.

use serde_json::{Value, json};
use squall_tests::http::{Backend, Connection};
use squall_tests::{Project, children, project, until};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Stdio};

/// A fault that goes on.
struct Broken {
    child: Child,
    out: BufReader<ChildStdout>,
    listen: SocketAddr,
}

impl Broken {
    /// Begins one, and waits until it is on.
    fn begin(project: &Project, arguments: &[&str]) -> Self {
        let mut command = project.squall(arguments);
        command.arg("--json").stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("it starts");
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        let first = line(&mut out);
        assert_eq!(first["is"], "begins", "{first}");
        let listen = first["listen"].as_str().and_then(|text| text.parse().ok()).expect("where it listens");
        Self { child, out, listen }
    }

    /// What it says last, and its exit code.
    fn end(mut self) -> (Value, Option<i32>) {
        let mut last = Value::Null;
        let mut text = String::new();
        while self.out.read_line(&mut text).expect("text") > 0 {
            last = serde_json::from_str(&text).expect("JSON");
            text.clear();
        }
        (last, self.child.wait().expect("it was started here").code())
    }
}

impl Drop for Broken {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn line(out: &mut impl BufRead) -> Value {
    let mut text = String::new();
    out.read_line(&mut text).expect("a line");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn status(listen: SocketAddr) -> String {
    let mut connection = Connection::to(listen).expect("a connection");
    connection.ask("GET / HTTP/1.1\r\nhost: x\r\n\r\n").line
}

fn term(child: &Child) {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id() as i32), nix::sys::signal::SIGTERM).expect("sent");
}

fn faults(project: &Project) -> Vec<Value> {
    let listed = project.run(&["fault", "list", "--json"]).expect_code(0);
    listed.json_lines()[0]["faults"].as_array().expect("a list").clone()
}

#[test]
fn a_fault_by_hand_is_on_listed_cleared_and_leaves_nothing() {
    let (project, backend) = (project(), Backend::named("a"));
    let to = backend.address.to_string();
    let broken = Broken::begin(&project, &["fault", "abort", "--to", &to, "--status", "503", "--seed", "7"]);
    assert!(status(broken.listen).starts_with("HTTP/1.1 503"));
    let listed = faults(&project);
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["what"], "abort 503");
    assert_eq!(listed[0]["to"], to);
    let listen = broken.listen.to_string();
    let text = project.run(&["fault", "list"]).expect_code(0).out();
    assert!(text.contains(&listen) && text.contains("abort 503"), "{text}");

    let unknown = project.run(&["fault", "clear", "1"]).expect_code(1).err();
    assert!(unknown.contains("no relay listens on port 1"), "{unknown}");
    assert_eq!(project.run(&["fault", "clear", &listen]).expect_code(0).out().trim(), "1 cleared");
    let (last, code) = broken.end();
    assert_eq!((last["is"].as_str(), last["harmed"].as_u64(), code), (Some("ends"), Some(1), Some(0)), "{last}");
    assert_eq!((last["offered"].as_u64(), last["withheld"].as_u64()), (Some(1), Some(1)));
    assert!(TcpStream::connect(&listen).is_err());
    assert_eq!(faults(&project), Vec::<Value>::new());
    assert_eq!(std::fs::read_dir(project.path().join("state/faults")).expect("a folder").count(), 0);
}

#[test]
fn a_fault_ends_when_its_time_is_over_and_the_relay_stays_if_it_is_to() {
    let (project, backend) = (project(), Backend::named("a"));
    let to = backend.address.to_string();
    let mut broken =
        Broken::begin(&project, &["fault", "abort", "--to", &to, "--status", "503", "--for", "1s", "--stay"]);
    assert!(status(broken.listen).starts_with("HTTP/1.1 503"));
    while line(&mut broken.out)["is"] != "stays" {}
    assert!(status(broken.listen).starts_with("HTTP/1.1 200"));
    assert_eq!(project.run(&["fault", "clear", "--all"]).expect_code(0).out().trim(), "1 cleared");
    let (last, code) = broken.end();
    assert_eq!((last["harmed"].as_u64(), last["cut"].as_bool(), code), (Some(1), Some(false), Some(0)), "{last}");
}

#[test]
fn a_fault_that_harms_nobody_has_shown_nothing_and_one_that_is_cut_says_so() {
    let (project, backend) = (project(), Backend::named("a"));
    let to = backend.address.to_string();
    let (last, code) = Broken::begin(&project, &["fault", "hang", "--to", &to, "--for", "100ms"]).end();
    assert_eq!((last["harmed"].as_u64(), code), (Some(0), Some(3)));
    let broken = Broken::begin(&project, &["fault", "hang", "--to", &to, "--for", "1h"]);
    term(&broken.child);
    let (last, code) = broken.end();
    assert_eq!((last["cut"].as_bool(), code), (Some(true), Some(105)));
}

#[test]
fn whoever_kills_a_game_day_leaves_nothing_of_it() {
    let (project, backend) = (project(), Backend::named("a"));
    let to = backend.address.to_string();
    let mut broken = Broken::begin(&project, &["fault", "refuse", "--to", &to]);
    let living = children(broken.child.id());
    assert!(living.len() >= 2, "the relay and the guardian: {living:?}");
    broken.child.kill().expect("killed");
    broken.child.wait().expect("it was started here");
    until("everything has ended", || {
        living.iter().all(|(pid, _)| !std::path::Path::new(&format!("/proc/{pid}")).exists())
    });
    assert_eq!(faults(&project), Vec::<Value>::new());
    let recovered = project.run(&["recover"]).expect_code(0).out();
    assert!(recovered.contains("nothing to recover"), "{recovered}");
    assert_eq!(std::fs::read_dir(project.path().join("state/faults")).expect("a folder").count(), 0);
}

#[test]
fn what_cannot_be_broken_is_refused_before_anything_begins() {
    let project = project();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().expect("an address").to_string();
    for (arguments, code, wanted) in [
        (vec!["latency", "--to", "192.0.2.1:80", "--base", "1ms"], 104, "is not on this machine"),
        (vec!["latency", "--to", "127.0.0.1:80", "--base", "1ms", "--listen", "0.0.0.0:0"], 104, "--allow 0.0.0.0"),
        (vec!["abort", "--to", "127.0.0.1:80", "--status", "503", "--pick", "130%"], 104, "130%"),
        (vec!["refuse", "--to", "127.0.0.1:80", "--listen", &taken], 1, "Address already in use"),
        (vec!["refuse", "--to", &taken, "--listen", &taken], 1, "both where clients connect and what is behind it"),
        (vec!["latency", "--to", "127.0.0.1:80"], 2, "--base"),
        (vec!["kill", "--to", "127.0.0.1:80"], 2, "kill"),
        (vec!["serve", "--api", "0.0.0.0:0"], 104, "--allow 0.0.0.0"),
        (vec!["serve", "--config", "nowhere.json"], 104, "nowhere.json"),
    ] {
        let mut all = vec!["fault"];
        all.extend(arguments);
        let ended = project.run(&all).expect_code(code);
        assert!(ended.err().contains(wanted), "{all:?}: {}", ended.err());
    }
    assert!(!project.path().join("state/faults").exists());
}

/// A server of the API with one proxy, and what its clients do.
struct Api {
    child: Child,
    api: SocketAddr,
}

impl Api {
    fn serve(project: &Project, arguments: &[&str]) -> Self {
        let mut all = vec!["fault", "serve", "--api", "127.0.0.1:0"];
        all.extend(arguments);
        let mut child = project.squall(&all).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut first = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut first).expect("a line");
        let address = first.split_whitespace().next().and_then(|url| url.strip_prefix("http://"));
        let api = address.and_then(|text| text.trim_end_matches(':').parse().ok());
        Self { child, api: api.unwrap_or_else(|| panic!("no address: {first}")) }
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.ask_with(method, path, "host: localhost", &body)
    }

    fn ask_with(&self, method: &str, path: &str, fields: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(self.api).expect("a connection");
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\n{fields}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .expect("written");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("an answer");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        term(&self.child);
        let _ = self.child.wait();
    }
}

/// Sends back what it gets.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || std::io::copy(&mut &stream, &mut &stream));
        }
    });
    address
}

fn says(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(b"hello")?;
    stream.read_exact(&mut [0; 5])
}

#[test]
fn clients_of_toxiproxy_find_its_api_and_its_toxics_act() {
    let project = project();
    let api = Api::serve(&project, &[]);
    assert_eq!(api.ask("GET", "/version", &Value::Null), (200, json!({"version": "2.12.0"})));
    let upstream = echo().to_string();
    let wanted = json!({"name": "echo", "listen": "127.0.0.1:0", "upstream": upstream});
    let (code, proxy) = api.ask("POST", "/proxies", &wanted);
    assert_eq!((code, &proxy["enabled"], &proxy["toxics"]), (201, &json!(true), &json!([])), "{proxy}");
    let listen: SocketAddr = proxy["listen"].as_str().and_then(|text| text.parse().ok()).expect("an address");
    says(&mut TcpStream::connect(listen).expect("a connection")).expect("everything passes");
    assert_eq!(api.ask("POST", "/proxies", &wanted).0, 409);
    assert_eq!(api.ask("GET", "/proxies", &Value::Null).1["echo"], proxy);

    let cut = json!({"type": "limit_data", "attributes": {"bytes": 2}});
    let (code, toxic) = api.ask("POST", "/proxies/echo/toxics", &cut);
    assert_eq!((code, &toxic["name"], &toxic["toxicity"]), (200, &json!("limit_data_downstream"), &json!(1.0)));
    assert!(says(&mut TcpStream::connect(listen).expect("a connection")).is_err(), "cut after two bytes");
    assert_eq!(api.ask("POST", "/proxies/echo/toxics", &cut).0, 409);
    let more = json!({"attributes": {"bytes": 100}});
    assert_eq!(api.ask("PATCH", "/proxies/echo/toxics/limit_data_downstream", &more).1["attributes"]["bytes"], 100);
    says(&mut TcpStream::connect(listen).expect("a connection")).expect("five bytes pass");
    assert_eq!(api.ask("DELETE", "/proxies/echo/toxics/limit_data_downstream", &Value::Null).0, 204);
    assert_eq!(api.ask("GET", "/proxies/echo/toxics", &Value::Null), (200, json!([])));

    let most = u64::MAX;
    for (kind, attributes) in [
        ("slicer", json!({"average_size": most, "size_variation": most, "delay": 0})),
        ("bandwidth", json!({"rate": most})),
        ("limit_data", json!({"bytes": most})),
        ("slow_close", json!({"delay": most})),
        ("latency", json!({"latency": 1, "jitter": most})),
    ] {
        let (code, toxic) = api.ask("POST", "/proxies/echo/toxics", &json!({"type": kind, "attributes": attributes}));
        assert_eq!(code, 200, "{toxic}");
        let mut stream = TcpStream::connect(listen).expect("a connection");
        if kind != "latency" {
            says(&mut stream).unwrap_or_else(|error| panic!("{kind}: {error}"));
        }
        assert_eq!(api.ask("DELETE", &format!("/proxies/echo/toxics/{kind}_downstream"), &Value::Null).0, 204);
    }

    let mut open = TcpStream::connect(listen).expect("a connection");
    says(&mut open).expect("everything passes");
    api.ask("POST", "/proxies/echo/toxics", &json!({"type": "reset_peer", "stream": "upstream"}));
    assert!(says(&mut open).is_err(), "open connections are struck too");
    assert_eq!(api.ask("POST", "/proxies/echo", &json!({"enabled": false})).1["enabled"], false);
    assert!(TcpStream::connect(listen).is_err());
    assert_eq!(api.ask("POST", "/reset", &Value::Null).0, 204);
    says(&mut TcpStream::connect(listen).expect("enabled again")).expect("without toxics");
    assert_eq!(api.ask("DELETE", "/proxies/echo", &Value::Null).0, 204);
    assert!(TcpStream::connect(listen).is_err());
    assert_eq!(
        api.ask("GET", "/proxies/echo", &Value::Null),
        (404, json!({"error": "proxy not found", "status": 404}))
    );
}

#[test]
fn a_configuration_file_of_toxiproxy_is_read_and_what_is_wrong_is_said() {
    let upstream = echo().to_string();
    let config = json!([
        {"name": "one", "listen": "127.0.0.1:0", "upstream": upstream, "enabled": true},
        {"name": "two", "listen": "localhost:0", "upstream": upstream, "enabled": false},
    ]);
    let project = project().file("toxiproxy.json", &config.to_string());
    let api = Api::serve(&project, &["--config", "toxiproxy.json"]);
    let (_, all) = api.ask("GET", "/proxies", &Value::Null);
    let of = |name: &str| all[name]["listen"].as_str().and_then(|text| text.parse::<SocketAddr>().ok()).expect("there");
    says(&mut TcpStream::connect(of("one")).expect("a connection")).expect("passes");
    assert!(TcpStream::connect(of("two")).is_err(), "it is not enabled");
    assert_eq!(faults(&project).len(), 1, "the API is listed");

    for (method, path, body, code, wanted) in [
        ("POST", "/proxies", r#"{"upstream": "127.0.0.1:1"}"#, 400, "missing required field: name"),
        ("POST", "/proxies", r#"{"name": "x"}"#, 400, "missing required field: upstream"),
        ("POST", "/proxies", r#"{"name": "x", "upstream": "192.0.2.1:1"}"#, 400, "is not on this machine"),
        ("POST", "/proxies", r#"{"name": "x", "listen": "0.0.0.0:0", "upstream": "127.0.0.1:1"}"#, 400, "--allow"),
        ("POST", "/proxies", "{", 400, "bad request body"),
        ("POST", "/populate", r#"[{"name": "x"}]"#, 400, "missing required field: upstream at proxy 1"),
        ("POST", "/proxies/one/toxics", r#"{"type": "magic"}"#, 400, "invalid toxic type"),
        ("POST", "/proxies/one/toxics", r#"{"type": "latency", "stream": "x"}"#, 400, "stream was invalid"),
        ("GET", "/proxies/one/toxics/none", "", 404, "toxic not found"),
        ("DELETE", "/proxies/none", "", 404, "proxy not found"),
    ] {
        let (status, said) = api.ask_with(method, path, "host: localhost", body);
        assert_eq!(status, code, "{path} {body}: {said}");
        assert!(said["error"].as_str().is_some_and(|error| error.contains(wanted)), "{path} {body}: {said}");
    }
    assert_eq!(api.ask("GET", "/nothing", &Value::Null).0, 404);
    assert_eq!(api.ask("PUT", "/reset", &Value::Null).0, 405);
    for fields in
        ["host: evil.test", "host: localhost\r\norigin: http://evil.test", "host: x\r\nuser-agent: Mozilla/5.0"]
    {
        assert_eq!(api.ask_with("POST", "/reset", fields, "").0, 403, "{fields}");
    }
}

#[test]
fn two_runs_of_one_seed_have_the_same_victims_and_one_of_another_has_others() {
    const SCENARIO: &str = "\
scenario: victims
topology: {services: [{name: cart, instances: 2, responds: {latency: 1ms, body: 10B}}]}
load: {to: cart, rate: 200/s}
timeline:
  - {phase: baseline, for: 1s}
  - {phase: failing, for: 2s, faults: [{abort: {target: cart/1, status: 503, pick: 30%}}]}
expect: {failing: {success: \">= 1%\"}}
";
    let victims = |seed: &str| {
        let project = project().file("victims.yaml", SCENARIO);
        let _ = project.run(&["run", "victims.yaml", "--seed", seed, "--no-control"]);
        let fault = project.record("victims")["arms"][0]["faults"][0].clone();
        let ordinals: Vec<u64> = serde_json::from_value(fault["victims"].clone()).expect("ordinals");
        assert_eq!(fault["harmed"].as_u64(), Some(ordinals.len() as u64));
        assert!(ordinals.len() >= 20, "{ordinals:?}");
        ordinals
    };
    let same = |one: &[u64], other: &[u64]| one.iter().zip(other).all(|(one, other)| one == other);
    let (first, again, other) = (victims("7"), victims("7"), victims("8"));
    assert!(same(&first, &again), "{first:?}\n{again:?}");
    assert!(!same(&first, &other), "{first:?}");
}
