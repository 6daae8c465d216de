//! `Gateway`.

mod tls;

use super::whole_host::check_server_host;
use crate::config::kinds;
use crate::config::names::is_label;
use crate::config::object::Object;
use crate::config::objects::{AppProtocol, Gateway, GatewayServer};
use crate::config::pairs::Pairs;
use crate::config::problems::Problems;
use serde::Deserialize;
use squall_yaml::{Document, Keyed, Spanned};
use std::collections::HashSet;
use tls::ServerTls;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    #[serde(default)]
    selector: Pairs<String>,
    #[serde(default)]
    servers: Vec<Spanned<WrittenServer>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenServer {
    port: Spanned<WrittenPort>,
    #[serde(default)]
    hosts: Vec<Spanned<String>>,
    tls: Option<Keyed<ServerTls>>,
    #[serde(rename = "name")]
    _name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenPort {
    number: crate::config::number::Port,
    name: Spanned<String>,
    protocol: Spanned<String>,
    target_port: Option<Keyed<u32>>,
}

/// Reads one.
pub(in crate::config) fn gateway(document: &Document, problems: &mut Problems<'_>) -> Option<Gateway> {
    let Object { metadata, spec } = problems.read::<Object<Spec>>(document, &kinds::GATEWAY)?;
    metadata.check(document, problems);
    if !metadata.name.is_empty() && !is_label(&metadata.name) {
        let message = format!("`{}` can be no name of a gateway", metadata.name);
        problems.error(document.place(), message, "letters, digits and dashes inside");
    }
    if spec.servers.is_empty() {
        problems.error(document.place(), "a gateway needs a server", "add one under `servers`");
    }
    let mut names = HashSet::new();
    for server in &spec.servers {
        let name = &server.value.port.value.name;
        if !names.insert(&name.value) {
            problems.error(
                name.place,
                format!("the port name `{}` stands here twice", name.value),
                "give each its own",
            );
        }
    }
    Some(Gateway {
        namespace: metadata.namespace(),
        selector: spec.selector.0.iter().map(|(key, value)| (key.value.clone(), value.clone())).collect(),
        servers: spec.servers.iter().filter_map(|written| server(written, problems)).collect(),
        origin: problems.origin(document.place()),
        name: metadata.name,
    })
}

/// What is spoken at a port, by the words of Istio; nothing for other words.
pub(super) fn protocol(word: &str) -> Option<AppProtocol> {
    match word.to_ascii_lowercase().as_str() {
        "http_proxy" => Some(AppProtocol::Http),
        "http1" | "kubernetes.io/ws" | "kubernetes.io/h2c" => None,
        other => AppProtocol::of_word(other),
    }
}

fn server(written: &Spanned<WrittenServer>, problems: &mut Problems<'_>) -> Option<GatewayServer> {
    let WrittenServer { port: Spanned { value: port, .. }, hosts, tls, .. } = &written.value;
    if hosts.is_empty() {
        problems.error(written.place, "a server needs a host", "add `hosts: ['*']`, or the names it is for");
    }
    for host in hosts {
        check_server_host(host, problems);
    }
    if port.name.value.is_empty() {
        problems.error(port.name.place, "a port of a gateway needs a name", "as in `name: http`");
    }
    if let Some(target) = port.target_port.filter(|target| target.value > 0) {
        problems.error(target.key, "`targetPort` does nothing at a gateway", "take it out");
    }
    let Some(spoken) = protocol(&port.protocol.value) else {
        let help = "HTTP, HTTP2, GRPC, GRPC-WEB, HTTPS, TLS, MONGO, REDIS, MYSQL or TCP";
        problems.error(port.protocol.place, format!("`{}` is no protocol of a gateway", port.protocol.value), help);
        return None;
    };
    let server = GatewayServer {
        port: port.number.0,
        port_name: port.name.value.clone(),
        protocol: spoken,
        hosts: hosts.iter().map(|host| host.value.to_ascii_lowercase()).collect(),
        origin: problems.origin(written.place),
        ..GatewayServer::default()
    };
    let Some(tls) = tls else {
        if spoken == AppProtocol::Tls {
            let help = "add `tls:` with its `mode` and certificates";
            problems.error(port.protocol.place, format!("a port of {} needs `tls`", port.protocol.value), help);
        }
        return Some(server);
    };
    tls::with_tls(server, &port.protocol.value, tls, problems)
}
