//! The cookies of one user: a name has one value for each host, until it is taken back.

use std::time::SystemTime;

/// Cookies by host. Paths, and whether a connection is safe, are not looked at: a journey asks only what its author wrote.
#[derive(Debug, Default)]
pub struct Cookies {
    all: Vec<Cookie>,
}

#[derive(Debug)]
struct Cookie {
    host: String,
    name: String,
    value: String,
}

impl Cookies {
    /// Takes in a `Set-Cookie` of a host.
    pub fn set(&mut self, host: &str, text: &str) {
        let mut parts = text.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { return };
        let (name, value) = (name.trim(), value.trim());
        if name.is_empty() || text.chars().any(char::is_control) {
            return;
        }
        self.all.retain(|cookie| cookie.host != host || cookie.name != name);
        if !parts.any(is_past) {
            self.all.push(Cookie { host: host.to_owned(), name: name.to_owned(), value: value.to_owned() });
        }
    }

    /// What stands in `Cookie` for a host.
    pub fn of(&self, host: &str) -> Option<String> {
        let own = self.all.iter().filter(|cookie| cookie.host == host);
        let pairs: Vec<String> = own.map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

/// True for an attribute by which a cookie is over at once.
fn is_past(attribute: &str) -> bool {
    let Some((name, value)) = attribute.split_once('=') else { return false };
    if name.eq_ignore_ascii_case("max-age") {
        return value.trim().parse().is_ok_and(|seconds: i64| seconds <= 0);
    }
    name.eq_ignore_ascii_case("expires")
        && httpdate::parse_http_date(value.trim()).is_ok_and(|expires| expires <= SystemTime::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_goes_back_to_its_host_until_it_is_taken_back() {
        let mut cookies = Cookies::default();
        for text in ["session=abc; Path=/; HttpOnly", "lang=en", "lang=de; Max-Age=60", "nonsense", "=x", "bad=\r\nx"] {
            cookies.set("shop", text);
        }
        cookies.set("cart", "session=other");
        assert_eq!(cookies.of("shop").as_deref(), Some("session=abc; lang=de"));
        assert_eq!(cookies.of("cart").as_deref(), Some("session=other"));
        assert_eq!(cookies.of("nobody"), None);
        cookies.set("shop", "session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
        cookies.set("shop", "lang=; max-age=0");
        assert_eq!(cookies.of("shop"), None);
        assert!(cookies.of("cart").is_some());
    }
}
