//! Active checks.

use super::Schema;

pub(in super::super) static HEALTH_CHECK: Schema = Schema {
    message: "envoy.config.core.v3.HealthCheck",
    obeyed: "timeout interval initial_jitter interval_jitter interval_jitter_percent unhealthy_threshold \
        healthy_threshold reuse_connection http_health_check tcp_health_check grpc_health_check \
        no_traffic_interval no_traffic_healthy_interval unhealthy_interval unhealthy_edge_interval \
        healthy_edge_interval",
    refused: "alt_port custom_health_check event_log_path event_logger event_service \
        always_log_health_check_failures always_log_health_check_success tls_options \
        transport_socket_match_criteria",
    ..Schema::EMPTY
};

pub(in super::super) static HTTP_CHECK: Schema = Schema {
    message: "envoy.config.core.v3.HealthCheck.HttpHealthCheck",
    obeyed: "host path request_headers_to_add expected_statuses retriable_statuses codec_client_type \
        service_name_matcher method",
    refused: "send receive response_buffer_size request_headers_to_remove",
    former: &[("service_name", "service_name_matcher"), ("use_http2", "codec_client_type")],
    ..Schema::EMPTY
};

pub(in super::super) static TCP_CHECK: Schema = Schema {
    message: "envoy.config.core.v3.HealthCheck.TcpHealthCheck",
    obeyed: "send receive",
    refused: "proxy_protocol_config",
    ..Schema::EMPTY
};

pub(in super::super) static GRPC_CHECK: Schema = Schema {
    message: "envoy.config.core.v3.HealthCheck.GrpcHealthCheck",
    obeyed: "service_name authority",
    refused: "initial_metadata",
    ..Schema::EMPTY
};

pub(in super::super) static PAYLOAD: Schema =
    Schema { message: "envoy.config.core.v3.HealthCheck.Payload", obeyed: "text binary", ..Schema::EMPTY };
