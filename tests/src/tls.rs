//! TLS for tests: an authority of their own, and servers and clients that show its certificates.

use crate::frames::{self, ACK, END_HEADERS, END_STREAM, Frame, PREFACE, kind};
use crate::http::{Message, read_message};
use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, SanType};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use std::fmt::Write as _;
use std::io::{self, BufReader, Read, Write};
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

impl Identity {
    /// The certificate as it goes over the wire.
    #[must_use]
    pub fn der(&self) -> Vec<u8> {
        certificate(&self.certificate).to_vec()
    }

    /// Its SHA-256, in hexadecimal.
    #[must_use]
    pub fn hash(&self) -> String {
        let suite = rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
        let suite = suite.tls13().expect("a suite of 1.3");
        let hash = suite.common.hash_provider.hash(&self.der());
        hash.as_ref().iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a text does not fail");
            text
        })
    }
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
        // Else it is called as those are that it signs, and BoringSSL takes them for their own signers.
        parameters.distinguished_name.push(DnType::CommonName, "authority");
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.self_signed(&key).expect("a certificate").pem();
        Self { certificate, issuer: Issuer::new(parameters, key) }
    }
}

impl Authority {
    /// A certificate for these names: hosts, addresses, and URIs that begin with `spiffe:`.
    #[must_use]
    pub fn identity(&self, names: &[&str]) -> Identity {
        let (uris, names): (Vec<&str>, Vec<&str>) = names.iter().partition(|name| name.starts_with("spiffe:"));
        let key = KeyPair::generate().expect("a key");
        let names: Vec<String> = names.into_iter().map(ToOwned::to_owned).collect();
        let mut parameters = CertificateParams::new(names).expect("names");
        parameters.distinguished_name = DistinguishedName::new();
        parameters.distinguished_name.push(DnType::OrganizationName, "Shop, Ltd");
        parameters.distinguished_name.push(DnType::CommonName, "test");
        let uris = uris.iter().map(|&uri| SanType::URI(uri.try_into().expect("a URI")));
        parameters.subject_alt_names.extend(uris);
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

/// A server over TLS that answers each request with 200: of HTTP/1, with `secure`, unless HTTP/2 is agreed on.
pub struct Backend {
    /// Where it listens.
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Backend {
    /// Starts one that shows `identity`, and asks for certificates of `clients` if there is such an authority.
    #[must_use]
    pub fn start(identity: &Identity, clients: Option<&Authority>) -> Self {
        Self::speaking(&[], identity, clients)
    }

    /// The same; it agrees on one of these protocols by ALPN.
    #[must_use]
    pub fn speaking(protocols: &[&str], identity: &Identity, clients: Option<&Authority>) -> Self {
        let builder = match clients {
            None => ServerConfig::builder().with_no_client_auth(),
            Some(authority) => {
                let verifier = WebPkiClientVerifier::builder(authority.roots()).build().expect("a verifier");
                ServerConfig::builder().with_client_cert_verifier(verifier)
            }
        };
        let config = builder.with_single_cert(vec![certificate(&identity.certificate)], key(&identity.key));
        let mut config = config.expect("a certificate with its key");
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        let config = Arc::new(config);
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
    let mut stream = StreamOwned::new(connection, stream);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    if stream.conn.alpn_protocol() == Some(b"h2") {
        return serve_streams(&mut stream);
    }
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_message(&mut reader)? {
        let connection = &reader.get_ref().conn;
        let known = (connection.server_name().map(ToOwned::to_owned), connection.peer_certificates().is_some());
        seen.lock().expect("no panic").push((known.0, known.1, request));
        reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecure")?;
    }
    Ok(())
}

fn serve_streams(stream: &mut (impl Read + Write)) -> io::Result<()> {
    stream.read_exact(&mut [0; PREFACE.len()])?;
    stream.write_all(&Frame::new(kind::SETTINGS, 0, 0, &[]).bytes())?;
    while let Some(frame) = Frame::read(stream) {
        let answer = match frame.kind {
            kind::SETTINGS if frame.flags & ACK == 0 => Frame::new(kind::SETTINGS, ACK, 0, &[]),
            kind::PING if frame.flags & ACK == 0 => Frame::new(kind::PING, ACK, 0, &frame.payload),
            kind::HEADERS => Frame::new(kind::HEADERS, END_HEADERS | END_STREAM, frame.stream, &[frames::STATUS_200]),
            _ => continue,
        };
        stream.write_all(&answer.bytes())?;
    }
    Ok(())
}

/// The certificate that is shown to whoever asks for `name`; an error if it is not for that name.
pub fn shown(address: SocketAddr, authority: &Authority, name: &str) -> io::Result<Vec<u8>> {
    let config = ClientConfig::builder().with_root_certificates(authority.roots()).with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    let mut stream = TcpStream::connect(address)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream)?;
    }
    Ok(connection.peer_certificates().and_then(|chain| chain.first()).map(|first| first.to_vec()).unwrap_or_default())
}

/// A client of HTTP/1 over TLS that keeps its connection.
pub struct Client {
    reader: BufReader<StreamOwned<ClientConnection, TcpStream>>,
}

impl Client {
    /// Connects for `name`, offers `protocols` by ALPN, and shows a certificate if there is one.
    pub fn to(
        address: SocketAddr,
        (authority, identity): (&Authority, Option<&Identity>),
        (name, protocols): (&str, &[&str]),
    ) -> io::Result<Self> {
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
        Ok(Self { reader })
    }

    /// The protocol that was agreed on by ALPN.
    #[must_use]
    pub fn agreed(&self) -> Option<String> {
        self.reader.get_ref().conn.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned())
    }

    /// Asks, and reads the answer; none if the connection is at its end.
    pub fn ask(&mut self, request: &str) -> io::Result<Option<Message>> {
        self.reader.get_mut().write_all(request.as_bytes())?;
        read_message(&mut self.reader)
    }
}

/// Asks over TLS for `name`: the protocol that was agreed on by ALPN, and the answer.
pub fn ask(
    address: SocketAddr,
    by: (&Authority, Option<&Identity>),
    for_name: (&str, &[&str]),
    request: &str,
) -> io::Result<(Option<String>, Option<Message>)> {
    let mut client = Client::to(address, by, for_name)?;
    let answer = if request.is_empty() { None } else { client.ask(request)? };
    Ok((client.agreed(), answer))
}
