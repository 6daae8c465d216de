//! Faults of the client's side, which happen ahead of everything that heals.

use super::Advice;
use super::codes::{DELAY_BEYOND_TIME_OUT, FAULT_AHEAD, FAULT_OF_NOBODY};
use super::view::{View, Way};
use super::words::{ABORT, DELAY, Dialect, FAULT, TIMEOUT, Word, list};
use super::written::advice_at;
use crate::policy::{FaultInjection, Fraction, HttpFilter};

pub(super) fn advice(view: &View<'_>) -> Vec<Advice> {
    let mut all = Vec::new();
    for way in view.ways.iter().filter(|way| way.is_written()) {
        if let Some(fault) = &way.route.filters.fault {
            all.extend(ahead(view, way, fault));
            all.extend(beyond(way, fault));
            all.extend(of_nobody(way, fault));
        } else if let Some(fault) = of_listener(way) {
            // One of a listener is that of many routes.
            let told = ahead(view, way, fault).or_else(|| beyond(way, fault));
            all.extend(told.map(|told| advice_at(&way.listener.origin, told.code, "", told.what, told.fix)));
        }
    }
    all
}

fn of_listener<'a>(way: &Way<'a>) -> Option<&'a FaultInjection> {
    let fault = way.manager.filters.iter().find_map(|filter| match filter {
        HttpFilter::Fault(fault) => fault.as_ref(),
        _ => None,
    })?;
    let wanted = fault.upstream_cluster.as_ref();
    wanted.is_none_or(|name| way.forward.to.clusters().any(|to| to.name == *name)).then_some(fault)
}

fn happens(share: Option<Fraction>) -> bool {
    share.is_some_and(|share| share > Fraction::NONE)
}

fn ahead(view: &View<'_>, way: &Way<'_>, fault: &FaultInjection) -> Option<Advice> {
    let kinds = [
        ("abort", happens(fault.abort.map(|abort| abort.share))),
        ("delay", happens(fault.delay.map(|delay| delay.share))),
    ];
    let kind = kinds.iter().find(|(_, happens)| *happens)?.0;
    let detected: Vec<_> = view.upstreams_of(way).filter(|upstream| upstream.detector().is_some()).collect();
    let mut unseen = Vec::new();
    if way.retries() {
        unseen.push("no retry".to_owned());
    }
    if let Some(upstream) = detected.first() {
        unseen.push(format!("no detector of {}", upstream.name));
    }
    if unseen.is_empty() {
        return None;
    }
    let what = format!("this {kind} tests {}: it happens ahead of them", list(&unseen));
    let fix =
        "# break the instance instead: a fault of the timeline, as\nfaults: [{abort: {target: cart/1, status: 503}}]";
    let at = if kind == "abort" { ABORT } else { DELAY };
    Some(way.written.advise_at(&FAULT_AHEAD, &way.written.path(at), what, fix.to_owned()))
}

fn beyond(way: &Way<'_>, fault: &FaultInjection) -> Option<Advice> {
    let delay = fault.delay.filter(|delay| happens(Some(delay.share)))?;
    let (held, whole) = (delay.fixed?, way.forward.timeout?);
    if held < whole {
        return None;
    }
    let written = &way.written;
    let (held, whole) = (written.dialect.span(held), written.dialect.span(whole));
    let what =
        format!("this delay of {held} is waited out in full: {} {whole} begins behind it", written.name(TIMEOUT));
    let fix =
        "# delay the instance instead: a fault of the timeline, as\nfaults: [{latency: {target: cart/1, base: 3s}}]";
    Some(written.advise_at(&DELAY_BEYOND_TIME_OUT, &written.path(DELAY), what, fix.to_owned()))
}

/// What is written as 0 is meant; of Envoy's faults it has been told.
fn of_nobody(way: &Way<'_>, fault: &FaultInjection) -> Option<Advice> {
    let written = &way.written;
    let is_unsaid = |word: Word| {
        let path = written.path(word);
        !written.origin.fields.has(&format!("{path}.percentage"))
            && !written.origin.fields.has(&format!("{path}.percent"))
    };
    let parts = [
        ("abort", ABORT, fault.abort.map(|abort| abort.share)),
        ("delay", DELAY, fault.delay.map(|delay| delay.share)),
    ];
    let mut silent = parts.into_iter().filter(|(_, word, share)| *share == Some(Fraction::NONE) && is_unsaid(*word));
    let (kind, word, _) = silent.next().filter(|_| written.dialect == Dialect::Istio && written.has(FAULT))?;
    let what = format!("this {kind} happens to no request: its percentage is 0 where none is written");
    let fix = format!("fault:\n  {kind}:\n    percentage:\n      value: 100");
    Some(written.advise_at(&FAULT_OF_NOBODY, &written.path(word), what, fix))
}
