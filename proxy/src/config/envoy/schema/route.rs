//! Route tables: virtual hosts, routes, conditions and actions.

use super::Schema;

pub(in super::super) static ROUTE_TABLE: Schema = Schema {
    message: "envoy.config.route.v3.RouteConfiguration",
    obeyed: "name virtual_hosts response_headers_to_add response_headers_to_remove request_headers_to_add \
        request_headers_to_remove most_specific_header_mutations_wins validate_clusters \
        max_direct_response_body_size_bytes request_mirror_policies ignore_port_in_host_matching \
        typed_per_filter_config",
    refused: "internal_only_headers cluster_specifier_plugins vhost_header \
        ignore_path_parameters_in_path_matching",
    unheeded: "metadata",
    served: "vhds",
    ..Schema::EMPTY
};

pub(in super::super) static VIRTUAL_HOST: Schema = Schema {
    message: "envoy.config.route.v3.VirtualHost",
    obeyed: "name domains routes require_tls request_headers_to_add request_headers_to_remove \
        response_headers_to_add response_headers_to_remove cors typed_per_filter_config \
        include_request_attempt_count include_attempt_count_in_response retry_policy hedge_policy \
        per_request_buffer_limit_bytes request_body_buffer_limit request_mirror_policies \
        rate_limits",
    refused: "matcher virtual_clusters retry_policy_typed_config include_is_timeout_retry_header",
    unheeded: "metadata",
    deprecated: "cors per_request_buffer_limit_bytes",
    former: &[("per_filter_config", "typed_per_filter_config")],
    ..Schema::EMPTY
};

pub(in super::super) static ROUTE: Schema = Schema {
    message: "envoy.config.route.v3.Route",
    obeyed: "name match route redirect direct_response typed_per_filter_config request_headers_to_add \
        request_headers_to_remove response_headers_to_add response_headers_to_remove \
        per_request_buffer_limit_bytes request_body_buffer_limit",
    refused: "filter_action non_forwarding_action decorator tracing stat_prefix",
    unheeded: "metadata",
    deprecated: "per_request_buffer_limit_bytes",
    former: &[("per_filter_config", "typed_per_filter_config")],
    ..Schema::EMPTY
};

pub(in super::super) static ROUTE_MATCH: Schema = Schema {
    message: "envoy.config.route.v3.RouteMatch",
    obeyed: "prefix path safe_regex connect_matcher path_separated_prefix case_sensitive runtime_fraction \
        headers query_parameters grpc",
    refused: "path_match_policy cookies tls_context dynamic_metadata filter_state",
    former: &[("regex", "safe_regex")],
    ..Schema::EMPTY
};

pub(in super::super) static CONNECT_MATCHER: Schema =
    Schema { message: "envoy.config.route.v3.RouteMatch.ConnectMatcher", ..Schema::EMPTY };

pub(in super::super) static GRPC_MATCH: Schema =
    Schema { message: "envoy.config.route.v3.RouteMatch.GrpcRouteMatchOptions", ..Schema::EMPTY };

pub(in super::super) static HEADER_MATCH: Schema = Schema {
    message: "envoy.config.route.v3.HeaderMatcher",
    obeyed: "name exact_match safe_regex_match range_match present_match prefix_match suffix_match \
        contains_match string_match invert_match treat_missing_header_as_empty",
    deprecated: "exact_match safe_regex_match prefix_match suffix_match contains_match",
    former: &[("regex_match", "string_match with safe_regex")],
    ..Schema::EMPTY
};

pub(in super::super) static QUERY_MATCH: Schema = Schema {
    message: "envoy.config.route.v3.QueryParameterMatcher",
    obeyed: "name string_match present_match",
    former: &[("value", "string_match"), ("regex", "string_match with safe_regex")],
    ..Schema::EMPTY
};

pub(in super::super) static STRING_MATCH: Schema = Schema {
    message: "envoy.type.matcher.v3.StringMatcher",
    obeyed: "exact prefix suffix safe_regex contains ignore_case",
    refused: "custom",
    former: &[("regex", "safe_regex")],
    ..Schema::EMPTY
};

pub(in super::super) static REGEX: Schema = Schema {
    message: "envoy.type.matcher.v3.RegexMatcher",
    obeyed: "google_re2 regex",
    deprecated: "google_re2",
    ..Schema::EMPTY
};

pub(in super::super) static GOOGLE_RE2: Schema =
    Schema { message: "envoy.type.matcher.v3.RegexMatcher.GoogleRE2", refused: "max_program_size", ..Schema::EMPTY };

pub(in super::super) static REGEX_REWRITE: Schema = Schema {
    message: "envoy.type.matcher.v3.RegexMatchAndSubstitute",
    obeyed: "pattern substitution",
    ..Schema::EMPTY
};

pub(in super::super) static ROUTE_ACTION: Schema = Schema {
    message: "envoy.config.route.v3.RouteAction",
    obeyed: "cluster cluster_header weighted_clusters cluster_not_found_response_code metadata_match \
        prefix_rewrite regex_rewrite host_rewrite_literal auto_host_rewrite host_rewrite_header \
        host_rewrite_path_regex append_x_forwarded_host timeout idle_timeout retry_policy \
        request_mirror_policies priority hash_policy cors max_grpc_timeout grpc_timeout_offset upgrade_configs hedge_policy \
        max_stream_duration rate_limits include_vh_rate_limits",
    refused: "cluster_specifier_plugin inline_cluster_specifier_plugin path_rewrite_policy path_rewrite \
        host_rewrite flush_timeout early_data_policy retry_policy_typed_config \
        internal_redirect_policy internal_redirect_action \
        max_internal_redirects",
    deprecated: "cors max_grpc_timeout grpc_timeout_offset include_vh_rate_limits",
    former: &[
        ("host_rewrite", "host_rewrite_literal"),
        ("auto_host_rewrite_header", "host_rewrite_header"),
        ("request_mirror_policy", "request_mirror_policies"),
        ("use_websocket", "upgrade_configs"),
    ],
    ..Schema::EMPTY
};

pub(in super::super) static WEIGHTED_CLUSTERS: Schema = Schema {
    message: "envoy.config.route.v3.WeightedCluster",
    obeyed: "clusters total_weight",
    refused: "runtime_key_prefix header_name use_hash_policy",
    deprecated: "total_weight",
    ..Schema::EMPTY
};

pub(in super::super) static WEIGHTED_CLUSTER: Schema = Schema {
    message: "envoy.config.route.v3.WeightedCluster.ClusterWeight",
    obeyed: "name weight metadata_match request_headers_to_add request_headers_to_remove \
        response_headers_to_add response_headers_to_remove host_rewrite_literal",
    refused: "cluster_header typed_per_filter_config",
    former: &[("per_filter_config", "typed_per_filter_config")],
    ..Schema::EMPTY
};

pub(in super::super) static MIRROR: Schema = Schema {
    message: "envoy.config.route.v3.RouteAction.RequestMirrorPolicy",
    obeyed: "cluster runtime_fraction disable_shadow_host_suffix_append",
    refused: "cluster_header trace_sampled request_headers_mutations host_rewrite_literal",
    former: &[("runtime_key", "runtime_fraction")],
    ..Schema::EMPTY
};

pub(in super::super) static HASH_POLICY: Schema = Schema {
    message: "envoy.config.route.v3.RouteAction.HashPolicy",
    obeyed: "header cookie connection_properties query_parameter terminal",
    refused: "filter_state",
    ..Schema::EMPTY
};

pub(in super::super) static HASH_HEADER: Schema = Schema {
    message: "envoy.config.route.v3.RouteAction.HashPolicy.Header",
    obeyed: "header_name",
    refused: "regex_rewrite",
    ..Schema::EMPTY
};

pub(in super::super) static HASH_COOKIE: Schema = Schema {
    message: "envoy.config.route.v3.RouteAction.HashPolicy.Cookie",
    obeyed: "name ttl path attributes",
    ..Schema::EMPTY
};

pub(in super::super) static HASH_COOKIE_ATTRIBUTE: Schema = Schema {
    message: "envoy.config.route.v3.RouteAction.HashPolicy.CookieAttribute",
    obeyed: "name value",
    ..Schema::EMPTY
};

pub(in super::super) static HASH_CONNECTION: Schema = Schema {
    message: "envoy.config.route.v3.RouteAction.HashPolicy.ConnectionProperties",
    obeyed: "source_ip",
    ..Schema::EMPTY
};

pub(in super::super) static HASH_QUERY: Schema =
    Schema { message: "envoy.config.route.v3.RouteAction.HashPolicy.QueryParameter", obeyed: "name", ..Schema::EMPTY };

pub(in super::super) static ROUTE_UPGRADE: Schema = Schema {
    message: "envoy.config.route.v3.RouteAction.UpgradeConfig",
    obeyed: "upgrade_type enabled",
    refused: "connect_config",
    ..Schema::EMPTY
};

pub(in super::super) static MAX_STREAM_DURATION: Schema = Schema {
    message: "envoy.config.route.v3.RouteAction.MaxStreamDuration",
    obeyed: "max_stream_duration grpc_timeout_header_max grpc_timeout_header_offset",
    ..Schema::EMPTY
};

pub(in super::super) static REDIRECT: Schema = Schema {
    message: "envoy.config.route.v3.RedirectAction",
    obeyed: "https_redirect scheme_redirect host_redirect port_redirect path_redirect prefix_rewrite \
        regex_rewrite response_code strip_query",
    ..Schema::EMPTY
};

pub(in super::super) static DIRECT_RESPONSE: Schema = Schema {
    message: "envoy.config.route.v3.DirectResponseAction",
    obeyed: "status body",
    refused: "body_format",
    ..Schema::EMPTY
};

pub(in super::super) static HEADER_OPTION: Schema = Schema {
    message: "envoy.config.core.v3.HeaderValueOption",
    obeyed: "header append append_action keep_empty_value",
    deprecated: "append",
    ..Schema::EMPTY
};

pub(in super::super) static HEADER_VALUE: Schema =
    Schema { message: "envoy.config.core.v3.HeaderValue", obeyed: "key value raw_value", ..Schema::EMPTY };

pub(in super::super) static FILTER_CONFIG: Schema = Schema {
    message: "envoy.config.route.v3.FilterConfig",
    obeyed: "config",
    refused: "is_optional disabled",
    ..Schema::EMPTY
};
