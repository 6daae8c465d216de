//! The least that a proxy can do with hyper: one thread that forwards requests to endpoints in turn. No statistics, no time-outs, no limits.

use hyper::body::Incoming;
use hyper::client::conn::http1::{self as client, SendRequest};
use hyper::header::{CONNECTION, HOST, HeaderValue};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::task::{LocalSet, spawn_local};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Endpoints, and connections to them that were used before.
struct Upstream {
    endpoints: Vec<SocketAddr>,
    next: Cell<usize>,
    idle: RefCell<Vec<VecDeque<SendRequest<Incoming>>>>,
}

impl Upstream {
    fn new(endpoints: Vec<SocketAddr>) -> Self {
        let idle = RefCell::new(endpoints.iter().map(|_| VecDeque::new()).collect());
        Self { endpoints, next: Cell::new(0), idle }
    }

    async fn ask(&self, request: Request<Incoming>) -> Result<Response<Incoming>, Error> {
        let at = self.next.replace((self.next.get() + 1) % self.endpoints.len());
        let mut sender = match self.take(at) {
            Some(sender) => sender,
            None => connect(self.endpoints[at]).await?,
        };
        let answer = sender.send_request(request).await?;
        self.idle.borrow_mut()[at].push_back(sender);
        Ok(answer)
    }

    /// A connection whose last answer was read to its end.
    fn take(&self, at: usize) -> Option<SendRequest<Incoming>> {
        let idle = &mut self.idle.borrow_mut()[at];
        for _ in 0..idle.len() {
            let sender = idle.pop_front()?;
            if sender.is_ready() {
                return Some(sender);
            }
            if !sender.is_closed() {
                idle.push_back(sender);
            }
        }
        None
    }
}

async fn connect(endpoint: SocketAddr) -> Result<SendRequest<Incoming>, Error> {
    let stream = TcpStream::connect(endpoint).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = client::handshake(TokioIo::new(stream)).await?;
    // How it ends is seen by whoever sends on it.
    spawn_local(async move { connection.await.is_ok() });
    Ok(sender)
}

async fn forward(upstream: Rc<Upstream>, mut request: Request<Incoming>) -> Result<Response<Incoming>, Error> {
    request.headers_mut().remove(CONNECTION);
    if let Some(authority) = request.uri().authority() {
        let host = HeaderValue::from_str(authority.as_str())?;
        request.headers_mut().entry(HOST).or_insert(host);
        *request.uri_mut() = request.uri().path_and_query().map_or("/", |target| target.as_str()).parse()?;
        *request.version_mut() = hyper::Version::HTTP_11;
    }
    let mut answer = upstream.ask(request).await?;
    answer.headers_mut().remove(CONNECTION);
    Ok(answer)
}

/// Streams of HTTP/2 stay on this thread.
#[derive(Clone)]
struct Here;

impl<F: Future<Output: 'static> + 'static> hyper::rt::Executor<F> for Here {
    fn execute(&self, future: F) {
        spawn_local(future);
    }
}

/// Serves until it is killed: `http1` or `http2`, where to listen, the endpoints.
pub(crate) fn serve(arguments: &[String]) -> Result<(), Error> {
    let [protocol, listen, endpoints @ ..] = arguments else {
        return Err("usage: forwarder http1|http2 LISTEN ENDPOINT...".into());
    };
    let endpoints = endpoints.iter().map(|endpoint| endpoint.parse()).collect::<Result<_, _>>()?;
    let upstream = Rc::new(Upstream::new(endpoints));
    let runtime = Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind(listen).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let (stream, upstream) = (TokioIo::new(stream), Rc::clone(&upstream));
            let service = service_fn(move |request| forward(Rc::clone(&upstream), request));
            // A client that goes away is no matter.
            if protocol == "http2" {
                spawn_local(async move { http2::Builder::new(Here).serve_connection(stream, service).await.is_ok() });
            } else {
                spawn_local(async move { http1::Builder::new().serve_connection(stream, service).await.is_ok() });
            }
        }
    })
}
