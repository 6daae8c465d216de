//! `Gateway`.

use super::whole_host::check_server_host;
use crate::config::kinds;
use crate::config::names::is_label;
use crate::config::object::Object;
use crate::config::objects::{AppProtocol, Gateway, GatewayServer};
use crate::config::pairs::Pairs;
use crate::config::problems::Problems;
use crate::policy::Certificate;
use serde::Deserialize;
use squall_yaml::{Document, Keyed, Spanned};
use std::collections::HashSet;

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

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ServerTls {
    #[serde(default)]
    https_redirect: bool,
    mode: Option<Spanned<Mode>>,
    #[serde(default)]
    server_certificate: String,
    #[serde(default)]
    private_key: String,
    #[serde(default)]
    ca_certificates: String,
    credential_name: Option<Keyed<String>>,
    credential_names: Option<Keyed<Vec<String>>>,
    #[serde(default)]
    tls_certificates: Vec<Spanned<WrittenCertificate>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenCertificate {
    #[serde(default)]
    server_certificate: String,
    #[serde(default)]
    private_key: String,
    ca_certificates: Option<Keyed<String>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Mode {
    #[default]
    Passthrough,
    Simple,
    Mutual,
    OptionalMutual,
    AutoPassthrough,
    IstioMutual,
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
    with_tls(server, &port.protocol.value, tls, problems)
}

fn with_tls(
    server: GatewayServer,
    protocol: &str,
    tls: &Keyed<ServerTls>,
    problems: &mut Problems<'_>,
) -> Option<GatewayServer> {
    let mode = tls.value.mode.map_or(Mode::default(), |mode| mode.value);
    let passes = matches!(mode, Mode::Passthrough | Mode::AutoPassthrough);
    let files = [&tls.value.server_certificate, &tls.value.private_key, &tls.value.ca_certificates];
    if server.protocol != AppProtocol::Tls {
        let nothing_but_redirect = passes && files.iter().all(|file| file.is_empty());
        if !server.protocol.is_http() || !nothing_but_redirect {
            let help = "only `httpsRedirect` on HTTP; for TLS say `protocol: HTTPS`";
            problems.error(tls.key, format!("a port of {protocol} has no TLS"), help);
        }
        return Some(GatewayServer { https_redirect: tls.value.https_redirect, ..server });
    }
    if tls.value.https_redirect {
        problems.warning(tls.key, "`httpsRedirect` is for ports of HTTP", "put it on another server, of port 80");
    }
    if matches!(mode, Mode::IstioMutual | Mode::AutoPassthrough) {
        let place = tls.value.mode.map_or(tls.key, |mode| mode.place);
        let name = if mode == Mode::IstioMutual { "ISTIO_MUTUAL" } else { "AUTO_PASSTHROUGH" };
        problems.unsupported_value(place, name.len(), "spec.servers.tls.mode", &name);
        return None;
    }
    if passes {
        if files.iter().any(|file| !file.is_empty()) || !tls.value.tls_certificates.is_empty() {
            problems.warning(tls.key, "TLS that is passed through needs no certificates: they are ignored", "");
        }
        return Some(GatewayServer { passthrough: true, ..server });
    }
    let certificates = certificates(tls, problems)?;
    let client_ca = Some(&tls.value.ca_certificates).filter(|path| !path.is_empty());
    if client_ca.is_none() && mode != Mode::Simple {
        problems.error(
            tls.key,
            "`mode: MUTUAL` needs who may have signed clients' certificates",
            "add `caCertificates`",
        );
    }
    Some(GatewayServer {
        terminates_tls: true,
        // What is spoken once TLS is ended.
        protocol: if protocol.eq_ignore_ascii_case("https") { AppProtocol::Http } else { AppProtocol::Tcp },
        certificates,
        client_ca: client_ca.filter(|_| mode != Mode::Simple).map(|path| problems.beside(path)),
        require_client: mode == Mode::Mutual,
        ..server
    })
}

/// The certificates of one source; none where it is one that only a cluster has.
fn certificates(tls: &Keyed<ServerTls>, problems: &mut Problems<'_>) -> Option<Vec<Certificate>> {
    let ServerTls { server_certificate, private_key, credential_name, credential_names, tls_certificates, .. } =
        &tls.value;
    let one = credential_name.as_ref().filter(|name| !name.value.is_empty()).map(|name| name.key);
    let several = credential_names.as_ref().filter(|names| !names.value.is_empty()).map(|names| names.key);
    let by_files = !server_certificate.is_empty() && !private_key.is_empty();
    let sources = [one.is_some(), several.is_some(), by_files, !tls_certificates.is_empty()];
    if sources.into_iter().filter(|there| *there).count() > 1 {
        let message = "only one of `credentialName`, `credentialNames`, `serverCertificate` and `tlsCertificates`";
        problems.error(tls.key, message, "take the others out");
    }
    if let Some((key, name)) = one.map(|key| (key, "credentialName")).or(several.map(|key| (key, "credentialNames"))) {
        problems.unsupported(key, name.len(), &format!("Gateway.spec.servers.tls.{name}"));
        return None;
    }
    let mut pairs = vec![(tls.key, server_certificate, private_key)];
    if !tls_certificates.is_empty() {
        pairs = tls_certificates
            .iter()
            .map(|written| (written.place, &written.value.server_certificate, &written.value.private_key))
            .collect();
    }
    for authorities in tls_certificates.iter().filter_map(|written| written.value.ca_certificates.as_ref()) {
        problems.warning(
            authorities.key,
            "authorities of a single certificate are ignored",
            "write `caCertificates` beside them",
        );
    }
    let mut certificates = Vec::new();
    for (place, chain, key) in pairs {
        if chain.is_empty() || key.is_empty() {
            problems.error(place, "a certificate and its key are missing", "add `serverCertificate` and `privateKey`");
            continue;
        }
        certificates.push(Certificate { chain: problems.beside(chain), key: problems.beside(key) });
    }
    Some(certificates)
}
