//! Where a request goes: the cluster and its endpoints.

use super::groups::groups;
use super::told::{Told, place};
use super::{Destination, Endpoint, Refusal, headers};
use crate::balance::Wish;
use crate::cluster::shares;
use crate::policy::{Cluster, Discovery, EndpointHealth, Place, Priority, Route, WeightedCluster};
use crate::serve::rehearsal::{self, Sending};

/// A destination of requests.
pub(super) fn destination(
    told: &Told<'_>,
    route: &Route,
    sending: &Sending<'_>,
    to: &rehearsal::Destination<'_>,
) -> Destination {
    let endpoints = to.endpoints.as_deref().unwrap_or_default();
    let note = match (to.cluster, &to.endpoints) {
        (Some(_), None) => "there is no such subset: 503 UH".to_owned(),
        (Some(cluster), Some(picked)) => note(cluster, picked.is_empty(), to.hashed),
        (None, _) => String::new(),
    };
    let own = to.written.map(|written| &written.headers);
    Destination {
        percent: to.share * 100.0,
        missing: to.cluster.is_none().then(|| Refusal {
            status: sending.forward.not_found_status,
            flags: "NC".to_owned(),
            details: "cluster_not_found".to_owned(),
            why: "there is no such cluster: nobody lists the service, its port, or the subset".to_owned(),
        }),
        host: to.request.headers.get_str("host").unwrap_or_default().to_owned(),
        path: to.request.target().to_owned(),
        request_headers: headers::changes(route.request_operations(own)),
        endpoints: to.cluster.map(|cluster| self::endpoints(cluster, endpoints)).unwrap_or_default(),
        note,
        groups: to.cluster.map(|cluster| groups(told, cluster, sending.forward.priority)).unwrap_or_default(),
        ..named(to.cluster, &to.name)
    }
}

/// A destination of bytes.
pub(super) fn of_bytes(told: &Told<'_>, to: &WeightedCluster, share: f64) -> Destination {
    let cluster = told.config.clusters.iter().find(|cluster| cluster.name == to.name);
    let wish = Wish { subset: &to.subset, ..Wish::default() };
    let picked = cluster.and_then(|cluster| {
        let all: Vec<_> = cluster.endpoints().collect();
        Some(shares(cluster, &wish)?.into_iter().filter_map(|(at, share)| Some((*all.get(at)?, share))).collect())
    });
    let picked: Vec<_> = picked.unwrap_or_default();
    Destination {
        percent: share * 100.0,
        missing: cluster.is_none().then(|| Refusal {
            status: 0,
            flags: "NC".to_owned(),
            details: "cluster_not_found".to_owned(),
            why: "there is no such cluster: the connection is closed".to_owned(),
        }),
        endpoints: cluster.map(|cluster| endpoints(cluster, &picked)).unwrap_or_default(),
        note: cluster.map(|cluster| note(cluster, picked.is_empty(), false)).unwrap_or_default(),
        groups: cluster.map(|cluster| groups(told, cluster, Priority::Default)).unwrap_or_default(),
        ..named(cluster, &to.name)
    }
}

fn named(cluster: Option<&Cluster>, name: &str) -> Destination {
    Destination {
        cluster: name.to_owned(),
        percent: 0.0,
        missing: None,
        service: cluster.map(|cluster| cluster.service.host.clone()).unwrap_or_default(),
        subset: cluster.map(|cluster| cluster.service.subset.clone()).unwrap_or_default(),
        place: cluster.map(|cluster| place(&cluster.origin)).unwrap_or_default(),
        host: String::new(),
        path: String::new(),
        request_headers: Vec::new(),
        endpoints: Vec::new(),
        note: String::new(),
        groups: Vec::new(),
    }
}

fn note(cluster: &Cluster, nobody: bool, hashed: bool) -> String {
    match &cluster.discovery {
        Discovery::OriginalDestination => "it goes where the client was going".to_owned(),
        Discovery::Static if cluster.endpoints().next().is_none() => "it has no endpoints: 503 UH".to_owned(),
        _ if nobody => "none of them may be used: 503 UH".to_owned(),
        _ if hashed => "the hash of this request has decided which".to_owned(),
        Discovery::Static => String::new(),
        Discovery::StrictDns(_) => "names stand for every address that they have".to_owned(),
        Discovery::LogicalDns(_) => "the name stands for the first address that it has at each connection".to_owned(),
    }
}

fn endpoints(cluster: &Cluster, picked: &[(&crate::policy::Endpoint, f64)]) -> Vec<Endpoint> {
    let of_locality = cluster
        .localities
        .iter()
        .flat_map(|locality| locality.endpoints.iter().map(move |endpoint| (endpoint, locality)));
    let told = of_locality.map(|(endpoint, locality)| {
        let share = picked.iter().find(|(picked, _)| std::ptr::eq(*picked, endpoint)).map_or(0.0, |(_, share)| *share);
        Endpoint {
            address: endpoint.address.to_string(),
            health: match endpoint.health {
                EndpointHealth::Healthy => "healthy",
                EndpointHealth::Unhealthy => "unhealthy",
                EndpointHealth::Degraded => "degraded",
                EndpointHealth::Draining => "draining",
            },
            percent: (share * 1e6).round() / 1e4,
            priority: locality.priority,
            locality: locality_of(&locality.place),
        }
    });
    told.collect()
}

fn locality_of(place: &Place) -> String {
    let parts = [&place.region, &place.zone, &place.sub_zone];
    let known = parts.iter().rposition(|part| !part.is_empty()).map_or(0, |last| last + 1);
    parts.iter().take(known).map(|part| part.as_str()).collect::<Vec<_>>().join("/")
}
