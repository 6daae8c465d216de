//! Requests as one line: `POST /path name: value; name: value << body ++ name: value`, behind `h2 ` for HTTP/2.

use crate::http::streams;
use crate::http::{Connection, Message};
use std::net::SocketAddr;

/// A request, taken apart.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    http2: bool,
    request: streams::Request,
}

impl Ask {
    pub(super) fn new(text: &str) -> Self {
        let (http2, text) = text.strip_prefix("h2 ").map_or((false, text), |rest| (true, rest));
        let (text, trailers) = text.split_once(" ++ ").unwrap_or((text, ""));
        let (head, body) = text.split_once(" << ").unwrap_or((text, ""));
        let mut words = head.splitn(3, ' ');
        let method = words.next().unwrap_or_default().to_owned();
        let path = words.next().unwrap_or_default().to_owned();
        let mut fields = pairs(words.next().unwrap_or_default());
        let at = fields.iter().position(|(name, _)| name == "host");
        let authority = at.map_or_else(|| "cart".to_owned(), |at| fields.remove(at).1);
        // `x*70000` is a long body, or a long value.
        let body = repeated(body);
        for (_, value) in &mut fields {
            *value = String::from_utf8_lossy(&repeated(value)).into_owned();
        }
        let request = streams::Request { method, authority, path, fields, body, trailers: pairs(trailers) };
        Self { http2, request }
    }

    /// Asks on a connection of its own.
    pub(super) fn ask(&self, address: SocketAddr) -> Message {
        if self.http2 {
            return streams::ask(address, &self.request);
        }
        let mut connection = Connection::to(address).expect("a connection");
        self.ask_on(&mut connection)
    }

    /// Asks on a connection that there is.
    pub(super) fn ask_on(&self, connection: &mut Connection) -> Message {
        // What was refused before it was read is answered all the same.
        let _ = connection.send(self.bytes());
        final_answer(connection, &self.request.method)
    }

    /// As HTTP/1.1 has it.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let Self { request, .. } = self;
        let mut head = format!("{} {} HTTP/1.1\r\nhost: {}\r\n", request.method, request.path, request.authority);
        for (name, value) in &request.fields {
            head.extend([name.as_str(), ": ", value.as_str(), "\r\n"]);
        }
        if !request.trailers.is_empty() {
            let begin = format!("transfer-encoding: chunked\r\n\r\n{:x}\r\n", request.body.len());
            let trailers = request.trailers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
            let end = format!("\r\n0\r\n{}\r\n", trailers.collect::<String>());
            return [head.as_bytes(), begin.as_bytes(), &request.body, end.as_bytes()].concat();
        }
        if !request.body.is_empty() {
            head.extend(["content-length: ", &request.body.len().to_string(), "\r\n"]);
        }
        [head.as_bytes(), b"\r\n", &request.body].concat()
    }
}

/// The answer to a method, behind all that are only a beginning; their statuses stand in its first line.
pub(super) fn final_answer(connection: &mut Connection, method: &str) -> Message {
    let mut before = String::new();
    loop {
        let answer = if method == "HEAD" { connection.answer_to_head() } else { connection.answer() };
        match answer {
            Ok(Some(answer)) if (100..200).contains(&answer.status()) && answer.status() != 101 => {
                before = format!("{before}{} {:?}, then ", answer.status(), answer.fields);
            }
            Ok(Some(mut answer)) => {
                if !before.is_empty() {
                    answer.line = format!("{} (after {before})", answer.line);
                }
                return answer;
            }
            Ok(None) => return Message { line: format!("{before}closed"), ..Message::default() },
            Err(error) => return Message { line: format!("{before}{}", error.kind()), ..Message::default() },
        }
    }
}

fn pairs(text: &str) -> Vec<(String, String)> {
    let fields = text.split("; ").filter_map(|field| field.split_once(':'));
    fields.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
}

fn repeated(text: &str) -> Vec<u8> {
    let times = text.split_once('*').and_then(|(what, times)| Some((what, times.parse::<usize>().ok()?)));
    times.map_or_else(|| text.as_bytes().to_vec(), |(what, times)| what.repeat(times).into_bytes())
}
