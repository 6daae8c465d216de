//! Limits of retries that leave nearly none.

use super::Advice;
use super::codes::FEW_RETRIES;
use super::view::{Upstream, View};
use super::words::{LEAST_RETRIES, MAX_RETRIES, RETRY_BUDGET};
use crate::policy::Priority;

/// Envoy's default, which is meant for small clusters.
const FEW: u32 = 3;

pub(super) fn advice(view: &View<'_>) -> Vec<Advice> {
    view.upstreams.iter().filter_map(|upstream| one(view, upstream)).collect()
}

fn one(view: &View<'_>, upstream: &Upstream<'_>) -> Option<Advice> {
    let way = view.ways_to(upstream).find(|way| way.retries())?;
    let cluster = upstream.cluster;
    let limits = if way.forward.priority == Priority::High { &cluster.high_limits } else { &cluster.limits };
    let (written, name) = (&upstream.written, &upstream.name);
    if let Some(budget) = limits.retry_budget {
        // A share that somebody wrote as a fraction of one.
        if budget.percent <= 0.0 || budget.percent >= 1.0 || budget.min_concurrency > FEW {
            return None;
        }
        let meant = budget.percent * 100.0;
        let what = format!(
            "{} {} is a percentage: of 1000 requests under way to {name} {:.0} may be retries, or {}",
            written.name(RETRY_BUDGET),
            budget.percent,
            (10.0 * budget.percent).floor(),
            budget.min_concurrency
        );
        return Some(written.advise(&FEW_RETRIES, RETRY_BUDGET, what, &[(RETRY_BUDGET, format!("{meant:.0}"))]));
    }
    if limits.retries > FEW {
        return None;
    }
    let unsaid = if written.has(MAX_RETRIES) { "" } else { " by default" };
    let most = match limits.retries {
        1 => "1 request is".to_owned(),
        number => format!("{number} requests are"),
    };
    let what = format!(
        "{} {}{unsaid}: while {name} fails, {most} retried at a time",
        written.name(MAX_RETRIES),
        limits.retries
    );
    // Of few requests a share is none; the least that is always allowed is three, too.
    let fix = [(RETRY_BUDGET, "20".to_owned()), (LEAST_RETRIES, "10".to_owned())];
    Some(written.advise(&FEW_RETRIES, MAX_RETRIES, what, &fix))
}
