//! Access logs and spans.

use super::Schema;

pub(in super::super) static ACCESS_LOG: Schema = Schema {
    message: "envoy.config.accesslog.v3.AccessLog",
    obeyed: "name typed_config",
    refused: "filter",
    former: &[("config", "typed_config")],
    ..Schema::EMPTY
};

pub(in super::super) static FILE_LOG: Schema = Schema {
    message: "envoy.extensions.access_loggers.file.v3.FileAccessLog",
    obeyed: "path format json_format typed_json_format log_format",
    deprecated: "format json_format typed_json_format",
    ..Schema::EMPTY
};

pub(in super::super) static STDOUT_LOG: Schema = Schema {
    message: "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
    obeyed: "log_format",
    ..Schema::EMPTY
};

pub(in super::super) static STDERR_LOG: Schema = Schema {
    message: "envoy.extensions.access_loggers.stream.v3.StderrAccessLog",
    obeyed: "log_format",
    ..Schema::EMPTY
};

pub(in super::super) static LOG_FORMAT: Schema = Schema {
    message: "envoy.config.core.v3.SubstitutionFormatString",
    obeyed: "text_format json_format text_format_source",
    refused: "omit_empty_values content_type formatters json_format_options",
    deprecated: "text_format",
    ..Schema::EMPTY
};

pub(in super::super) static TRACING: Schema = Schema {
    message: "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.Tracing",
    obeyed: "client_sampling random_sampling overall_sampling provider spawn_upstream_span",
    refused: "verbose max_path_tag_length custom_tags operation upstream_operation",
    former: &[("operation_name", "the listener's traffic_direction"), ("request_headers_for_tags", "custom_tags")],
    ..Schema::EMPTY
};

pub(in super::super) static TRACE_PROVIDER: Schema = Schema {
    message: "envoy.config.trace.v3.Tracing.Http",
    obeyed: "name typed_config",
    former: &[("config", "typed_config")],
    ..Schema::EMPTY
};

pub(in super::super) static OPEN_TELEMETRY: Schema = Schema {
    message: "envoy.config.trace.v3.OpenTelemetryConfig",
    obeyed: "grpc_service http_service service_name",
    refused: "resource_detectors sampler max_cache_size",
    ..Schema::EMPTY
};

pub(in super::super) static ZIPKIN: Schema = Schema {
    message: "envoy.config.trace.v3.ZipkinConfig",
    obeyed: "collector_cluster collector_endpoint collector_endpoint_version collector_hostname trace_id_128bit \
        shared_span_context trace_context_option",
    refused: "split_spans_for_request collector_service",
    ..Schema::EMPTY
};

pub(in super::super) static GRPC_SERVICE: Schema = Schema {
    message: "envoy.config.core.v3.GrpcService",
    obeyed: "envoy_grpc",
    refused: "google_grpc timeout initial_metadata retry_policy",
    ..Schema::EMPTY
};

pub(in super::super) static ENVOY_GRPC: Schema = Schema {
    message: "envoy.config.core.v3.GrpcService.EnvoyGrpc",
    obeyed: "cluster_name",
    refused: "authority retry_policy max_receive_message_length skip_envoy_headers",
    ..Schema::EMPTY
};

pub(in super::super) static HTTP_SERVICE: Schema = Schema {
    message: "envoy.config.core.v3.HttpService",
    obeyed: "http_uri",
    refused: "request_headers_to_add",
    ..Schema::EMPTY
};

pub(in super::super) static HTTP_URI: Schema =
    Schema { message: "envoy.config.core.v3.HttpUri", obeyed: "uri cluster timeout", ..Schema::EMPTY };
