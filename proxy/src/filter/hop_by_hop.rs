//! Fields that speak of one connection only, and are never passed on.

use squall_http1::Headers;

/// True for a field of one hop.
fn is_of_one_hop(name: &str) -> bool {
    matches!(name, "connection" | "keep-alive" | "proxy-connection" | "transfer-encoding" | "upgrade" | "te")
}

/// `Connection` may not name these: a client could take away what the next hop trusts.
fn must_not_be_named(name: &str) -> bool {
    matches!(name, "x-forwarded-for" | "x-forwarded-host" | "x-forwarded-proto" | "host") || name.starts_with(':')
}

/// More names than this in `Connection` are no honest use of it.
const MOST_NAMES: usize = 10;

/// `Connection` names what it must not, or too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Misuse;

/// Removes the fields of this hop, and those that `Connection` names. `te: trailers` stays. Misused, `Connection` names nothing.
pub(crate) fn strip(headers: &mut Headers) -> Result<(), Misuse> {
    let named = named(headers);
    let trailers = headers.has_token("te", "trailers");
    let further = named.as_deref().unwrap_or_default();
    headers.retain(|name, _| !is_of_one_hop(name) && !further.iter().any(|named| named == name));
    if trailers && named.is_ok() {
        headers.add("te", b"trailers");
    }
    named.map(|_| ())
}

/// What `Connection` names beside the fields of every hop.
fn named(headers: &Headers) -> Result<Vec<String>, Misuse> {
    let (mut count, mut named) = (0, Vec::new());
    let items = headers.get_all("connection").flat_map(|value| value.split(|byte| *byte == b','));
    for item in items.map(<[u8]>::trim_ascii).filter(|item| !item.is_empty()) {
        count += 1;
        if ![&b"keep-alive"[..], b"upgrade", b"te"].iter().any(|usual| item.eq_ignore_ascii_case(usual)) {
            named.push(String::from_utf8_lossy(item).to_ascii_lowercase());
        }
    }
    if count >= MOST_NAMES || named.iter().any(|name| must_not_be_named(name)) {
        return Err(Misuse);
    }
    Ok(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(fields: &[(&str, &str)]) -> Result<Vec<String>, Misuse> {
        let mut headers = Headers::new();
        fields.iter().for_each(|(name, value)| headers.add(name, value.as_bytes()));
        strip(&mut headers)?;
        Ok(headers.iter().map(|(name, _)| name.to_owned()).collect())
    }

    #[test]
    fn what_connection_names_goes_with_it() {
        let fields =
            [("connection", "X-Mine, close"), ("x-mine", "1"), ("keep-alive", "5"), ("x-other", "2"), ("te", "gzip")];
        assert_eq!(stripped(&fields), Ok(vec!["x-other".to_owned()]));
        assert_eq!(stripped(&[("te", "trailers, deflate")]), Ok(vec!["te".to_owned()]));
    }

    #[test]
    fn connection_may_not_take_away_what_others_trust() {
        for named in ["x-forwarded-for", "Host", ":path", "a,b,c,d,e,f,g,h,i,j"] {
            assert_eq!(stripped(&[("connection", named)]), Err(Misuse), "{named}");
        }
    }
}
