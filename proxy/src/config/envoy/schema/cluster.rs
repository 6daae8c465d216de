//! Clusters: endpoints, how one is found, picked, limited and spoken to.

use super::Schema;

pub(in super::super) static CLUSTER: Schema = Schema {
    message: "envoy.config.cluster.v3.Cluster",
    obeyed: "name type cluster_type connect_timeout lb_policy load_assignment \
        health_checks max_requests_per_connection circuit_breakers upstream_http_protocol_options \
        common_http_protocol_options http_protocol_options http2_protocol_options \
        typed_extension_protocol_options dns_refresh_rate dns_failure_refresh_rate \
        dns_lookup_family outlier_detection lb_subset_config ring_hash_lb_config maglev_lb_config \
        least_request_lb_config round_robin_lb_config common_lb_config transport_socket protocol_selection \
        upstream_connection_options close_connections_on_host_health_failure ignore_health_on_host_removal \
        load_balancing_policy",
    refused: "transport_socket_matches transport_socket_matcher alt_stat_name dns_jitter dns_resolvers \
        use_tcp_for_dns_lookups dns_resolution_config typed_dns_resolver_config wait_for_warm_on_init \
        cleanup_interval upstream_bind_config original_dst_lb_config filters lrs_report_endpoint_metrics \
        track_timeout_budgets upstream_config track_cluster_stats preconnect_policy \
        connection_pool_per_downstream_connection",
    unheeded: "per_connection_buffer_limit_bytes respect_dns_ttl metadata",
    deprecated: "max_requests_per_connection upstream_http_protocol_options common_http_protocol_options \
        http_protocol_options http2_protocol_options dns_refresh_rate dns_failure_refresh_rate \
        protocol_selection",
    former: &[
        ("hosts", "load_assignment"),
        ("tls_context", "transport_socket"),
        ("extension_protocol_options", "typed_extension_protocol_options"),
        ("drain_connections_on_host_removal", "ignore_health_on_host_removal"),
    ],
    served: "eds_cluster_config lrs_server",
    ..Schema::EMPTY
};

pub(in super::super) static CLUSTER_TYPE: Schema = Schema {
    message: "envoy.config.cluster.v3.Cluster.CustomClusterType",
    obeyed: "name typed_config",
    ..Schema::EMPTY
};

pub(in super::super) static DNS_CLUSTER: Schema = Schema {
    message: "envoy.extensions.clusters.dns.v3.DnsCluster",
    obeyed: "dns_refresh_rate dns_failure_refresh_rate dns_lookup_family all_addresses_in_single_endpoint",
    unheeded: "respect_dns_ttl",
    refused: "dns_jitter typed_dns_resolver_config",
    ..Schema::EMPTY
};

pub(in super::super) static REFRESH_RATE: Schema = Schema {
    message: "envoy.config.cluster.v3.Cluster.RefreshRate",
    obeyed: "base_interval",
    refused: "max_interval",
    ..Schema::EMPTY
};

pub(in super::super) static DNS_REFRESH_RATE: Schema = Schema {
    message: "envoy.extensions.clusters.dns.v3.DnsCluster.RefreshRate",
    obeyed: "base_interval",
    refused: "max_interval",
    ..Schema::EMPTY
};

pub(in super::super) static LOAD_ASSIGNMENT: Schema = Schema {
    message: "envoy.config.endpoint.v3.ClusterLoadAssignment",
    obeyed: "cluster_name endpoints policy",
    refused: "named_endpoints",
    ..Schema::EMPTY
};

pub(in super::super) static ASSIGNMENT_POLICY: Schema = Schema {
    message: "envoy.config.endpoint.v3.ClusterLoadAssignment.Policy",
    obeyed: "overprovisioning_factor",
    refused: "drop_overloads endpoint_stale_after weighted_priority_health",
    ..Schema::EMPTY
};

pub(in super::super) static LOCALITY_ENDPOINTS: Schema = Schema {
    message: "envoy.config.endpoint.v3.LocalityLbEndpoints",
    obeyed: "locality lb_endpoints load_balancing_weight priority",
    refused: "load_balancer_endpoints proximity",
    unheeded: "metadata",
    served: "leds_cluster_locality_config",
    ..Schema::EMPTY
};

pub(in super::super) static LB_ENDPOINT: Schema = Schema {
    message: "envoy.config.endpoint.v3.LbEndpoint",
    obeyed: "endpoint health_status metadata load_balancing_weight",
    refused: "endpoint_name",
    ..Schema::EMPTY
};

pub(in super::super) static ENDPOINT: Schema = Schema {
    message: "envoy.config.endpoint.v3.Endpoint",
    obeyed: "address health_check_config hostname",
    refused: "additional_addresses",
    ..Schema::EMPTY
};

pub(in super::super) static ENDPOINT_CHECK: Schema = Schema {
    message: "envoy.config.endpoint.v3.Endpoint.HealthCheckConfig",
    obeyed: "port_value hostname",
    refused: "address disable_active_health_check",
    ..Schema::EMPTY
};

pub(in super::super) static COMMON_LB: Schema = Schema {
    message: "envoy.config.cluster.v3.Cluster.CommonLbConfig",
    obeyed: "healthy_panic_threshold locality_weighted_lb_config update_merge_window \
        ignore_new_hosts_until_first_hc close_connections_on_host_set_change",
    refused: "zone_aware_lb_config \
        consistent_hashing_lb_config override_host_status",
    ..Schema::EMPTY
};

pub(in super::super) static LOCALITY_WEIGHTED: Schema =
    Schema { message: "envoy.config.cluster.v3.Cluster.CommonLbConfig.LocalityWeightedLbConfig", ..Schema::EMPTY };

pub(in super::super) static LB_SUBSETS: Schema = Schema {
    message: "envoy.config.cluster.v3.Cluster.LbSubsetConfig",
    obeyed: "fallback_policy default_subset subset_selectors",
    refused: "locality_weight_aware scale_locality_weight panic_mode_any list_as_any metadata_fallback_policy",
    ..Schema::EMPTY
};

pub(in super::super) static LB_SUBSET_SELECTOR: Schema = Schema {
    message: "envoy.config.cluster.v3.Cluster.LbSubsetConfig.LbSubsetSelector",
    obeyed: "keys fallback_policy",
    refused: "single_host_per_subset fallback_keys_subset",
    ..Schema::EMPTY
};

pub(in super::super) static SLOW_START: Schema = Schema {
    message: "envoy.config.cluster.v3.Cluster.SlowStartConfig",
    obeyed: "slow_start_window aggression min_weight_percent",
    ..Schema::EMPTY
};

pub(in super::super) static ROUND_ROBIN: Schema = Schema {
    message: "envoy.config.cluster.v3.Cluster.RoundRobinLbConfig",
    obeyed: "slow_start_config",
    ..Schema::EMPTY
};

pub(in super::super) static LEAST_REQUEST: Schema = Schema {
    message: "envoy.config.cluster.v3.Cluster.LeastRequestLbConfig",
    obeyed: "choice_count active_request_bias slow_start_config",
    ..Schema::EMPTY
};

pub(in super::super) static RING_HASH: Schema = Schema {
    message: "envoy.config.cluster.v3.Cluster.RingHashLbConfig",
    obeyed: "minimum_ring_size hash_function maximum_ring_size",
    ..Schema::EMPTY
};

pub(in super::super) static MAGLEV: Schema =
    Schema { message: "envoy.config.cluster.v3.Cluster.MaglevLbConfig", obeyed: "table_size", ..Schema::EMPTY };

pub(in super::super) static BALANCING: Schema =
    Schema { message: "envoy.config.cluster.v3.LoadBalancingPolicy", obeyed: "policies", ..Schema::EMPTY };

pub(in super::super) static BALANCING_POLICY: Schema = Schema {
    message: "envoy.config.cluster.v3.LoadBalancingPolicy.Policy",
    obeyed: "typed_extension_config",
    ..Schema::EMPTY
};

pub(in super::super) static EXTENSION: Schema =
    Schema { message: "envoy.config.core.v3.TypedExtensionConfig", obeyed: "name typed_config", ..Schema::EMPTY };

pub(in super::super) static ROUND_ROBIN_POLICY: Schema = Schema {
    message: "envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin",
    obeyed: "slow_start_config locality_lb_config",
    ..Schema::EMPTY
};

pub(in super::super) static LEAST_REQUEST_POLICY: Schema = Schema {
    message: "envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest",
    obeyed: "choice_count active_request_bias slow_start_config locality_lb_config selection_method",
    refused: "enable_full_scan",
    ..Schema::EMPTY
};

pub(in super::super) static RANDOM_POLICY: Schema = Schema {
    message: "envoy.extensions.load_balancing_policies.random.v3.Random",
    obeyed: "locality_lb_config",
    ..Schema::EMPTY
};

pub(in super::super) static RING_HASH_POLICY: Schema = Schema {
    message: "envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash",
    obeyed: "hash_function minimum_ring_size maximum_ring_size locality_weighted_lb_config",
    refused: "use_hostname_for_hashing hash_balance_factor consistent_hashing_lb_config",
    ..Schema::EMPTY
};

pub(in super::super) static MAGLEV_POLICY: Schema = Schema {
    message: "envoy.extensions.load_balancing_policies.maglev.v3.Maglev",
    obeyed: "table_size locality_weighted_lb_config",
    refused: "consistent_hashing_lb_config",
    ..Schema::EMPTY
};

pub(in super::super) static POLICY_SLOW_START: Schema = Schema {
    message: "envoy.extensions.load_balancing_policies.common.v3.SlowStartConfig",
    obeyed: "slow_start_window aggression min_weight_percent",
    ..Schema::EMPTY
};

pub(in super::super) static POLICY_LOCALITY: Schema = Schema {
    message: "envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig",
    obeyed: "locality_weighted_lb_config",
    refused: "zone_aware_lb_config",
    ..Schema::EMPTY
};

pub(in super::super) static POLICY_LOCALITY_WEIGHTED: Schema = Schema {
    message: "envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.LocalityWeightedLbConfig",
    ..Schema::EMPTY
};

pub(in super::super) static CIRCUIT_BREAKERS: Schema = Schema {
    message: "envoy.config.cluster.v3.CircuitBreakers",
    obeyed: "thresholds per_host_thresholds",
    ..Schema::EMPTY
};

pub(in super::super) static THRESHOLDS: Schema = Schema {
    message: "envoy.config.cluster.v3.CircuitBreakers.Thresholds",
    obeyed: "priority max_connections max_pending_requests max_requests max_retries retry_budget \
        track_remaining max_connection_pools",
    ..Schema::EMPTY
};

pub(in super::super) static RETRY_BUDGET: Schema = Schema {
    message: "envoy.config.cluster.v3.CircuitBreakers.Thresholds.RetryBudget",
    obeyed: "budget_percent min_retry_concurrency",
    ..Schema::EMPTY
};

pub(in super::super) static OUTLIER: Schema = Schema {
    message: "envoy.config.cluster.v3.OutlierDetection",
    obeyed: "consecutive_5xx interval base_ejection_time max_ejection_percent enforcing_consecutive_5xx \
        enforcing_success_rate success_rate_minimum_hosts success_rate_request_volume \
        success_rate_stdev_factor consecutive_gateway_failure enforcing_consecutive_gateway_failure \
        split_external_local_origin_errors consecutive_local_origin_failure \
        enforcing_consecutive_local_origin_failure enforcing_local_origin_success_rate \
        failure_percentage_threshold enforcing_failure_percentage \
        enforcing_failure_percentage_local_origin failure_percentage_minimum_hosts \
        failure_percentage_request_volume max_ejection_time max_ejection_time_jitter \
        successful_active_health_check_uneject_host always_eject_one_host",
    refused: "monitors",
    ..Schema::EMPTY
};

pub(in super::super) static CONNECTION_OPTIONS: Schema = Schema {
    message: "envoy.config.cluster.v3.UpstreamConnectionOptions",
    obeyed: "tcp_keepalive",
    refused: "set_local_interface_name_on_upstream_connections happy_eyeballs_config",
    ..Schema::EMPTY
};

pub(in super::super) static TCP_KEEPALIVE: Schema = Schema {
    message: "envoy.config.core.v3.TcpKeepalive",
    obeyed: "keepalive_probes keepalive_time keepalive_interval",
    ..Schema::EMPTY
};

pub(in super::super) static UPSTREAM_PROTOCOL: Schema = Schema {
    message: "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
    obeyed: "common_http_protocol_options upstream_http_protocol_options explicit_http_config \
        use_downstream_protocol_config auto_config outlier_detection",
    refused: "http_filters header_validation_config request_mirror_policies hash_policy retry_policy",
    ..Schema::EMPTY
};

pub(in super::super) static EXPLICIT_PROTOCOL: Schema = Schema {
    message: "envoy.extensions.upstreams.http.v3.HttpProtocolOptions.ExplicitHttpConfig",
    obeyed: "http_protocol_options http2_protocol_options",
    refused: "http3_protocol_options",
    ..Schema::EMPTY
};

pub(in super::super) static CLIENT_PROTOCOL: Schema = Schema {
    message: "envoy.extensions.upstreams.http.v3.HttpProtocolOptions.UseDownstreamHttpConfig",
    obeyed: "http_protocol_options http2_protocol_options",
    refused: "http3_protocol_options",
    ..Schema::EMPTY
};

pub(in super::super) static AUTO_PROTOCOL: Schema = Schema {
    message: "envoy.extensions.upstreams.http.v3.HttpProtocolOptions.AutoHttpConfig",
    obeyed: "http_protocol_options http2_protocol_options",
    refused: "http3_protocol_options alternate_protocols_cache_options",
    ..Schema::EMPTY
};

pub(in super::super) static UPSTREAM_HTTP: Schema = Schema {
    message: "envoy.config.core.v3.UpstreamHttpProtocolOptions",
    obeyed: "auto_sni auto_san_validation",
    refused: "override_auto_sni_header",
    ..Schema::EMPTY
};

pub(in super::super) static ERROR_MATCHER: Schema = Schema {
    message: "envoy.extensions.upstreams.http.v3.HttpProtocolOptions.OutlierDetection",
    obeyed: "error_matcher",
    ..Schema::EMPTY
};

pub(in super::super) static MATCH_PREDICATE: Schema = Schema {
    message: "envoy.config.common.matcher.v3.MatchPredicate",
    obeyed: "or_match http_response_headers_match",
    refused: "and_match not_match any_match http_request_headers_match http_request_trailers_match \
        http_response_trailers_match http_request_generic_body_match http_response_generic_body_match",
    ..Schema::EMPTY
};

pub(in super::super) static MATCH_SET: Schema =
    Schema { message: "envoy.config.common.matcher.v3.MatchPredicate.MatchSet", obeyed: "rules", ..Schema::EMPTY };

pub(in super::super) static HEADERS_MATCH: Schema =
    Schema { message: "envoy.config.common.matcher.v3.HttpHeadersMatch", obeyed: "headers", ..Schema::EMPTY };
