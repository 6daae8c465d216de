//! TLS on either side.

use super::TextMatch;
use serde::Serialize;
use std::path::PathBuf;

/// How a client's TLS is ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DownstreamTls {
    /// Certificates; one whose name is that which the client asks for is shown, else the first.
    pub certificates: Vec<Certificate>,
    /// Who may have signed a client's certificate.
    pub client_ca: Option<PathBuf>,
    /// A client without one is refused.
    pub require_client: bool,
    /// Names that a client's certificate must have one of; none is any.
    pub client_names: Vec<NameMatch>,
    /// Protocols offered, in order.
    pub alpn: Vec<String>,
    /// Versions taken.
    pub versions: TlsVersions,
}

/// How an upstream is spoken to by TLS.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct UpstreamTls {
    /// The server name that is asked for.
    pub sni: Sni,
    /// Who must have signed its certificate; none is nobody.
    pub trust: Trust,
    /// Names that it must have one of.
    pub names: ServerNames,
    /// Our own certificate.
    pub certificate: Option<Certificate>,
    /// Protocols offered, in order; where empty, those of the cluster.
    pub alpn: Vec<String>,
    /// Versions taken.
    pub versions: TlsVersions,
}

/// The server name that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sni {
    /// None.
    None,
    /// This.
    Fixed(String),
    /// The host of the request.
    FromHost,
}

/// Who must have signed a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// Nobody: it is not looked at.
    Nobody,
    /// The authorities of this file.
    File(PathBuf),
    /// Those of the system.
    System,
}

/// Names that a server's certificate must have.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerNames {
    /// Any: only who signed it counts.
    Any,
    /// One of these.
    OneOf(Vec<NameMatch>),
    /// The server name that was asked for.
    Sni,
}

/// A condition on a name of a certificate.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct NameMatch {
    /// What kind of name; none is any.
    pub kind: Option<NameKind>,
    /// What it must look like.
    pub value: TextMatch,
}

/// What a name of a certificate names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NameKind {
    /// A host, possibly `*.suffix`; an exact condition is met by what that stands for.
    Dns,
    /// An identity.
    Uri,
    /// A person.
    Email,
    /// An address.
    Ip,
}

impl NameMatch {
    /// This very name, of any kind.
    pub fn exact(name: &str) -> Self {
        Self { kind: None, value: TextMatch::exact(name) }
    }
}

/// A certificate and its key, in PEM files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Certificate {
    /// The chain.
    pub chain: PathBuf,
    /// The key.
    pub key: PathBuf,
}

/// Versions of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TlsVersions {
    /// 1.2.
    pub v1_2: bool,
    /// 1.3.
    pub v1_3: bool,
}

impl Default for TlsVersions {
    fn default() -> Self {
        Self { v1_2: true, v1_3: true }
    }
}
