//! TLS of either side.

use super::Schema;

pub(in super::super) static TRANSPORT_SOCKET: Schema = Schema {
    message: "envoy.config.core.v3.TransportSocket",
    obeyed: "name typed_config",
    former: &[("config", "typed_config")],
    ..Schema::EMPTY
};

pub(in super::super) static RAW_BUFFER: Schema =
    Schema { message: "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer", ..Schema::EMPTY };

pub(in super::super) static DOWNSTREAM_TLS: Schema = Schema {
    message: "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
    obeyed: "common_tls_context require_client_certificate",
    refused: "require_sni session_ticket_keys session_ticket_keys_sds_secret_config \
        disable_stateless_session_resumption disable_stateful_session_resumption session_timeout \
        ocsp_staple_policy full_scan_certs_on_sni_mismatch prefer_client_ciphers",
    ..Schema::EMPTY
};

pub(in super::super) static UPSTREAM_TLS: Schema = Schema {
    message: "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
    obeyed: "common_tls_context sni auto_sni_san_validation",
    refused: "auto_host_sni allow_renegotiation max_session_keys enforce_rsa_key_usage",
    ..Schema::EMPTY
};

pub(in super::super) static COMMON_TLS: Schema = Schema {
    message: "envoy.extensions.transport_sockets.tls.v3.CommonTlsContext",
    obeyed: "tls_params tls_certificates validation_context alpn_protocols",
    refused: "tls_certificate_provider_instance custom_tls_certificate_selector \
        tls_certificate_certificate_provider tls_certificate_certificate_provider_instance \
        validation_context_certificate_provider validation_context_certificate_provider_instance \
        custom_handshaker key_log",
    served: "tls_certificate_sds_secret_configs validation_context_sds_secret_config \
        combined_validation_context",
    ..Schema::EMPTY
};

pub(in super::super) static TLS_PARAMETERS: Schema = Schema {
    message: "envoy.extensions.transport_sockets.tls.v3.TlsParameters",
    obeyed: "tls_minimum_protocol_version tls_maximum_protocol_version",
    refused: "cipher_suites ecdh_curves signature_algorithms compliance_policies",
    ..Schema::EMPTY
};

pub(in super::super) static TLS_CERTIFICATE: Schema = Schema {
    message: "envoy.extensions.transport_sockets.tls.v3.TlsCertificate",
    obeyed: "certificate_chain private_key",
    refused: "pkcs12 watched_directory private_key_provider password ocsp_staple signed_certificate_timestamp",
    ..Schema::EMPTY
};

pub(in super::super) static CLIENT_VALIDATION: Schema = Schema {
    message: "envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext",
    side: "downstream",
    obeyed: "trusted_ca match_typed_subject_alt_names match_subject_alt_names",
    refused: "ca_certificate_provider_instance system_root_certs watched_directory verify_certificate_spki \
        verify_certificate_hash require_signed_certificate_timestamp crl allow_expired_certificate \
        trust_chain_verification custom_validator_config only_verify_leaf_cert_crl max_verify_depth",
    deprecated: "match_subject_alt_names",
    former: &[("verify_subject_alt_name", "match_typed_subject_alt_names")],
    ..Schema::EMPTY
};

pub(in super::super) static SERVER_VALIDATION: Schema = Schema {
    message: "envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext",
    side: "upstream",
    obeyed: "trusted_ca system_root_certs match_typed_subject_alt_names match_subject_alt_names \
        trust_chain_verification",
    refused: "ca_certificate_provider_instance watched_directory verify_certificate_spki verify_certificate_hash \
        require_signed_certificate_timestamp crl allow_expired_certificate custom_validator_config \
        only_verify_leaf_cert_crl max_verify_depth",
    deprecated: "match_subject_alt_names",
    former: &[("verify_subject_alt_name", "match_typed_subject_alt_names")],
    ..Schema::EMPTY
};

pub(in super::super) static SYSTEM_ROOT_CERTS: Schema = Schema {
    message: "envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext.SystemRootCerts",
    ..Schema::EMPTY
};

pub(in super::super) static SUBJECT_ALT_NAME: Schema = Schema {
    message: "envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher",
    obeyed: "san_type matcher",
    refused: "oid",
    ..Schema::EMPTY
};
