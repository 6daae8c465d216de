//! Who a client is, and what is told of that.

use crate::policy::Cidr;
use serde::Serialize;

/// Whose address counts as the client's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ClientAddress {
    /// The peer's; otherwise what `x-forwarded-for` says. True at the edge.
    pub use_remote: bool,
    /// Proxies ahead of this one that are trusted.
    pub trusted_hops: u32,
    /// Leave `x-forwarded-for` as it is.
    pub skip_append: bool,
    /// Set `x-forwarded-port`.
    pub append_port: bool,
    /// Addresses whose control fields are obeyed; none by default.
    pub internal: Vec<Cidr>,
}

/// What becomes of `x-request-id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RequestId {
    /// Made where there is none.
    pub generate: bool,
    /// That of a stranger is kept, at the edge.
    pub preserve_external: bool,
    /// Set on answers too.
    pub in_response: bool,
}

impl Default for RequestId {
    fn default() -> Self {
        Self { generate: true, preserve_external: false, in_response: false }
    }
}

/// `server` of answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ServerHeader {
    /// The name.
    pub name: String,
    /// What becomes of the upstream's.
    pub transformation: ServerTransformation,
}

/// What becomes of the upstream's `server`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerTransformation {
    /// Overwritten.
    Overwrite,
    /// Set where there is none.
    AppendIfAbsent,
    /// Left alone.
    PassThrough,
}

impl Default for ServerHeader {
    fn default() -> Self {
        Self { name: "envoy".to_owned(), transformation: ServerTransformation::Overwrite }
    }
}

/// What becomes of `x-forwarded-client-cert`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardClientCert {
    /// Removed.
    #[default]
    Sanitize,
    /// Passed on as it is, where the client showed a certificate.
    ForwardOnly,
    /// Ours is added, where the client showed a certificate.
    AppendForward,
    /// Replaced by ours.
    SanitizeSet,
    /// Passed on as it is.
    AlwaysForwardOnly,
}

/// What is told of a client's certificate; nothing by Envoy's default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ClientCertDetails {
    /// The certificate itself.
    pub cert: bool,
    /// The certificate with those that vouch for it.
    pub chain: bool,
    /// Its subject.
    pub subject: bool,
    /// Its URIs.
    pub uri: bool,
    /// Its names of hosts.
    pub dns: bool,
}
