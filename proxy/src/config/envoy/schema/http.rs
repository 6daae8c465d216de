//! The HTTP connection manager and its filters.

use super::Schema;

pub(in super::super) static HTTP_MANAGER: Schema = Schema {
    message: "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    obeyed: "codec_type stat_prefix route_config http_filters tracing common_http_protocol_options \
        http_protocol_options http2_protocol_options server_name server_header_transformation \
        max_request_headers_kb stream_idle_timeout request_timeout request_headers_timeout drain_timeout \
        delayed_close_timeout access_log use_remote_address xff_num_trusted_hops internal_address_config \
        skip_xff_append via generate_request_id preserve_external_request_id \
        always_set_request_id_in_response forward_client_cert_details set_current_client_cert_details proxy_100_continue upgrade_configs \
        normalize_path merge_slashes path_with_escaped_slashes_action strip_matching_host_port \
        strip_any_host_port stream_error_on_invalid_http_message strip_trailing_host_dot \
        append_x_forwarded_port",
    refused: "add_user_agent http1_safe_max_connection_duration http3_protocol_options \
        scheme_header_transformation stream_flush_timeout access_log_flush_interval \
        flush_access_log_on_new_request access_log_options original_ip_detection_extensions \
        early_header_mutation_extensions forward_client_cert_matcher \
        represent_ipv4_remote_address_as_ipv4_mapped_ipv6 request_id_extension local_reply_config \
        path_normalization_options proxy_status_config typed_header_validation_config \
        append_local_overload add_proxy_protocol_connection_state forward_proto_config",
    former: &[("idle_timeout", "common_http_protocol_options.idle_timeout")],
    served: "rds scoped_routes",
    ..Schema::EMPTY
};

pub(in super::super) static CLIENT_CONNECTIONS: Schema = Schema {
    message: "envoy.config.core.v3.HttpProtocolOptions",
    side: "downstream",
    obeyed: "idle_timeout max_connection_duration max_headers_count max_stream_duration \
        headers_with_underscores_action max_requests_per_connection",
    refused: "max_response_headers_kb",
    ..Schema::EMPTY
};

pub(in super::super) static SERVER_CONNECTIONS: Schema = Schema {
    message: "envoy.config.core.v3.HttpProtocolOptions",
    side: "upstream",
    obeyed: "idle_timeout max_connection_duration max_stream_duration max_requests_per_connection",
    refused: "max_headers_count max_response_headers_kb headers_with_underscores_action",
    ..Schema::EMPTY
};

pub(in super::super) static CLIENT_HTTP1: Schema = Schema {
    message: "envoy.config.core.v3.Http1ProtocolOptions",
    side: "downstream",
    obeyed: "allow_absolute_url accept_http_10 default_host_for_http_10 enable_trailers \
        override_stream_error_on_invalid_http_message",
    refused: "header_key_format allow_chunked_length send_fully_qualified_url use_balsa_parser \
        allow_custom_methods ignore_http_11_upgrade",
    ..Schema::EMPTY
};

pub(in super::super) static SERVER_HTTP1: Schema = Schema {
    message: "envoy.config.core.v3.Http1ProtocolOptions",
    side: "upstream",
    obeyed: "enable_trailers",
    refused: "allow_absolute_url accept_http_10 default_host_for_http_10 header_key_format allow_chunked_length \
        override_stream_error_on_invalid_http_message send_fully_qualified_url use_balsa_parser \
        allow_custom_methods ignore_http_11_upgrade",
    ..Schema::EMPTY
};

pub(in super::super) static HTTP2: Schema = Schema {
    message: "envoy.config.core.v3.Http2ProtocolOptions",
    obeyed: "max_concurrent_streams initial_stream_window_size initial_connection_window_size allow_connect \
        connection_keepalive",
    refused: "hpack_table_size allow_metadata max_outbound_frames max_outbound_control_frames \
        max_consecutive_inbound_frames_with_empty_payload max_inbound_priority_frames_per_stream \
        max_inbound_window_update_frames_per_data_frame_sent custom_settings_parameters use_oghttp2_codec \
        max_metadata_size enable_huffman_encoding",
    unheeded: "stream_error_on_invalid_http_messaging override_stream_error_on_invalid_http_message",
    ..Schema::EMPTY
};

pub(in super::super) static KEEPALIVE: Schema = Schema {
    message: "envoy.config.core.v3.KeepaliveSettings",
    obeyed: "interval timeout",
    refused: "interval_jitter connection_idle_interval",
    ..Schema::EMPTY
};

pub(in super::super) static INTERNAL_ADDRESSES: Schema = Schema {
    message: "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.InternalAddressConfig",
    obeyed: "cidr_ranges",
    refused: "unix_sockets",
    ..Schema::EMPTY
};

pub(in super::super) static CLIENT_CERT_DETAILS: Schema = Schema {
    message: "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.SetCurrentClientCertDetails",
    obeyed: "subject cert chain dns uri",
    ..Schema::EMPTY
};

pub(in super::super) static MANAGER_UPGRADE: Schema = Schema {
    message: "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.UpgradeConfig",
    obeyed: "upgrade_type enabled",
    refused: "filters",
    ..Schema::EMPTY
};

pub(in super::super) static HTTP_FILTER: Schema = Schema {
    message: "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter",
    obeyed: "name typed_config",
    refused: "is_optional disabled",
    former: &[("config", "typed_config")],
    served: "config_discovery",
    ..Schema::EMPTY
};

pub(in super::super) static ROUTER: Schema = Schema {
    message: "envoy.extensions.filters.http.router.v3.Router",
    obeyed: "start_child_span suppress_envoy_headers respect_expected_rq_timeout",
    refused: "dynamic_stats upstream_log upstream_log_options strict_check_headers \
        suppress_grpc_request_failure_code_stats upstream_http_filters reject_connect_request_early_data",
    deprecated: "start_child_span",
    ..Schema::EMPTY
};

pub(in super::super) static HEALTH_CHECK_FILTER: Schema = Schema {
    message: "envoy.extensions.filters.http.health_check.v3.HealthCheck",
    obeyed: "pass_through_mode cache_time headers",
    refused: "cluster_min_healthy_percentages",
    ..Schema::EMPTY
};

pub(in super::super) static CORS_FILTER: Schema =
    Schema { message: "envoy.extensions.filters.http.cors.v3.Cors", ..Schema::EMPTY };

pub(in super::super) static CORS_POLICY: Schema = Schema {
    message: "envoy.extensions.filters.http.cors.v3.CorsPolicy",
    obeyed: "allow_origin_string_match allow_methods allow_headers expose_headers max_age allow_credentials \
        filter_enabled forward_not_matching_preflights",
    refused: "shadow_enabled allow_private_network_access",
    ..Schema::EMPTY
};

pub(in super::super) static ROUTE_CORS_POLICY: Schema = Schema {
    message: "envoy.config.route.v3.CorsPolicy",
    obeyed: "allow_origin_string_match allow_methods allow_headers expose_headers max_age allow_credentials \
        filter_enabled forward_not_matching_preflights",
    refused: "shadow_enabled allow_private_network_access",
    former: &[
        ("allow_origin", "allow_origin_string_match"),
        ("allow_origin_regex", "allow_origin_string_match with safe_regex"),
        ("enabled", "filter_enabled"),
    ],
    ..Schema::EMPTY
};

pub(in super::super) static FAULT: Schema = Schema {
    message: "envoy.extensions.filters.http.fault.v3.HTTPFault",
    obeyed: "delay abort upstream_cluster headers max_active_faults response_rate_limit",
    refused: "downstream_nodes delay_percent_runtime abort_percent_runtime delay_duration_runtime \
        abort_http_status_runtime max_active_faults_runtime response_rate_limit_percent_runtime \
        abort_grpc_status_runtime disable_downstream_cluster_stats filter_metadata",
    ..Schema::EMPTY
};

pub(in super::super) static FAULT_DELAY: Schema = Schema {
    message: "envoy.extensions.filters.common.fault.v3.FaultDelay",
    obeyed: "fixed_delay header_delay percentage",
    former: &[("type", "nothing: a delay with fixed_delay is fixed")],
    ..Schema::EMPTY
};

pub(in super::super) static FAULT_HEADER_DELAY: Schema =
    Schema { message: "envoy.extensions.filters.common.fault.v3.FaultDelay.HeaderDelay", ..Schema::EMPTY };

pub(in super::super) static FAULT_ABORT: Schema = Schema {
    message: "envoy.extensions.filters.http.fault.v3.FaultAbort",
    obeyed: "http_status grpc_status header_abort percentage",
    ..Schema::EMPTY
};

pub(in super::super) static FAULT_HEADER_ABORT: Schema =
    Schema { message: "envoy.extensions.filters.http.fault.v3.FaultAbort.HeaderAbort", ..Schema::EMPTY };

pub(in super::super) static FAULT_RATE_LIMIT: Schema = Schema {
    message: "envoy.extensions.filters.common.fault.v3.FaultRateLimit",
    obeyed: "fixed_limit header_limit percentage",
    ..Schema::EMPTY
};

pub(in super::super) static FAULT_FIXED_LIMIT: Schema = Schema {
    message: "envoy.extensions.filters.common.fault.v3.FaultRateLimit.FixedLimit",
    obeyed: "limit_kbps",
    ..Schema::EMPTY
};

pub(in super::super) static FAULT_HEADER_LIMIT: Schema =
    Schema { message: "envoy.extensions.filters.common.fault.v3.FaultRateLimit.HeaderLimit", ..Schema::EMPTY };

pub(in super::super) static LOCAL_RATE_LIMIT: Schema = Schema {
    message: "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
    obeyed: "stat_prefix status token_bucket filter_enabled filter_enforced response_headers_to_add \
        descriptors stage local_rate_limit_per_downstream_connection enable_x_ratelimit_headers vh_rate_limits \
        always_consume_default_token_bucket rate_limited_as_resource_exhausted rate_limits \
        max_dynamic_descriptors",
    refused: "request_headers_to_add_when_not_enforced local_cluster_rate_limit",
    ..Schema::EMPTY
};

pub(in super::super) static LIMIT_DESCRIPTOR: Schema = Schema {
    message: "envoy.extensions.common.ratelimit.v3.LocalRateLimitDescriptor",
    obeyed: "entries token_bucket",
    refused: "shadow_mode",
    ..Schema::EMPTY
};

pub(in super::super) static LIMIT_ENTRY: Schema = Schema {
    message: "envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.Entry",
    obeyed: "key value",
    ..Schema::EMPTY
};

pub(in super::super) static RATE_LIMIT: Schema = Schema {
    message: "envoy.config.route.v3.RateLimit",
    obeyed: "stage actions",
    refused: "disable_key limit hits_addend apply_on_stream_done x_ratelimit_option",
    ..Schema::EMPTY
};

pub(in super::super) static RATE_LIMIT_ACTION: Schema = Schema {
    message: "envoy.config.route.v3.RateLimit.Action",
    obeyed: "source_cluster destination_cluster request_headers remote_address generic_key header_value_match",
    refused: "query_parameters dynamic_metadata metadata extension masked_remote_address \
        query_parameter_value_match",
    ..Schema::EMPTY
};

pub(in super::super) static LIMIT_SOURCE_CLUSTER: Schema =
    Schema { message: "envoy.config.route.v3.RateLimit.Action.SourceCluster", ..Schema::EMPTY };

pub(in super::super) static LIMIT_DESTINATION_CLUSTER: Schema =
    Schema { message: "envoy.config.route.v3.RateLimit.Action.DestinationCluster", ..Schema::EMPTY };

pub(in super::super) static LIMIT_REMOTE_ADDRESS: Schema =
    Schema { message: "envoy.config.route.v3.RateLimit.Action.RemoteAddress", ..Schema::EMPTY };

pub(in super::super) static LIMIT_REQUEST_HEADERS: Schema = Schema {
    message: "envoy.config.route.v3.RateLimit.Action.RequestHeaders",
    obeyed: "header_name descriptor_key skip_if_absent",
    ..Schema::EMPTY
};

pub(in super::super) static LIMIT_GENERIC_KEY: Schema = Schema {
    message: "envoy.config.route.v3.RateLimit.Action.GenericKey",
    obeyed: "descriptor_value descriptor_key",
    refused: "default_value",
    ..Schema::EMPTY
};

pub(in super::super) static LIMIT_HEADER_MATCH: Schema = Schema {
    message: "envoy.config.route.v3.RateLimit.Action.HeaderValueMatch",
    obeyed: "descriptor_value descriptor_key expect_match headers",
    refused: "default_value",
    ..Schema::EMPTY
};

pub(in super::super) static HTTP_STATUS: Schema =
    Schema { message: "envoy.type.v3.HttpStatus", obeyed: "code", ..Schema::EMPTY };

pub(in super::super) static TOKEN_BUCKET: Schema = Schema {
    message: "envoy.type.v3.TokenBucket",
    obeyed: "max_tokens tokens_per_fill fill_interval",
    ..Schema::EMPTY
};
