//! HTTP by hand, so that nothing of Squall's is both tested and tester: a client, and backends that answer as they are told.

pub mod streams;

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Nothing in a test takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A message as it was read: a request or an answer.
#[derive(Debug, Clone, Default)]
pub struct Message {
    /// The first line.
    pub line: String,
    /// Fields, names in lower case; several of a name are joined by `, `.
    pub fields: BTreeMap<String, String>,
    /// The body, chunks put together.
    pub body: Vec<u8>,
    /// Fields behind the body, as `fields`.
    pub trailers: BTreeMap<String, String>,
}

impl Message {
    /// A field's value; empty if it is not there.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// An answer's status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    /// A request's target.
    #[must_use]
    pub fn target(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Reads one message; none at the end of the connection.
pub fn read_message(reader: &mut impl BufRead) -> io::Result<Option<Message>> {
    let Some(mut message) = read_head(reader)? else { return Ok(None) };
    let status = message.status();
    let is_answer = message.line.starts_with("HTTP/");
    if message.field("transfer-encoding") == "chunked" {
        read_chunks(reader, &mut message.body)?;
        read_fields(reader, &mut message.trailers)?;
    } else if let Ok(length) = message.field("content-length").parse::<usize>() {
        message.body.resize(length, 0);
        reader.read_exact(&mut message.body)?;
    } else if is_answer && status >= 200 && status != 204 && status != 304 {
        reader.read_to_end(&mut message.body)?;
    }
    Ok(Some(message))
}

fn read_head(reader: &mut impl BufRead) -> io::Result<Option<Message>> {
    let mut message = Message::default();
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    line.trim_end().clone_into(&mut message.line);
    read_fields(reader, &mut message.fields)?;
    Ok(Some(message))
}

/// Adds a field, behind a comma if it is there already.
pub fn add_field(fields: &mut BTreeMap<String, String>, name: &str, value: &str) {
    let known = fields.entry(name.to_ascii_lowercase()).or_default();
    if !known.is_empty() {
        known.push_str(", ");
    }
    known.push_str(value);
}

fn read_fields(reader: &mut impl BufRead, fields: &mut BTreeMap<String, String>) -> io::Result<()> {
    let mut line = String::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { return Ok(()) };
        add_field(fields, name, value.trim());
    }
}

fn read_chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let size = usize::from_str_radix(line.trim_end(), 16).map_err(io::Error::other)?;
        let begin = body.len();
        body.resize(begin + size, 0);
        reader.read_exact(&mut body[begin..])?;
        if size == 0 {
            return Ok(());
        }
        line.clear();
        reader.read_line(&mut line)?;
    }
}

/// A client's connection.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects.
    pub fn to(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Writes bytes as they are.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes.as_ref())
    }

    /// The socket below.
    #[must_use]
    pub fn socket(&self) -> &TcpStream {
        self.stream.get_ref()
    }

    /// Reads an answer; none if the connection is at its end.
    pub fn answer(&mut self) -> io::Result<Option<Message>> {
        read_message(&mut self.stream)
    }

    /// Reads an answer to a HEAD, which is over with its fields.
    pub fn answer_to_head(&mut self) -> io::Result<Option<Message>> {
        read_head(&mut self.stream)
    }

    /// Reads bytes as they are.
    pub fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.stream.read(bytes)
    }

    /// Asks and waits for the answer.
    #[must_use]
    pub fn ask(&mut self, request: &str) -> Message {
        self.send(request).expect("the request is sent");
        self.answer().expect("an answer is read").expect("an answer")
    }
}

/// One GET on a connection of its own; `head` is what follows the first line, such as `host: cart\r\nx: y\r\n`.
#[must_use]
pub fn get(address: SocketAddr, path: &str, head: &str) -> Message {
    let mut connection = Connection::to(address).expect("a connection");
    connection.ask(&format!("GET {path} HTTP/1.1\r\n{head}\r\n"))
}

/// An address at which connections are refused, for as long as it is held.
#[derive(Debug)]
pub struct Refusing {
    /// The address.
    pub address: SocketAddr,
    _bound: socket2::Socket,
}

impl Refusing {
    /// Binds a port, so that nobody else gets it, and does not listen.
    #[must_use]
    pub fn start() -> Self {
        let bound = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
        bound.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a port");
        let address = bound.local_addr().expect("an address").as_socket().expect("an address of IP");
        Self { address, _bound: bound }
    }
}

/// An address at which nobody answers a connection, neither well nor badly, for as long as it is held.
#[derive(Debug)]
pub struct Hanging {
    /// The address.
    pub address: SocketAddr,
    _listens: socket2::Socket,
    _waits: TcpStream,
}

impl Hanging {
    /// Listens with room for one connection that nobody takes, and makes that one: whoever comes after is not heard.
    #[must_use]
    pub fn start() -> Self {
        let listens = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
        listens.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a port");
        listens.listen(0).expect("a listener");
        let address = listens.local_addr().expect("an address").as_socket().expect("an address of IP");
        Self { address, _listens: listens, _waits: TcpStream::connect(address).expect("the one that has room") }
    }
}

/// What a backend does with a request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A status, further fields as lines, and a body.
    Status(u16, &'static str, Vec<u8>),
    /// Nothing, until the connection is closed from the other side.
    Silence,
    /// The connection is closed.
    Close,
    /// These bytes as they are, and the connection is closed.
    Raw(&'static [u8]),
    /// These bytes as they are, and nothing more until the connection is closed from the other side.
    Stall(&'static [u8]),
    /// Everything of the connection is sent back, from behind a 101 on.
    Echo,
    /// The connection is reset.
    Reset,
    /// HTTP/2: the stream is given up for this reason.
    GiveUp(h2::Reason),
    /// HTTP/2: 200 with a text, behind a goodbye: the connection takes no more requests.
    Goodbye(String),
    /// HTTP/2: the same as `Status`, with fields behind the body, as lines.
    Trailers(u16, &'static str, Vec<u8>, &'static str),
}

/// 200 with a text.
#[must_use]
pub fn ok(text: &str) -> Answer {
    Answer::Status(200, "", text.as_bytes().to_vec())
}

/// An empty answer with a status.
#[must_use]
pub fn status(status: u16) -> Answer {
    Answer::Status(status, "", Vec::new())
}

/// Decides what a backend does.
pub type Handler = dyn Fn(&Message) -> Answer + Send + Sync;

/// A server on loopback that lives as long as the test.
pub struct Backend {
    /// Where it listens.
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Message>>>,
    connections: Arc<AtomicUsize>,
}

impl Backend {
    /// Answers every request as `handler` says.
    pub fn start(handler: impl Fn(&Message) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (asked, connections) = (Arc::default(), Arc::default());
        let backend = Self { address, asked: Arc::clone(&asked), connections: Arc::clone(&connections) };
        let handler: Arc<Handler> = Arc::new(handler);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                connections.fetch_add(1, Ordering::SeqCst);
                let (handler, asked) = (Arc::clone(&handler), Arc::clone(&asked));
                // A client that goes away in the middle is no matter.
                std::thread::spawn(move || serve(stream, &*handler, &asked));
            }
        });
        backend
    }

    /// Answers each head, and never reads the body behind it.
    pub fn reading_only_heads(handler: impl Fn(&Message) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::<Mutex<Vec<Message>>>::default();
        let backend = Self { address, asked: Arc::clone(&asked), connections: Arc::default() };
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            for stream in listener.incoming().flatten() {
                // One byte at a time, so that nothing of the body is taken.
                let mut reader = BufReader::with_capacity(1, stream);
                if let Ok(Some(head)) = read_head(&mut reader)
                    && let Answer::Raw(bytes) = handler(&head)
                {
                    asked.lock().expect("no panic in a handler").push(head);
                    // A client that has gone does not matter.
                    let _ = reader.get_mut().write_all(bytes);
                }
                kept.push(reader);
            }
        });
        backend
    }

    /// The same in HTTP/2, which clients must know beforehand.
    pub fn http2(handler: impl Fn(&Message) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (asked, connections) = (Arc::default(), Arc::default());
        let backend = Self { address, asked: Arc::clone(&asked), connections: Arc::clone(&connections) };
        let handler: Arc<Handler> = Arc::new(handler);
        std::thread::spawn(move || streams::serve(listener, &handler, &asked, &connections));
        backend
    }

    /// Always says who it is.
    #[must_use]
    pub fn named(name: &'static str) -> Self {
        Self::start(move |_| ok(name))
    }

    /// The requests so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Message> {
        self.asked.lock().expect("no panic in a handler").clone()
    }

    /// Forgets the requests and the connections so far.
    pub fn forget(&self) {
        self.asked.lock().expect("no panic in a handler").clear();
        self.connections.store(0, Ordering::SeqCst);
    }

    /// The connections so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn serve(stream: TcpStream, handler: &Handler, asked: &Mutex<Vec<Message>>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_message(&mut reader)? {
        asked.lock().expect("no panic in a handler").push(request.clone());
        let stream = reader.get_mut();
        match handler(&request) {
            Answer::Status(status, fields, body) => {
                let head = format!("HTTP/1.1 {status} x\r\n{fields}content-length: {}\r\n\r\n", body.len());
                stream.write_all(&[head.as_bytes(), &body].concat())?;
            }
            Answer::Silence => {
                let _ = stream.read(&mut [0])?;
                return Ok(());
            }
            Answer::Close => return Ok(()),
            Answer::Reset | Answer::GiveUp(_) | Answer::Goodbye(_) => {
                return socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO));
            }
            Answer::Echo => return echo(&mut reader),
            Answer::Trailers(status, fields, body, trailers) => {
                let head =
                    format!("HTTP/1.1 {status} x\r\n{fields}transfer-encoding: chunked\r\n\r\n{:x}\r\n", body.len());
                let end = format!("\r\n0\r\n{trailers}\r\n");
                stream.write_all(&[head.as_bytes(), &body, end.as_bytes()].concat())?;
            }
            Answer::Raw(bytes) => return stream.write_all(bytes),
            Answer::Stall(bytes) => {
                stream.write_all(bytes)?;
                let _ = stream.read(&mut [0])?;
                return Ok(());
            }
        }
    }
    Ok(())
}

fn echo(reader: &mut BufReader<TcpStream>) -> io::Result<()> {
    reader
        .get_mut()
        .write_all(b"HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n")?;
    loop {
        let bytes = reader.fill_buf()?.to_vec();
        if bytes.is_empty() {
            return Ok(());
        }
        reader.consume(bytes.len());
        reader.get_mut().write_all(&bytes)?;
    }
}
