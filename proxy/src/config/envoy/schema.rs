//! The messages that are read: which of their fields are obeyed, and which are only known.

mod bootstrap;
mod check;
mod cluster;
mod http;
mod listener;
mod retry;
mod route;
mod telemetry;
mod tls;

pub(super) use bootstrap::*;
pub(super) use check::*;
pub(super) use cluster::*;
pub(super) use http::*;
pub(super) use listener::*;
pub(super) use retry::*;
pub(super) use route::*;
pub(super) use telemetry::*;
pub(super) use tls::*;

/// A message of Envoy's API.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schema {
    /// Its full name.
    pub(super) message: &'static str,
    /// On which side it stands, where it is not obeyed alike on both; otherwise empty.
    pub(super) side: &'static str,
    /// Fields that are obeyed.
    pub(super) obeyed: &'static str,
    /// Fields that are valid and not obeyed.
    pub(super) refused: &'static str,
    /// Fields that ask for a management server.
    pub(super) served: &'static str,
    /// Fields that say nothing about traffic by themselves.
    pub(super) unheeded: &'static str,
    /// Fields that are obeyed with a warning.
    pub(super) deprecated: &'static str,
    /// Fields of former versions, and what stands in their place.
    pub(super) former: &'static [(&'static str, &'static str)],
}

impl Schema {
    /// A message without fields.
    const EMPTY: Self =
        Self { message: "", side: "", obeyed: "", refused: "", served: "", unheeded: "", deprecated: "", former: &[] };

    /// Its name without the package.
    pub(super) fn short_name(&self) -> &'static str {
        self.message.rsplit('.').next().unwrap_or_default()
    }

    /// The field that is written as `key`, in `snake_case` or `lowerCamelCase`, and what becomes of it.
    pub(super) fn field(&self, key: &str) -> Option<(&'static str, Standing)> {
        let lists = [
            (self.obeyed, Standing::Obeyed),
            (self.refused, Standing::Refused),
            (self.served, Standing::Served),
            (self.unheeded, Standing::Unheeded),
        ];
        lists.into_iter().find_map(|(names, standing)| {
            let name = names.split_whitespace().find(|name| *name == key || lower_camel(name) == key)?;
            Some((name, standing))
        })
    }
}

/// What becomes of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is obeyed.
    Obeyed,
    /// It is valid and not obeyed.
    Refused,
    /// It asks for a management server.
    Served,
    /// It says nothing about traffic by itself.
    Unheeded,
}

/// `max_ejection_percent` as `maxEjectionPercent`.
pub(super) fn lower_camel(name: &str) -> String {
    let mut upper = false;
    let mut camel = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '_' => upper = true,
            _ if std::mem::take(&mut upper) => camel.push(letter.to_ascii_uppercase()),
            _ => camel.push(letter),
        }
    }
    camel
}

/// Every message that is read, for the documentation and for names that were written wrongly.
pub(super) static ALL: [&Schema; 183] = [
    &BOOTSTRAP,
    &STATIC_RESOURCES,
    &NODE,
    &LOCALITY,
    &ADMIN,
    &LAYERED_RUNTIME,
    &RUNTIME_LAYER,
    &ADMIN_LAYER,
    &ADDRESS,
    &SOCKET_ADDRESS,
    &PIPE,
    &CIDR_RANGE,
    &METADATA,
    &PERCENT,
    &FRACTIONAL_PERCENT,
    &RUNTIME_FRACTIONAL_PERCENT,
    &RUNTIME_DOUBLE,
    &DATA_SOURCE,
    &INT64_RANGE,
    &LISTENER,
    &LISTENER_FILTER,
    &TLS_INSPECTOR,
    &HTTP_INSPECTOR,
    &PROXY_PROTOCOL,
    &FILTER_CHAIN,
    &FILTER_CHAIN_MATCH,
    &NETWORK_FILTER,
    &TCP_PROXY,
    &TCP_WEIGHTED_CLUSTERS,
    &TCP_WEIGHTED_CLUSTER,
    &TCP_HASH_POLICY,
    &TCP_SOURCE_IP,
    &TRANSPORT_SOCKET,
    &RAW_BUFFER,
    &DOWNSTREAM_TLS,
    &UPSTREAM_TLS,
    &COMMON_TLS,
    &TLS_PARAMETERS,
    &TLS_CERTIFICATE,
    &CLIENT_VALIDATION,
    &SERVER_VALIDATION,
    &SYSTEM_ROOT_CERTS,
    &SUBJECT_ALT_NAME,
    &HTTP_MANAGER,
    &CLIENT_CONNECTIONS,
    &SERVER_CONNECTIONS,
    &CLIENT_HTTP1,
    &SERVER_HTTP1,
    &HTTP2,
    &KEEPALIVE,
    &INTERNAL_ADDRESSES,
    &CLIENT_CERT_DETAILS,
    &MANAGER_UPGRADE,
    &HTTP_FILTER,
    &ROUTER,
    &HEALTH_CHECK_FILTER,
    &CORS_FILTER,
    &CORS_POLICY,
    &ROUTE_CORS_POLICY,
    &FAULT,
    &FAULT_DELAY,
    &FAULT_HEADER_DELAY,
    &FAULT_ABORT,
    &FAULT_HEADER_ABORT,
    &FAULT_RATE_LIMIT,
    &FAULT_FIXED_LIMIT,
    &FAULT_HEADER_LIMIT,
    &LOCAL_RATE_LIMIT,
    &LIMIT_DESCRIPTOR,
    &LIMIT_ENTRY,
    &RATE_LIMIT,
    &RATE_LIMIT_ACTION,
    &LIMIT_SOURCE_CLUSTER,
    &LIMIT_DESTINATION_CLUSTER,
    &LIMIT_REQUEST_HEADERS,
    &LIMIT_REMOTE_ADDRESS,
    &LIMIT_GENERIC_KEY,
    &LIMIT_HEADER_MATCH,
    &HTTP_STATUS,
    &TOKEN_BUCKET,
    &ACCESS_LOG,
    &FILE_LOG,
    &STDOUT_LOG,
    &STDERR_LOG,
    &LOG_FORMAT,
    &TRACING,
    &TRACE_PROVIDER,
    &OPEN_TELEMETRY,
    &ZIPKIN,
    &GRPC_SERVICE,
    &ENVOY_GRPC,
    &HTTP_SERVICE,
    &HTTP_URI,
    &ROUTE_TABLE,
    &VIRTUAL_HOST,
    &ROUTE,
    &ROUTE_MATCH,
    &CONNECT_MATCHER,
    &GRPC_MATCH,
    &HEADER_MATCH,
    &QUERY_MATCH,
    &STRING_MATCH,
    &REGEX,
    &GOOGLE_RE2,
    &REGEX_REWRITE,
    &ROUTE_ACTION,
    &WEIGHTED_CLUSTERS,
    &WEIGHTED_CLUSTER,
    &MIRROR,
    &HASH_POLICY,
    &HASH_HEADER,
    &HASH_COOKIE,
    &HASH_COOKIE_ATTRIBUTE,
    &HASH_CONNECTION,
    &HASH_QUERY,
    &ROUTE_UPGRADE,
    &MAX_STREAM_DURATION,
    &REDIRECT,
    &DIRECT_RESPONSE,
    &HEADER_OPTION,
    &HEADER_VALUE,
    &FILTER_CONFIG,
    &RETRY_POLICY,
    &RETRY_PRIORITY,
    &PREVIOUS_PRIORITIES,
    &RETRY_HOST_PREDICATE,
    &PREVIOUS_HOSTS,
    &OMIT_HOST_METADATA,
    &RETRY_BACK_OFF,
    &RATE_LIMITED_BACK_OFF,
    &RESET_HEADER,
    &HEDGE_POLICY,
    &CLUSTER,
    &CLUSTER_TYPE,
    &DNS_CLUSTER,
    &REFRESH_RATE,
    &DNS_REFRESH_RATE,
    &LOAD_ASSIGNMENT,
    &ASSIGNMENT_POLICY,
    &LOCALITY_ENDPOINTS,
    &LB_ENDPOINT,
    &ENDPOINT,
    &ENDPOINT_CHECK,
    &COMMON_LB,
    &LOCALITY_WEIGHTED,
    &LB_SUBSETS,
    &LB_SUBSET_SELECTOR,
    &SLOW_START,
    &ROUND_ROBIN,
    &LEAST_REQUEST,
    &RING_HASH,
    &MAGLEV,
    &BALANCING,
    &BALANCING_POLICY,
    &EXTENSION,
    &ROUND_ROBIN_POLICY,
    &LEAST_REQUEST_POLICY,
    &RANDOM_POLICY,
    &RING_HASH_POLICY,
    &MAGLEV_POLICY,
    &POLICY_SLOW_START,
    &POLICY_LOCALITY,
    &POLICY_LOCALITY_WEIGHTED,
    &CIRCUIT_BREAKERS,
    &THRESHOLDS,
    &RETRY_BUDGET,
    &OUTLIER,
    &CONNECTION_OPTIONS,
    &TCP_KEEPALIVE,
    &UPSTREAM_PROTOCOL,
    &EXPLICIT_PROTOCOL,
    &CLIENT_PROTOCOL,
    &AUTO_PROTOCOL,
    &UPSTREAM_HTTP,
    &ERROR_MATCHER,
    &MATCH_PREDICATE,
    &MATCH_SET,
    &HEADERS_MATCH,
    &HEALTH_CHECK,
    &HTTP_CHECK,
    &TCP_CHECK,
    &GRPC_CHECK,
    &PAYLOAD,
];
