//! `tls` and `tcp`: rules for connections.

use super::Context;
use super::destination::{WrittenStreamDestination, stream_destinations};
use super::gateway_names;
use crate::config::istio::labels::labels;
use crate::config::istio::route_match::port;
use crate::config::names::{check_host, is_generated, is_label, within};
use crate::config::objects::{ConnectionMatch, TcpRule, TlsRule};
use crate::config::pairs::Pairs;
use crate::config::problems::Problems;
use crate::policy::Cidr;
use serde::Deserialize;
use squall_yaml::{Place, Spanned};
use std::net::IpAddr;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenTls {
    #[serde(default, rename = "match")]
    matches: Vec<Spanned<WrittenTlsMatch>>,
    #[serde(default)]
    route: Vec<WrittenStreamDestination>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenTlsMatch {
    #[serde(default)]
    sni_hosts: Vec<Spanned<String>>,
    #[serde(default)]
    destination_subnets: Vec<Spanned<String>>,
    port: Option<Spanned<u32>>,
    #[serde(default)]
    source_labels: Pairs<String>,
    source_namespace: Option<Spanned<String>>,
    #[serde(default)]
    gateways: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenTcp {
    #[serde(default, rename = "match")]
    pub(super) matches: Vec<Spanned<WrittenTcpMatch>>,
    #[serde(default)]
    route: Vec<WrittenStreamDestination>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WrittenTcpMatch {
    #[serde(default)]
    destination_subnets: Vec<Spanned<String>>,
    port: Option<Spanned<u32>>,
    #[serde(default)]
    source_labels: Pairs<String>,
    source_namespace: Option<Spanned<String>>,
    #[serde(default)]
    gateways: Vec<Spanned<String>>,
}

/// One rule for each block of conditions, since each has server names of its own.
pub(super) fn tls_rules(
    written: &Spanned<WrittenTls>,
    context: &Context<'_>,
    problems: &mut Problems<'_>,
) -> Vec<TlsRule> {
    let WrittenTls { matches, route } = &written.value;
    if matches.is_empty() {
        problems.error(
            written.place,
            "a rule for TLS needs a condition",
            "add `match: [{port: 443, sniHosts: [example.com]}]`",
        );
    }
    let to = checked_destinations(route, written.place, problems);
    let mut rules = Vec::new();
    for block in matches {
        let WrittenTlsMatch { sni_hosts, destination_subnets, port, source_labels, source_namespace, gateways } =
            &block.value;
        if sni_hosts.is_empty() {
            problems.error(block.place, "a condition on TLS needs server names", "add `sniHosts: [example.com]`");
        }
        for name in sni_hosts {
            check_server_name(name, context, problems);
        }
        let condition = ConnectionMatch {
            port: self::port(port.as_ref(), problems),
            destinations: destination_subnets.iter().filter_map(|range| cidr(range, problems)).collect(),
            source_labels: labels(source_labels, problems),
            source_namespace: self::source_namespace(source_namespace.as_ref(), problems),
            gateways: gateway_names(gateways, problems),
        };
        rules.push(TlsRule {
            server_names: sni_hosts.iter().map(|name| name.value.to_ascii_lowercase()).collect(),
            matches: vec![condition],
            to: to.clone(),
            origin: problems.origin(block.place),
        });
    }
    rules
}

/// A server name lies within the hosts of its object.
fn check_server_name(name: &Spanned<String>, context: &Context<'_>, problems: &mut Problems<'_>) {
    if name.value.parse::<IpAddr>().is_ok() {
        problems.warning(name.place, "an address is no server name, and few clients send one", "name the host");
        return;
    }
    let generated = !context.for_mesh && is_generated(&name.value);
    if let Some(bad) = check_host(&name.value).err().filter(|_| !generated) {
        return problems.error(name.place, bad, "a host, or `*.suffix`");
    }
    let own = name.value.to_ascii_lowercase();
    if !context.hosts.iter().any(|host| within(&own, &host.value.to_ascii_lowercase())) {
        let message = format!("`{}` is none of the object's hosts", name.value);
        problems.error(name.place, message, "add it to `spec.hosts`, or a host that holds it");
    }
}

/// One rule.
pub(super) fn tcp_rule(written: &Spanned<WrittenTcp>, problems: &mut Problems<'_>) -> TcpRule {
    let WrittenTcp { matches, route } = &written.value;
    let to = checked_destinations(route, written.place, problems);
    let mut conditions = Vec::new();
    for block in matches {
        let WrittenTcpMatch { destination_subnets, port, source_labels, source_namespace, gateways } = &block.value;
        conditions.push(ConnectionMatch {
            port: self::port(port.as_ref(), problems),
            destinations: destination_subnets.iter().filter_map(|range| cidr(range, problems)).collect(),
            source_labels: labels(source_labels, problems),
            source_namespace: self::source_namespace(source_namespace.as_ref(), problems),
            gateways: gateway_names(gateways, problems),
        });
    }
    TcpRule { matches: conditions, to, origin: problems.origin(written.place) }
}

fn checked_destinations(
    route: &[WrittenStreamDestination],
    place: Place,
    problems: &mut Problems<'_>,
) -> Vec<crate::config::objects::WeightedBackend> {
    if route.is_empty() {
        problems.error(
            place,
            "nothing is said of where the connections go",
            "add `route: [{destination: {host: cart}}]`",
        );
    }
    stream_destinations(route, place, problems)
}

fn source_namespace(written: Option<&Spanned<String>>, problems: &mut Problems<'_>) -> Option<String> {
    let written = written.filter(|name| !name.value.is_empty())?;
    if !is_label(&written.value) {
        problems.error(
            written.place,
            format!("`{}` is no namespace", written.value),
            "letters, digits and dashes inside",
        );
    }
    Some(written.value.clone())
}

/// A range of addresses; an address alone is that one.
fn cidr(written: &Spanned<String>, problems: &mut Problems<'_>) -> Option<Cidr> {
    let parsed = cidr_of(&written.value);
    if parsed.is_none() {
        problems.error(
            written.place,
            format!("`{}` is no range of addresses", written.value),
            "as `10.0.0.0/8`, or an address",
        );
    }
    parsed
}

/// Reads a range.
pub(in crate::config::istio) fn cidr_of(text: &str) -> Option<Cidr> {
    let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix {
        Some(prefix) if prefix.bytes().all(|digit| digit.is_ascii_digit()) => prefix.parse().ok()?,
        Some(_) => return None,
        None => most,
    };
    (prefix <= most).then_some(Cidr { address, prefix })
}
