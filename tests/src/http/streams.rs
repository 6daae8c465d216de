//! The messages and backends of [`crate::http`] in HTTP/2, so that one test can be held over both.

use super::{Answer, Handler, Message, add_field};
use bytes::Bytes;
use h2::{RecvStream, server};
use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

/// Nothing in a test takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn fields(map: &http::HeaderMap) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    for (name, value) in map {
        add_field(&mut fields, name.as_str(), &String::from_utf8_lossy(value.as_bytes()));
    }
    fields
}

fn map(fields: &[(String, String)]) -> http::HeaderMap {
    let mut map = http::HeaderMap::new();
    for (name, value) in fields {
        let name = http::HeaderName::from_bytes(name.as_bytes()).expect("the name of a field");
        map.append(name, http::HeaderValue::from_str(value).expect("the value of a field"));
    }
    map
}

/// Lines of fields, each taken apart.
pub fn lines(text: &str) -> Vec<(String, String)> {
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
}

async fn read(body: &mut RecvStream, message: &mut Message) -> Result<(), h2::Error> {
    while let Some(data) = body.data().await {
        let data = data?;
        // The whole of it is there; a peer that has ended the stream wants no more room.
        let _ = body.flow_control().release_capacity(data.len());
        message.body.extend_from_slice(&data);
    }
    if let Some(trailers) = body.trailers().await? {
        message.trailers = fields(&trailers);
    }
    Ok(())
}

/// A request to send.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The authority.
    pub authority: String,
    /// The path with its query.
    pub path: String,
    /// Further fields.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Fields behind the body.
    pub trailers: Vec<(String, String)>,
}

/// Asks on a connection of its own. What goes wrong stands in the first line of what is returned.
#[must_use]
pub fn ask(address: SocketAddr, request: &Request) -> Message {
    let mut message = Message::default();
    let asked = async { tokio::time::timeout(PATIENCE, exchange(address, request, &mut message)).await };
    let error = match runtime().block_on(asked) {
        Ok(Ok(())) => return message,
        Ok(Err(error)) => said(&error),
        Err(_) => "no answer".to_owned(),
    };
    message.line = format!("{} [{error}]", message.line);
    message
}

/// A connection that is kept for several requests, one after another.
#[derive(Debug)]
pub struct Client {
    runtime: tokio::runtime::Runtime,
    sender: h2::client::SendRequest<Bytes>,
    connection: tokio::task::JoinHandle<Result<(), h2::Error>>,
}

impl Client {
    /// A new connection.
    #[must_use]
    pub fn to(address: SocketAddr) -> Self {
        let runtime = runtime();
        let (sender, connection) = runtime.block_on(async {
            let stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
            let (sender, connection) = h2::client::handshake(stream).await.expect("a greeting");
            (sender, tokio::spawn(connection))
        });
        Self { runtime, sender, connection }
    }

    /// Asks, and waits for the whole answer. What goes wrong stands in the first line of what is returned.
    pub fn ask(&mut self, request: &Request) -> Message {
        let mut message = Message::default();
        let sender = self.sender.clone();
        let asked = async { tokio::time::timeout(PATIENCE, on(sender, request, &mut message)).await };
        if let Err(error) = self.runtime.block_on(asked).expect("no answer") {
            message.line = format!("{} [{}]", message.line, said(&error));
        }
        message
    }

    /// Waits for the end of the connection, which must come.
    pub fn is_over(&mut self) -> bool {
        let ended = async { tokio::time::timeout(PATIENCE, &mut self.connection).await };
        self.runtime.block_on(ended).is_ok()
    }
}

fn said(error: &h2::Error) -> String {
    error.reason().map_or_else(|| "closed".to_owned(), |reason| format!("{reason:?}"))
}

async fn exchange(address: SocketAddr, request: &Request, message: &mut Message) -> Result<(), h2::Error> {
    let stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
    let (sender, connection) = h2::client::handshake(stream).await?;
    tokio::spawn(connection);
    on(sender, request, message).await
}

async fn on(
    mut sender: h2::client::SendRequest<Bytes>,
    request: &Request,
    message: &mut Message,
) -> Result<(), h2::Error> {
    let uri = if request.method == "CONNECT" {
        request.authority.clone()
    } else {
        format!("http://{}{}", request.authority, request.path)
    };
    let mut head = http::Request::builder().method(request.method.as_str()).uri(uri);
    *head.headers_mut().expect("a head") = map(&request.fields);
    let ends = request.body.is_empty() && request.trailers.is_empty();
    let (response, mut body) = sender.send_request(head.body(()).expect("a head"), ends)?;
    if !request.body.is_empty() {
        body.send_data(Bytes::from(request.body.clone()), request.trailers.is_empty())?;
    }
    if !request.trailers.is_empty() {
        body.send_trailers(map(&request.trailers))?;
    }
    let (head, mut body) = response.await?.into_parts();
    message.line = format!("HTTP/2 {}", head.status.as_u16());
    message.fields = fields(&head.headers);
    read(&mut body, message).await
}

/// Answers every connection as `handler` says, until the process ends.
pub(crate) fn serve(
    listener: TcpListener,
    handler: &Arc<Handler>,
    asked: &Arc<Mutex<Vec<Message>>>,
    connections: &AtomicUsize,
) {
    runtime().block_on(async {
        listener.set_nonblocking(true).expect("a socket");
        let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
        while let Ok((stream, _)) = listener.accept().await {
            connections.fetch_add(1, Ordering::SeqCst);
            // A client that goes away in the middle is no matter.
            tokio::spawn(connection(stream, Arc::clone(handler), Arc::clone(asked)));
        }
    });
}

async fn connection(
    stream: tokio::net::TcpStream,
    handler: Arc<Handler>,
    asked: Arc<Mutex<Vec<Message>>>,
) -> Result<(), h2::Error> {
    let mut connection = server::Builder::new().enable_connect_protocol().handshake(stream).await?;
    let leaves = Arc::new(Notify::new());
    loop {
        let stream = tokio::select! {
            biased;
            () = leaves.notified() => {
                connection.graceful_shutdown();
                continue;
            }
            stream = connection.accept() => stream,
        };
        let Some(stream) = stream else { return Ok(()) };
        let (request, respond) = stream?;
        let message = head_of(&request);
        let answer = {
            let handler = Arc::clone(&handler);
            tokio::spawn(one(handler, Arc::clone(&asked), Arc::clone(&leaves), message, request.into_body(), respond))
        };
        // Nobody waits for it: streams are served side by side.
        drop(answer);
    }
}

fn head_of(request: &http::Request<RecvStream>) -> Message {
    let target = request.uri().path_and_query().map_or("*", http::uri::PathAndQuery::as_str);
    let mut message = Message {
        line: format!("{} {target} HTTP/2", request.method()),
        fields: fields(request.headers()),
        ..Message::default()
    };
    let authority = request.uri().authority().map_or("", http::uri::Authority::as_str);
    add_field(&mut message.fields, ":authority", authority);
    add_field(&mut message.fields, ":scheme", request.uri().scheme_str().unwrap_or_default());
    if let Some(protocol) = request.extensions().get::<h2::ext::Protocol>() {
        add_field(&mut message.fields, ":protocol", protocol.as_str());
    }
    message
}

async fn one(
    handler: Arc<Handler>,
    asked: Arc<Mutex<Vec<Message>>>,
    leaves: Arc<Notify>,
    mut message: Message,
    mut body: RecvStream,
    mut respond: server::SendResponse<Bytes>,
) -> Result<(), h2::Error> {
    if !message.line.starts_with("CONNECT ") {
        read(&mut body, &mut message).await?;
    }
    let head = message.line.starts_with("HEAD ");
    asked.lock().expect("no panic in a handler").push(message.clone());
    // A handler may wait for the test.
    let answer = tokio::task::spawn_blocking(move || handler(&message)).await;
    let mut answer = answer.map_err(io::Error::other).expect("no panic in a handler");
    if let (true, Answer::Status(_, _, body)) = (head, &mut answer) {
        body.clear();
    }
    let response = |status: u16, text: &str| {
        let mut response = http::Response::builder().status(status).body(()).expect("a head");
        *response.headers_mut() = map(&lines(text));
        response
    };
    match answer {
        Answer::Status(status, fields, body) => {
            let mut stream = respond.send_response(response(status, fields), body.is_empty())?;
            if !body.is_empty() {
                stream.send_data(body.into(), true)?;
            }
        }
        Answer::Trailers(status, fields, body, trailers) => {
            let mut stream = respond.send_response(response(status, fields), false)?;
            if !body.is_empty() {
                stream.send_data(body.into(), false)?;
            }
            stream.send_trailers(map(&lines(trailers)))?;
        }
        Answer::GiveUp(reason) => respond.send_reset(reason),
        Answer::Goodbye(text) => {
            leaves.notify_one();
            // The goodbye is written before the answer is there.
            tokio::task::yield_now().await;
            respond.send_response(response(200, ""), false)?.send_data(text.into(), true)?;
        }
        Answer::Silence => {
            // Until the client gives it up.
            let _ = std::future::poll_fn(|context| respond.poll_reset(context)).await;
        }
        Answer::Echo => {
            let mut stream = respond.send_response(response(200, ""), false)?;
            while let Some(data) = body.data().await {
                stream.send_data(data?, false)?;
            }
            stream.send_data(Bytes::new(), true)?;
        }
        Answer::Close | Answer::Reset | Answer::Raw(_) | Answer::Stall(_) => {
            respond.send_reset(h2::Reason::INTERNAL_ERROR);
        }
    }
    Ok(())
}
