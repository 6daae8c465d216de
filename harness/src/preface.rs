//! Which version of HTTP a connection is going to speak, by its first bytes.

use std::time::Duration;
use tokio::net::TcpStream;

/// How a connection of HTTP/2 begins, which is no method of HTTP/1.
const PREFACE: &[u8; 4] = b"PRI ";
/// How often a client that is slow to begin is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// True if the client speaks HTTP/2 from the first byte on. What it has sent is left where it is.
pub async fn is_http2(stream: &TcpStream) -> bool {
    let mut first = [0; PREFACE.len()];
    loop {
        match stream.peek(&mut first).await {
            Ok(len) if len == PREFACE.len() => return first == *PREFACE,
            // Whoever begins like that and is slow to go on is waited for.
            Ok(len @ 1..) if PREFACE.starts_with(&first[..len]) => tokio::time::sleep(LOOK).await,
            _ => return false,
        }
    }
}
