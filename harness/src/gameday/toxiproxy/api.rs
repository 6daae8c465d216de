//! The API over HTTP: paths, bodies, statuses.

use super::VERSION;
use super::proxies::{Error, Proxies, Wanted};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, ORIGIN, USER_AGENT};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::TcpListener;

/// A body may be as long as this.
const LONGEST: usize = 1 << 20;
/// So long a head may take to come.
const HEAD: Duration = Duration::from_secs(15);
/// Out of descriptors: a pause lets others give some back.
const PAUSE: Duration = Duration::from_millis(20);

/// Answers whoever asks, for good; the error is of the listener.
pub(super) async fn serve(listener: &TcpListener, proxies: &Rc<Proxies>) -> io::Error {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let proxies = Rc::clone(proxies);
        tokio::task::spawn_local(async move {
            let service = service_fn(|request| {
                let proxies = Rc::clone(&proxies);
                async move { Ok::<_, Infallible>(answer(request, &proxies).await) }
            });
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(HEAD);
            // A client that leaves amid its question is nobody's loss.
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

type Answer = Response<Full<Bytes>>;

async fn answer(request: Request<Incoming>, proxies: &Proxies) -> Answer {
    let (head, body) = request.into_parts();
    if is_of_browser(&head.headers) {
        return plain(StatusCode::FORBIDDEN, "browsers are not answered, nor names that are not this machine's\n");
    }
    let body = match Limited::new(body, LONGEST).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return refused(&Error::Body(error.to_string())),
    };
    let path = head.uri.path().trim_matches('/').to_owned();
    let parts: Vec<String> = path.split('/').map(unescaped).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    routed(&head.method, &parts, &body, proxies).await.unwrap_or_else(|error| refused(&error))
}

async fn routed(method: &Method, path: &[&str], body: &[u8], proxies: &Proxies) -> Result<Answer, Error> {
    let changes = *method == Method::POST || *method == Method::PATCH;
    Ok(match (method, path) {
        (&Method::GET, ["version"]) => shown(StatusCode::OK, &json!({"version": VERSION})),
        (&Method::POST, ["reset"]) => {
            proxies.reset().await?;
            nothing()
        }
        (&Method::GET, ["proxies"]) => shown(StatusCode::OK, &proxies.list().await),
        (&Method::POST, ["proxies"]) => shown(StatusCode::CREATED, &proxies.create(read(body)?).await?),
        (&Method::POST, ["populate"]) => {
            let populated = proxies.populate(read::<Vec<Wanted>>(body)?).await?;
            shown(StatusCode::CREATED, &json!({"proxies": populated}))
        }
        (&Method::GET, ["proxies", name]) => shown(StatusCode::OK, &proxies.show(name).await?),
        (_, ["proxies", name]) if changes => shown(StatusCode::OK, &proxies.change(name, read(body)?).await?),
        (&Method::DELETE, ["proxies", name]) => {
            proxies.delete(name).await?;
            nothing()
        }
        (&Method::GET, ["proxies", name, "toxics"]) => shown(StatusCode::OK, &proxies.show(name).await?.toxics),
        (&Method::POST, ["proxies", name, "toxics"]) => {
            shown(StatusCode::OK, &proxies.add_toxic(name, read(body)?).await?)
        }
        (&Method::GET, ["proxies", name, "toxics", toxic]) => shown(StatusCode::OK, &proxies.toxic(name, toxic).await?),
        (_, ["proxies", name, "toxics", toxic]) if changes => {
            shown(StatusCode::OK, &proxies.change_toxic(name, toxic, read(body)?).await?)
        }
        (&Method::DELETE, ["proxies", name, "toxics", toxic]) => {
            proxies.delete_toxic(name, toxic).await?;
            nothing()
        }
        (
            _,
            ["version" | "reset" | "populate" | "proxies"]
            | ["proxies", _]
            | ["proxies", _, "toxics"]
            | ["proxies", _, "toxics", _],
        ) => plain(StatusCode::METHOD_NOT_ALLOWED, ""),
        _ => plain(StatusCode::NOT_FOUND, "404 page not found\n"),
    })
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| Error::Body(error.to_string()))
}

/// A page in a browser could be made to ask: of its own accord, or under a name that somebody lets lead here.
fn is_of_browser(fields: &HeaderMap) -> bool {
    let of = |name| fields.get(name).and_then(|value| value.to_str().ok());
    let strange = of(HOST).is_some_and(|host| !is_of_machine(host));
    let browser = of(USER_AGENT).is_some_and(|agent| agent.starts_with("Mozilla/"));
    strange || browser || fields.contains_key(ORIGIN) || fields.contains_key("sec-fetch-site")
}

/// An address, or the name that every machine has for itself; not one that is looked up.
fn is_of_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

/// A part of a path without its escapes.
fn unescaped(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let code = behind.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = code.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn shown(status: StatusCode, what: &impl Serialize) -> Answer {
    // What is shown are maps, lists, words and numbers.
    let body = serde_json::to_vec(what).unwrap_or_default();
    answered(status, "application/json", body.into())
}

fn nothing() -> Answer {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

fn plain(status: StatusCode, text: &'static str) -> Answer {
    answered(status, "text/plain; charset=utf-8", Bytes::from_static(text.as_bytes()))
}

fn answered(status: StatusCode, kind: &'static str, body: Bytes) -> Answer {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(kind));
    response
}

fn refused(error: &Error) -> Answer {
    let status = match error {
        Error::NoProxy | Error::NoToxic => StatusCode::NOT_FOUND,
        Error::ProxyExists | Error::ToxicExists => StatusCode::CONFLICT,
        Error::Missing(_) | Error::Body(_) | Error::Toxic(_) => StatusCode::BAD_REQUEST,
        Error::Relay(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    shown(status, &json!({"error": error.to_string(), "status": status.as_u16()}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_looked_up_and_browsers_are_not_answered() {
        for (name, value, refused) in [
            ("host", "127.0.0.1:8474", false),
            ("host", "localhost:8474", false),
            ("host", "[::1]:8474", false),
            ("host", "evil.test:8474", true),
            ("user-agent", "toxiproxy-cli/2.12", false),
            ("user-agent", "Mozilla/5.0 (X11)", true),
            ("origin", "http://127.0.0.1", true),
            ("sec-fetch-site", "cross-site", true),
        ] {
            let mut fields = HeaderMap::new();
            fields.insert(name, value.parse().unwrap());
            assert_eq!(is_of_browser(&fields), refused, "{name}: {value}");
        }
    }

    #[test]
    fn names_in_paths_are_unescaped() {
        for (part, wanted) in
            [("redis", "redis"), ("my%20redis", "my redis"), ("%2F", "/"), ("100%", "100%"), ("%zz", "%zz")]
        {
            assert_eq!(unescaped(part), wanted);
        }
    }
}
