//! The request that is asked about.

use super::Asked;
use crate::policy::words;
use crate::serve::rehearsal::Rehearsed;
use squall_http1::{Request, Version, is_token};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A request that is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    method: String,
    https: bool,
    authority: String,
    path: String,
    port: u16,
    port_was_asked: bool,
    headers: Vec<(String, String)>,
    from: IpAddr,
    pub(super) source_labels: BTreeMap<String, String>,
}

/// A question that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadQuestion {
    /// The URL is none.
    #[error(
        "`{0}` is no URL of a request: expected http://HOST[:PORT]/PATH, https://..., or /PATH with --header host:NAME"
    )]
    Url(String),
    /// The method is none.
    #[error("`{0}` is no method: expected one such as GET")]
    Method(String),
    /// The name of a field is none.
    #[error("`{0}` is no name of a field")]
    Field(String),
}

/// No authority.
struct NoAuthority;

/// The port of an authority, if it has one. Brackets hold an address of IPv6.
fn port_of(authority: &str) -> Result<Option<u16>, NoAuthority> {
    let (name, rest) = match authority.strip_prefix('[') {
        Some(inner) => {
            let (address, rest) = inner.split_once(']').ok_or(NoAuthority)?;
            address.parse::<Ipv6Addr>().map_err(|_| NoAuthority)?;
            ("", rest)
        }
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    if name.contains(['[', ']', '@']) {
        return Err(NoAuthority);
    }
    match rest.strip_prefix(':') {
        Some(port) => port.parse().map(Some).map_err(|_| NoAuthority),
        None if rest.is_empty() => Ok(None),
        None => Err(NoAuthority),
    }
}

impl Question {
    /// A request by `GET`, with a URL as people write it. A path alone needs [`Self::header`] `host`.
    pub fn new(method: &str, url: &str) -> Result<Self, BadQuestion> {
        let bad = || BadQuestion::Url(url.to_owned());
        if !is_token(method) {
            return Err(BadQuestion::Method(method.to_owned()));
        }
        let (https, rest) = match (url.strip_prefix("http://"), url.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ if url.starts_with('/') => (false, url),
            _ => return Err(bad()),
        };
        let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(at);
        if !url.starts_with('/') && authority.is_empty() || path.contains(char::is_whitespace) {
            return Err(bad());
        }
        let path = path.split('#').next().unwrap_or(path);
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let port = port_of(authority).map_err(|NoAuthority| bad())?;
        Ok(Self {
            method: method.to_owned(),
            https,
            authority: authority.to_owned(),
            path,
            port: port.unwrap_or(if https { 443 } else { 80 }),
            port_was_asked: port.is_some(),
            headers: Vec::new(),
            from: Ipv4Addr::UNSPECIFIED.into(),
            source_labels: BTreeMap::new(),
        })
    }

    /// With one more field; `host` goes before the host of the URL.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, BadQuestion> {
        let name = name.trim().to_ascii_lowercase();
        if !is_token(&name) {
            return Err(BadQuestion::Field(name));
        }
        let value = value.trim().to_owned();
        if name == "host" {
            self.authority = value;
        } else {
            self.headers.push((name, value));
        }
        Ok(self)
    }

    /// Sent to this port, whatever the URL says.
    pub fn at_port(self, port: u16) -> Self {
        Self { port, port_was_asked: true, ..self }
    }

    /// From a workload with these labels.
    pub fn from_labels(self, source_labels: BTreeMap<String, String>) -> Self {
        Self { source_labels, ..self }
    }

    /// From a client with this address.
    pub fn from_address(self, from: IpAddr) -> Self {
        Self { from, ..self }
    }

    /// It says which host it is for.
    pub fn names_a_host(&self) -> bool {
        !self.authority.is_empty()
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn port_was_asked(&self) -> bool {
        self.port_was_asked
    }

    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// The server name of its TLS, if it comes by TLS.
    pub(super) fn server_name(&self) -> Option<String> {
        let host = crate::serve::routing::without_port(&self.authority);
        self.https.then(|| if host.parse::<IpAddr>().is_ok() { String::new() } else { host.to_ascii_lowercase() })
    }

    pub(super) fn from(&self) -> IpAddr {
        self.from
    }

    /// As a client at work would send it to a listener.
    pub(super) fn rehearsed(&self, listener: SocketAddr) -> Rehearsed {
        let mut request = Request::new(&self.method, &self.path);
        request.version = Version::Http11;
        request.headers.add("host", self.authority.as_bytes());
        self.headers.iter().for_each(|(name, value)| request.headers.add(name, value.as_bytes()));
        let host = crate::serve::routing::without_port(&self.authority);
        let dialled = host.trim_matches(['[', ']']).parse().unwrap_or(listener.ip());
        let protocols = || ["h2", "http/1.1"].map(str::to_owned).to_vec();
        Rehearsed {
            request,
            from: SocketAddr::new(self.from, 0),
            going_to: SocketAddr::new(dialled, self.port),
            tls: self.server_name().map(|name| (name, protocols())),
        }
    }

    /// As it is told.
    pub(super) fn told(&self) -> Asked {
        let field = |(name, value): &(String, String)| (name.clone(), words::field(name, value).to_owned());
        Asked {
            method: self.method.clone(),
            scheme: if self.https { "https" } else { "http" }.to_owned(),
            authority: self.authority.clone(),
            path: self.path.clone(),
            port: self.port,
            headers: self.headers.iter().map(field).collect(),
            source_labels: self.source_labels.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_scheme_host_port_and_path() {
        for (url, https, authority, path, port) in [
            ("http://cart", false, "cart", "/", 80),
            ("http://cart:9080/a?b=1#c", false, "cart:9080", "/a?b=1", 9080),
            ("https://shop.example.com/x", true, "shop.example.com", "/x", 443),
            ("http://[::1]:81/", false, "[::1]:81", "/", 81),
            ("http://[::1]/", false, "[::1]", "/", 80),
            ("http://cart?x", false, "cart", "/?x", 80),
            ("/only/path", false, "", "/only/path", 80),
        ] {
            let asked = Question::new("GET", url).unwrap();
            assert_eq!(
                (asked.https, asked.authority.as_str(), asked.path.as_str(), asked.port),
                (https, authority, path, port),
                "{url}"
            );
        }
        for bad in [
            "",
            "cart",
            "ftp://cart/",
            "http://",
            "http:///x",
            "http://cart:x/",
            "http://cart/a b",
            "http://[::1",
            "http://[::1]x/",
            "http://[cart]/",
            "http://a:b@cart/",
        ] {
            assert!(matches!(Question::new("GET", bad), Err(BadQuestion::Url(_))), "{bad}");
        }
        assert_eq!(Question::new("G T", "http://cart/").err(), Some(BadQuestion::Method("G T".to_owned())));
    }

    #[test]
    fn the_field_host_goes_before_the_url_and_secrets_are_not_told() {
        let asked = Question::new("GET", "http://cart/").unwrap();
        let asked = asked.header("Host", "pay:80").unwrap().header("authorization", "Bearer x").unwrap();
        assert_eq!(asked.authority(), "pay:80");
        assert_eq!(asked.told().headers, [("authorization".to_owned(), "[redacted]".to_owned())]);
        assert!(Question::new("GET", "/").unwrap().header("a b", "c").is_err());
    }
}
