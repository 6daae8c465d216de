//! Ejections that leave nobody, and panic that does not do what its threshold says.

use super::Advice;
use super::codes::{ALL_OUT, PANIC_ABOVE_71};
use super::thresholds::enforced;
use super::view::{Upstream, View};
use super::words::{CONSECUTIVE, MAX_EJECTION, MIN_HEALTH, count};

pub(super) fn advice(view: &View<'_>) -> Vec<Advice> {
    let each = [all_out, beyond];
    view.upstreams.iter().flat_map(|upstream| each.iter().filter_map(move |advice| advice(upstream))).collect()
}

/// Told where one fault is enough to take all instances out: there is one alone, or each goes at its first failed answer, so that one
/// request that fails everywhere empties the cluster.
fn all_out(upstream: &Upstream<'_>) -> Option<Advice> {
    let outlier = upstream.detector()?;
    let total = upstream.instances.filter(|total| *total > 0)?;
    let at_first =
        [outlier.consecutive_5xx, outlier.consecutive_gateway].into_iter().any(|one| enforced(one) == Some(1));
    let goes_at_once = total == 1 || at_first;
    if upstream.cluster.panic_percent > 0.0 || upstream.may_be_out() != Some(total) || !goes_at_once {
        return None;
    }
    let written = &upstream.written;
    let name = &upstream.name;
    let lasting = written.dialect.span(outlier.base_ejection_time);
    let what = if total == 1 {
        format!("{name} has 1 instance, which may be ejected: for {lasting} and more all its requests are answered 503")
    } else {
        format!(
            "{} 1 ejects an instance at its first failure, and all {} of {name} may be out: 503 for {lasting} and more",
            written.name(CONSECUTIVE),
            count(total, "instance")
        )
    };
    Some(written.advise(&ALL_OUT, MAX_EJECTION, what, &[(MIN_HEALTH, "50".to_owned())]))
}

/// Above what is looked at, with one priority. Both figures are shares of all instances.
fn beyond(upstream: &Upstream<'_>) -> Option<Advice> {
    let cluster = upstream.cluster;
    let most = 10_000.0 / f64::from(cluster.overprovisioning.max(1));
    let one_priority = cluster.localities.iter().all(|locality| locality.priority == 0);
    if cluster.panic_percent <= most || !one_priority {
        return None;
    }
    let written = &upstream.written;
    let what = format!(
        "{} {} acts as {} does: from {most:.1} % healthy instances of {} on there is no panic",
        written.name(MIN_HEALTH),
        cluster.panic_percent,
        most.floor(),
        upstream.name
    );
    Some(written.advise(&PANIC_ABOVE_71, MIN_HEALTH, what, &[(MIN_HEALTH, format!("{}", most.floor()))]))
}
