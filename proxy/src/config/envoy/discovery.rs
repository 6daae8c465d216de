//! How the endpoints of a cluster are found.

use super::any::Extensions;
use super::message::Message;
use super::reading::Said;
use super::schema::{CLUSTER_TYPE, DNS_CLUSTER, DNS_REFRESH_RATE, REFRESH_RATE, Schema};
use crate::policy::{AddressFamily, Discovery, Dns};
use std::time::Duration;

const CLUSTERS: Extensions = Extensions {
    known: &[&DNS_CLUSTER],
    package: "envoy.extensions.clusters.",
    others: "aggregate composite dynamic_forward_proxy redis reverse_connection",
};

#[derive(Clone, Copy)]
enum Kind {
    Static,
    StrictDns,
    LogicalDns,
    OriginalDestination,
}

/// The way that `type` or `cluster_type` names; listed by default.
pub(super) fn read(cluster: &Message<'_>) -> Discovery {
    let kinds = [
        ("STATIC", 0, Some(Some(Kind::Static))),
        ("STRICT_DNS", 1, Some(Some(Kind::StrictDns))),
        ("LOGICAL_DNS", 2, Some(Some(Kind::LogicalDns))),
        ("EDS", 3, Some(None)),
        ("ORIGINAL_DST", 4, Some(Some(Kind::OriginalDestination))),
    ];
    let families = [
        ("AUTO", 0, Some(AddressFamily::Auto)),
        ("V4_ONLY", 1, Some(AddressFamily::V4Only)),
        ("V6_ONLY", 2, Some(AddressFamily::V6Only)),
        ("V4_PREFERRED", 3, Some(AddressFamily::V4Preferred)),
        ("ALL", 4, Some(AddressFamily::All)),
    ];
    let family = cluster.choice("dns_lookup_family", &families).unwrap_or(AddressFamily::Auto);
    let dns = dns(cluster, family, &REFRESH_RATE);
    match cluster.one_of(&["type", "cluster_type"], false) {
        None => Discovery::Static,
        Some(("type", value)) => match value.choice(&kinds) {
            Some(Some(Kind::StrictDns)) => Discovery::StrictDns(dns),
            Some(Some(Kind::LogicalDns)) => Discovery::LogicalDns(dns),
            Some(Some(Kind::OriginalDestination)) => Discovery::OriginalDestination,
            Some(Some(Kind::Static)) | None => Discovery::Static,
            Some(None) => {
                let said = Said::from(format!(
                    "`{}`: `EDS` is valid but not obeyed: it needs a management server, and only static configuration is read",
                    value.path
                ));
                let help = said.help("write `type: STATIC` or `STRICT_DNS`, and the endpoints under `load_assignment`");
                value.reading.refuse(value.node.place, value.node.len, help, None);
                Discovery::Static
            }
        },
        Some((_, kind)) => {
            kind.message(&CLUSTER_TYPE).and_then(|kind| by_extension(&kind)).unwrap_or(Discovery::Static)
        }
    }
}

fn by_extension(kind: &Message<'_>) -> Option<Discovery> {
    let config = kind.extension(&CLUSTERS)?;
    let families = [
        ("UNSPECIFIED", 0, Some(AddressFamily::Auto)),
        ("AUTO", 1, Some(AddressFamily::Auto)),
        ("V4_ONLY", 2, Some(AddressFamily::V4Only)),
        ("V6_ONLY", 3, Some(AddressFamily::V6Only)),
        ("V4_PREFERRED", 4, Some(AddressFamily::V4Preferred)),
        ("ALL", 5, Some(AddressFamily::All)),
    ];
    let family = config.choice("dns_lookup_family", &families).unwrap_or(AddressFamily::Auto);
    let dns = dns(&config, family, &DNS_REFRESH_RATE);
    let one = config.flag("all_addresses_in_single_endpoint");
    Some(if one { Discovery::LogicalDns(dns) } else { Discovery::StrictDns(dns) })
}

/// Envoy's defaults: every 5 s, and while lookups fail as often as otherwise.
fn dns(message: &Message<'_>, family: AddressFamily, rate: &'static Schema) -> Dns {
    let above = |message: &Message<'_>, name: &str| {
        let value = message.value(name)?;
        let duration = value.duration()?;
        if duration <= Duration::from_millis(1) {
            value.error("this must be above 0.001s");
        }
        Some(duration)
    };
    let refresh = above(message, "dns_refresh_rate").unwrap_or(Dns::default().refresh);
    let failing = message.message("dns_failure_refresh_rate", rate).and_then(|rate| {
        rate.require("base_interval");
        above(&rate, "base_interval")
    });
    Dns { refresh, failure_refresh: failing.unwrap_or(refresh), family }
}
