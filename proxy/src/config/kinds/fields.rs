//! Fields that are valid but not obeyed, kind by kind.

use super::Refused;

/// Refused whatever they hold.
const fn any(under: &'static [&'static str], fields: &'static [&'static str]) -> Refused {
    Refused { under, fields, any_value: true }
}

/// Refused for some of what they hold.
const fn some(under: &'static [&'static str], fields: &'static [&'static str]) -> Refused {
    Refused { under, fields, any_value: false }
}

pub(super) const VIRTUAL_SERVICE: &[Refused] = &[
    any(&["spec.http.match"], &["statPrefix"]),
    // Claims of tokens.
    some(&["spec.http.match"], &["headers", "withoutHeaders"]),
    // Commands that are not obeyed.
    some(&["spec.http", "spec.http.route"], &["headers"]),
    any(&["spec.tcp.match"], &["sourceSubnet"]),
];

/// Where a traffic policy may stand.
const POLICIES: &[&str] = &[
    "spec.trafficPolicy",
    "spec.trafficPolicy.portLevelSettings",
    "spec.subsets.trafficPolicy",
    "spec.subsets.trafficPolicy.portLevelSettings",
];
/// Where one may stand that is not for a single port.
const WHOLE_POLICIES: &[&str] = &["spec.trafficPolicy", "spec.subsets.trafficPolicy"];

pub(super) const DESTINATION_RULE: &[Refused] = &[
    any(POLICIES, &["loadBalancer.zoneAwareLbSetting", "tls.caCrl"]),
    some(&["spec.trafficPolicy"], &["tls.mode", "tls.credentialName"]),
    any(WHOLE_POLICIES, &["tunnel", "proxyProtocol", "retryBudget.budgetInterval"]),
];

pub(super) const GATEWAY: &[Refused] = &[
    any(&["spec.servers"], &["bind", "defaultEndpoint"]),
    any(
        &["spec.servers.tls"],
        &[
            "caCertCredentialName",
            "caCrl",
            "cipherSuites",
            "insecureSkipVerify",
            "verifyCertificateHash",
            "verifyCertificateSpki",
        ],
    ),
    some(
        &["spec.servers.tls"],
        &["mode", "credentialName", "credentialNames", "maxProtocolVersion", "minProtocolVersion"],
    ),
];

pub(super) const SERVICE_ENTRY: &[Refused] = &[
    some(&["spec"], &["resolution"]),
    any(&["spec.endpoints"], &["network"]),
    some(&["spec.endpoints"], &["address"]),
];

pub(super) const WORKLOAD_ENTRY: &[Refused] = &[any(&["spec"], &["network"]), some(&["spec"], &["address"])];

pub(super) const SIDECAR: &[Refused] = &[
    any(&["spec"], &["ingress", "inboundConnectionPool"]),
    any(&["spec.outboundTrafficPolicy"], &["egressProxy"]),
    any(&["spec.egress"], &["bind", "captureMode"]),
    some(&["spec.egress"], &["hosts"]),
];

/// What is refused of every route of the Gateway API.
const BACKEND_FILTERS: &[&str] = &["requestMirror", "requestRedirect", "urlRewrite", "extensionRef", "cors"];

pub(super) const HTTP_ROUTE: &[Refused] = &[
    some(&["spec"], &["parentRefs.kind", "rules.backendRefs.kind", "rules.filters", "rules.backendRefs.filters"]),
    any(&["spec.rules"], &["sessionPersistence"]),
    any(&["spec.rules.filters"], &["extensionRef", "externalAuth"]),
    any(&["spec.rules.backendRefs.filters"], BACKEND_FILTERS),
    any(&["spec"], &["useDefaultGateways"]),
];

pub(super) const GRPC_ROUTE: &[Refused] = &[
    some(&["spec"], &["parentRefs.kind", "rules.backendRefs.kind", "rules.filters", "rules.backendRefs.filters"]),
    any(&["spec.rules"], &["sessionPersistence"]),
    any(&["spec.rules.filters"], &["extensionRef"]),
    any(&["spec.rules.backendRefs.filters"], BACKEND_FILTERS),
    any(&["spec"], &["useDefaultGateways"]),
];

pub(super) const API_GATEWAY: &[Refused] = &[
    any(&["spec"], &["addresses", "backendTLS", "tls", "allowedListeners", "defaultScope"]),
    some(&["spec.listeners"], &["protocol", "tls.mode"]),
    any(&["spec.listeners.tls"], &["certificateRefs", "frontendValidation", "options"]),
    any(&["spec.listeners.allowedRoutes"], &["namespaces.selector"]),
];

pub(super) const SERVICE: &[Refused] = &[
    any(&["spec"], &["externalName", "trafficDistribution"]),
    some(&["spec"], &["internalTrafficPolicy", "publishNotReadyAddresses", "sessionAffinity", "type"]),
];

pub(super) const DEPLOYMENT: &[Refused] = &[
    some(&["spec"], &["minReadySeconds"]),
    any(&["spec.template.spec"], &["initContainers", "readinessGates"]),
    some(&["spec.template.spec"], &["terminationGracePeriodSeconds"]),
    any(&["spec.template.spec.containers"], &["lifecycle"]),
    any(
        &[
            "spec.template.spec.containers.readinessProbe",
            "spec.template.spec.containers.livenessProbe",
            "spec.template.spec.containers.startupProbe",
        ],
        &["exec", "grpc", "terminationGracePeriodSeconds", "httpGet.host", "httpGet.httpHeaders"],
    ),
    some(
        &[
            "spec.template.spec.containers.readinessProbe",
            "spec.template.spec.containers.livenessProbe",
            "spec.template.spec.containers.startupProbe",
        ],
        &["httpGet.scheme"],
    ),
    some(&["spec.template.spec.containers"], &["readinessProbe", "livenessProbe", "startupProbe"]),
];

pub(super) const ENDPOINT_SLICE: &[Refused] = &[];
