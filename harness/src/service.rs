//! `squall service`: one instance of the test service, as fast, slow, faulty or narrow as it is told to be.
//!
//! It counts every request in a ledger that survives its own SIGKILL, and knows nothing of scenarios.

mod behaviour;
mod http2;
pub mod ledger;
pub mod options;

use crate::clock::{self, Nanos, Timer};
use crate::preface::is_http2;
use behaviour::{Behaviour, Verdict};
use bytes::{Buf, BytesMut};
use ledger::{Ledger, LedgerError};
use options::Options;
use squall_http1::{BodyReader, Framing, HeadReader, Refusal, Request, Response, write};
use std::io::{self, Write};
use std::rc::Rc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

/// Bytes read at once.
const READ: usize = 16 * 1024;

/// Why the service ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The ledger could not be made.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// It could not listen, or not say that it does.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// Serves until it is killed.
pub fn run(options: Options) -> Result<(), Error> {
    clock::precise_thread()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, serve(options))
}

async fn serve(options: Options) -> Result<(), Error> {
    let listener = TcpListener::bind(("127.0.0.1", options.port)).await?;
    let ledger = options.ledger.as_deref().map(Ledger::create).transpose()?;
    let service = Rc::new(Service { behaviour: Behaviour::new(&options, Timer::new()?), ledger, options });
    say_ready(&listener)?;
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors: a pause lets others give some back.
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            continue;
        };
        tokio::task::spawn_local(Rc::clone(&service).connection(stream));
    }
}

fn say_ready(listener: &TcpListener) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", serde_json::json!({"ready": true, "listen": listener.local_addr()?.to_string()}))?;
    out.flush()
}

struct Service {
    options: Options,
    behaviour: Behaviour,
    ledger: Option<Ledger>,
}

/// The connection is over.
struct Over;

impl From<io::Error> for Over {
    fn from(_: io::Error) -> Self {
        Self
    }
}

impl From<Refusal> for Over {
    fn from(_: Refusal) -> Self {
        Self
    }
}

impl Service {
    async fn connection(self: Rc<Self>, mut stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        if is_http2(&stream).await {
            return http2::serve(self, stream).await;
        }
        let (mut buf, mut out) = (BytesMut::new(), BytesMut::new());
        let (mut reader, mut request) = (HeadReader::default(), Request::default());
        while self.request(&mut stream, &mut buf, &mut out, &mut reader, &mut request).await.is_ok() {}
    }

    async fn request(
        &self,
        stream: &mut TcpStream,
        buf: &mut BytesMut,
        out: &mut BytesMut,
        reader: &mut HeadReader,
        request: &mut Request,
    ) -> Result<(), Over> {
        while !reader.request(buf, request)? {
            fill(stream, buf).await?;
        }
        let asked = self.asked(request);
        let mut body = BodyReader::new(request.framing()?);
        while !body.is_done() {
            if buf.is_empty() {
                fill(stream, buf).await?;
            }
            let step = body.step(buf)?;
            buf.advance(step.consumed);
        }
        let good = self.serve(&asked).await;
        self.answer(if good { 200 } else { 500 }, &asked, request, out);
        stream.write_all(out).await?;
        self.answered(&asked, good);
        if request.keep_alive() { Ok(()) } else { Err(Over) }
    }

    /// Counts a request whose head has come.
    fn asked(&self, head: &Request) -> Asked {
        let asked = Asked {
            arrived: clock::now(),
            // Probes and checks carry no trace; they are answered, and counted apart.
            probe: !head.headers.contains("traceparent"),
            health: head.target() == self.options.health,
            attempt: attempt(head),
        };
        if let Some(ledger) = self.ledger.as_ref() {
            if asked.probe { ledger.probe() } else { ledger.received(asked.arrived, asked.attempt) }
        }
        asked
    }

    /// Does its work; true if it went well.
    async fn serve(&self, asked: &Asked) -> bool {
        asked.is_check() || self.behaviour.serve().await == Verdict::Good
    }

    /// Counts its answer, which has been sent.
    fn answered(&self, asked: &Asked, good: bool) {
        if let Some(ledger) = self.ledger.as_ref().filter(|_| !asked.probe) {
            ledger.answered(asked.arrived, asked.attempt, if good { 200 } else { 500 });
        }
    }

    /// Bytes of the answer's body.
    fn body_bytes(&self, asked: &Asked) -> u64 {
        if asked.is_check() { 0 } else { self.options.responds.body_bytes }
    }

    fn answer(&self, status: u16, asked: &Asked, request: &Request, out: &mut BytesMut) {
        let mut response = Response::new(status);
        response.headers.add("x-squall-instance", self.options.name.as_bytes());
        response.headers.add("x-squall-attempt", asked.attempt.to_string().as_bytes());
        let length = self.body_bytes(asked);
        let framing = if length == 0 { Framing::Empty } else { Framing::Length(length) };
        out.clear();
        write::response(out, &response, framing, request.method());
        if request.method() != "HEAD" {
            out.resize(out.len() + length as usize, b'.');
        }
    }
}

/// A request as the service looks at it.
struct Asked {
    arrived: Nanos,
    probe: bool,
    /// It asks where health is asked for.
    health: bool,
    attempt: u32,
}

impl Asked {
    /// A check of its health is answered at once and well, with nothing.
    fn is_check(&self) -> bool {
        self.probe && self.health
    }
}

/// `x-envoy-attempt-count`, or the first.
fn attempt(request: &Request) -> u32 {
    request.headers.get_str("x-envoy-attempt-count").and_then(|attempt| attempt.parse().ok()).unwrap_or(1)
}

async fn fill(stream: &mut TcpStream, buf: &mut BytesMut) -> Result<(), Over> {
    buf.reserve(READ);
    if stream.read_buf(buf).await? == 0 { Err(Over) } else { Ok(()) }
}
