//! `Gateway`.

use crate::config::kinds;
use crate::config::names::{check_host, is_label};
use crate::config::number::Port;
use crate::config::object::Object;
use crate::config::objects::{AppProtocol, Gateway, GatewayServer};
use crate::config::problems::Problems;
use serde::Deserialize;
use squall_yaml::{Document, Keyed, Spanned};
use std::collections::{BTreeMap, HashSet};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    /// Which controller it is for; here there is one.
    #[serde(rename = "gatewayClassName")]
    _class: String,
    #[serde(default)]
    listeners: Vec<Spanned<Listener>>,
    #[serde(default)]
    infrastructure: Infrastructure,
}

/// Labels and annotations of what a cluster runs for it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Infrastructure {
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default, rename = "annotations")]
    _annotations: BTreeMap<String, String>,
    #[serde(rename = "parametersRef")]
    _parameters: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Listener {
    name: Spanned<String>,
    hostname: Option<Spanned<String>>,
    port: Port,
    protocol: Spanned<String>,
    tls: Option<Keyed<Tls>>,
    #[serde(default)]
    allowed_routes: AllowedRoutes,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tls {
    mode: Option<Spanned<TlsMode>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum TlsMode {
    Terminate,
    Passthrough,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct AllowedRoutes {
    #[serde(default)]
    namespaces: Namespaces,
    /// Which kinds of routes; those that are read are allowed anyway by the protocol.
    #[serde(rename = "kinds")]
    _kinds: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Namespaces {
    #[serde(default)]
    from: From,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
enum From {
    All,
    #[default]
    Same,
    Selector,
    None,
}

/// The label by which Istio finds the proxies of such a gateway.
const NAME_LABEL: &str = "gateway.networking.k8s.io/gateway-name";

/// Reads one.
pub(in crate::config) fn gateway(document: &Document, problems: &mut Problems<'_>) -> Option<Gateway> {
    let Object { metadata, spec } = problems.read::<Object<Spec>>(document, &kinds::API_GATEWAY)?;
    metadata.check(document, problems);
    let namespace = metadata.namespace();
    if spec.listeners.is_empty() {
        problems.error(document.place(), "a gateway needs a listener", "add one under `listeners`");
    }
    let mut names = HashSet::new();
    for listener in &spec.listeners {
        let name = &listener.value.name;
        if !name.value.split('.').all(is_label) {
            let message = format!("`{}` can be no name of a listener", name.value);
            problems.error(name.place, message, "letters, digits and dashes inside");
        } else if !names.insert(&name.value) {
            problems.error(name.place, format!("the name `{}` stands here twice", name.value), "give each its own");
        }
    }
    let mut selector = spec.infrastructure.labels;
    selector.insert(NAME_LABEL.to_owned(), metadata.name.clone());
    Some(Gateway {
        servers: spec.listeners.iter().filter_map(|one| server(one, &namespace, problems)).collect(),
        selector,
        origin: problems.origin(document.place()),
        name: metadata.name,
        namespace,
    })
}

fn server(written: &Spanned<Listener>, namespace: &str, problems: &mut Problems<'_>) -> Option<GatewayServer> {
    let Listener { name, hostname, port, protocol, tls, allowed_routes } = &written.value;
    if let Some(hostname) = hostname
        && let Err(bad) = check_host(&hostname.value)
    {
        problems.error(hostname.place, bad, "a name, or `*.suffix`; leave it out for all");
    }
    let mode = tls.as_ref().and_then(|tls| tls.value.mode);
    let passthrough = mode.is_some_and(|mode| mode.value == TlsMode::Passthrough);
    let spoken = match protocol.value.as_str() {
        "HTTP" => AppProtocol::Http,
        "TCP" => AppProtocol::Tcp,
        "HTTPS" | "TLS" if passthrough => AppProtocol::Tls,
        // Certificates are Secrets, which only a cluster has; the others are no streams of bytes, or a mesh's own.
        "HTTPS" | "TLS" | "UDP" | "HBONE" => {
            let field = "spec.listeners.protocol";
            problems.unsupported_value(protocol.place, protocol.value.len(), field, &protocol.value);
            return None;
        }
        other => {
            problems.error(
                protocol.place,
                format!("`{other}` is no protocol of a listener"),
                "HTTP, TCP, or TLS that is passed through",
            );
            return None;
        }
    };
    if let Some(tls) = tls.as_ref().filter(|_| spoken != AppProtocol::Tls) {
        problems.error(tls.key, format!("a listener of {} has no TLS", protocol.value), "say `protocol: TLS`");
    }
    let from = match allowed_routes.namespaces.from {
        From::All => "*",
        From::Same => namespace,
        // By labels of namespaces, which are not known here; the field is told.
        From::Selector | From::None => "~",
    };
    let host = hostname.as_ref().map_or("*", |hostname| &hostname.value).to_ascii_lowercase();
    Some(GatewayServer {
        port: port.0,
        port_name: name.value.clone(),
        protocol: spoken,
        passthrough,
        hosts: vec![format!("{from}/{host}")],
        origin: problems.origin(written.place),
        ..GatewayServer::default()
    })
}
