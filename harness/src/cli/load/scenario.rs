//! What is asked on the command line, as the scenario that it is.

use crate::cli::said;
use crate::scenario::{self, resolved::Scenario};
use crate::units::{ByteRate, Bytes, Rate, TimeSpan};
use http::Uri;
use serde_json::{Map, Value, json};
use squall_yaml::Source;
use std::path::PathBuf;

/// Connections of a closed load where nobody says how many.
const CLOSED_CONNECTIONS: u32 = 50;

/// Whom to ask what, how often, and what must hold.
#[derive(Debug, clap::Args)]
pub(super) struct Asked {
    /// Whom to ask: http:// or https://
    #[arg(value_name = "URL", required = true)]
    url: Option<Uri>,

    #[command(flatten)]
    how: How,

    /// What must hold, else exit 99: 'p99<=20ms', 'success>=99.9%', 'lost==0'; may be repeated
    #[arg(long, value_name = "LIMIT")]
    expect: Vec<Limit>,
}

/// What to ask, and how often.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct How {
    /// Requests a second, sent whether or not earlier ones have been answered: 500/s
    #[arg(long, value_name = "RATE", conflicts_with_all = ["profile", "closed"])]
    rate: Option<Rate>,

    /// A rate that changes, as in a scenario: 'ramp: {from: 100/s, to: 900/s, over: 30s}', 'poisson: 500/s'
    #[arg(long, value_name = "PROFILE", conflicts_with = "closed")]
    profile: Option<String>,

    /// Each connection asks again as soon as it is answered: shows how much is served, never how late
    #[arg(long)]
    closed: bool,

    /// How long
    #[arg(long = "for", value_name = "TIME", default_value = "10s")]
    lasting: TimeSpan,

    /// Before anything is counted
    #[arg(long, value_name = "TIME", default_value = "1s")]
    warm_up: TimeSpan,

    /// Connections: 64 (always open), up-to:200 (as many as are needed) or each (a new one for each request)
    #[arg(long, short, value_name = "N")]
    connections: Option<Connections>,

    /// HTTP/2, by prior knowledge or agreed on in TLS
    #[arg(long, conflicts_with = "grpc")]
    http2: bool,

    /// A unary call of gRPC: the path is /package.Service/Method, the body one message
    #[arg(long)]
    grpc: bool,

    /// Requests that a connection of HTTP/2 carries at once
    #[arg(long, value_name = "N")]
    streams: Option<u32>,

    /// Method; GET, or POST with a body
    #[arg(long, short = 'X', value_name = "METHOD")]
    method: Option<String>,

    /// A field of each request, `name: value`; may be repeated
    #[arg(long, short = 'H', value_name = "FIELD")]
    header: Vec<Field>,

    /// Body: text, @FILE, or so many bytes as size:1KB
    #[arg(long, short = 'd', value_name = "BODY")]
    body: Option<Body>,

    /// Bytes of each request that are sent a second: slow clients, over HTTP/1.1
    #[arg(long, value_name = "RATE", conflicts_with_all = ["http2", "grpc"])]
    speed: Option<ByteRate>,

    /// After this a request is lost
    #[arg(long, value_name = "TIME", default_value = "5s")]
    time_out: TimeSpan,

    /// Statuses that are no loss: 200-399, 404; may be repeated
    #[arg(long, value_name = "STATUS")]
    accept: Vec<String>,

    /// What each answer's body must hold
    #[arg(long, value_name = "TEXT")]
    body_contains: Option<String>,

    /// Hosts, addresses or networks that may be loaded although they are not this machine; may be repeated
    #[arg(long, value_name = "HOST")]
    allow: Vec<String>,

    /// Trust any certificate
    #[arg(long, conflicts_with = "cacert")]
    insecure: bool,

    /// PEM file with the authorities to trust
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,

    /// PEM file with a certificate chain of our own
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,

    /// PEM file with its key
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
}

/// `--connections`.
#[derive(Debug, Clone, Copy)]
enum Connections {
    Fixed(u32),
    UpTo(u32),
    Each,
}

impl std::str::FromStr for Connections {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse().ok().filter(|number| *number > 0);
        match text.strip_prefix("up-to:") {
            _ if text == "each" => Some(Self::Each),
            Some(most) => number(most).map(Self::UpTo),
            None => number(text).map(Self::Fixed),
        }
        .ok_or_else(|| "expected a number such as 64, up-to:200, or each".to_owned())
    }
}

/// `--header`.
#[derive(Debug, Clone)]
struct Field(String, String);

impl std::str::FromStr for Field {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once(':').ok_or("expected `name: value`")?;
        Ok(Self(name.trim().to_owned(), value.trim().to_owned()))
    }
}

/// `--body`.
#[derive(Debug, Clone)]
enum Body {
    Text(String),
    File(String),
    Size(Bytes),
}

impl std::str::FromStr for Body {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match (text.strip_prefix('@'), text.strip_prefix("size:")) {
            (Some(file), _) => Self::File(file.to_owned()),
            (_, Some(size)) => Self::Size(size.parse::<Bytes>().map_err(|error| error.to_string())?),
            _ => Self::Text(text.to_owned()),
        })
    }
}

/// `--expect`: a metric and its limit.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Limit(String, String);

impl std::str::FromStr for Limit {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let at = ["<=", ">=", "=="].iter().filter_map(|sign| text.find(sign)).min();
        let (metric, limit) = text.split_at(at.ok_or("expected a limit such as 'p99<=20ms' or 'success>=99.9%'")?);
        let (sign, quantity) = limit.split_at(2);
        Ok(Self(metric.trim().to_owned(), format!("{sign} {}", quantity.trim())))
    }
}

impl Asked {
    /// As the text of a scenario file, or why the command line makes none.
    pub(super) fn scenario(&self) -> Result<String, String> {
        let url = self.url.as_ref().ok_or("whom to ask? Say a URL such as http://127.0.0.1:8080/")?;
        self.how.scenario(url, &self.expect)
    }
}

impl How {
    /// True if it is said how often; scenarios say so themselves.
    pub(in crate::cli) fn is_said(&self) -> bool {
        self.rate.is_some() || self.profile.is_some() || self.closed
    }

    /// As the text of a scenario file that asks `url`, or why the command line makes none.
    pub(in crate::cli) fn scenario(&self, url: &Uri, expect: &[Limit]) -> Result<String, String> {
        let tls = match url.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(format!("`{url}` is no URL: expected one such as http://127.0.0.1:8080/")),
        };
        let host = url.host().filter(|host| !host.is_empty()).ok_or("the URL names no host")?;
        let port = url.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let mut flow = Map::new();
        flow.insert("to".to_owned(), json!("target"));
        flow.insert("host".to_owned(), json!(url.authority().map_or(host, http::uri::Authority::as_str)));
        self.pace(&mut flow)?;
        self.protocol(&mut flow, tls);
        flow.insert("request".to_owned(), self.request(url));
        flow.insert("time-out".to_owned(), json!(self.time_out.to_string()));
        if !self.accept.is_empty() || self.body_contains.is_some() {
            let status: Vec<Value> =
                self.accept.iter().map(|one| one.parse::<u16>().map_or(json!(one), Value::from)).collect();
            let mut accept = Map::new();
            if !status.is_empty() {
                accept.insert("status".to_owned(), json!(status));
            }
            accept.extend(self.body_contains.iter().map(|text| ("body-contains".to_owned(), json!(text))));
            flow.insert("accept".to_owned(), json!(accept));
        }
        let limits: Map<String, Value> = expect.iter().map(|limit| (limit.0.clone(), json!(limit.1))).collect();
        let scenario = json!({
            "scenario": format!("load on {url}"),
            "allow": self.allow,
            "topology": {"services": [{"name": "target", "at": [format!("{host}:{port}")]}]},
            "mesh": {"mode": "none"},
            "load": flow,
            "timeline": [
                {"phase": "warm-up", "for": self.warm_up.to_string()},
                {"phase": "load", "for": self.lasting.to_string()},
            ],
            "expect": {"load": limits},
        });
        serde_json::to_string_pretty(&scenario).map_err(|error| error.to_string())
    }

    fn pace(&self, flow: &mut Map<String, Value>) -> Result<(), String> {
        let connections = match (self.connections, self.closed) {
            (None, true) => Some(Connections::Fixed(CLOSED_CONNECTIONS)),
            (Some(Connections::UpTo(_) | Connections::Each), true) => {
                return Err("a closed load has a number of connections: --connections 64".to_owned());
            }
            (connections, _) => connections,
        };
        match (self.rate, &self.profile, self.closed, connections) {
            (_, _, true, Some(Connections::Fixed(number))) => {
                flow.insert("closed".to_owned(), json!({"connections": number}));
                return Ok(());
            }
            (Some(rate), ..) => flow.insert("rate".to_owned(), json!(rate.to_string())),
            (None, Some(profile), ..) => flow.insert("profile".to_owned(), profile_of(profile)?),
            (None, None, ..) => {
                return Err(
                    "how often? Say --rate 500/s, --profile 'ramp: {from: 1/s, to: 500/s, over: 10s}', or --closed"
                        .to_owned(),
                );
            }
        };
        let written = connections.map(|connections| match connections {
            Connections::Fixed(number) => json!(number),
            Connections::UpTo(most) => json!({"up-to": most}),
            Connections::Each => json!("each"),
        });
        flow.extend(written.map(|written| ("connections".to_owned(), written)));
        Ok(())
    }

    fn protocol(&self, flow: &mut Map<String, Value>, tls: bool) {
        let spoken = match (self.http2, self.grpc) {
            (_, true) => "grpc",
            (true, false) => "http2",
            (false, false) => "http1",
        };
        flow.insert("protocol".to_owned(), json!(spoken));
        flow.extend(self.streams.map(|streams| ("streams".to_owned(), json!(streams))));
        if tls {
            let mut tls = Map::new();
            let files = [("ca", &self.cacert), ("cert", &self.cert), ("key", &self.key)];
            let files = files.into_iter().filter_map(|(key, file)| Some((key.to_owned(), json!(file.as_ref()?))));
            tls.extend(files);
            tls.extend(self.insecure.then(|| ("insecure".to_owned(), json!(true))));
            flow.insert("tls".to_owned(), json!(tls));
        }
    }

    fn request(&self, url: &Uri) -> Value {
        let mut request = Map::new();
        request.insert("path".to_owned(), json!(url.path_and_query().map_or("/", |path| path.as_str())));
        let method = self.method.clone().or_else(|| self.body.as_ref().map(|_| "POST".to_owned()));
        request.extend(method.map(|method| ("method".to_owned(), json!(method))));
        let headers: Map<String, Value> = self.header.iter().map(|field| (field.0.clone(), json!(field.1))).collect();
        if !headers.is_empty() {
            request.insert("headers".to_owned(), json!(headers));
        }
        let body = self.body.as_ref().map(|body| match body {
            Body::Text(text) => json!({"text": text}),
            Body::File(file) => json!({"file": file}),
            Body::Size(size) => json!(size.to_string()),
        });
        request.extend(body.map(|body| ("body".to_owned(), body)));
        request.extend(self.speed.map(|speed| ("speed".to_owned(), json!(speed.to_string()))));
        json!(request)
    }
}

/// A profile is written as in a scenario, where it is a map of one key.
fn profile_of(text: &str) -> Result<Value, String> {
    let text = if text.trim_start().starts_with('{') { text.to_owned() } else { format!("{{{text}}}") };
    let read = squall_yaml::parse(&Source { path: "--profile".into(), text: text.clone() });
    let document = read.ok().and_then(|documents| documents.into_iter().next());
    document
        .and_then(|document| Some(document.read::<Value>().ok()?.value))
        .ok_or_else(|| format!("--profile `{text}` is none: expected one such as 'poisson: 500/s'"))
}

/// The scenario, or everything that is wrong with what was asked.
pub(in crate::cli) fn read(text: &str) -> Result<Scenario, Vec<String>> {
    let (mut scenarios, findings) =
        scenario::of_text(&Source { path: "the command line".into(), text: text.to_owned() });
    match scenarios.pop() {
        Some(scenario) => Ok(scenario),
        None => Err(findings.into_iter().map(said).collect()),
    }
}
