//! A `squall proxy` under test, with policies and endpoints in files of its own.

use crate::http::{Backend, Connection, Message, get};
use crate::{binary, until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use tempfile::TempDir;

/// A running proxy; it is killed when dropped.
#[derive(Debug)]
pub struct Proxy {
    child: Child,
    folder: TempDir,
    /// Where it takes requests.
    pub listen: SocketAddr,
    /// Where it answers questions.
    pub admin: SocketAddr,
    listeners: BTreeMap<String, SocketAddr>,
}

/// Which files are read.
const FILES: [&str; 4] = ["--policies", "policies.yaml", "--endpoints", "endpoints.yaml"];

/// An endpoint of the service `cart`: its address, its version, and whether it is ready.
pub type Endpoint = (SocketAddr, &'static str, bool);

impl Proxy {
    /// Starts one with these policies, in front of the service `cart`.
    #[must_use]
    pub fn start(policies: &str, backends: &[&Backend]) -> Self {
        let endpoints: Vec<Endpoint> = backends.iter().map(|backend| (backend.address, "v1", true)).collect();
        Self::with_endpoints(policies, &endpoints)
    }

    /// The same with endpoints chosen.
    #[must_use]
    pub fn with_endpoints(policies: &str, endpoints: &[Endpoint]) -> Self {
        Self::with_arguments(policies, endpoints, &[])
    }

    /// The same with further arguments.
    #[must_use]
    pub fn with_arguments(policies: &str, endpoints: &[Endpoint], arguments: &[&str]) -> Self {
        let files = [("policies.yaml", policies), ("endpoints.yaml", &slices(endpoints))];
        Self::with_files(&files, &[&FILES, arguments].concat())
    }

    /// Starts one on an Envoy bootstrap.
    #[must_use]
    pub fn on_bootstrap(bootstrap: &str) -> Self {
        Self::with_files(&[("envoy.yaml", bootstrap)], &["--envoy-bootstrap", "envoy.yaml"])
    }

    /// Starts one in a folder with these files; it logs accesses and events there.
    #[must_use]
    pub fn with_files(files: &[(&str, &str)], arguments: &[&str]) -> Self {
        Self::launch(Command::new(binary()), None, files, arguments)
    }

    /// Starts one at the edge that obeys `policies.yaml` and `endpoints.yaml`, and listens so.
    #[must_use]
    pub fn at_the_edge(files: &[(&str, &str)], listens: &[&str]) -> Self {
        let edge = ["--mode", "gateway", "--labels", "istio=ingressgateway"];
        let listens = listens.iter().flat_map(|listen| ["--listen", *listen]);
        let arguments: Vec<_> = FILES.into_iter().chain(edge).chain(listens).collect();
        Self::with_files(files, &arguments)
    }

    /// Starts one whose standard error goes elsewhere.
    #[must_use]
    pub fn telling_to(stderr: fs::File, policies: &str, endpoints: &[Endpoint]) -> Self {
        let files = [("policies.yaml", policies), ("endpoints.yaml", &slices(endpoints))];
        Self::launch(Command::new(binary()), Some(stderr), &files, &FILES)
    }

    /// Starts one that may have so many descriptors.
    #[must_use]
    pub fn allowed(descriptors: u32, endpoints: &[Endpoint]) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -n {descriptors}; exec \"$0\" \"$@\"")]).arg(binary());
        Self::launch(command, None, &[("policies.yaml", ""), ("endpoints.yaml", &slices(endpoints))], &FILES)
    }

    fn launch(mut command: Command, stderr: Option<fs::File>, files: &[(&str, &str)], arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("a file");
        }
        let log = || fs::File::create(folder.path().join("log")).expect("a file");
        command.args(["proxy", "--seed", "1", "--event-log", "events.jsonl"]);
        if !arguments.contains(&"--access-log") {
            command.args(["--access-log", "access.jsonl"]);
        }
        let mut child = command
            .args(arguments)
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(stderr.unwrap_or_else(log))
            .spawn()
            .expect("the proxy starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let log = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("the proxy is not ready:\n{log}"));
        let address = |value: &Value| value.as_str().expect("an address").parse().expect("an address");
        let listeners = ready["listeners"].as_object().expect("listeners by name");
        let listeners = listeners.iter().map(|(name, at)| (name.clone(), address(at))).collect();
        Self { child, folder, listen: address(&ready["listen"]), admin: address(&ready["admin"]), listeners }
    }

    /// Where the one listener is whose name holds `part`.
    #[must_use]
    pub fn listener(&self, part: &str) -> SocketAddr {
        let mut found = self.listeners.iter().filter(|(name, _)| name.contains(part));
        match (found.next(), found.next()) {
            (Some((_, address)), None) => *address,
            _ => panic!("not one listener with {part}: {:?}", self.listeners),
        }
    }

    /// One GET to the service `cart`.
    #[must_use]
    pub fn get(&self, path: &str) -> Message {
        get(self.listen, path, "host: cart\r\n")
    }

    /// One GET with further fields, as lines.
    #[must_use]
    pub fn get_with(&self, path: &str, fields: &str) -> Message {
        get(self.listen, path, &format!("host: cart\r\n{fields}"))
    }

    /// A connection to it.
    #[must_use]
    pub fn connect(&self) -> Connection {
        Connection::to(self.listen).expect("a connection")
    }

    /// What the admin interface says.
    #[must_use]
    pub fn admin(&self, path: &str) -> Message {
        get(self.admin, path, "host: localhost\r\n")
    }

    /// Tells the admin interface something.
    #[must_use]
    pub fn post(&self, path: &str) -> Message {
        Connection::to(self.admin)
            .expect("a connection")
            .ask(&format!("POST {path} HTTP/1.1\r\nhost: localhost\r\n\r\n"))
    }

    /// The value of a metric, with `labels` as they begin; 0 if it is not there.
    #[must_use]
    pub fn metric(&self, name: &str, label: &str) -> f64 {
        let text = self.admin("/stats/prometheus").text();
        let lines = text.lines().filter(|line| line.starts_with(name) && line.contains(label));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// The same of a counter, as a whole number.
    #[must_use]
    pub fn count(&self, name: &str, label: &str) -> u64 {
        self.metric(name, label) as u64
    }

    /// Waits until the metric has come to `value`.
    pub fn until_metric(&self, name: &str, label: &str, value: f64) {
        until(&format!("{name} is {value}"), || self.metric(name, label) >= value);
    }

    /// A number by Envoy's name of it; 0 if it is not there.
    #[must_use]
    pub fn stat(&self, name: &str) -> u64 {
        let text = self.admin("/stats").text();
        let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")?.parse().ok());
        found.unwrap_or(0)
    }

    /// A file of its folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path(name)
    }

    /// The lines of its access log, once there are `number`.
    #[must_use]
    pub fn access_log(&self, number: usize) -> Vec<Value> {
        until("the access log is written", || self.access_log_now().len() >= number);
        self.access_log_now()
    }

    /// The lines of its access log so far.
    #[must_use]
    pub fn access_log_now(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path("access.jsonl")).unwrap_or_default();
        text.lines().map_while(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Moves the access log away, as a rotation does.
    pub fn move_access_log(&self) {
        fs::rename(self.path("access.jsonl"), self.path("access.jsonl.1")).expect("a rename");
    }

    /// Writes the policies anew, as an editor would.
    pub fn write_policies(&self, text: &str) {
        fs::write(self.path("new"), text).expect("a file");
        fs::rename(self.path("new"), self.path("policies.yaml")).expect("a rename");
    }

    /// Writes the endpoints anew.
    pub fn write_endpoints(&self, endpoints: &[Endpoint]) {
        fs::write(self.path("new"), slices(endpoints)).expect("a file");
        fs::rename(self.path("new"), self.path("endpoints.yaml")).expect("a rename");
    }

    /// What it wrote to standard error.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).expect("the proxy lives");
    }

    /// Memory that it holds now, bytes.
    #[must_use]
    pub fn resident(&self) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/statm", self.child.id())).expect("the proxy lives");
        text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("a number of pages") * 4096
    }

    /// Descriptors that it has open now.
    #[must_use]
    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("the proxy lives").count()
    }

    /// Id of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end.
    #[must_use]
    pub fn ended(&mut self) -> ExitStatus {
        self.child.wait().expect("the proxy was started here")
    }

    /// The folder with `policies.yaml` and `endpoints.yaml`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn slices(endpoints: &[Endpoint]) -> String {
    let slice = |(number, (address, version, ready)): (usize, &Endpoint)| {
        format!(
            "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {{name: cart-{number}, labels: {{kubernetes.io/service-name: cart, version: {version}}}}}\n\
             addressType: IPv4\nports: [{{port: {}}}]\nendpoints: [{{addresses: [{}], conditions: {{ready: {ready}}}}}]\n",
            address.port(),
            address.ip()
        )
    };
    endpoints.iter().enumerate().map(slice).collect()
}

/// One endpoint of `cart` on loopback, its port with this name; empty is none.
#[must_use]
pub fn slice(name: &str, port: u16) -> String {
    let name = if name.is_empty() { String::new() } else { format!("name: {name}, ") };
    format!(
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {{name: cart-1, labels: {{kubernetes.io/service-name: cart}}}}\naddressType: IPv4\nports: [{{{name}port: {port}}}]\nendpoints: [{{addresses: [127.0.0.1]}}]\n"
    )
}

/// A `VirtualService` for `cart` whose `http` is these lines, indented as YAML needs them.
#[must_use]
pub fn routes(http: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: cart}}\nspec:\n  hosts: [cart]\n  http:\n{http}\n"
    )
}

/// A `DestinationRule` for `cart` with this traffic policy, in flow style.
#[must_use]
pub fn rule(traffic_policy: &str) -> String {
    format!(
        "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: cart}}\nspec: {{host: cart, trafficPolicy: {traffic_policy}}}\n"
    )
}
