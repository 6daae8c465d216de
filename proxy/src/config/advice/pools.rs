//! Limits of connections and of waiting requests.

use super::Advice;
use super::codes::{COLD_BURSTS, ONE_EACH, QUEUES_FOR_EVER, ZERO_IS_NO_LIMIT};
use super::view::{Upstream, View};
use super::words::{Dialect, MAX_CONNECTIONS, MAX_PENDING, MAX_REQUESTS, MAX_RETRIES, TIMEOUT, count};
use crate::policy::UNLIMITED;

pub(super) fn advice(view: &View<'_>) -> Vec<Advice> {
    let each = |upstream| [queue(view, upstream), cold(upstream), one_each(upstream), zero(upstream)];
    view.upstreams.iter().flat_map(each).flatten().collect()
}

fn queue(view: &View<'_>, upstream: &Upstream<'_>) -> Option<Advice> {
    let limits = &upstream.cluster.limits;
    let endless = view.ways_to(upstream).any(|way| way.forward.timeout.is_none());
    if limits.connections == UNLIMITED || limits.pending != UNLIMITED || !endless {
        return None;
    }
    let (written, most) = (&upstream.written, limits.connections);
    let what = format!(
        "{} {most} refuses nothing: further requests to {} wait, without {} or {} for ever",
        written.name(MAX_CONNECTIONS),
        upstream.name,
        written.name(MAX_PENDING),
        written.name(TIMEOUT)
    );
    let fix = [(MAX_CONNECTIONS, most.to_string()), (MAX_PENDING, most.to_string())];
    Some(written.advise(&QUEUES_FOR_EVER, MAX_CONNECTIONS, what, &fix))
}

fn cold(upstream: &Upstream<'_>) -> Option<Advice> {
    let limits = &upstream.cluster.limits;
    if limits.pending > 1 || limits.connections <= limits.pending.max(1) {
        return None;
    }
    let (written, name) = (&upstream.written, &upstream.name);
    let field = written.name(MAX_PENDING);
    let what = match limits.pending {
        0 => format!(
            "{field} 0 refuses every request to {name} that finds no connection ready, the first of all included"
        ),
        _ => format!("{field} 1: of two requests to {name} that find no connection ready one is answered 503"),
    };
    let enough = if limits.connections == UNLIMITED { 1024 } else { limits.connections };
    Some(written.advise(&COLD_BURSTS, MAX_PENDING, what, &[(MAX_PENDING, enough.to_string())]))
}

fn one_each(upstream: &Upstream<'_>) -> Option<Advice> {
    let (most, total) = (upstream.cluster.limits.connections, upstream.instances?);
    if most == 0 || most >= total {
        return None;
    }
    let written = &upstream.written;
    let what = format!(
        "{} {most} allows {} to the {} of {}: one each",
        written.name(MAX_CONNECTIONS),
        count(total, "connection"),
        count(total, "instance"),
        upstream.name
    );
    Some(written.advise(&ONE_EACH, MAX_CONNECTIONS, what, &[(MAX_CONNECTIONS, total.to_string())]))
}

fn zero(upstream: &Upstream<'_>) -> Option<Advice> {
    let (limits, written) = (&upstream.cluster.limits, &upstream.written);
    let counts = [
        (MAX_CONNECTIONS, limits.connections),
        (MAX_PENDING, limits.pending),
        (MAX_REQUESTS, limits.requests),
        (MAX_RETRIES, limits.retries),
    ];
    // What is written and is no limit all the same was 0.
    let endless = counts.into_iter().find(|(word, limit)| *limit == UNLIMITED && written.has(*word));
    let (word, _) = endless.filter(|_| written.dialect == Dialect::Istio)?;
    let what = format!("{} 0 of {} is no limit", written.name(word), upstream.name);
    let fix = if written.name(word) == written.name(MAX_RETRIES) {
        "# on the routes, where none is meant:\nretries:\n  attempts: 0".to_owned()
    } else {
        written.dialect.lines(&[(word, "1".to_owned())])
    };
    Some(written.advise_at(&ZERO_IS_NO_LIMIT, &written.path(word), what, fix))
}
