//! `trafficPolicy` and its blocks.

use super::connection_pool::{WrittenPool, connection_pool};
use super::load_balancer::{WrittenBalancer, load_balancer};
use super::outlier_detection::{WrittenOutlier, detection};
use super::tls::{WrittenTls, tls};
use super::virtual_service::WrittenPort;
use crate::config::number::{Count, Percent};
use crate::config::objects::TrafficPolicy;
use crate::config::problems::Problems;
use crate::policy::RetryBudget;
use serde::Deserialize;
use squall_yaml::{Keyed, Spanned};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WrittenPolicy {
    load_balancer: Option<Keyed<WrittenBalancer>>,
    connection_pool: Option<Keyed<WrittenPool>>,
    outlier_detection: Option<WrittenOutlier>,
    tls: Option<Keyed<WrittenTls>>,
    retry_budget: Option<WrittenBudget>,
    #[serde(default)]
    port_level_settings: Vec<Spanned<PortSettings>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PortSettings {
    port: Option<WrittenPort>,
    load_balancer: Option<Keyed<WrittenBalancer>>,
    connection_pool: Option<Keyed<WrittenPool>>,
    outlier_detection: Option<WrittenOutlier>,
    tls: Option<Keyed<WrittenTls>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenBudget {
    percent: Option<Percent>,
    min_retry_concurrency: Option<Count>,
}

/// The blocks of one level.
struct Blocks<'a> {
    load_balancer: Option<&'a Keyed<WrittenBalancer>>,
    connection_pool: Option<&'a Keyed<WrittenPool>>,
    outlier_detection: Option<&'a WrittenOutlier>,
    tls: Option<&'a Keyed<WrittenTls>>,
}

impl Blocks<'_> {
    fn resolve(&self, problems: &mut Problems<'_>) -> TrafficPolicy {
        let detected = self.outlier_detection.map(|outlier| detection(outlier, problems));
        let watched = detected.is_some();
        let (outlier, min_health_percent) = match detected {
            Some(detected) => (Some(detected.detection), detected.min_health_percent),
            None => (None, 0),
        };
        TrafficPolicy {
            load_balancer: self.load_balancer.map(|balancer| load_balancer(balancer, watched, problems)),
            connection_pool: self.connection_pool.map(|pool| connection_pool(pool, problems)),
            outlier,
            min_health_percent,
            tls: self.tls.and_then(|written| tls(written, problems)),
            retry_budget: None,
        }
    }
}

/// A policy, and what holds for single ports in its place: blocks that a port leaves out are the defaults, but for the budget of
/// retries, which ports do not have.
pub(super) fn policy(
    written: &WrittenPolicy,
    problems: &mut Problems<'_>,
) -> (TrafficPolicy, Vec<(u16, TrafficPolicy)>) {
    let retry_budget = written.retry_budget.as_ref().map(|budget| RetryBudget {
        percent: budget.percent.map_or(problems.version().retry_budget_percent(), |percent| percent.0),
        min_concurrency: budget.min_retry_concurrency.and_then(Count::set).unwrap_or(3),
    });
    let blocks = Blocks {
        load_balancer: written.load_balancer.as_ref(),
        connection_pool: written.connection_pool.as_ref(),
        outlier_detection: written.outlier_detection.as_ref(),
        tls: written.tls.as_ref(),
    };
    let whole = TrafficPolicy { retry_budget, ..blocks.resolve(problems) };
    let mut ports = Vec::new();
    for settings in &written.port_level_settings {
        let PortSettings { port, load_balancer, connection_pool, outlier_detection, tls } = &settings.value;
        let blocks = Blocks {
            load_balancer: load_balancer.as_ref(),
            connection_pool: connection_pool.as_ref(),
            outlier_detection: outlier_detection.as_ref(),
            tls: tls.as_ref(),
        };
        let nothing =
            load_balancer.is_none() && connection_pool.is_none() && outlier_detection.is_none() && tls.is_none();
        if nothing {
            let help = "add `loadBalancer`, `connectionPool`, `outlierDetection` or `tls`, or take the port out";
            problems.error(settings.place, "nothing is said of this port", help);
        }
        let Some(port) = port else {
            problems.error(settings.place, "`port` is missing", "add `port: {number: 80}`");
            continue;
        };
        // Of two for a port the first counts.
        if ports.iter().all(|(number, _)| *number != port.number.0) {
            ports.push((port.number.0, TrafficPolicy { retry_budget, ..blocks.resolve(problems) }));
        }
    }
    (whole, ports)
}
