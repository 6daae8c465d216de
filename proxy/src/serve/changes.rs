//! What a route and its listener change: of a request before it goes up, of an answer before it goes down.

use super::chain::Filtered;
use super::destination::Destination;
use super::exchange::Answer;
use super::health_check;
use super::transaction::Transaction;
use crate::clock::now;
use crate::filter::hash::NewCookie;
use crate::filter::{cors, hop_by_hop, rewrite};
use crate::policy::{HttpManager, ServerTransformation};
use squall_http1::{Headers, Request, Response};
use std::time::Duration;

/// Changes of fields, then of path and host, so that fields see the original.
pub(super) fn to_request(transaction: &mut Transaction<'_>, destination: &Destination<'_>) {
    let Transaction { service, client, request, notes, .. } = transaction;
    for change in destination.changes().into_iter().flat_map(|changes| &changes.request) {
        let values = change.values(&notes.info(client, request, notes.begun));
        change.make(&mut request.headers, &values);
    }
    let Destination { resolved, forward, .. } = destination;
    let tells_original = !service.manager.router.suppress_envoy_headers;
    let original = forward.rewrite.path.as_ref().filter(|_| tells_original).map(|_| request.target().to_owned());
    rewrite::rewrite(&forward.rewrite, &resolved.route.matches.path, request, tells_original);
    notes.original_path = original.filter(|original| request.target() != original).or(notes.original_path.take());
    if let Some(host) = destination.weighted().and_then(|weighted| weighted.host_rewrite.as_deref()) {
        rewrite::set_host(request, host, forward.rewrite.append_forwarded_host, tells_original);
    }
    if let Some(via) = &service.manager.via {
        append_via(&mut request.headers, via);
    }
}

/// The fields of an answer as the client sees them; `took`: the upstream, from the whole request on.
pub(super) fn to_answer(
    transaction: &mut Transaction<'_>,
    destination: &Destination<'_>,
    filtered: &Filtered,
    cookies: &[NewCookie],
    took: Option<Duration>,
    answer: &mut Answer,
) {
    let Transaction { worker, service, client, request, notes } = transaction;
    let (manager, route) = (&service.manager, &destination.resolved.route);
    let response = &mut answer.response;
    end_hop(response, answer.tunnel);
    let mut number = itoa::Buffer::new();
    if let Some(took) = took.filter(|_| !manager.router.suppress_envoy_headers) {
        response.headers.set("x-envoy-upstream-service-time", number.format(took.as_millis()).as_bytes());
    }
    if route.attempt_count_in_response {
        response.headers.set("x-envoy-attempt-count", number.format(notes.attempts).as_bytes());
    }
    say_who_answers(manager, request, response);
    if !response.headers.contains("date") {
        response.headers.add("date", &worker.http_date());
    }
    if let Some(via) = &manager.via {
        append_via(&mut response.headers, via);
    }
    cookies.iter().for_each(|cookie| response.headers.add("set-cookie", cookie.set_cookie.as_bytes()));
    if let Some(policy) = route.filters.cors.as_ref().filter(|_| filtered.allow_origin) {
        cors::allow(policy, request, &mut response.headers);
    }
    for change in destination.changes().into_iter().flat_map(|changes| &changes.response) {
        notes.response = Some(std::mem::take(response));
        let values = change.values(&notes.info(client, request, now()));
        *response = notes.response.take().unwrap_or_default();
        change.make(&mut response.headers, &values);
    }
    for (name, value) in notes.fields.drain(..) {
        response.headers.set(&name, &value);
    }
    health_check::answered(service, filtered, response);
    if response.headers.contains("x-envoy-immediate-health-check-fail") {
        worker.exclude(notes.cluster.as_deref(), notes.host.as_ref());
    }
}

/// Takes off the fields of the upstream's hop, and says anew what both sides switch to.
fn end_hop(response: &mut Response, tunnel: bool) {
    let switched = tunnel.then(|| response.headers.get("upgrade").map(<[u8]>::to_vec)).flatten();
    // What `Connection` names by misuse stays; the fields of the hop are gone all the same.
    let _ = hop_by_hop::strip(&mut response.headers);
    if let Some(upgrade) = switched {
        response.headers.add("connection", b"upgrade");
        response.headers.add("upgrade", &upgrade);
    }
}

fn say_who_answers(manager: &HttpManager, request: &Request, response: &mut Response) {
    if manager.request_id.in_response
        && let Some(id) = request.headers.get("x-request-id")
    {
        response.headers.set("x-request-id", id);
    }
    let server = &manager.server_header;
    match server.transformation {
        ServerTransformation::Overwrite => response.headers.set("server", server.name.as_bytes()),
        ServerTransformation::AppendIfAbsent if !response.headers.contains("server") => {
            response.headers.add("server", server.name.as_bytes());
        }
        ServerTransformation::AppendIfAbsent | ServerTransformation::PassThrough => {}
    }
}

/// Says who has passed a message on.
pub(super) fn append_via(headers: &mut Headers, via: &str) {
    let before = headers.get_str("via").filter(|before| !before.is_empty());
    let all = before.map_or_else(|| via.to_owned(), |before| format!("{before}, {via}"));
    headers.set("via", all.as_bytes());
}
