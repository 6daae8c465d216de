//! Asking over HTTP or TCP whether something is there.

use bytes::BytesMut;
use squall_http1::{BodyReader, Framing, HeadReader, Request, Response, write};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Largest answer that is read.
const LARGEST: usize = 16 * 1024 * 1024;

/// Gets a path; gives status and body. No trace is sent, by which probes are told from traffic.
pub async fn get(to: SocketAddr, path: &str, timeout: Duration) -> io::Result<(u16, Vec<u8>)> {
    tokio::time::timeout(timeout, exchange(to, path)).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

/// True if a connection is accepted in time.
pub async fn connects(to: SocketAddr, timeout: Duration) -> bool {
    matches!(tokio::time::timeout(timeout, TcpStream::connect(to)).await, Ok(Ok(_)))
}

async fn exchange(to: SocketAddr, path: &str) -> io::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(to).await?;
    let mut request = Request::new("GET", path);
    request.headers.add("host", to.to_string().as_bytes());
    request.headers.add("user-agent", b"kube-probe/squall");
    request.headers.add("connection", b"close");
    let mut buf = BytesMut::new();
    write::request(&mut buf, &request, Framing::Empty);
    stream.write_all(&buf).await?;
    buf.clear();
    let (mut reader, mut response) = (HeadReader::default(), Response::default());
    while !reader.response(&mut buf, &mut response).map_err(io::Error::other)? {
        if stream.read_buf(&mut buf).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let mut reader = BodyReader::new(response.framing("GET").map_err(io::Error::other)?);
    let mut body = Vec::new();
    while !reader.is_done() {
        if buf.is_empty() && stream.read_buf(&mut buf).await? == 0 {
            reader.closed().map_err(io::Error::other)?;
            break;
        }
        let step = reader.step(&buf).map_err(io::Error::other)?;
        body.extend_from_slice(&buf[step.payload]);
        bytes::Buf::advance(&mut buf, step.consumed);
        if body.len() > LARGEST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
    }
    Ok((response.status, body))
}
