//! Who may ask across origins. Pure.

use crate::policy::CorsPolicy;
use squall_http1::{Headers, Request, Response};

/// What becomes of a request under a policy.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one a request, gone at once")]
pub(crate) enum Cors {
    /// It goes on; nobody asked across origins, or of one that is not allowed.
    PassOn,
    /// It goes on, and its answer says that it was allowed.
    Allow,
    /// It only asked whether it may: this is the answer.
    Answer(Response),
}

/// Looks at a request.
pub(crate) fn judge(policy: &CorsPolicy, request: &Request) -> Cors {
    let Some(origin) = request.headers.get_str("origin").filter(|origin| !origin.is_empty()) else {
        return Cors::PassOn;
    };
    let allowed = policy.allow_origins.iter().any(|allowed| allowed.matches(origin) || allowed.matches("*"));
    let asked = request.headers.get_str("access-control-request-method").filter(|method| !method.is_empty());
    let preflight = request.method() == "OPTIONS" && asked.is_some();
    match (preflight, allowed) {
        (true, true) => Cors::Answer(preflight_answer(policy, request, origin)),
        (true, false) if policy.forward_unmatched_preflights => Cors::PassOn,
        (true, false) => Cors::Answer(Response::new(200)),
        (false, true) => Cors::Allow,
        (false, false) => Cors::PassOn,
    }
}

/// Says on an answer that its request was allowed.
pub(crate) fn allow(policy: &CorsPolicy, request: &Request, headers: &mut Headers) {
    headers.set("access-control-allow-origin", request.headers.get("origin").unwrap_or_default());
    credentials(policy, headers);
    if !policy.expose_headers.is_empty() {
        headers.set("access-control-expose-headers", policy.expose_headers.as_bytes());
    }
}

fn preflight_answer(policy: &CorsPolicy, request: &Request, origin: &str) -> Response {
    let mut response = Response::new(200);
    response.headers.add("access-control-allow-origin", origin.as_bytes());
    credentials(policy, &mut response.headers);
    for (allowed, asked, told) in [
        (&policy.allow_methods, "access-control-request-method", "access-control-allow-methods"),
        (&policy.allow_headers, "access-control-request-headers", "access-control-allow-headers"),
    ] {
        // A star is answered with what was asked for.
        let value = if allowed == "*" { request.headers.get(asked).unwrap_or_default() } else { allowed.as_bytes() };
        if !value.is_empty() {
            response.headers.add(told, value);
        }
    }
    if !policy.expose_headers.is_empty() {
        response.headers.add("access-control-expose-headers", policy.expose_headers.as_bytes());
    }
    if let Some(age) = policy.max_age {
        response.headers.add("access-control-max-age", itoa::Buffer::new().format(age.as_secs()).as_bytes());
    }
    response
}

fn credentials(policy: &CorsPolicy, headers: &mut Headers) {
    if policy.allow_credentials == Some(true) {
        headers.set("access-control-allow-credentials", b"true");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::TextMatch;
    use std::time::Duration;

    fn policy() -> CorsPolicy {
        CorsPolicy {
            allow_origins: vec![TextMatch::exact("https://shop")],
            allow_methods: "GET,POST".to_owned(),
            allow_headers: "*".to_owned(),
            expose_headers: "x-total".to_owned(),
            max_age: Some(Duration::from_secs(60)),
            allow_credentials: Some(true),
            forward_unmatched_preflights: true,
            enabled: None,
        }
    }

    fn request(method: &str, origin: &str, asked: bool) -> Request {
        let mut request = Request::new(method, "/");
        request.headers.add("origin", origin.as_bytes());
        if asked {
            request.headers.add("access-control-request-method", b"POST");
            request.headers.add("access-control-request-headers", b"x-a,x-b");
        }
        request
    }

    #[test]
    fn a_preflight_of_an_allowed_origin_is_answered_here_and_a_star_echoes_what_was_asked() {
        let Cors::Answer(answer) = judge(&policy(), &request("OPTIONS", "https://shop", true)) else { panic!() };
        let all: Vec<_> = answer.headers.iter().map(|(name, value)| (name, str::from_utf8(value).unwrap())).collect();
        assert_eq!(answer.status, 200);
        assert_eq!(
            all,
            [
                ("access-control-allow-origin", "https://shop"),
                ("access-control-allow-credentials", "true"),
                ("access-control-allow-methods", "GET,POST"),
                ("access-control-allow-headers", "x-a,x-b"),
                ("access-control-expose-headers", "x-total"),
                ("access-control-max-age", "60"),
            ]
        );
    }

    #[test]
    fn a_preflight_of_another_origin_is_passed_on_or_answered_without_leave() {
        let asked = request("OPTIONS", "https://evil", true);
        assert!(matches!(judge(&policy(), &asked), Cors::PassOn));
        let ignoring = CorsPolicy { forward_unmatched_preflights: false, ..policy() };
        let Cors::Answer(answer) = judge(&ignoring, &asked) else { panic!() };
        assert_eq!((answer.status, answer.headers.len()), (200, 0));
    }

    #[test]
    fn an_actual_request_is_served_whatever_its_origin_and_told_only_if_that_is_allowed() {
        assert!(matches!(judge(&policy(), &request("GET", "https://evil", false)), Cors::PassOn));
        assert!(matches!(judge(&policy(), &request("OPTIONS", "https://shop", false)), Cors::Allow));
        assert!(matches!(judge(&policy(), &request("GET", "", false)), Cors::PassOn));
        let allowed = request("GET", "https://shop", false);
        assert!(matches!(judge(&policy(), &allowed), Cors::Allow));
        let mut headers = Headers::new();
        allow(&policy(), &allowed, &mut headers);
        assert_eq!(headers.get("access-control-expose-headers"), Some(&b"x-total"[..]));
    }
}
