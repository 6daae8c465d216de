//! Bootstraps for tests: what is special about one, and the rest of it.

use super::super::super::LoadOptions;
use super::super::super::problems::Problems;
use crate::policy::{Cluster, Config, Forward, HttpManager, Route};
use squall_yaml::{Finding, Severity, Source};
use std::path::Path;

/// The configuration, and all findings.
pub(super) fn read_with(text: &str, options: &LoadOptions) -> (Option<Config>, Vec<Finding>, Vec<Finding>) {
    let path = Path::new("bootstrap.yaml");
    let documents = squall_yaml::parse(&Source { path: path.to_owned(), text: text.to_owned() });
    let documents = documents.unwrap_or_else(|findings| panic!("{findings:?} in\n{text}"));
    let mut problems = Problems::new(path, options);
    let config = super::super::bootstrap(documents.first().expect("a document"), &mut problems);
    let (findings, accepted) = problems.into_parts();
    (config, findings, accepted)
}

/// The configuration of a bootstrap without errors.
pub(super) fn read(text: &str) -> Config {
    let (config, findings, _) = read_with(text, &LoadOptions::default());
    let errors: Vec<_> = findings.iter().filter(|one| one.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?} in\n{text}");
    config.expect("a configuration")
}

/// Every finding, as a line.
pub(super) fn findings(text: &str) -> Vec<String> {
    read_with(text, &LoadOptions::default()).1.iter().map(ToString::to_string).collect()
}

/// The errors of a bootstrap that is refused.
pub(super) fn errors(text: &str) -> Vec<String> {
    let (_, findings, _) = read_with(text, &LoadOptions::default());
    findings.iter().filter(|one| one.severity == Severity::Error).map(ToString::to_string).collect()
}

/// The warnings of a bootstrap.
pub(super) fn warnings(text: &str) -> Vec<String> {
    let (_, findings, _) = read_with(text, &LoadOptions::default());
    findings.iter().filter(|one| one.severity == Severity::Warning).map(ToString::to_string).collect()
}

/// Holds each text to one error, with these words in it.
pub(super) fn told(form: impl Fn(&str) -> String, table: &[(&str, &[&str])]) {
    for (part, words) in table {
        let errors = errors(&form(part));
        assert_eq!(errors.len(), 1, "{part}: {errors:#?}");
        for word in *words {
            assert!(errors[0].contains(word), "{part}: `{word}` is not in {}", errors[0]);
        }
    }
}

/// A bootstrap with these fields of a cluster beside its name and endpoint.
pub(super) fn with_cluster(fields: &str) -> String {
    let comma = if fields.is_empty() { "" } else { ", " };
    format!("static_resources: {{clusters: [{{name: cart, {ENDPOINTS}{comma}{fields}}}]}}")
}

/// One endpoint.
pub(super) const ENDPOINTS: &str = "load_assignment: {cluster_name: cart, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 80}}}}]}]}";

/// The cluster of a bootstrap with these fields.
pub(super) fn cluster(fields: &str) -> Cluster {
    read(&with_cluster(fields)).clusters.remove(0)
}

/// The router's entry in a list of filters.
pub(super) const ROUTER: &str =
    "{name: router, typed_config: {\"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}";

/// A bootstrap with one listener that has these fields beside its address, and the cluster `cart`.
pub(super) fn with_listener(fields: &str) -> String {
    format!(
        "static_resources: {{listeners: [{{name: in, address: {{socket_address: {{address: 127.0.0.1, port_value: 8080}}}}, {fields}}}], \
         clusters: [{{name: cart, {ENDPOINTS}}}]}}"
    )
}

/// A bootstrap with these fields of a manager, beside its prefix and its routes, and these filters ahead of the router.
pub(super) fn with_manager(fields: &str, filters: &str, table: &str) -> String {
    let (fields, filters) = (comma(fields), comma(filters));
    with_listener(&format!(
        "filter_chains: [{{filters: [{{name: hcm, typed_config: {{\"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager, \
         {fields}stat_prefix: in, http_filters: [{filters}{ROUTER}], route_config: {{{table}}}}}}}]}}]"
    ))
}

fn comma(part: &str) -> String {
    if part.is_empty() { String::new() } else { format!("{part}, ") }
}

/// The manager of a bootstrap.
pub(super) fn manager(text: &str) -> HttpManager {
    read(text).http_managers().next().cloned().expect("a manager")
}

/// A bootstrap with one route.
pub(super) fn with_route(route: &str) -> String {
    with_manager("", "", &format!("virtual_hosts: [{{name: all, domains: [\"*\"], routes: [{route}]}}]"))
}

/// A bootstrap with one route that has these fields in its `route`.
pub(super) fn with_action(fields: &str) -> String {
    with_route(&format!("{{match: {{prefix: /}}, route: {{{fields}}}}}"))
}

/// The first route of a bootstrap.
pub(super) fn route(text: &str) -> Route {
    read(text).routes().next().cloned().expect("a route")
}

/// How the first route of a bootstrap sends on.
pub(super) fn forward(text: &str) -> Forward {
    route(text).forward().cloned().expect("a route that sends on")
}
