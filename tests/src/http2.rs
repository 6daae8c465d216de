//! HTTP/2 for tests: a client and a backend, each with a runtime and a thread of its own.

use h2::{Reason, RecvStream, client, server};
use http::{HeaderMap, Request, Response};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// Nothing in a test takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A runtime on a thread of its own, over when this is dropped.
struct Driven {
    handle: Handle,
    _until: oneshot::Sender<()>,
}

impl Driven {
    fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let handle = runtime.handle().clone();
        let (until, dropped) = oneshot::channel::<()>();
        // An error says that the other end was dropped, which is what is waited for.
        std::thread::spawn(move || runtime.block_on(dropped).is_err());
        Self { handle, _until: until }
    }
}

/// A whole message: head, body, and the fields behind it.
#[derive(Debug, Clone, Default)]
pub struct Whole<H> {
    /// Its head.
    pub head: H,
    /// Its body.
    pub body: Vec<u8>,
    /// Its trailers.
    pub trailers: HeaderMap,
}

impl<T> Whole<Request<T>> {
    /// A field's value; empty if it is not there.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        text_of(self.head.headers(), name)
    }
}

impl<T> Whole<Response<T>> {
    /// The status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.head.status().as_u16()
    }

    /// A field's value; empty if it is not there.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        text_of(self.head.headers(), name)
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// `grpc-status`, wherever it stands.
    #[must_use]
    pub fn grpc_status(&self) -> &str {
        let behind = text_of(&self.trailers, "grpc-status");
        if behind.is_empty() { self.field("grpc-status") } else { behind }
    }
}

fn text_of<'a>(fields: &'a HeaderMap, name: &str) -> &'a str {
    fields.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// A request without a body to the host `cart`.
#[must_use]
pub fn get(path: &str) -> Request<()> {
    Request::get(format!("http://cart{path}")).body(()).expect("a request")
}

/// A call of gRPC to the host `cart`.
#[must_use]
pub fn call(path: &str) -> Request<()> {
    let request = Request::post(format!("http://cart{path}"));
    request.header("content-type", "application/grpc").header("te", "trailers").body(()).expect("a request")
}

/// How a stream ended when it did not end with an answer.
pub type Asked = Result<Whole<Response<()>>, h2::Error>;

/// A client's connection, by prior knowledge.
pub struct Client {
    runtime: Driven,
    sender: client::SendRequest<bytes::Bytes>,
    over: Arc<Mutex<Option<Result<(), h2::Error>>>>,
}

impl Client {
    /// Connects.
    #[must_use]
    pub fn to(address: SocketAddr) -> Self {
        let runtime = Driven::start();
        let (sender, connection) = runtime.handle.block_on(async {
            let stream = TcpStream::connect(address).await.expect("a connection");
            client::handshake(stream).await.expect("a handshake")
        });
        let over = Arc::new(Mutex::new(None));
        let told = Arc::clone(&over);
        runtime.handle.spawn(async move {
            let ended = connection.await;
            *told.lock().expect("no panic") = Some(ended);
        });
        Self { runtime, sender, over }
    }

    /// Begins a stream; the answer is waited for by [`Stream::answer`].
    #[must_use]
    pub fn begin(&self, request: Request<()>, body: &[u8], trailers: Option<HeaderMap>) -> Stream<'_> {
        let mut sender = self.runtime.handle.block_on(self.sender.clone().ready()).expect("the connection lives");
        let bare = body.is_empty() && trailers.is_none();
        let (response, mut sending) = sender.send_request(request, bare).expect("a stream");
        if !body.is_empty() {
            sending.send_data(bytes::Bytes::copy_from_slice(body), trailers.is_none()).expect("a body is taken");
        }
        if let Some(trailers) = trailers {
            sending.send_trailers(trailers).expect("trailers are taken");
        }
        Stream { client: self, response, sending }
    }

    /// Asks and waits for the answer.
    pub fn try_ask(&self, request: Request<()>) -> Asked {
        self.begin(request, b"", None).answer()
    }

    /// Asks and waits for the answer.
    #[must_use]
    pub fn ask(&self, request: Request<()>) -> Whole<Response<()>> {
        self.try_ask(request).expect("an answer")
    }

    /// Whether the connection is at its end, and ended well.
    #[must_use]
    pub fn is_over(&self) -> Option<bool> {
        self.over.lock().expect("no panic").as_ref().map(Result::is_ok)
    }
}

/// A stream under way.
pub struct Stream<'c> {
    client: &'c Client,
    response: client::ResponseFuture,
    sending: h2::SendStream<bytes::Bytes>,
}

impl Stream<'_> {
    /// Waits for the answer.
    pub fn answer(self) -> Asked {
        let Self { client, response, sending } = self;
        let answer = client.runtime.handle.block_on(async {
            tokio::time::timeout(PATIENCE, async {
                let (head, body) = response.await?.into_parts();
                let (body, trailers) = whole(body).await?;
                Ok(Whole { head: Response::from_parts(head, ()), body, trailers })
            })
            .await
            .expect("an answer in time")
        });
        drop(sending);
        answer
    }

    /// Resets it.
    pub fn reset(mut self) {
        self.sending.send_reset(Reason::CANCEL);
    }
}

async fn whole(mut body: RecvStream) -> Result<(Vec<u8>, HeaderMap), h2::Error> {
    let mut bytes = Vec::new();
    while let Some(data) = body.data().await {
        let data = data?;
        // Nothing is written after this if the stream is over.
        let _ = body.flow_control().release_capacity(data.len());
        bytes.extend_from_slice(&data);
    }
    Ok((bytes, body.trailers().await?.unwrap_or_default()))
}

/// What a backend does with a request.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "the answers of a test are few")]
pub enum Answer {
    /// Head, body, trailers.
    Whole(Response<()>, Vec<u8>, HeaderMap),
    /// The stream is reset.
    Reset(Reason),
    /// Nothing, for as long as the test lives.
    Silence,
}

/// 200 with a text.
#[must_use]
pub fn ok(text: &str) -> Answer {
    Answer::Whole(Response::new(()), text.as_bytes().to_vec(), HeaderMap::new())
}

/// An answer of gRPC: a body, and the status behind it.
#[must_use]
pub fn grpc(body: &[u8], status: &'static str) -> Answer {
    let head = Response::builder().header("content-type", "application/grpc").body(()).expect("a head");
    let trailers =
        HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), http::HeaderValue::from_static(status))]);
    Answer::Whole(head, body.to_vec(), trailers)
}

type Seen = Arc<Mutex<Vec<Whole<Request<()>>>>>;
type Handler = dyn Fn(&Whole<Request<()>>) -> Answer + Send + Sync;

/// A server on loopback, by prior knowledge, that lives as long as the test.
pub struct Backend {
    /// Where it listens.
    pub address: SocketAddr,
    asked: Seen,
    connections: Arc<Mutex<usize>>,
    _runtime: Driven,
}

impl Backend {
    /// Answers every request as `handler` says.
    pub fn start(handler: impl Fn(&Whole<Request<()>>) -> Answer + Send + Sync + 'static) -> Self {
        let runtime = Driven::start();
        let listener = runtime.handle.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        let (asked, connections) = (Seen::default(), Arc::new(Mutex::new(0)));
        let (handler, seen, counted): (Arc<Handler>, _, _) =
            (Arc::new(handler), Arc::clone(&asked), Arc::clone(&connections));
        runtime.handle.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *counted.lock().expect("no panic") += 1;
                tokio::spawn(serve(stream, Arc::clone(&handler), Arc::clone(&seen)));
            }
        });
        Self { address, asked, connections, _runtime: runtime }
    }

    /// Refuses every second stream of a connection as soon as its head has come, and answers the others.
    pub fn refusing_every_second() -> Self {
        let runtime = Driven::start();
        let listener = runtime.handle.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = Seen::default();
        let seen = Arc::clone(&asked);
        runtime.handle.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(refuse_every_second(stream, Arc::clone(&seen)));
            }
        });
        Self { address, asked, connections: Arc::default(), _runtime: runtime }
    }

    /// The requests so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Whole<Request<()>>> {
        self.asked.lock().expect("no panic in a handler").clone()
    }

    /// The connections so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        *self.connections.lock().expect("no panic")
    }
}

async fn serve(stream: TcpStream, handler: Arc<Handler>, asked: Seen) -> Result<(), h2::Error> {
    let mut connection = server::handshake(stream).await?;
    while let Some(accepted) = connection.accept().await {
        let (request, respond) = accepted?;
        tokio::spawn(answer(request, respond, Arc::clone(&handler), Arc::clone(&asked)));
    }
    Ok(())
}

async fn refuse_every_second(stream: TcpStream, asked: Seen) -> Result<(), h2::Error> {
    let mut connection = server::handshake(stream).await?;
    let ok: Arc<Handler> = Arc::new(|_| Answer::Whole(Response::new(()), b"answered".to_vec(), HeaderMap::new()));
    let mut refuses = false;
    while let Some(accepted) = connection.accept().await {
        let (request, mut respond) = accepted?;
        refuses = !refuses;
        if refuses {
            respond.send_reset(Reason::REFUSED_STREAM);
        } else {
            tokio::spawn(answer(request, respond, Arc::clone(&ok), Arc::clone(&asked)));
        }
    }
    Ok(())
}

async fn answer(
    request: Request<RecvStream>,
    mut respond: server::SendResponse<bytes::Bytes>,
    handler: Arc<Handler>,
    asked: Seen,
) -> Result<(), h2::Error> {
    let (head, body) = request.into_parts();
    let (body, trailers) = whole(body).await?;
    let request = Whole { head: Request::from_parts(head, ()), body, trailers };
    asked.lock().expect("no panic in a handler").push(request.clone());
    match handler(&request) {
        Answer::Whole(head, body, trailers) => {
            let bare = body.is_empty() && trailers.is_empty();
            let mut sending = respond.send_response(head, bare)?;
            if !body.is_empty() {
                sending.send_data(body.into(), trailers.is_empty())?;
            }
            if !trailers.is_empty() {
                sending.send_trailers(trailers)?;
            }
        }
        Answer::Reset(reason) => respond.send_reset(reason),
        Answer::Silence => std::future::pending().await,
    }
    Ok(())
}
