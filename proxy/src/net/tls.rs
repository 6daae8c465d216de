//! TLS on either side, by files that are read when a configuration is.

use super::Transport;
use crate::policy::{Certificate, DownstreamTls, ServerNames, Sni, TextMatch, TlsVersions, Trust, UpstreamTls};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// A file cannot be read, or does not hold what it should.
    #[error("{path}: {reason}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// What the files hold does not go together.
    #[error("{0}")]
    Setup(#[from] rustls::Error),
}

/// Ends the TLS of clients.
#[derive(Clone)]
pub(crate) struct ServerTls(TlsAcceptor);

impl std::fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerTls")
    }
}

impl ServerTls {
    /// Reads the files that a chain names.
    pub(crate) fn load(policy: &DownstreamTls) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions(policy.versions))?;
        let builder = match &policy.client_ca {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(path)?), provider);
                let verifier = if policy.require_client { verifier } else { verifier.allow_unauthenticated() };
                let verifier = verifier.build().map_err(|error| file(path, &error))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let Some(first) = policy.certificates.first() else {
            return Err(TlsError::Setup(rustls::Error::General("no certificate to show".to_owned())));
        };
        let (chain, key) = pair(first)?;
        let mut config = builder.with_single_cert(chain, key)?;
        config.alpn_protocols = policy.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// Shakes hands with a client.
    pub(crate) async fn accept(&self, transport: Transport) -> io::Result<Transport> {
        Ok(self.0.accept(transport).await?.into())
    }
}

/// Speaks TLS to upstreams.
#[derive(Clone)]
pub(crate) struct ClientTls {
    connector: TlsConnector,
    sni: Sni,
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
        let builder = match &policy.trust {
            Trust::Nobody => builder.dangerous().with_custom_certificate_verifier(Arc::new(Verifier {
                roots: None,
                names: Names::Any,
                provider,
            })),
            trust => {
                let roots = match trust {
                    Trust::File(path) => roots(path)?,
                    _ => system_roots(),
                };
                match &policy.names {
                    ServerNames::Sni => builder.with_root_certificates(roots),
                    names => {
                        let names = match names {
                            ServerNames::OneOf(names) => Names::OneOf(names.clone()),
                            _ => Names::Any,
                        };
                        let verifier = Verifier { roots: Some(Arc::new(roots)), names, provider };
                        builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
                    }
                }
            }
        };
        let mut config = match &policy.certificate {
            None => builder.with_no_client_auth(),
            Some(certificate) => {
                let (chain, key) = pair(certificate)?;
                builder.with_client_auth_cert(chain, key)?
            }
        };
        let protocols = if policy.alpn.is_empty() {
            protocols.iter().map(|name| name.as_bytes().to_vec()).collect()
        } else {
            policy.alpn.iter().map(|name| name.as_bytes().to_vec()).collect()
        };
        config.alpn_protocols = protocols;
        config.enable_sni = policy.sni != Sni::None;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), sni: policy.sni.clone() })
    }

    /// Shakes hands with an upstream, for a request to `host`.
    pub(crate) async fn connect(&self, transport: Transport, host: &str) -> io::Result<Transport> {
        let name = match &self.sni {
            Sni::Fixed(name) => name.as_str(),
            Sni::FromHost => host.rsplit_once(':').map_or(host, |(host, _)| host),
            Sni::None => "",
        };
        // Without a name to ask for, one that is never sent stands in.
        let name = ServerName::try_from(name.to_owned()).or_else(|_| ServerName::try_from("upstream.invalid"));
        let name = name.map_err(io::Error::other)?;
        Ok(self.connector.connect(name, transport).await?.into())
    }
}

/// Whose names a server's certificate must have.
#[derive(Debug)]
enum Names {
    Any,
    OneOf(Vec<TextMatch>),
}

/// Looks at a server's certificate as Envoy does: who signed it and which names it has are two questions.
#[derive(Debug)]
struct Verifier {
    roots: Option<Arc<RootCertStore>>,
    names: Names,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(roots) = &self.roots else { return Ok(ServerCertVerified::assertion()) };
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&certificate, roots, intermediates, now, algorithms)?;
        let Names::OneOf(names) = &self.names else { return Ok(ServerCertVerified::assertion()) };
        let fits = names.iter().any(|name| match &name.pattern {
            crate::policy::Pattern::Exact(exact) => ServerName::try_from(exact.as_str())
                .is_ok_and(|name| rustls::client::verify_server_name(&certificate, &name).is_ok()),
            _ => false,
        });
        if fits {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::Error::InvalidCertificate(rustls::CertificateError::NotValidForName))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn versions(policy: TlsVersions) -> Vec<&'static rustls::SupportedProtocolVersion> {
    let mut versions = Vec::new();
    versions.extend(policy.v1_3.then_some(&rustls::version::TLS13));
    versions.extend(policy.v1_2.then_some(&rustls::version::TLS12));
    versions
}

fn file(path: &Path, reason: &impl std::fmt::Display) -> TlsError {
    TlsError::File { path: path.to_owned(), reason: reason.to_string() }
}

fn pair(certificate: &Certificate) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    let chain = certificates(&certificate.chain)?;
    let key = PrivateKeyDer::from_pem_file(&certificate.key).map_err(|error| file(&certificate.key, &error))?;
    Ok((chain, key))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(path).map_err(|error| file(path, &error))?;
    let certificates = read.collect::<Result<Vec<_>, _>>().map_err(|error| file(path, &error))?;
    if certificates.is_empty() { Err(file(path, &"no certificate in it")) } else { Ok(certificates) }
}

fn roots(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| file(path, &error))?;
    }
    Ok(roots)
}

/// Authorities of the system; those that cannot be read are left out, as elsewhere.
fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    roots
}
