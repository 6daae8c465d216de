//! Services, where they are, and where strangers come in.

use crate::policy::{Certificate, EndpointHealth, Origin, Place, TlsVersions};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A Kubernetes Service: a host and its ports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its ports.
    pub ports: Vec<ServicePort>,
    /// It has no address of its own.
    pub headless: bool,
    /// Namespaces that see it.
    pub export_to: Vec<String>,
    /// Labels, among them the canonical name.
    pub labels: BTreeMap<String, String>,
    /// Where it stands.
    pub origin: Origin,
}

/// A port of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServicePort {
    /// Its number.
    pub number: u16,
    /// Its name, possibly empty.
    pub name: String,
    /// What is spoken there.
    pub protocol: AppProtocol,
}

/// What is spoken at a port: by `appProtocol`, else by the port's name up to its first dash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AppProtocol {
    /// Nobody says: found out from the first bytes.
    #[default]
    Sniffed,
    /// HTTP/1.1.
    Http,
    /// HTTP/2.
    Http2,
    /// gRPC.
    Grpc,
    /// gRPC for browsers.
    GrpcWeb,
    /// TLS that is passed through.
    Tls,
    /// Bytes.
    Tcp,
    /// Datagrams, which no proxy forwards.
    Udp,
}

impl AppProtocol {
    /// What a protocol's name, or the beginning of a port's, says; nothing for other words.
    pub fn of_word(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "http" | "http1" | "kubernetes.io/ws" => Self::Http,
            "http2" | "kubernetes.io/h2c" => Self::Http2,
            "grpc" => Self::Grpc,
            "grpc-web" => Self::GrpcWeb,
            "https" | "tls" => Self::Tls,
            "tcp" | "mongo" | "redis" | "mysql" => Self::Tcp,
            "udp" => Self::Udp,
            _ => return None,
        })
    }

    /// True for everything that is read as requests.
    pub fn is_http(self) -> bool {
        matches!(self, Self::Http | Self::Http2 | Self::Grpc | Self::GrpcWeb)
    }

    /// True for what is spoken by HTTP/2 from its first byte.
    pub fn is_http2(self) -> bool {
        matches!(self, Self::Http2 | Self::Grpc)
    }
}

/// An endpoint of a Service.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointSlice {
    /// Name of the service.
    pub service: String,
    /// Its namespace.
    pub namespace: String,
    /// Name of the service's port, possibly empty.
    pub port_name: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// Labels, for subsets.
    pub labels: BTreeMap<String, String>,
    /// Ready, or not.
    pub health: EndpointHealth,
    /// Where it runs.
    pub place: Place,
    /// Where it stands.
    pub origin: Origin,
}

/// A host that is no Kubernetes Service.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServiceEntry {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Hosts, in lower case.
    pub hosts: Vec<String>,
    /// Addresses, as they are written.
    pub addresses: Vec<String>,
    /// Ports.
    pub ports: Vec<ServicePort>,
    /// Ports of the endpoints, by number of the service's, where they differ.
    pub target_ports: BTreeMap<u16, u16>,
    /// Inside the mesh.
    pub mesh_internal: bool,
    /// How its endpoints are found.
    pub resolution: Resolution,
    /// Its endpoints.
    pub endpoints: Vec<Workload>,
    /// Labels of the workloads that are its endpoints.
    pub workload_selector: BTreeMap<String, String>,
    /// Namespaces that see it.
    pub export_to: Vec<String>,
    /// Names that its certificate must have one of.
    pub subject_alt_names: Vec<String>,
    /// Where it stands.
    pub origin: Origin,
}

/// How the endpoints of an entry are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Resolution {
    /// Where the client was going.
    #[default]
    None,
    /// They are listed.
    Static,
    /// Every address of every name.
    Dns,
    /// One address, looked up for each connection.
    DnsRoundRobin,
}

/// An endpoint that is no pod.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Workload {
    /// Its name, possibly empty.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Address or name.
    pub address: String,
    /// Ports by the names of the service's.
    pub ports: BTreeMap<String, u16>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Its share; 1 by default.
    pub weight: u32,
    /// Where it runs.
    pub place: Place,
    /// Where it stands.
    pub origin: Origin,
}

/// What sidecars of some workloads are told of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sidecar {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Labels of the workloads; all of the namespace where empty.
    pub workload_selector: BTreeMap<String, String>,
    /// Hosts that may be called.
    pub egress: Vec<SidecarEgress>,
    /// Hosts that nobody knows may not be called; none where the mesh says.
    pub registry_only: Option<bool>,
    /// Where it stands.
    pub origin: Origin,
}

/// Hosts that may be called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SidecarEgress {
    /// By this port alone.
    pub port: Option<u16>,
    /// `namespace/host`, either of them `*`, the namespace also `.`.
    pub hosts: Vec<String>,
}

/// Where strangers come in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gateway {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Labels of the proxies that it is for.
    pub selector: BTreeMap<String, String>,
    /// Its ports.
    pub servers: Vec<GatewayServer>,
    /// Where it stands.
    pub origin: Origin,
}

/// A port of a gateway.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GatewayServer {
    /// Its number.
    pub port: u16,
    /// Its name.
    pub port_name: String,
    /// What is spoken there, inside of TLS where that is ended here: HTTPS is HTTP that `terminates_tls`.
    pub protocol: AppProtocol,
    /// TLS is ended here.
    pub terminates_tls: bool,
    /// Certificates.
    pub certificates: Vec<Certificate>,
    /// Who may have signed a client's certificate.
    pub client_ca: Option<PathBuf>,
    /// A client without one is refused.
    pub require_client: bool,
    /// Names that a client's certificate must have one of; any where empty.
    pub client_names: Vec<String>,
    /// Versions of TLS that are taken.
    pub versions: TlsVersions,
    /// Everything is sent to https.
    pub https_redirect: bool,
    /// TLS is passed on by its server name.
    pub passthrough: bool,
    /// Hosts: `host` or `namespace/host`.
    pub hosts: Vec<String>,
    /// Where it stands.
    pub origin: Origin,
}
