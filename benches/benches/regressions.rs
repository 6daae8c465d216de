//! Does `squall compare` find a slowdown of known size, and nothing where there is none?
//!
//! Two services of ours that take 20 ms and 22 ms, and two that take 20 ms, each pair compared so many times: a slowdown of a tenth must be
//! found in nine of ten, and equal services may be told apart in one of ten. The same of processor time, 500 us a request and 550. Then what a real Envoy in front of a service costs, twice: the
//! second comparison must find what the first found, within what each says of its own noise.
//!
//! `cargo bench -p squall-benches --bench regressions -- [TRIES] [slowdown|work|envoy]...`

use squall::service::options::{Latency, Responds};
use squall_tests::bootstrap::Bootstrap;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What each comparison is asked to do: eight blocks of three measurements of a second and a half.
const HOW: [&str; 8] = ["--rate", "200/s", "--for", "1s", "--warm-up", "500ms", "--blocks", "8"];

/// The same of Envoy: enough requests for a 99th percentile.
const OF_ENVOY: [&str; 8] = ["--rate", "1000/s", "--for", "2s", "--warm-up", "500ms", "--blocks", "8"];

/// What can be asked for by name.
const PARTS: [&str; 3] = ["slowdown", "work", "envoy"];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` only asks whether it runs.
    if arguments.iter().any(|argument| argument == "--test") {
        return Ok(());
    }
    let tries: u32 = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(10);
    let asked: Vec<&str> = arguments.iter().map(String::as_str).filter(|one| PARTS.contains(one)).collect();
    let wants = |part: &str| asked.is_empty() || asked.contains(&part);
    if wants("slowdown") {
        slowdown(tries)?;
    }
    if wants("work") {
        work(tries)?;
    }
    if wants("envoy") {
        envoy()?;
    }
    Ok(())
}

/// How often a slowdown of a tenth is found, and how often one is that is not there.
fn slowdown(tries: u32) -> Result<(), Box<dyn Error>> {
    let services = [Service::start(20)?, Service::start(20)?, Service::start(22)?];
    for (name, other, wanted) in [("20 ms against 20 ms", 1, "no difference"), ("20 ms against 22 ms", 2, "worse")] {
        let mut worse = 0;
        for number in 1..=tries {
            let told = compare(&services[0].url, &services[other].url)?;
            worse += u32::from(told.worse);
            println!("{name}, {number}: {}", told.sentence);
        }
        println!("| {name} | worse in {worse} of {tries} | wanted: {wanted} |");
    }
    Ok(())
}

/// The same of processor time: a tenth more work for each request.
fn work(tries: u32) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let scenario = |name: &str, micros: u32| -> Result<String, Box<dyn Error>> {
        let path = folder.path().join(name);
        let text = format!(
            "scenario: {micros} us of work\n\
             mesh: {{mode: none}}\n\
             topology: {{services: [{{name: cart, responds: {{latency: 0ms, cpu: {micros}us}}}}]}}\n\
             load: {{to: cart, rate: 400/s}}\n\
             timeline: [{{phase: warm-up, for: 500ms}}, {{phase: all, for: 1500ms}}]\n\
             expect: {{all: {{success: \">= 90%\"}}}}\n"
        );
        std::fs::write(&path, text)?;
        Ok(path.display().to_string())
    };
    let files = [scenario("a.yaml", 500)?, scenario("same.yaml", 500)?, scenario("more.yaml", 550)?];
    for (name, other, wanted) in [("500 us against 500 us", 1, "no difference"), ("500 us against 550 us", 2, "worse")]
    {
        let mut found = 0;
        for number in 1..=tries {
            let output = Command::new(squall_tests::binary())
                .args(["compare", &files[0], &files[other], "--blocks", "8", "--json"])
                .output()?;
            let told: serde_json::Value = serde_json::from_slice(&output.stdout)
                .map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?;
            let figures = told["figures"].as_array().ok_or("no figures")?;
            let cpu = figures.iter().find(|one| one["figure"] == "cpu-of-services").ok_or("no processor time")?;
            found += u32::from(cpu["verdict"] == "worse");
            println!("{name}, {number}: {} by {}, {}", cpu["b"], cpu["a"], cpu["verdict"]);
        }
        println!("| {name} of work | worse in {found} of {tries} | wanted: {wanted} |");
    }
    Ok(())
}

/// What Envoy adds, found twice.
fn envoy() -> Result<(), Box<dyn Error>> {
    let service = Service::start(0)?;
    let endpoint: SocketAddr = service.url.trim_start_matches("http://").trim_end_matches('/').parse()?;
    let listen = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let text = Bootstrap::default().text(&[endpoint]);
    let at = format!("name: in, address: {{socket_address: {{address: 127.0.0.1, port_value: {}}}}}", listen.port());
    let text = text.replace("name: in, address: {socket_address: {address: 127.0.0.1, port_value: 0}}", &at);
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("envoy.yaml");
    std::fs::write(&file, text)?;
    let binary = squall_tests::envoy::binary().ok_or("no Envoy: run tests/envoy/setup")?;
    let process = Command::new(binary)
        .arg("-c")
        .arg(&file)
        .args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "error"])
        .spawn()?;
    let via = Service { process, url: format!("http://{listen}/") };
    squall_tests::until("Envoy takes connections", || TcpStream::connect(listen).is_ok());
    let mut found = Vec::new();
    println!("| Envoy in front of a service, by the service itself | p50 | p99 |\n|---|---|---|");
    for number in 1..=2 {
        let output = Command::new(squall_tests::binary())
            .args(["compare", &service.url, &via.url, "--json"])
            .args(OF_ENVOY)
            .output()?;
        let told: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let of = |name: &str| -> Option<[f64; 4]> {
            let figure = told["figures"].as_array()?.iter().find(|figure| figure["figure"] == name)?;
            let number = |value: &serde_json::Value| value.as_f64();
            Some([
                number(&figure["ratio"])?,
                number(&figure["interval"][0]).or_else(|| number(&figure["interval"]["low"]))?,
                number(&figure["interval"][1]).or_else(|| number(&figure["interval"]["high"]))?,
                number(&figure["floor"])?,
            ])
        };
        let (p50, p99) = of("p50").zip(of("p99")).ok_or_else(|| format!("no figures: {told}"))?;
        let cell = |[ratio, low, high, floor]: [f64; 4]| {
            format!("{ratio:.2} ({low:.2} to {high:.2}), by itself within {:.0} %", floor * 100.0)
        };
        println!("| comparison {number} | {} | {} |", cell(p50), cell(p99));
        found.push([p50, p99]);
    }
    for (name, figure) in ["p50", "p99"].into_iter().zip(0..) {
        let ([one, .., floor], [other, .., noise]) = (found[0][figure], found[1][figure]);
        let (apart, room) = ((one / other).ln().abs(), (1.0 + floor).ln() + (1.0 + noise).ln());
        let said = if apart <= room { "found again" } else { "NOT found again" };
        println!(
            "{name}: {said}; the two lie {:.1} % apart, {:.1} % are noise",
            apart.exp_m1() * 100.0,
            room.exp_m1() * 100.0
        );
    }
    Ok(())
}

/// A service of ours.
struct Service {
    process: Child,
    url: String,
}

impl Service {
    /// One that takes so many milliseconds for each request.
    fn start(millis: u32) -> Result<Self, Box<dyn Error>> {
        let responds =
            Responds { latency: Latency::Fixed(Duration::from_millis(millis.into())), ..Responds::default() };
        let mut process = Command::new(squall_tests::binary())
            .args(["service", "--responds", &serde_json::to_string(&responds)?])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("a pipe is missing")?).read_line(&mut line)?;
        let told: serde_json::Value = serde_json::from_str(&line)?;
        let address = told["listen"].as_str().ok_or("it says no address")?;
        Ok(Self { process, url: format!("http://{address}/") })
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a comparison has said.
struct Told {
    worse: bool,
    sentence: String,
}

fn compare(a: &str, b: &str) -> Result<Told, Box<dyn Error>> {
    let output = Command::new(squall_tests::binary()).args(["compare", a, b]).args(HOW).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let sentence = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().to_owned();
    match output.status.code() {
        Some(0) => Ok(Told { worse: false, sentence }),
        Some(99) => Ok(Told { worse: true, sentence }),
        code => Err(format!("{code:?}: {}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}
