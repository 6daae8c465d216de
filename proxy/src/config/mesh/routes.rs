//! The routes that an object makes at one port of one gateway, or of the mesh.

use super::authority::take_authority;
use super::clusters;
use super::effective::hash_of_destination;
use super::scope::subset_of;
use super::view::View;
use super::virtual_services::Bound;
use crate::config::objects::{Backend, HttpAction, HttpRule, MatchBlock, WeightedBackend};
use crate::policy::{
    Action, Forward, Fraction, GrpcTimeout, HashPolicy, HostRewrite, Mirror, PathMatch, PathRewrite, Redirect,
    RedirectPort, RetryOn, RetryPolicy, Rewrite, Route, RouteDescriptions, RouteFilters, RouteMatch, Target,
    WeightedCluster,
};
use regex::Regex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The listener that routes are made for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entrance<'a> {
    /// Its port.
    pub port: u16,
    /// `mesh`, or a gateway's `namespace/name`.
    pub gateway: &'a str,
    /// TLS is ended there.
    pub tls: bool,
}

/// The routes of an object, one for each match block, up to the first that matches everything: what stands behind is not made.
pub(super) fn routes(view: &View<'_>, bound: &Bound<'_>, entrance: Entrance<'_>) -> Vec<Arc<Route>> {
    let mut routes = Vec::new();
    for rule in &bound.rules {
        if rule.matches.is_empty() {
            routes.extend(route(view, bound, rule, None, entrance).map(Arc::new));
            return routes;
        }
        for block in rule.matches.iter().filter(|block| unfit(view, block, entrance).is_none()) {
            routes.extend(route(view, bound, rule, Some(block), entrance).map(Arc::new));
            if matches_everything(&block.request) {
                return routes;
            }
        }
    }
    routes
}

/// The route of a service that no object routes: every request, with the mesh's retries.
pub(super) fn default_route(view: &View<'_>, cluster: &str) -> Route {
    let retry = with_503(RetryPolicy::mesh_default(), view.site.version.retries_503());
    let forward = Forward { retry, ..timed(Forward::to(cluster), None) };
    Route { name: "default".to_owned(), attempt_count_in_request: true, ..to(forward) }
}

/// Every request sent on.
pub(super) fn to(forward: Forward) -> Route {
    Route::new(RouteMatch::default(), Action::Forward(Box::new(forward)))
}

/// With this time-out, and gRPC's own up to it.
pub(super) fn timed(forward: Forward, timeout: Option<Duration>) -> Forward {
    let timeout = timeout.filter(|timeout| !timeout.is_zero());
    Forward { timeout, grpc_timeout: timeout.map_or(GrpcTimeout::Obeyed, GrpcTimeout::AtMost), ..forward }
}

/// True if no request is left for the routes behind.
pub(in crate::config) fn matches_everything(request: &RouteMatch) -> bool {
    let path = match &request.path {
        PathMatch::Any => true,
        PathMatch::Prefix(prefix) | PathMatch::SegmentPrefix(prefix) => prefix == "/",
        PathMatch::Regex(regex) => matches!(regex.as_str(), ".*" | "^(?:.*)$" | "^.*$"),
        PathMatch::Exact(_) | PathMatch::Connect => false,
    };
    path && request.headers.is_empty() && request.query.is_empty() && request.fraction.is_none() && !request.grpc_only
}

/// Why a match is left out while routes are made: by what is known of listeners and callers already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit<'b> {
    /// It is for another port.
    Port(u16),
    /// It is for other gateways, or for the mesh.
    Gateways(&'b [String]),
    /// It is for callers of another namespace.
    SourceNamespace(&'b str),
    /// It is for callers with other labels.
    SourceLabels(&'b BTreeMap<String, String>),
}

/// Why a match is not for a listener and its callers, if it is not. Labels and namespace do not count where it names gateways.
pub(super) fn unfit<'b>(view: &View<'_>, block: &'b MatchBlock, entrance: Entrance<'_>) -> Option<Unfit<'b>> {
    if let Some(port) = block.port.filter(|port| *port != entrance.port) {
        return Some(Unfit::Port(port));
    }
    if !block.gateways.is_empty() {
        let named = block.gateways.iter().any(|gateway| gateway == entrance.gateway);
        return (!named).then_some(Unfit::Gateways(&block.gateways));
    }
    if let Some(namespace) = block.source_namespace.as_deref().filter(|of| *of != view.site.namespace()) {
        return Some(Unfit::SourceNamespace(namespace));
    }
    (!subset_of(&block.source_labels, &view.site.node.labels)).then_some(Unfit::SourceLabels(&block.source_labels))
}

fn route(
    view: &View<'_>,
    bound: &Bound<'_>,
    rule: &HttpRule,
    block: Option<&MatchBlock>,
    entrance: Entrance<'_>,
) -> Option<Route> {
    let matches = block.map_or_else(RouteMatch::default, |block| block.request.clone());
    let mut headers = rule.headers.clone();
    let authority = take_authority(&mut headers.request);
    let single = matches!(&rule.action, HttpAction::Route(backends) if backends.len() == 1);
    let action = match &rule.action {
        HttpAction::Redirect(redirect) => Action::Redirect(with_port(redirect, entrance)),
        HttpAction::Direct(response) => Action::Direct(response.clone()),
        HttpAction::Route(backends) => {
            let forward = forward(view, bound, rule, backends, &matches, authority, entrance);
            Action::Forward(Box::new(forward))
        }
        // A delegate's rules stand in the place of such a rule.
        HttpAction::Delegate { .. } => return None,
    };
    let name = match block.map_or("", |block| &block.name) {
        "" => rule.name.clone(),
        name => format!("{}.{name}", rule.name),
    };
    let faults = |of: &crate::policy::FaultInjection| of.delay.is_some() || of.abort.is_some();
    Some(Route {
        name,
        matches,
        action,
        headers: if headers == Default::default() { Vec::new() } else { vec![headers] },
        destination_headers_last: single,
        filters: RouteFilters {
            fault: rule.fault.clone().filter(faults).map(Arc::new),
            cors: rule.cors.clone().map(Arc::new),
            rate_limit: None,
        },
        descriptions: RouteDescriptions::default(),
        attempt_count_in_request: true,
        attempt_count_in_response: false,
        origin: block.map_or(&rule.origin, |block| &block.origin).clone(),
    })
}

fn forward(
    view: &View<'_>,
    bound: &Bound<'_>,
    rule: &HttpRule,
    backends: &[WeightedBackend],
    matches: &RouteMatch,
    authority: Option<String>,
    entrance: Entrance<'_>,
) -> Forward {
    let mut clusters = destinations(view, backends, entrance.port);
    let mut rewrite = rule.rewrite.clone().unwrap_or_default();
    if bound.object.of_gateway_api {
        without_prefix(&mut rewrite, matches);
    }
    rewrite.host = rewrite.host.or(authority.map(HostRewrite::Literal));
    if let ([only], [_]) = (clusters.as_mut_slice(), backends) {
        let own = only.host_rewrite.take().map(HostRewrite::Literal);
        rewrite.host = rewrite.host.or(own);
    }
    let used = backends.iter().filter(|backend| backends.len() == 1 || backend.weight > 0);
    let hash: Vec<_> = used.filter_map(|backend| hash(view, &backend.to)).collect();
    let sticks = backends.len() == 1 && !hash.is_empty();
    let mirrors = rule.mirrors.iter().filter(|mirror| mirror.share > Fraction::NONE);
    let mirrors = mirrors.map(|mirror| Mirror {
        cluster: cluster_name(view, &mirror.to, entrance.port),
        share: mirror.share,
        shadow_host: view.site.version.marks_mirrored_host(),
    });
    Forward {
        to: Target::Weighted(clusters),
        not_found_status: if bound.object.of_gateway_api { 500 } else { 503 },
        rewrite,
        retry: retry(view, rule, sticks),
        mirrors: mirrors.collect(),
        hash,
        ..timed(Forward::to(""), rule.timeout)
    }
}

/// Clusters with their shares: the only one whatever its weight, else those with a weight above 0.
pub(super) fn destinations(view: &View<'_>, backends: &[WeightedBackend], port: u16) -> Vec<WeightedCluster> {
    let single = backends.len() == 1;
    let used = backends.iter().filter(|backend| single || backend.weight > 0);
    let clusters = used.map(|backend| {
        let mut headers = backend.headers.clone();
        let host_rewrite = take_authority(&mut headers.request);
        WeightedCluster {
            name: cluster_name(view, &backend.to, port),
            weight: if single { 1 } else { backend.weight },
            headers,
            host_rewrite,
            subset: Default::default(),
        }
    });
    clusters.collect()
}

/// The cluster of a destination, whether there is one or not: a service with one port uses it, otherwise the listener's is meant.
fn cluster_name(view: &View<'_>, to: &Backend, listener: u16) -> String {
    let implied = || view.service(&to.host).map_or(listener, |service| service.port_or(listener));
    clusters::name(to.port.unwrap_or_else(implied), to.subset.as_deref(), &to.host)
}

fn hash(view: &View<'_>, to: &Backend) -> Option<HashPolicy> {
    let of = hash_of_destination(&view.rule_of_host(&to.host)?, to.subset.as_deref(), to.port)?;
    Some(HashPolicy { of, terminal: false })
}

/// The rule's retries, or the mesh's. A consistent hash keeps them where they were, unless the rule says otherwise.
fn retry(view: &View<'_>, rule: &HttpRule, sticks: bool) -> RetryPolicy {
    let written = rule.retry.clone();
    let said = written.as_ref().and(rule.avoid_previous_hosts);
    let mut retry = written.unwrap_or_else(RetryPolicy::mesh_default);
    if retry.attempts > 0 {
        retry.avoid_previous_hosts = said.unwrap_or(!sticks);
    }
    with_503(retry, view.site.version.retries_503())
}

/// The default conditions as they once were.
fn with_503(mut retry: RetryPolicy, old: bool) -> RetryPolicy {
    if old && retry.on == RetryOn::mesh_default() {
        retry.on.statuses.push(503);
    }
    retry
}

/// A port is left out where the scheme implies it.
fn with_port(redirect: &Redirect, entrance: Entrance<'_>) -> Redirect {
    let scheme = redirect.scheme.as_deref().unwrap_or(if entrance.tls { "https" } else { "http" });
    let port = match redirect.port {
        RedirectPort::OfListener => RedirectPort::Explicit(entrance.port),
        port => port,
    };
    let port = match (port, scheme) {
        (RedirectPort::Explicit(80), "http") | (RedirectPort::Explicit(443), "https") => RedirectPort::OfProtocol,
        (port, _) => port,
    };
    Redirect { port, ..redirect.clone() }
}

/// A prefix of whole segments that is replaced by `/` is taken away, without leaving `//` behind.
fn without_prefix(rewrite: &mut Rewrite, matches: &RouteMatch) {
    let (Some(PathRewrite::Prefix(by)), PathMatch::SegmentPrefix(prefix)) = (&rewrite.path, &matches.path) else {
        return;
    };
    if by == "/" {
        // The prefix is escaped, so that this is always an expression.
        if let Ok(pattern) = Regex::new(&format!("^{}(/?)(.*)", regex::escape(prefix))) {
            rewrite.path = Some(PathRewrite::Regex { pattern, substitution: "/${2}".to_owned() });
        }
    }
}
