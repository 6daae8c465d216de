//! Answers that the proxy gives itself: redirects and direct responses.

use super::message::Message;
use super::reading::Said;
use super::written::Written;
use super::{data, text_match};
use crate::policy::{DirectResponse, PathRewrite, Redirect, RedirectPort};

/// An answer that sends the client elsewhere.
pub(super) fn redirect(message: &Message<'_>) -> Redirect {
    let codes = [
        ("MOVED_PERMANENTLY", 0, Some(301)),
        ("FOUND", 1, Some(302)),
        ("SEE_OTHER", 2, Some(303)),
        ("TEMPORARY_REDIRECT", 3, Some(307)),
        ("PERMANENT_REDIRECT", 4, Some(308)),
    ];
    let scheme = match message.one_of(&["https_redirect", "scheme_redirect"], false) {
        Some(("https_redirect", value)) => (value.boolean() == Some(true)).then(|| "https".to_owned()),
        Some((_, value)) => written(&value),
        None => None,
    };
    let path = match message.one_of(&["path_redirect", "prefix_rewrite", "regex_rewrite"], false) {
        Some(("path_redirect", value)) => written(&value).map(PathRewrite::Whole),
        Some(("prefix_rewrite", value)) => written(&value).map(PathRewrite::Prefix),
        Some((_, value)) => {
            text_match::rewrite(&value).map(|(pattern, substitution)| PathRewrite::Regex { pattern, substitution })
        }
        None => None,
    };
    let port: Option<u16> = message.within("port_redirect", 0, 65_535);
    Redirect {
        status: message.choice("response_code", &codes).unwrap_or(301),
        path,
        host: message.text("host_redirect").filter(|host| !host.is_empty()),
        scheme,
        port: port.filter(|port| *port > 0).map_or(RedirectPort::Kept, RedirectPort::Explicit),
        strip_query: message.flag("strip_query"),
    }
}

/// A text; an empty one is as if it were not there.
fn written(value: &Written<'_>) -> Option<String> {
    value.text().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// An answer that stands in the bootstrap; `most` bytes of body are allowed by its table.
pub(super) fn direct(message: &Message<'_>, most: u32) -> Option<DirectResponse> {
    message.require("status");
    let status = message.within("status", 200, 599);
    let body = if message.has("body") { data::bytes(message, "body") } else { Some(Vec::new()) };
    if let Some(length) = body.as_ref().map(Vec::len).filter(|length| *length > most as usize) {
        let said = Said::from(format!("the body has {length} bytes, and {most} are the most"));
        message.at.error(said.help("raise `max_direct_response_body_size_bytes` of the route table"));
    }
    Some(DirectResponse { status: status?, body: body? })
}
