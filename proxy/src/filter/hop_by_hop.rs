//! Fields that speak of one connection only, and are never passed on.

use squall_http1::Headers;

/// Fields of one hop.
const FIELDS: [&str; 6] = ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "te"];

/// `Connection` may not name these: a client could take away what the next hop trusts.
const NOT_TO_BE_NAMED: [&str; 4] = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "host"];

/// More names than this in `Connection` are no honest use of it.
const MOST_NAMES: usize = 10;

/// `Connection` names what it must not, or too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Misuse;

/// Removes the fields of this hop, and those that `Connection` names. `te: trailers` stays. Misused, `Connection` names nothing.
pub(crate) fn strip(headers: &mut Headers) -> Result<(), Misuse> {
    let mut named: Vec<String> = Vec::new();
    if headers.contains("connection") {
        let items = headers.get_all("connection").flat_map(|value| value.split(|byte| *byte == b','));
        let items = items.map(|item| item.trim_ascii().to_ascii_lowercase()).filter(|item| !item.is_empty());
        named = items.map(|item| String::from_utf8_lossy(&item).into_owned()).collect();
        let forbidden = |name: &String| NOT_TO_BE_NAMED.contains(&name.as_str()) || name.starts_with(':');
        if named.len() >= MOST_NAMES || named.iter().any(forbidden) {
            headers.retain(|name, _| !FIELDS.contains(&name));
            return Err(Misuse);
        }
    }
    let trailers = headers.has_token("te", "trailers");
    let of_this_hop = |name: &str| FIELDS.contains(&name) || named.iter().any(|named| named == name);
    headers.retain(|name, _| !of_this_hop(name));
    if trailers {
        headers.add("te", b"trailers");
    }
    Ok(())
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
