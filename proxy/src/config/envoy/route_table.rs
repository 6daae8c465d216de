//! Route tables and their virtual hosts.

use super::message::Message;
use super::reading::Said;
use super::schema::{ROUTE, ROUTE_CORS_POLICY, VIRTUAL_HOST};
use super::{cors, header_rules, rate_limit, retry, route, route_filters, spread};
use crate::policy::{Description, HeaderRules, Mirror, RetryPolicy, RouteFilters, RouteTable, VirtualHost};
use std::sync::Arc;

/// What a table and a virtual host say for the routes in them.
#[derive(Clone)]
pub(super) struct Above {
    pub(super) retry: Option<RetryPolicy>,
    pub(super) hedge: Option<bool>,
    pub(super) mirrors: Option<Vec<Mirror>>,
    pub(super) filters: RouteFilters,
    /// How the host describes requests for limits.
    pub(super) descriptions: Vec<Description>,
    pub(super) host_headers: HeaderRules,
    pub(super) table_headers: HeaderRules,
    /// The route's changes of fields come last, instead of first.
    pub(super) most_specific_wins: bool,
    pub(super) attempt_count_in_request: bool,
    pub(super) attempt_count_in_response: bool,
    pub(super) buffer_limit: Option<u32>,
    /// Bytes of a direct response.
    pub(super) max_direct_body: u32,
    /// A cluster that is named must be there.
    pub(super) validate_clusters: bool,
}

/// A table.
pub(super) fn read(table: &Message<'_>) -> RouteTable {
    let validate_clusters = table.boolean("validate_clusters").unwrap_or(true);
    let above = Above {
        retry: None,
        hedge: None,
        mirrors: spread::mirrors(table, validate_clusters),
        filters: route_filters::read(table),
        descriptions: Vec::new(),
        host_headers: HeaderRules::default(),
        table_headers: header_rules::read(table),
        most_specific_wins: table.flag("most_specific_header_mutations_wins"),
        attempt_count_in_request: false,
        attempt_count_in_response: false,
        buffer_limit: None,
        max_direct_body: table.count("max_direct_response_body_size_bytes").unwrap_or(4096),
        validate_clusters,
    };
    let messages = table.messages("virtual_hosts", &VIRTUAL_HOST);
    let virtual_hosts: Vec<_> = messages.iter().map(|host| virtual_host(host, &above)).collect();
    for (number, (host, message)) in virtual_hosts.iter().zip(&messages).enumerate() {
        let before = || virtual_hosts.iter().take(number);
        if before().any(|other| other.name == host.name && !host.name.is_empty()) {
            message.at.error(format!("another virtual host is called `{}` too", host.name));
        }
        for (at, domain) in host.domains.iter().enumerate() {
            let twice = host.domains.iter().take(at).any(|other| other == domain);
            let taken = before().find(|other| other.domains.contains(domain)).map(|other| other.name.as_str());
            if let Some(taken) = taken.or(twice.then_some(host.name.as_str())) {
                let said = Said::from(format!("the domain `{domain}` is that of virtual host `{taken}` already"));
                message.at.error(said.help("each domain stands once in a table, `*` too"));
            }
        }
    }
    RouteTable {
        name: table.text("name").unwrap_or_default(),
        virtual_hosts,
        ignore_port_in_host: table.flag("ignore_port_in_host_matching"),
    }
}

fn virtual_host(host: &Message<'_>, table: &Above) -> VirtualHost {
    let former = host.message("cors", &ROUTE_CORS_POLICY).map(|policy| Arc::new(cors::read(&policy)));
    let mut filters = route_filters::read(host);
    filters.cors = filters.cors.take().or(former);
    let above = Above {
        retry: retry::read(host),
        hedge: retry::hedge(host),
        mirrors: spread::mirrors(host, table.validate_clusters).or_else(|| table.mirrors.clone()),
        filters: route_filters::or(filters, &table.filters),
        descriptions: rate_limit::of_routes(host),
        host_headers: header_rules::read(host),
        attempt_count_in_request: host.flag("include_request_attempt_count"),
        attempt_count_in_response: host.flag("include_attempt_count_in_response"),
        buffer_limit: route::buffer_limit(host),
        ..table.clone()
    };
    let requirements = [("NONE", 0, Some(false)), ("EXTERNAL_ONLY", 1, None), ("ALL", 2, Some(true))];
    let routes = host.messages("routes", &ROUTE);
    VirtualHost {
        name: host.required_text("name"),
        domains: domains(host),
        routes: routes.iter().filter_map(|message| route::read(message, &above)).map(Arc::new).collect(),
        require_tls: host.choice("require_tls", &requirements).unwrap_or(false),
        origin: host.origin(),
    }
}

fn domains(host: &Message<'_>) -> Vec<String> {
    let values = host.values("domains");
    if values.is_empty() {
        host.at.error(Said::from("`domains` is missing").expected("at least one, such as `*`"));
    }
    let read = values.iter().filter_map(|value| {
        let domain = value.text()?.to_ascii_lowercase();
        let inside = domain.strip_prefix('*').or_else(|| domain.strip_suffix('*')).unwrap_or(&domain);
        if domain.is_empty() {
            value.error("this must not be empty");
        } else if inside.contains('*') {
            let said = Said::from(format!("the `*` within `{domain}` is no wildcard"));
            value.warn(said.help("a wildcard stands at the beginning or at the end of a domain, and once"));
        }
        Some(domain)
    });
    read.collect()
}
