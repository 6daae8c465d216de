//! Which kinds of objects are read, in which versions, and which of their fields are valid but not obeyed.

mod fields;

use squall_yaml::suggest;

/// A kind that is read.
#[derive(Debug)]
pub(super) struct Kind {
    /// Its group; empty for Kubernetes' own.
    pub(super) group: &'static str,
    /// Its name.
    pub(super) name: &'static str,
    /// Versions that are read; the first is the one to write.
    pub(super) versions: &'static [&'static str],
    /// Fields that are valid but not obeyed.
    pub(super) refused: &'static [Refused],
}

/// Fields that are valid but not obeyed, at each of some places.
#[derive(Debug)]
pub(super) struct Refused {
    /// Where: `spec.trafficPolicy`.
    pub(super) under: &'static [&'static str],
    /// What of it: `tls.caCrl`.
    pub(super) fields: &'static [&'static str],
    /// Whether the field is refused with whatever it holds, or only with some of its values.
    pub(super) any_value: bool,
}

const ISTIO: &str = "networking.istio.io";
const GATEWAY_API: &str = "gateway.networking.k8s.io";
const ISTIO_VERSIONS: &[&str] = &["v1", "v1beta1", "v1alpha3"];

pub(super) static VIRTUAL_SERVICE: Kind =
    Kind { group: ISTIO, name: "VirtualService", versions: ISTIO_VERSIONS, refused: fields::VIRTUAL_SERVICE };
pub(super) static DESTINATION_RULE: Kind =
    Kind { group: ISTIO, name: "DestinationRule", versions: ISTIO_VERSIONS, refused: fields::DESTINATION_RULE };
pub(super) static GATEWAY: Kind =
    Kind { group: ISTIO, name: "Gateway", versions: ISTIO_VERSIONS, refused: fields::GATEWAY };
pub(super) static SERVICE_ENTRY: Kind =
    Kind { group: ISTIO, name: "ServiceEntry", versions: ISTIO_VERSIONS, refused: fields::SERVICE_ENTRY };
pub(super) static WORKLOAD_ENTRY: Kind =
    Kind { group: ISTIO, name: "WorkloadEntry", versions: ISTIO_VERSIONS, refused: fields::WORKLOAD_ENTRY };
pub(super) static SIDECAR: Kind =
    Kind { group: ISTIO, name: "Sidecar", versions: ISTIO_VERSIONS, refused: fields::SIDECAR };
pub(super) static HTTP_ROUTE: Kind = Kind {
    group: GATEWAY_API,
    name: "HTTPRoute",
    versions: &["v1", "v1beta1", "v1alpha2"],
    refused: fields::HTTP_ROUTE,
};
pub(super) static GRPC_ROUTE: Kind =
    Kind { group: GATEWAY_API, name: "GRPCRoute", versions: &["v1", "v1alpha2"], refused: fields::GRPC_ROUTE };
pub(super) static API_GATEWAY: Kind = Kind {
    group: GATEWAY_API,
    name: "Gateway",
    versions: &["v1", "v1beta1", "v1alpha2"],
    refused: fields::API_GATEWAY,
};
pub(super) static SERVICE: Kind = Kind { group: "", name: "Service", versions: &["v1"], refused: fields::SERVICE };
pub(super) static DEPLOYMENT: Kind =
    Kind { group: "apps", name: "Deployment", versions: &["v1"], refused: fields::DEPLOYMENT };
pub(super) static ENDPOINT_SLICE: Kind =
    Kind { group: "discovery.k8s.io", name: "EndpointSlice", versions: &["v1"], refused: fields::ENDPOINT_SLICE };
pub(super) static HEALTH_CHECK: Kind =
    Kind { group: "squall.dev", name: "HealthCheck", versions: &["v1"], refused: &[] };

/// All of them.
pub(super) static ALL: [&Kind; 13] = [
    &VIRTUAL_SERVICE,
    &DESTINATION_RULE,
    &GATEWAY,
    &SERVICE_ENTRY,
    &WORKLOAD_ENTRY,
    &SIDECAR,
    &HTTP_ROUTE,
    &GRPC_ROUTE,
    &API_GATEWAY,
    &SERVICE,
    &DEPLOYMENT,
    &ENDPOINT_SLICE,
    &HEALTH_CHECK,
];

/// Kinds that are met in clusters and not read, with what to write instead where there is something.
const ELSEWHERE: [(&str, &str); 44] = [
    ("AuthorizationPolicy", ""),
    ("BackendTLSPolicy", "say `tls:` in a DestinationRule"),
    ("BackendTrafficPolicy", ""),
    ("ClusterRole", ""),
    ("ClusterRoleBinding", ""),
    ("ConfigMap", ""),
    ("CronJob", ""),
    ("CustomResourceDefinition", ""),
    ("DaemonSet", ""),
    ("DestinationPolicy", "it is gone from Istio: write a DestinationRule"),
    ("EgressRule", "it is gone from Istio: write a ServiceEntry"),
    ("Endpoints", "write an EndpointSlice of `discovery.k8s.io/v1`"),
    ("EnvoyFilter", "what it changes has to be said by other objects, or by an Envoy bootstrap"),
    ("ExternalService", "it is gone from Istio: write a ServiceEntry"),
    ("GatewayClass", ""),
    ("HorizontalPodAutoscaler", ""),
    ("Ingress", "write a Gateway with an HTTPRoute or a VirtualService"),
    ("IngressClass", ""),
    ("Job", ""),
    ("Namespace", ""),
    ("NetworkPolicy", ""),
    ("PeerAuthentication", ""),
    ("PersistentVolume", ""),
    ("PersistentVolumeClaim", ""),
    ("Pod", ""),
    ("PodDisruptionBudget", ""),
    ("ProxyConfig", ""),
    ("ReferenceGrant", ""),
    ("ReplicaSet", "write a Deployment"),
    ("RequestAuthentication", ""),
    ("Role", ""),
    ("RoleBinding", ""),
    ("RouteRule", "it is gone from Istio: write a VirtualService"),
    ("Secret", ""),
    ("ServiceAccount", ""),
    ("StatefulSet", ""),
    ("TCPRoute", "write a VirtualService with `tcp:`"),
    ("TLSRoute", "write a VirtualService with `tls:`"),
    ("Telemetry", ""),
    ("TrafficExtension", ""),
    ("UDPRoute", ""),
    ("WasmPlugin", ""),
    ("WorkloadGroup", "write a WorkloadEntry for each workload"),
    ("XBackendTrafficPolicy", ""),
];

/// What to write in place of a kind that is known and not read.
pub(super) fn instead_of(kind: &str) -> Option<&'static str> {
    ELSEWHERE.iter().find(|(name, _)| *name == kind).map(|(_, instead)| *instead)
}

/// The kind of that group and name.
pub(super) fn find(group: &str, name: &str) -> Option<&'static Kind> {
    ALL.into_iter().find(|kind| kind.group == group && kind.name == name)
}

impl Kind {
    /// The `apiVersion` to write.
    pub(super) fn api_version(&self) -> String {
        let version = self.versions.first().copied().unwrap_or("v1");
        if self.group.is_empty() { version.to_owned() } else { format!("{}/{version}", self.group) }
    }

    /// True for a field that is valid but not obeyed, whatever it holds.
    pub(super) fn refuses(&self, path: &str) -> bool {
        self.refused.iter().any(|refused| refused.any_value && refused.holds(path))
    }

    /// Every field of it that can be accepted without effect.
    fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for refused in self.refused {
            for under in refused.under {
                names.extend(refused.fields.iter().map(|field| format!("{}.{under}.{field}", self.name)));
            }
        }
        names
    }
}

impl Refused {
    fn holds(&self, path: &str) -> bool {
        let field = |under: &&str| path.strip_prefix(*under).and_then(|rest| rest.strip_prefix('.'));
        self.under.iter().filter_map(field).any(|field| self.fields.contains(&field))
    }
}

/// A name that can be accepted without effect: a kind that is not read, or a field that is not obeyed. What is wrong with any other.
pub(super) fn check_accepted(name: &str) -> Result<(), String> {
    let Some((kind, _)) = name.split_once('.') else {
        if ELSEWHERE.iter().any(|(kind, _)| *kind == name) || ALL.iter().any(|kind| kind.name == name) {
            return Ok(());
        }
        let known: Vec<&str> =
            ELSEWHERE.iter().map(|(kind, _)| *kind).chain(ALL.iter().map(|kind| kind.name)).collect();
        // Clusters have kinds of their own, so only what is nearly a known one is taken for a mistake.
        let near = suggest(name, &known).filter(|near| near.len().abs_diff(name.len()) < 4);
        return near.map_or(Ok(()), |near| Err(format!("did you mean `{near}`?")));
    };
    // A bootstrap's fields have a table of their own.
    if kind == "Bootstrap" {
        return Ok(());
    }
    let names: Vec<String> = ALL.iter().filter(|known| known.name == kind).flat_map(|known| known.names()).collect();
    if names.iter().any(|known| known == name) {
        return Ok(());
    }
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    Err(match suggest(name, &known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "fields are named as the errors about them do: `VirtualService.spec.http.mirror`".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_can_be_accepted_is_a_kind_or_a_field_that_is_not_obeyed() {
        for good in [
            "PeerAuthentication",
            "Certificate",
            "DestinationRule.spec.trafficPolicy.tunnel",
            "DestinationRule.spec.subsets.trafficPolicy.tunnel",
            "Bootstrap.static_resources.secrets",
        ] {
            assert_eq!(check_accepted(good), Ok(()), "{good}");
        }
        for (bad, meant) in [
            ("PeerAuthentification", "`PeerAuthentication`"),
            ("DestinationRule.spec.trafficPolicy.tunel", "`DestinationRule.spec.trafficPolicy.tunnel`"),
            ("Sidecar.spec.ingres", "`Sidecar.spec.ingress`"),
            ("Nonsense.of.mine", "fields are named"),
        ] {
            assert!(check_accepted(bad).is_err_and(|told| told.contains(meant)), "{bad}");
        }
    }
}
