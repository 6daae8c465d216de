//! Speaks TLS to upstreams.

use super::signed::Signatures;
use super::{TlsError, files, names, versions};
use crate::net::Transport;
use crate::policy::{NameMatch, ServerNames, Sni, Trust, UpstreamTls};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio_rustls::TlsConnector;

/// Speaks TLS to upstreams.
#[derive(Clone)]
pub(crate) struct ClientTls {
    connector: TlsConnector,
    /// What it asks for, whatever the request.
    name: Option<ServerName<'static>>,
}

impl std::fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientTls")
    }
}

impl ClientTls {
    /// Reads the files that a cluster names; `protocols` are offered where the policy has none of its own.
    pub(crate) fn load(policy: &UpstreamTls, protocols: &[&str]) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions(policy.versions))?;
        let roots = match &policy.trust {
            Trust::Nobody => None,
            Trust::File(path) => Some(files::roots(path)?),
            Trust::System => Some(files::system_roots()),
        };
        let builder = match (roots, &policy.names) {
            (Some(roots), ServerNames::Sni) => builder.with_root_certificates(roots),
            (roots, names) => {
                let names = match names {
                    ServerNames::OneOf(names) => names.clone(),
                    ServerNames::Any | ServerNames::Sni => Vec::new(),
                };
                let verifier = Verifier { roots, names, signatures: Signatures(provider) };
                builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
            }
        };
        let mut config = match &policy.certificate {
            None => builder.with_no_client_auth(),
            Some(certificate) => {
                let (chain, key) = files::pair(certificate)?;
                builder.with_client_auth_cert(chain, key)?
            }
        };
        let protocols = if policy.alpn.is_empty() {
            protocols.iter().map(|name| name.as_bytes().to_vec()).collect()
        } else {
            policy.alpn.iter().map(|name| name.as_bytes().to_vec()).collect()
        };
        config.alpn_protocols = protocols;
        let name = match &policy.sni {
            Sni::Fixed(name) => ServerName::try_from(name.clone()).ok(),
            Sni::FromHost | Sni::None => None,
        };
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    /// Shakes hands with an upstream, for a request to a server of this name.
    pub(crate) async fn connect(
        &self,
        transport: Transport,
        name: Option<&ServerName<'static>>,
    ) -> io::Result<Transport> {
        let name = self.name.as_ref().or(name).cloned();
        // Without a name an address stands in: none is ever sent, and no certificate is for this one.
        let name = name.unwrap_or_else(|| Ipv4Addr::UNSPECIFIED.into());
        Ok(self.connector.connect(name, transport).await?.into())
    }
}

/// The server that a host names, by name or address; none if it is neither.
pub(crate) fn server_name(host: &str) -> Option<ServerName<'static>> {
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let name = match bracketed {
        Some((address, _)) => address,
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    ServerName::try_from(name).ok().map(|name| name.to_owned())
}

/// Looks at a server's certificate as Envoy does: who signed it and which names it has are two questions.
#[derive(Debug)]
struct Verifier {
    /// Who must have signed it; none is anybody.
    roots: Option<RootCertStore>,
    /// Names that it must have one of; none is any.
    names: Vec<NameMatch>,
    signatures: Signatures,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(roots) = &self.roots {
            let certificate = ParsedCertificate::try_from(end_entity)?;
            let algorithms = self.signatures.0.signature_verification_algorithms.all;
            verify_server_cert_signed_by_trust_anchor(&certificate, roots, intermediates, now, algorithms)?;
        }
        if !self.names.is_empty() {
            names::check(&self.names, end_entity)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signatures.tls12(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signatures.tls13(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signatures.schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_names_a_server_without_its_port_or_none() {
        let long = "a".repeat(40_000);
        for (host, expected) in [
            ("cart.example", Some("cart.example")),
            ("cart.example:8443", Some("cart.example")),
            ("10.0.0.1:80", Some("10.0.0.1")),
            ("[::1]:443", Some("::1")),
            ("[::1]", Some("::1")),
            ("", None),
            (":443", None),
            ("-cart", None),
            ("a b", None),
            (&long, None),
        ] {
            let name = server_name(host);
            assert_eq!(name.as_ref().map(ServerName::to_str).as_deref(), expected, "{host:.20}");
        }
        assert_eq!(server_name("Cart.Example"), server_name("cart.example"));
    }
}
