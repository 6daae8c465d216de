//! Changes of header fields: removed first, then added, then set.

use crate::policy::HeaderOperations;
use squall_http1::{Headers, Request};

/// Changes the fields of a request. `:authority` and `host` are the host.
pub(crate) fn change_request(operations: &HeaderOperations, request: &mut Request) {
    change(operations, &mut request.headers);
}

/// Changes the fields of an answer.
pub(crate) fn change(operations: &HeaderOperations, headers: &mut Headers) {
    operations.remove.iter().for_each(|name| headers.remove(&name.to_ascii_lowercase()));
    for (name, value) in &operations.add {
        headers.add(field(name), value.as_bytes());
    }
    for (name, value) in &operations.set {
        headers.set(&field(name).to_ascii_lowercase(), value.as_bytes());
    }
}

fn field(name: &str) -> &str {
    if name.eq_ignore_ascii_case(":authority") { "host" } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removal_comes_first_then_addition_then_setting() {
        let pairs = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let operations = HeaderOperations {
            set: pairs(&[("X-Set", "new"), (":authority", "other")]),
            add: pairs(&[("x-add", "two"), ("x-set", "lost")]),
            remove: vec!["X-Gone".to_owned()],
        };
        let mut request = Request::new("GET", "/");
        for (name, value) in [("host", "cart"), ("x-gone", "1"), ("x-add", "one"), ("x-set", "old")] {
            request.headers.add(name, value.as_bytes());
        }
        change_request(&operations, &mut request);
        let all: Vec<_> =
            request.headers.iter().map(|(name, value)| format!("{name}={}", value.escape_ascii())).collect();
        assert_eq!(all, ["x-add=one", "x-add=two", "x-set=new", "host=other"]);
    }
}
