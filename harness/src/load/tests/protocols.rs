//! The same load in every protocol, against servers of the libraries that others use.

use super::{load, request, server};
use crate::load::wire::*;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::LocalSet;
use tokio_rustls::TlsAcceptor;

/// What a server has seen.
#[derive(Debug, Default)]
struct Seen {
    connections: AtomicUsize,
    bytes: AtomicUsize,
}

/// Makes an answer, with trailers if there are any, of a request and its body.
type Answering = dyn Fn(&Request<()>, &[u8]) -> (Response<()>, Option<HeaderMap>);

/// An HTTP/2 server.
fn http2(
    acceptor: Option<TlsAcceptor>,
    answer: impl Fn(&Request<()>, &[u8]) -> (Response<()>, Option<HeaderMap>) + Send + 'static,
) -> (SocketAddr, Arc<Seen>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let (address, seen) = (listener.local_addr().unwrap(), Arc::new(Seen::default()));
    let noted = Arc::clone(&seen);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer: Rc<Answering> = Rc::new(answer);
        LocalSet::new().block_on(&runtime, async move {
            let listener = TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, answer, seen) = (acceptor.clone(), Rc::clone(&answer), Arc::clone(&noted));
                tokio::task::spawn_local(async move {
                    let Some(acceptor) = acceptor else { return serve(stream, answer, seen).await };
                    // Whoever does not trust us goes away.
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve(stream, answer, seen).await;
                    }
                });
            }
        });
    });
    (address, seen)
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, answer: Rc<Answering>, seen: Arc<Seen>) {
    seen.connections.fetch_add(1, Ordering::SeqCst);
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let (answer, seen) = (Rc::clone(&answer), Arc::clone(&seen));
        tokio::task::spawn_local(async move {
            let (head, mut body) = request.into_parts();
            let mut whole = Vec::new();
            while let Some(piece) = body.data().await {
                let piece = piece.unwrap();
                let _ = body.flow_control().release_capacity(piece.len());
                whole.extend_from_slice(&piece);
            }
            seen.bytes.fetch_add(whole.len(), Ordering::SeqCst);
            if head.uri.path() == "/hang" {
                std::future::pending::<()>().await;
            }
            let (response, trailers) = answer(&Request::from_parts(head, ()), &whole);
            let mut stream = respond.send_response(response, false).unwrap();
            stream.send_data(Bytes::from_static(b"ok"), trailers.is_none()).unwrap();
            trailers.into_iter().for_each(|trailers| stream.send_trailers(trailers).unwrap());
        });
    }
}

fn plain(_: &Request<()>, _: &[u8]) -> (Response<()>, Option<HeaderMap>) {
    (Response::new(()), None)
}

/// A certificate of `cart`, in a folder that lives as long as the test.
fn certificate(protocol: &[u8]) -> (TlsAcceptor, PathBuf, tempfile::TempDir) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["cart".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, cert.pem()).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![protocol.to_vec()];
    (TlsAcceptor::from(Arc::new(config)), file, folder)
}

fn tls(trust: Trust) -> Tls {
    Tls { server_name: "cart".to_owned(), trust, identity: None }
}

#[test]
fn streams_share_a_connection() {
    let (to, seen) = http2(None, plain);
    let mut load = load(to, 400.0, 500).connections(Connections::Fixed(2));
    load.flow.protocol = Protocol::Http2 { streams: 10 };
    let (ready, samples) = load.run();
    assert_eq!((ready.planned, samples.len()), (200, 200));
    assert!(samples.iter().all(|sample| sample.end == End::Acceptable && sample.status == 200), "{samples:?}");
    assert_eq!(seen.connections.load(Ordering::SeqCst), 2);
}

#[test]
fn bodies_of_drawn_sizes_arrive_whole() {
    let (to, seen) = http2(None, plain);
    let mut load = load(to, 100.0, 500);
    load.flow.protocol = Protocol::Http2 { streams: 4 };
    load.flow.method = "POST".to_owned();
    load.flow.body = Body::Uniform { min: 1_000, max: 200_000 };
    let (_, samples) = load.run();
    assert!(samples.iter().all(|sample| sample.end == End::Acceptable), "{samples:?}");
    let mean = seen.bytes.load(Ordering::SeqCst) / samples.len();
    assert!((60_000..140_000).contains(&mean), "{mean}");
}

#[test]
fn a_call_is_judged_by_its_own_status() {
    let status = |code: &'static str| {
        http2(None, move |request: &Request<()>, body: &[u8]| {
            let is_call = request.headers()["content-type"] == "application/grpc" && *body == *b"\0\0\0\0\x03xxx";
            let code = if is_call { code } else { "13" };
            (Response::new(()), Some(HeaderMap::from_iter([("grpc-status".parse().unwrap(), code.parse().unwrap())])))
        })
        .0
    };
    let only_head = http2(None, |_, _| {
        let mut response = Response::new(());
        response.headers_mut().insert("grpc-status", HeaderValue::from_static("14"));
        (response, None)
    });
    let no_status = http2(None, plain);
    for (to, end, code) in [
        (status("0"), End::Acceptable, 200),
        (status("14"), End::Grpc, 14),
        (only_head.0, End::Grpc, 14),
        (no_status.0, End::Malformed, 200),
    ] {
        let mut load = load(to, 50.0, 200);
        load.flow.protocol = Protocol::Grpc { streams: 4 };
        load.flow.method = "POST".to_owned();
        load.flow.body = Body::Fixed(3);
        let (_, samples) = load.run();
        assert!(samples.iter().all(|sample| (sample.end, sample.status) == (end, code)), "{end:?}: {samples:?}");
    }
}

#[test]
fn tls_is_spoken_to_whom_it_may_concern() {
    let (acceptor, ca, _folder) = certificate(b"h2");
    let (to, seen) = http2(Some(acceptor), plain);
    for (trust, end) in [
        (Trust::File(ca), End::Acceptable),
        (Trust::Anybody, End::Acceptable),
        // It is signed by nobody whom the system knows.
        (Trust::System, End::Refused),
    ] {
        let mut load = load(to, 50.0, 200);
        load.flow.protocol = Protocol::Http2 { streams: 4 };
        load.flow.tls = Some(tls(trust.clone()));
        let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| load.run()));
        // Some machines have no authorities at all, which is told before anything starts.
        let Ok((_, samples)) = run else {
            assert_eq!(trust, Trust::System);
            continue;
        };
        assert!(samples.iter().all(|sample| sample.end == end), "{trust:?}: {samples:?}");
    }
    assert!(seen.connections.load(Ordering::SeqCst) > 0);
}

#[test]
fn http1_is_spoken_under_tls_as_well() {
    let (_, ca, _folder) = certificate(b"http/1.1");
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["cart".to_owned()]).unwrap();
    std::fs::write(&ca, cert.pem()).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let to = server(move |stream| {
        let mut stream = rustls::StreamOwned::new(rustls::ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
        let (mut head, mut read) = ([0; 4096], 0);
        while let Ok(more) = stream.read(&mut head[read..]) {
            read += more;
            if more == 0 {
                return;
            }
            if head[..read].ends_with(b"\r\n\r\n") {
                read = 0;
                stream.write_all(super::OK.as_bytes()).unwrap();
            }
        }
    });
    let mut load = load(to, 100.0, 300);
    load.flow.tls = Some(tls(Trust::File(ca)));
    let (_, samples) = load.run();
    assert!(samples.iter().all(|sample| sample.end == End::Acceptable), "{samples:?}");
}

#[test]
fn a_closed_load_asks_as_fast_as_it_is_answered_and_no_longer_than_it_was_told() {
    let pause = std::time::Duration::from_millis(5);
    let to = server(move |mut stream| {
        while request(&mut stream) {
            super::wait_until(crate::clock::now().after(pause));
            if stream.write_all(super::OK.as_bytes()).is_err() {
                return;
            }
        }
    });
    let mut load = load(to, 1.0, 1).connections(Connections::Fixed(4));
    load.flow.pace = Pace::Closed { lasting: 500_000_000 };
    let (ready, samples) = load.run();
    assert_eq!(ready.planned, 0, "nobody knows how many it will be");
    // At most one each 5 ms on each of four connections.
    assert!((40..=400).contains(&samples.len()), "{}", samples.len());
    assert!(samples.iter().all(|sample| sample.end == End::Acceptable && sample.due < 500_000_000), "{samples:?}");
    let mut ids: Vec<_> = samples.iter().map(|sample| sample.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), samples.len(), "each has a number of its own");
    assert!(samples.iter().all(|sample| sample.released == sample.due));
}

#[test]
fn a_closed_load_loses_nothing_to_a_server_that_closes_its_connections() {
    let once = server(|mut stream| {
        request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    });
    let mut load = load(once, 1.0, 1).connections(Connections::Fixed(4));
    load.flow.pace = Pace::Closed { lasting: 300_000_000 };
    let (_, samples) = load.run();
    let lost: Vec<_> = samples.iter().filter(|sample| matches!(sample.end, End::Dropped | End::Cut)).collect();
    assert!(samples.len() > 10 && lost.is_empty(), "{} requests, {lost:?}", samples.len());
}

#[test]
fn a_stream_that_times_out_leaves_its_connection_to_the_others() {
    let (to, seen) = http2(None, plain);
    let mut load = load(to, 20.0, 500).connections(Connections::Fixed(1));
    load.flow.protocol = Protocol::Http2 { streams: 2 };
    load.flow.path = "/hang".to_owned();
    load.flow.time_out = std::time::Duration::from_millis(60);
    let (_, samples) = load.run();
    assert_eq!(samples.len(), 10);
    assert_eq!(seen.connections.load(Ordering::SeqCst), 1);
}

#[test]
fn a_body_without_what_was_asked_for_is_not_acceptable() {
    for (wanted, end) in [("ok", End::Acceptable), ("sold out", End::Unexpected)] {
        let mut load = load(super::answering(super::OK), 50.0, 200);
        load.flow.accept.body_contains = Some(wanted.to_owned());
        let (_, samples) = load.run();
        assert!(samples.iter().all(|sample| sample.end == end), "{wanted}: {samples:?}");
    }
}
