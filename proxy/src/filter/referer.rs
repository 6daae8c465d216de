//! `referer`, which is passed on only where it says one thing.

use squall_http1::Headers;

/// Removes the field if it is repeated, or neither a URL nor a reference to one, or tells of a user or a fragment.
pub(crate) fn sanitize(headers: &mut Headers) {
    let is_sound = {
        let mut values = headers.get_all("referer");
        values.next().is_none_or(|value| is_absolute(value) || is_relative(value)) && values.next().is_none()
    };
    if !is_sound {
        headers.remove("referer");
    }
}

/// `scheme://host`, maybe with a port, a path and a query.
fn is_absolute(value: &[u8]) -> bool {
    let Some(at) = value.windows(3).position(|window| window == b"://") else { return false };
    let (scheme, rest) = (&value[..at], &value[at + 3..]);
    let end = rest.iter().position(|byte| b"/?".contains(byte)).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let of_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.iter().all(of_scheme)
        && is_authority(authority)
        && path.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#')
}

/// A host, maybe with a port.
fn is_authority(authority: &[u8]) -> bool {
    let bracket = authority.iter().position(|byte| *byte == b']');
    let end = match (authority.first(), bracket) {
        (Some(b'['), Some(end)) => end + 1,
        _ => authority.iter().position(|byte| *byte == b':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(end);
    let of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b".-".contains(byte);
    let of_address = |byte: &u8| byte.is_ascii_hexdigit() || b":.[]".contains(byte);
    let is_port = |port: &[u8]| !port.is_empty() && port.iter().all(u8::is_ascii_digit);
    !host.is_empty()
        && (host.iter().all(of_name) || (bracket.is_some() && host.iter().all(of_address)))
        && (port.is_empty() || port.strip_prefix(b":").is_some_and(is_port))
}

/// A path or a part of one, with no colon ahead of its first slash.
fn is_relative(value: &[u8]) -> bool {
    let first = value.split(|byte| *byte == b'/').next().unwrap_or_default();
    let of_path = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/?".contains(byte);
    !first.contains(&b':') && value.iter().all(of_path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(values: &[&str]) -> usize {
        let mut headers = Headers::new();
        values.iter().for_each(|value| headers.add("referer", value.as_bytes()));
        sanitize(&mut headers);
        headers.get_all("referer").count()
    }

    #[test]
    fn one_url_is_passed_on_and_nothing_that_is_none() {
        let urls =
            ["http://a", "https://a.b:80/c?d", "HTTP://A", "ftp://a", "a-b://c", "http://a?", "http://[::1]:80/"];
        for url in urls.into_iter().chain(["", "a", "/x", "/x:y?z"]) {
            assert_eq!(kept(&[url]), 1, "{url}");
        }
        let fragments = ["http://a#", "http://a/#b", "/x#y", "https://me@[::1]/", "http://me@a"];
        let broken =
            ["http://", "http:///x", "1http://a", "http://a:b/", "http://a_b/", "http://a%20b/", "http://a/\u{fc}"];
        for other in fragments.into_iter().chain(broken).chain(["about:blank", "http://a b", "a b"]) {
            assert_eq!(kept(&[other]), 0, "{other}");
        }
        assert_eq!((kept(&[]), kept(&["http://a", "http://a"])), (0, 0));
    }
}
