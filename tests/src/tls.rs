//! TLS for tests: an authority of their own, and servers and clients that show its certificates.

use crate::http::{Message, read_message};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A certificate and its key, as PEM.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

/// An authority that signs what a test asks for.
pub struct Authority {
    /// Its certificate, as PEM.
    pub certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Default for Authority {
    fn default() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.self_signed(&key).expect("a certificate").pem();
        Self { certificate, issuer: Issuer::new(parameters, key) }
    }
}

impl Authority {
    /// A certificate for these names.
    #[must_use]
    pub fn identity(&self, names: &[&str]) -> Identity {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let key = KeyPair::generate().expect("a key");
        let parameters = CertificateParams::new(names).expect("names");
        let certificate = parameters.signed_by(&key, &self.issuer).expect("a certificate").pem();
        Identity { certificate, key: key.serialize_pem() }
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(certificate(&self.certificate)).expect("an authority");
        Arc::new(roots)
    }
}

fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate")
}

fn key(pem: &str) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).expect("a key")
}

/// What a TLS backend knows of a request: the name that was asked for in the hello, whether the client showed a certificate, and the request.
pub type Seen = (Option<String>, bool, Message);

/// A server of HTTP/1 over TLS that answers each request with 200 `secure`.
pub struct Backend {
    /// Where it listens.
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Backend {
    /// Starts one that shows `identity`, and asks for certificates of `clients` if there is such an authority.
    #[must_use]
    pub fn start(identity: &Identity, clients: Option<&Authority>) -> Self {
        let builder = match clients {
            None => ServerConfig::builder().with_no_client_auth(),
            Some(authority) => {
                let verifier = WebPkiClientVerifier::builder(authority.roots()).build().expect("a verifier");
                ServerConfig::builder().with_client_cert_verifier(verifier)
            }
        };
        let config = builder.with_single_cert(vec![certificate(&identity.certificate)], key(&identity.key));
        let config = Arc::new(config.expect("a certificate with its key"));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let told = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (config, told) = (Arc::clone(&config), Arc::clone(&told));
                // A client that does not trust the certificate goes away, which is what some tests are about.
                std::thread::spawn(move || serve(stream, config, &told));
            }
        });
        Self { address, seen }
    }

    /// The requests so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }
}

fn serve(stream: TcpStream, config: Arc<ServerConfig>, seen: &Mutex<Vec<Seen>>) -> io::Result<()> {
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut reader = BufReader::new(StreamOwned::new(connection, stream));
    while let Some(request) = read_message(&mut reader)? {
        let connection = &reader.get_ref().conn;
        let known = (connection.server_name().map(ToOwned::to_owned), connection.peer_certificates().is_some());
        seen.lock().expect("no panic").push((known.0, known.1, request));
        reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecure")?;
    }
    Ok(())
}

/// Asks over TLS for `name`: the protocol that was agreed on by ALPN, and the answer.
pub fn ask(
    address: SocketAddr,
    (authority, identity): (&Authority, Option<&Identity>),
    (name, protocols): (&str, &[&str]),
    request: &str,
) -> io::Result<(Option<String>, Option<Message>)> {
    let builder = ClientConfig::builder().with_root_certificates(authority.roots());
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => builder
            .with_client_auth_cert(vec![certificate(&identity.certificate)], key(&identity.key))
            .map_err(io::Error::other)?,
    };
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    let connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    let mut reader = BufReader::new(StreamOwned::new(connection, TcpStream::connect(address)?));
    while reader.get_ref().conn.is_handshaking() {
        let stream = reader.get_mut();
        stream.conn.complete_io(&mut stream.sock)?;
    }
    let agreed = reader.get_ref().conn.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned());
    if request.is_empty() {
        return Ok((agreed, None));
    }
    reader.get_mut().write_all(request.as_bytes())?;
    Ok((agreed, read_message(&mut reader)?))
}
