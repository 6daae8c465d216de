//! Listeners, their filter chains and what looks at the first bytes.

use super::Schema;

pub(in super::super) static LISTENER: Schema = Schema {
    message: "envoy.config.listener.v3.Listener",
    obeyed: "name address filter_chains default_filter_chain per_connection_buffer_limit_bytes listener_filters \
        listener_filters_timeout continue_on_listener_filters_timeout traffic_direction",
    refused: "additional_addresses stat_prefix filter_chain_matcher use_original_dst deprecated_v1 drain_type \
        transparent freebind socket_options tcp_fast_open_queue_length udp_listener_config \
        connection_balance_config reuse_port enable_reuse_port access_log tcp_backlog_size \
        max_connections_to_accept_per_socket_event bind_to_port internal_listener enable_mptcp \
        ignore_global_conn_limit bypass_overload_manager tcp_keepalive",
    unheeded: "metadata",
    served: "fcds_config api_listener",
    ..Schema::EMPTY
};

pub(in super::super) static LISTENER_FILTER: Schema = Schema {
    message: "envoy.config.listener.v3.ListenerFilter",
    obeyed: "name typed_config",
    refused: "filter_disabled",
    former: &[("config", "typed_config")],
    served: "config_discovery",
    ..Schema::EMPTY
};

pub(in super::super) static TLS_INSPECTOR: Schema = Schema {
    message: "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
    refused: "enable_ja3_fingerprinting enable_ja4_fingerprinting initial_read_buffer_size \
        close_connection_on_client_hello_parsing_errors max_client_hello_size",
    ..Schema::EMPTY
};

pub(in super::super) static HTTP_INSPECTOR: Schema =
    Schema { message: "envoy.extensions.filters.listener.http_inspector.v3.HttpInspector", ..Schema::EMPTY };

pub(in super::super) static PROXY_PROTOCOL: Schema = Schema {
    message: "envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol",
    refused: "rules allow_requests_without_proxy_protocol pass_through_tlvs disallowed_versions stat_prefix \
        tlv_location",
    ..Schema::EMPTY
};

pub(in super::super) static FILTER_CHAIN: Schema = Schema {
    message: "envoy.config.listener.v3.FilterChain",
    obeyed: "filter_chain_match filters transport_socket name",
    refused: "use_proxy_proto transport_socket_connect_timeout",
    unheeded: "metadata",
    former: &[("tls_context", "transport_socket")],
    ..Schema::EMPTY
};

pub(in super::super) static FILTER_CHAIN_MATCH: Schema = Schema {
    message: "envoy.config.listener.v3.FilterChainMatch",
    obeyed: "destination_port prefix_ranges source_prefix_ranges source_ports server_names transport_protocol \
        application_protocols",
    refused: "address_suffix suffix_len direct_source_prefix_ranges source_type",
    ..Schema::EMPTY
};

pub(in super::super) static NETWORK_FILTER: Schema = Schema {
    message: "envoy.config.listener.v3.Filter",
    obeyed: "name typed_config",
    former: &[("config", "typed_config")],
    served: "config_discovery",
    ..Schema::EMPTY
};

pub(in super::super) static TCP_PROXY: Schema = Schema {
    message: "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
    obeyed: "stat_prefix cluster weighted_clusters metadata_match idle_timeout access_log max_connect_attempts \
        hash_policy max_downstream_connection_duration",
    refused: "downstream_idle_timeout upstream_idle_timeout backoff_options tunneling_config \
        max_downstream_connection_duration_jitter_percentage access_log_flush_interval \
        flush_access_log_on_connected access_log_options proxy_protocol_tlvs upstream_connect_mode \
        max_early_data_bytes",
    served: "on_demand",
    ..Schema::EMPTY
};

pub(in super::super) static TCP_WEIGHTED_CLUSTERS: Schema = Schema {
    message: "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster",
    obeyed: "clusters",
    ..Schema::EMPTY
};

pub(in super::super) static TCP_WEIGHTED_CLUSTER: Schema = Schema {
    message: "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster.ClusterWeight",
    obeyed: "name weight metadata_match",
    ..Schema::EMPTY
};

pub(in super::super) static TCP_HASH_POLICY: Schema =
    Schema { message: "envoy.type.v3.HashPolicy", obeyed: "source_ip", refused: "filter_state", ..Schema::EMPTY };

pub(in super::super) static TCP_SOURCE_IP: Schema =
    Schema { message: "envoy.type.v3.HashPolicy.SourceIp", ..Schema::EMPTY };
