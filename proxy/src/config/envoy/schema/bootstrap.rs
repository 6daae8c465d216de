//! What a bootstrap holds beside listeners and clusters.

use super::Schema;

pub(in super::super) static BOOTSTRAP: Schema = Schema {
    message: "envoy.config.bootstrap.v3.Bootstrap",
    obeyed: "node static_resources stats_flush_interval layered_runtime admin",
    refused: "node_context_params cluster_manager flags_path stats_sinks deferred_stat_options stats_config \
        stats_flush_on_admin stats_eviction_interval watchdog watchdogs tracing overload_manager \
        enable_dispatcher_stats header_prefix stats_server_version_override use_tcp_for_dns_lookups \
        dns_resolution_config typed_dns_resolver_config bootstrap_extensions fatal_actions \
        default_socket_interface certificate_provider_instances inline_headers perf_tracing_file_path \
        default_regex_engine xds_delegate_extension xds_config_tracker_extension listener_manager \
        application_log_config grpc_async_client_manager_config memory_allocator_manager",
    former: &[("runtime", "layered_runtime")],
    served: "dynamic_resources hds_config config_sources default_config_source",
    ..Schema::EMPTY
};

pub(in super::super) static STATIC_RESOURCES: Schema = Schema {
    message: "envoy.config.bootstrap.v3.Bootstrap.StaticResources",
    obeyed: "listeners clusters",
    refused: "secrets",
    ..Schema::EMPTY
};

pub(in super::super) static NODE: Schema = Schema {
    message: "envoy.config.core.v3.Node",
    obeyed: "id cluster metadata locality",
    refused: "dynamic_parameters user_agent_name user_agent_version user_agent_build_version extensions \
        client_features listening_addresses",
    former: &[("build_version", "nothing: it is the proxy that says which build it is")],
    ..Schema::EMPTY
};

pub(in super::super) static LOCALITY: Schema =
    Schema { message: "envoy.config.core.v3.Locality", obeyed: "region zone sub_zone", ..Schema::EMPTY };

pub(in super::super) static ADMIN: Schema = Schema {
    message: "envoy.config.bootstrap.v3.Admin",
    obeyed: "access_log access_log_path address",
    refused: "profile_path socket_options ignore_global_conn_limit allow_paths",
    deprecated: "access_log_path",
    ..Schema::EMPTY
};

pub(in super::super) static LAYERED_RUNTIME: Schema =
    Schema { message: "envoy.config.bootstrap.v3.LayeredRuntime", obeyed: "layers", ..Schema::EMPTY };

pub(in super::super) static RUNTIME_LAYER: Schema = Schema {
    message: "envoy.config.bootstrap.v3.RuntimeLayer",
    obeyed: "name static_layer admin_layer",
    refused: "disk_layer",
    served: "rtds_layer",
    ..Schema::EMPTY
};

pub(in super::super) static ADMIN_LAYER: Schema =
    Schema { message: "envoy.config.bootstrap.v3.RuntimeLayer.AdminLayer", ..Schema::EMPTY };

pub(in super::super) static ADDRESS: Schema = Schema {
    message: "envoy.config.core.v3.Address",
    obeyed: "socket_address pipe",
    refused: "envoy_internal_address",
    ..Schema::EMPTY
};

pub(in super::super) static SOCKET_ADDRESS: Schema = Schema {
    message: "envoy.config.core.v3.SocketAddress",
    obeyed: "protocol address port_value",
    refused: "named_port resolver_name ipv4_compat network_namespace_filepath",
    ..Schema::EMPTY
};

pub(in super::super) static PIPE: Schema =
    Schema { message: "envoy.config.core.v3.Pipe", obeyed: "path", refused: "mode", ..Schema::EMPTY };

pub(in super::super) static CIDR_RANGE: Schema =
    Schema { message: "envoy.config.core.v3.CidrRange", obeyed: "address_prefix prefix_len", ..Schema::EMPTY };

pub(in super::super) static METADATA: Schema = Schema {
    message: "envoy.config.core.v3.Metadata",
    obeyed: "filter_metadata",
    refused: "typed_filter_metadata",
    ..Schema::EMPTY
};

pub(in super::super) static PERCENT: Schema =
    Schema { message: "envoy.type.v3.Percent", obeyed: "value", ..Schema::EMPTY };

pub(in super::super) static FRACTIONAL_PERCENT: Schema =
    Schema { message: "envoy.type.v3.FractionalPercent", obeyed: "numerator denominator", ..Schema::EMPTY };

pub(in super::super) static RUNTIME_FRACTIONAL_PERCENT: Schema = Schema {
    message: "envoy.config.core.v3.RuntimeFractionalPercent",
    obeyed: "default_value runtime_key",
    ..Schema::EMPTY
};

pub(in super::super) static RUNTIME_DOUBLE: Schema =
    Schema { message: "envoy.config.core.v3.RuntimeDouble", obeyed: "default_value runtime_key", ..Schema::EMPTY };

pub(in super::super) static DATA_SOURCE: Schema = Schema {
    message: "envoy.config.core.v3.DataSource",
    obeyed: "filename inline_bytes inline_string environment_variable",
    refused: "watched_directory",
    ..Schema::EMPTY
};

pub(in super::super) static INT64_RANGE: Schema =
    Schema { message: "envoy.type.v3.Int64Range", obeyed: "start end", ..Schema::EMPTY };
