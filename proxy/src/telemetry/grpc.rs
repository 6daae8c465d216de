//! gRPC statuses: their names, and which one an HTTP status stands for.

use super::Fields;

/// Names as Envoy's log writes them, and as gRPC does, by number.
const NAMES: [(&str, &str); 17] = [
    ("OK", "OK"),
    ("Canceled", "CANCELLED"),
    ("Unknown", "UNKNOWN"),
    ("InvalidArgument", "INVALID_ARGUMENT"),
    ("DeadlineExceeded", "DEADLINE_EXCEEDED"),
    ("NotFound", "NOT_FOUND"),
    ("AlreadyExists", "ALREADY_EXISTS"),
    ("PermissionDenied", "PERMISSION_DENIED"),
    ("ResourceExhausted", "RESOURCE_EXHAUSTED"),
    ("FailedPrecondition", "FAILED_PRECONDITION"),
    ("Aborted", "ABORTED"),
    ("OutOfRange", "OUT_OF_RANGE"),
    ("Unimplemented", "UNIMPLEMENTED"),
    ("Internal", "INTERNAL"),
    ("Unavailable", "UNAVAILABLE"),
    ("DataLoss", "DATA_LOSS"),
    ("Unauthenticated", "UNAUTHENTICATED"),
];

/// `DeadlineExceeded`; none for a number that has no name.
pub(crate) fn camel_name(status: u32) -> Option<&'static str> {
    NAMES.get(status as usize).map(|(camel, _)| *camel)
}

/// `DEADLINE_EXCEEDED`; none for a number that has no name.
pub(crate) fn snake_name(status: u32) -> Option<&'static str> {
    NAMES.get(status as usize).map(|(_, snake)| *snake)
}

/// True if a request is gRPC, by its `content-type`.
pub(crate) fn is_request(request: &dyn Fields) -> bool {
    request.get("content-type").is_some_and(is_type)
}

/// True for a `content-type` of gRPC: `application/grpc`, alone or with `+…`.
pub(crate) fn is_type(content_type: &[u8]) -> bool {
    let rest = content_type.strip_prefix(b"application/grpc");
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"+"))
}

/// How a gRPC request ended: by its trailers, else its headers, else its HTTP status.
pub(crate) fn status(trailers: &dyn Fields, headers: &dyn Fields, http: Option<u16>) -> Option<u32> {
    let said = |fields: &dyn Fields| fields.text("grpc-status")?.parse().ok();
    said(trailers).or_else(|| said(headers)).or_else(|| http.map(of_http))
}

/// The status that an HTTP status stands for.
pub(crate) fn of_http(status: u16) -> u32 {
    match status {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502 | 503 | 504 => 14,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::super::NoFields;
    use super::*;
    use squall_http1::Headers;

    fn fields(pairs: &[(&str, &str)]) -> Headers {
        let mut headers = Headers::new();
        pairs.iter().for_each(|(name, value)| headers.add(name, value.as_bytes()));
        headers
    }

    #[test]
    fn trailers_go_before_headers_and_those_before_the_http_status() {
        let (four, five) = (fields(&[("grpc-status", "4")]), fields(&[("grpc-status", "5")]));
        assert_eq!(status(&four, &five, Some(200)), Some(4));
        assert_eq!(status(&NoFields, &five, Some(200)), Some(5));
        assert_eq!(status(&fields(&[("grpc-status", "x")]), &NoFields, None), None);
        for (http, grpc) in [(400, 13), (401, 16), (403, 7), (404, 12), (429, 14), (503, 14), (500, 2)] {
            assert_eq!(status(&NoFields, &NoFields, Some(http)), Some(grpc), "{http}");
        }
    }

    #[test]
    fn a_request_is_grpc_by_its_content_type() {
        for (kind, grpc) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc-web", false),
            ("application/json", false),
        ] {
            assert_eq!(is_request(&fields(&[("content-type", kind)])), grpc, "{kind}");
        }
        assert_eq!((camel_name(4), snake_name(1)), (Some("DeadlineExceeded"), Some("CANCELLED")));
        assert_eq!(camel_name(17), None);
    }
}
