//! The endpoints of a cluster.

use super::message::Message;
use super::reading::Said;
use super::schema::{
    ASSIGNMENT_POLICY, ENDPOINT, ENDPOINT_CHECK, LB_ENDPOINT, LOAD_ASSIGNMENT, LOCALITY, LOCALITY_ENDPOINTS,
};
use super::{address, bootstrap, cluster, labels};
use crate::policy::{Address, Discovery, Endpoint, EndpointHealth, Locality};

/// What `load_assignment` says.
pub(super) struct Assignment {
    pub(super) localities: Vec<Locality>,
    /// 140 by Envoy's default.
    pub(super) overprovisioning: u32,
}

/// Reads it; a cluster that finds endpoints where the client was going has none.
pub(super) fn read(message: &Message<'_>, discovery: &Discovery) -> Assignment {
    let nothing = Assignment { localities: Vec::new(), overprovisioning: 140 };
    let original = *discovery == Discovery::OriginalDestination;
    let Some(written) = message.value("load_assignment") else {
        if !original {
            message.at.error(Said::from("`load_assignment` is missing").help("list the endpoints there"));
        }
        return nothing;
    };
    if original {
        written.error("a cluster of type ORIGINAL_DST lists no endpoints");
    }
    let Some(assignment) = written.message(&LOAD_ASSIGNMENT) else { return nothing };
    assignment.required_text("cluster_name");
    let policy = assignment.message("policy", &ASSIGNMENT_POLICY);
    let factor = policy.and_then(|policy| policy.within("overprovisioning_factor", 1, i128::from(u32::MAX)));
    let localities: Vec<Locality> = assignment
        .messages("endpoints", &LOCALITY_ENDPOINTS)
        .iter()
        .map(|locality| self::locality(locality, discovery))
        .collect();
    let endpoints: usize = localities.iter().map(|locality| locality.endpoints.len()).sum();
    if matches!(discovery, Discovery::LogicalDns(_)) && endpoints != 1 {
        let said = Said::from(format!("a cluster of type LOGICAL_DNS has one endpoint, and here are {endpoints}"));
        written.error(said.help("write `type: STRICT_DNS` for several"));
    }
    Assignment { localities, overprovisioning: factor.unwrap_or(140) }
}

fn locality(message: &Message<'_>, discovery: &Discovery) -> Locality {
    let endpoints = message.messages("lb_endpoints", &LB_ENDPOINT);
    Locality {
        place: message.message("locality", &LOCALITY).map(|place| bootstrap::place(&place)).unwrap_or_default(),
        priority: message.within("priority", 0, 128).unwrap_or(0),
        weight: message.within("load_balancing_weight", 1, i128::from(u32::MAX)),
        endpoints: endpoints.iter().filter_map(|one| endpoint(one, discovery)).collect(),
    }
}

fn endpoint(message: &Message<'_>, discovery: &Discovery) -> Option<Endpoint> {
    let statuses = [
        ("UNKNOWN", 0, Some(EndpointHealth::Healthy)),
        ("HEALTHY", 1, Some(EndpointHealth::Healthy)),
        ("UNHEALTHY", 2, Some(EndpointHealth::Unhealthy)),
        ("DRAINING", 3, Some(EndpointHealth::Draining)),
        ("TIMEOUT", 4, Some(EndpointHealth::Unhealthy)),
        ("DEGRADED", 5, Some(EndpointHealth::Degraded)),
    ];
    let health = message.choice("health_status", &statuses).unwrap_or_default();
    let weight = message.within("load_balancing_weight", 1, i128::from(u32::MAX)).unwrap_or(1);
    let labels = labels::of_metadata(message, "metadata");
    message.require("endpoint");
    let endpoint = message.message("endpoint", &ENDPOINT)?;
    let hostname = endpoint.text("hostname").unwrap_or_default();
    let check = endpoint.message("health_check_config", &ENDPOINT_CHECK);
    let check_port = check.as_ref().and_then(|check| check.within("port_value", 0, 65_535)).filter(|port| *port > 0);
    let check_hostname = check.and_then(|check| check.text("hostname")).unwrap_or_default();
    endpoint.require("address");
    let written = endpoint.value("address")?;
    let address = address::any(written)?;
    if let Address::Name(host, _) = &address
        && !cluster::by_name(discovery)
    {
        let said = Said::from(format!("`{host}` is no IP address, and a cluster of type STATIC looks up no names"));
        written.error(said.help("write `type: STRICT_DNS`"));
    }
    Some(Endpoint { address, hostname, weight, health, labels, check_port, check_hostname })
}
