//! Ends the TLS of clients.

use super::selection::{Shown, select};
use super::signed::Signatures;
use super::{TlsError, files, names, versions};
use crate::net::Transport;
use crate::net::certificate::Owner;
use crate::policy::{Certificate, DownstreamTls, NameMatch};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{Acceptor, ClientHello, NoClientAuth, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SigningKey, SingleCertAndKey};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureAlgorithm, SignatureScheme};
use std::io;
use std::sync::Arc;
use tokio_rustls::LazyConfigAcceptor;

/// Ends the TLS of clients.
#[derive(Clone)]
pub(crate) struct ServerTls {
    /// Side by side: what is looked at to select a certificate, and what is done with it.
    shown: Arc<[Shown]>,
    identities: Arc<[Identity]>,
}

/// One of the certificates.
struct Identity {
    config: Arc<ServerConfig>,
    key: Arc<dyn SigningKey>,
    owner: Arc<Owner>,
}

impl std::fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerTls")
    }
}

impl ServerTls {
    /// Reads the files that a chain names.
    pub(crate) fn load(policy: &DownstreamTls) -> Result<Self, TlsError> {
        if policy.certificates.is_empty() {
            return Err(TlsError::Setup(Error::General("no certificate to show".to_owned())));
        }
        let provider = Arc::new(ring::default_provider());
        let clients = clients(policy, &provider)?;
        let mut shown = Vec::new();
        let mut identities = Vec::new();
        for certificate in &policy.certificates {
            let identity = Identity::load(certificate, policy, &clients, &provider)?;
            shown.push(Shown::new(&identity.owner, identity.key.algorithm() == SignatureAlgorithm::ECDSA));
            identities.push(identity);
        }
        Ok(Self { shown: shown.into(), identities: identities.into() })
    }

    /// Shakes hands with a client; says which of ours it was shown.
    pub(crate) async fn accept(&self, transport: Transport) -> io::Result<(Transport, Arc<Owner>)> {
        let begun = LazyConfigAcceptor::new(Acceptor::default(), transport).await?;
        let Some(identity) = self.identities.get(self.select(&begun.client_hello())) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let stream = begun.into_stream(Arc::clone(&identity.config)).await?;
        Ok((stream.into(), Arc::clone(&identity.owner)))
    }

    fn select(&self, hello: &ClientHello<'_>) -> usize {
        let offered = hello.signature_schemes();
        let fits = |at: usize| self.identities.get(at).is_some_and(|it| it.key.choose_scheme(offered).is_some());
        select(&self.shown, hello.server_name(), fits)
    }
}

impl Identity {
    fn load(
        certificate: &Certificate,
        policy: &DownstreamTls,
        clients: &Arc<dyn ClientCertVerifier>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, TlsError> {
        let (chain, key) = files::pair(certificate)?;
        let owner = chain.first().and_then(|certificate| Owner::of(certificate)).unwrap_or_default();
        let certified = CertifiedKey::from_der(chain, key, provider)?;
        let key = Arc::clone(&certified.key);
        let mut config = ServerConfig::builder_with_provider(Arc::clone(provider))
            .with_protocol_versions(&versions(policy.versions))?
            .with_client_cert_verifier(Arc::clone(clients))
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.alpn_protocols = policy.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(Self { config: Arc::new(config), key, owner: Arc::new(owner) })
    }
}

/// How clients' certificates are looked at.
fn clients(policy: &DownstreamTls, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let Some(path) = &policy.client_ca else { return Ok(Arc::new(NoClientAuth)) };
    let roots = Arc::new(files::roots(path)?);
    let signed = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(provider));
    let signed = if policy.require_client { signed } else { signed.allow_unauthenticated() };
    let signed = signed.build().map_err(|error| files::broken(path, &error))?;
    if policy.client_names.is_empty() {
        return Ok(signed);
    }
    Ok(Arc::new(Named { signed, names: policy.client_names.clone(), signatures: Signatures(Arc::clone(provider)) }))
}

/// Looks at who signed a client's certificate first, and then at its names.
#[derive(Debug)]
struct Named {
    signed: Arc<dyn ClientCertVerifier>,
    names: Vec<NameMatch>,
    signatures: Signatures,
}

impl ClientCertVerifier for Named {
    fn client_auth_mandatory(&self) -> bool {
        self.signed.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.signed.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.signed.verify_client_cert(end_entity, intermediates, now)?;
        names::check(&self.names, end_entity)?;
        Ok(verified)
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
