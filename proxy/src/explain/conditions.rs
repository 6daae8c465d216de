//! Conditions in words: what they want, and what a request has instead.

use super::told::place;
use super::{PassedOver, Question};
use crate::filter::conditions::{Asked, Unmet};
use crate::policy::{
    ChainMatch, HeaderMatch, Listener, PathMatch, Pattern, Route, RouteMatch, TextMatch, TransportProtocol, words,
};
use crate::serve::rehearsal::PassedChain;
use crate::serve::routing::Condition;
use squall_http1::Request;

/// Why a request does not take a route.
pub(super) fn route(route: &Route, unmet: Unmet<'_>, request: &Request, scheme: &str) -> PassedOver {
    let asked = Asked::new(request, scheme, 0);
    let (condition, wanted, given) = match unmet {
        Unmet::Path(PathMatch::Connect) => {
            ("connect", "the method CONNECT".to_owned(), format!("`{}`", request.method()))
        }
        Unmet::Path(path) => {
            let (condition, wanted) = self::path(path, route.matches.ignore_path_case);
            (condition, wanted, format!("`{}`", asked.path))
        }
        Unmet::Header(header) => {
            let there = asked.field(&header.name);
            let given = there.map_or_else(
                || "there is none".to_owned(),
                |value| format!("`{}`", words::field(&header.name, &value)),
            );
            (kind(header), self::header(header), given)
        }
        Unmet::Query(query) => {
            let given = asked.query_value(&query.name).map(|value| format!("`{value}`"));
            let wanted = format!("`{}` {}", query.name, text(&query.value));
            ("query", wanted, given.unwrap_or_else(|| "there is none".to_owned()))
        }
        Unmet::Grpc => {
            let kind = request.headers.get_str("content-type").map(|kind| format!("`{kind}`"));
            let given = kind.unwrap_or_else(|| "there is none".to_owned());
            ("grpc", "the content-type `application/grpc`".to_owned(), given)
        }
        Unmet::Fraction(share) => {
            let given = "one of the others".to_owned();
            ("share", format!("one of {} of the requests", words::share(share)), given)
        }
    };
    let name = route.name.clone();
    PassedOver { place: place(&route.origin), name, condition: condition.to_owned(), wanted, given }
}

/// All conditions of a route.
pub(super) fn all(conditions: &RouteMatch) -> Vec<String> {
    let mut all = Vec::new();
    if conditions.path != PathMatch::Any {
        let (condition, wanted) = path(&conditions.path, conditions.ignore_path_case);
        all.push(format!("{condition}: {wanted}"));
    }
    all.extend(conditions.headers.iter().map(|header| format!("{}: {}", kind(header), self::header(header))));
    all.extend(conditions.query.iter().map(|query| format!("query: `{}` {}", query.name, text(&query.value))));
    if conditions.grpc_only {
        all.push("grpc: the content-type `application/grpc`".to_owned());
    }
    all.extend(conditions.fraction.map(|share| format!("share: {} of the requests", words::share(share))));
    all
}

fn path(path: &PathMatch, ignore_case: bool) -> (&'static str, String) {
    let case = if ignore_case { ", whatever its case" } else { "" };
    match path {
        PathMatch::Any => ("path", "any path".to_owned()),
        PathMatch::Exact(exact) => ("exact", format!("the path `{exact}`{case}")),
        PathMatch::Prefix(prefix) => ("prefix", format!("a path that begins with `{prefix}`{case}")),
        PathMatch::SegmentPrefix(prefix) => {
            ("segment prefix", format!("a path whose first segments are `{prefix}`{case}"))
        }
        PathMatch::Regex(regex) => ("regex", format!("a path that as a whole matches `{}`", inner(regex.as_str()))),
        PathMatch::Connect => ("connect", "the method CONNECT".to_owned()),
    }
}

fn kind(header: &HeaderMatch) -> &'static str {
    match (header.name.as_str(), header.invert) {
        (":method", _) => "method",
        (":authority" | "host", _) => "authority",
        (":scheme", _) => "scheme",
        (":path", _) => "path",
        (_, false) => "header",
        (_, true) => "without header",
    }
}

/// A condition on a field, `:method` and its like without their names.
pub(super) fn header(header: &HeaderMatch) -> String {
    let secret = words::field(&header.name, "");
    let value = if secret.is_empty() || header.value.pattern == Pattern::Present {
        text(&header.value)
    } else {
        format!("of a value that is {secret}")
    };
    let name = if header.name.starts_with(':') { String::new() } else { format!("`{}` ", header.name) };
    let not = if header.invert { "not " } else { "" };
    format!("{name}{not}{value}")
}

/// A condition on text, as it goes on behind a name.
pub(super) fn text(condition: &TextMatch) -> String {
    let case = if condition.ignore_case { ", whatever its case" } else { "" };
    match &condition.pattern {
        Pattern::Exact(exact) => format!("`{exact}`{case}"),
        Pattern::Prefix(prefix) => format!("beginning with `{prefix}`{case}"),
        Pattern::Suffix(suffix) => format!("ending with `{suffix}`{case}"),
        Pattern::Contains(part) => format!("with `{part}` in it{case}"),
        Pattern::Regex(regex) => format!("that as a whole matches `{}`", inner(regex.as_str())),
        Pattern::Present => "there at all".to_owned(),
        Pattern::Range(from, to) => format!("a number from {from} up to {}", to.saturating_sub(1)),
    }
}

/// An expression without what anchors it.
fn inner(regex: &str) -> &str {
    regex.strip_prefix("^(?:").and_then(|regex| regex.strip_suffix(")$")).unwrap_or(regex)
}

/// Why a connection does not meet a chain.
pub(super) fn chain(passed: &PassedChain<'_>, listener: &Listener, question: &Question) -> PassedOver {
    let conditions = &passed.chain.matches;
    let (condition, wanted) = wanted(conditions, passed.by);
    let given =
        if passed.fits { "another chain is more specific".to_owned() } else { given(passed.by, listener, question) };
    PassedOver {
        place: place(&passed.chain.origin),
        name: passed.chain.name.clone(),
        condition: condition.to_owned(),
        wanted,
        given,
    }
}

fn wanted(conditions: &ChainMatch, by: Condition) -> (&'static str, String) {
    let list = |values: &[String]| if values.is_empty() { "any".to_owned() } else { values.join(", ") };
    let shown = |values: Vec<String>| list(&values);
    match by {
        Condition::DestinationPort => {
            ("destination port", conditions.destination_port.map_or_else(|| "any".to_owned(), |port| port.to_string()))
        }
        Condition::DestinationRange => {
            ("destination address", shown(conditions.destination_ranges.iter().map(ToString::to_string).collect()))
        }
        Condition::ServerName => ("server name", list(&conditions.server_names)),
        Condition::Transport => ("transport", conditions.transport.map_or("any", transport).to_owned()),
        Condition::ApplicationProtocol => ("application protocol", list(&conditions.application_protocols)),
        Condition::SourceRange => {
            ("source address", shown(conditions.source_ranges.iter().map(ToString::to_string).collect()))
        }
        Condition::SourcePort => {
            ("source port", shown(conditions.source_ports.iter().map(ToString::to_string).collect()))
        }
    }
}

fn given(by: Condition, listener: &Listener, question: &Question) -> String {
    let looked = |value: Option<String>, looks: bool| match value {
        Some(value) if looks && !value.is_empty() => value,
        Some(_) if !looks => "not looked for".to_owned(),
        _ => "none".to_owned(),
    };
    match by {
        Condition::DestinationPort => question.port().to_string(),
        Condition::DestinationRange => question.rehearsed(listener.address).going_to.ip().to_string(),
        Condition::ServerName => looked(question.server_name(), listener.inspection.tls),
        Condition::Transport => {
            let tls = question.server_name().is_some() && listener.inspection.tls;
            transport(if tls { TransportProtocol::Tls } else { TransportProtocol::RawBuffer }).to_owned()
        }
        Condition::ApplicationProtocol => match question.server_name() {
            Some(_) => looked(Some("h2, http/1.1".to_owned()), listener.inspection.tls),
            None => looked(Some("http/1.1".to_owned()), listener.inspection.http),
        },
        Condition::SourceRange | Condition::SourcePort if question.from().is_unspecified() => {
            "not known: say it with --from".to_owned()
        }
        Condition::SourceRange => question.from().to_string(),
        Condition::SourcePort => "not known".to_owned(),
    }
}

fn transport(transport: TransportProtocol) -> &'static str {
    match transport {
        TransportProtocol::Tls => "tls",
        TransportProtocol::RawBuffer => "raw_buffer",
    }
}
