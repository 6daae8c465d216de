//! TLS of either side, from files.

use super::any::Extensions;
use super::message::Message;
use super::reading::Said;
use super::schema::{
    CLIENT_VALIDATION, COMMON_TLS, DOWNSTREAM_TLS, RAW_BUFFER, SERVER_VALIDATION, SUBJECT_ALT_NAME, SYSTEM_ROOT_CERTS,
    TLS_CERTIFICATE, TLS_PARAMETERS, UPSTREAM_TLS,
};
use super::{data, text_match};
use crate::policy::{
    Certificate, DownstreamTls, NameKind, NameMatch, ServerNames, Sni, TlsVersions, Trust, UpstreamTls,
};

const OTHERS: &str = "alts dynamic_modules http_11_proxy internal_upstream proxy_protocol quic s2a starttls tap \
    tcp_stats";
const PACKAGE: &str = "envoy.extensions.transport_sockets.";
const DOWNSTREAM: Extensions = Extensions { known: &[&DOWNSTREAM_TLS, &RAW_BUFFER], package: PACKAGE, others: OTHERS };
const UPSTREAM: Extensions = Extensions { known: &[&UPSTREAM_TLS, &RAW_BUFFER], package: PACKAGE, others: OTHERS };

/// How a client's TLS is ended; none leaves the bytes as they are.
pub(super) fn downstream(socket: &Message<'_>) -> Option<DownstreamTls> {
    let config = socket.extension(&DOWNSTREAM)?;
    if config.is(&RAW_BUFFER) {
        return None;
    }
    let require_client = config.flag("require_client_certificate");
    config.require("common_tls_context");
    let common = config.message("common_tls_context", &COMMON_TLS)?;
    let certificates = certificates(&common);
    if certificates.is_empty() && !common.has("tls_certificates") {
        common.at.error("`tls_certificates` is missing: a server shows a certificate");
    }
    let validation = common.message("validation_context", &CLIENT_VALIDATION);
    let client_ca =
        validation.as_ref().and_then(|validation| data::file(validation, "trusted_ca", "a list of authorities"));
    if require_client && validation.as_ref().is_none_or(|validation| !validation.has("trusted_ca")) {
        let said =
            Said::from("`require_client_certificate` says that clients show certificates, and nothing says whose");
        config.at.error(said.help("name a file under `common_tls_context.validation_context.trusted_ca.filename`"));
    }
    Some(DownstreamTls {
        certificates,
        require_client,
        client_names: validation.as_ref().map(|it| client_names(it, client_ca.is_some())).unwrap_or_default(),
        client_ca,
        alpn: common.texts("alpn_protocols"),
        versions: versions(&common, true),
    })
}

/// How an upstream is spoken to by TLS; none leaves the bytes as they are.
pub(super) fn upstream(socket: &Message<'_>) -> Option<UpstreamTls> {
    let config = socket.extension(&UPSTREAM)?;
    if config.is(&RAW_BUFFER) {
        return None;
    }
    let sni = config.text("sni").filter(|sni| !sni.is_empty()).map_or(Sni::None, Sni::Fixed);
    let by_sni = config.flag("auto_sni_san_validation");
    let common = config.message("common_tls_context", &COMMON_TLS);
    let validation = common.as_ref().and_then(|common| common.message("validation_context", &SERVER_VALIDATION));
    let trust = validation.as_ref().map_or(Trust::Nobody, trust);
    let named = validation.as_ref().map(|it| server_names(it, &trust)).unwrap_or_default();
    if trust == Trust::Nobody {
        config.at.warn(
            Said::from("the server's certificate is not verified")
                .help("name its authorities under `common_tls_context.validation_context.trusted_ca.filename`"),
        );
    }
    let names = match named {
        _ if by_sni => ServerNames::Sni,
        named if named.is_empty() => ServerNames::Any,
        named => ServerNames::OneOf(named),
    };
    let mut certificates = common.as_ref().map(certificates).unwrap_or_default();
    if certificates.len() > 1 {
        config.at.error("several `tls_certificates`: towards a server there is one at most");
    }
    Some(UpstreamTls {
        sni,
        trust,
        names,
        certificate: certificates.pop(),
        alpn: common.as_ref().map(|common| common.texts("alpn_protocols")).unwrap_or_default(),
        versions: common.as_ref().map_or(TlsVersions { v1_2: true, v1_3: false }, |common| versions(common, false)),
    })
}

fn accepts_untrusted(validation: &Message<'_>) -> bool {
    let modes = [("VERIFY_TRUST_CHAIN", 0, Some(false)), ("ACCEPT_UNTRUSTED", 1, Some(true))];
    validation.choice("trust_chain_verification", &modes).unwrap_or(false)
}

fn trust(validation: &Message<'_>) -> Trust {
    let system = validation.message("system_root_certs", &SYSTEM_ROOT_CERTS);
    let file = data::file(validation, "trusted_ca", "a list of authorities");
    if validation.has("trusted_ca") && system.is_some() {
        validation.at.error("`trusted_ca` and `system_root_certs` exclude each other");
    }
    match (file, system) {
        _ if accepts_untrusted(validation) => Trust::Nobody,
        (Some(file), _) => Trust::File(file),
        (None, Some(_)) => Trust::System,
        (None, None) => Trust::Nobody,
    }
}

/// Names that a client must have one of; who signed its certificate must be said too, or nobody asks for it.
fn client_names(validation: &Message<'_>, signed: bool) -> Vec<NameMatch> {
    let names = names(validation);
    if !names.is_empty() && !signed && !validation.has("trusted_ca") {
        let said = Said::from("names of clients are compared, and nothing says who must have signed them");
        validation.at.error(said.help("name the authorities under `trusted_ca.filename`"));
    }
    names
}

/// Names that a server must have one of; worth little unless someone must have signed its certificate.
fn server_names(validation: &Message<'_>, trust: &Trust) -> Vec<NameMatch> {
    let names = names(validation);
    if names.is_empty() || *trust != Trust::Nobody {
        return names;
    }
    if accepts_untrusted(validation) {
        validation.at.warn("`ACCEPT_UNTRUSTED` takes certificates of any name");
        return Vec::new();
    }
    let said = Said::from("names are compared, and nothing says who must have signed them");
    validation.at.warn(said.help("name the authorities under `trusted_ca.filename`"));
    names
}

fn names(validation: &Message<'_>) -> Vec<NameMatch> {
    let mut names = Vec::new();
    for name in validation.messages("match_typed_subject_alt_names", &SUBJECT_ALT_NAME) {
        name.require("san_type");
        let types = [
            ("SAN_TYPE_UNSPECIFIED", 0, None),
            ("EMAIL", 1, Some(NameKind::Email)),
            ("DNS", 2, Some(NameKind::Dns)),
            ("URI", 3, Some(NameKind::Uri)),
            ("IP_ADDRESS", 4, Some(NameKind::Ip)),
            ("OTHER_NAME", 5, None),
        ];
        let kind = name.choice("san_type", &types);
        name.require("matcher");
        let value = name.value("matcher").and_then(text_match::text_match);
        names.extend(value.map(|value| NameMatch { kind, value }));
    }
    let of_any_kind = validation.values("match_subject_alt_names");
    let of_any_kind = of_any_kind.iter().filter_map(text_match::text_match);
    names.extend(of_any_kind.map(|value| NameMatch { kind: None, value }));
    names
}

fn certificates(common: &Message<'_>) -> Vec<Certificate> {
    let certificates = common.messages("tls_certificates", &TLS_CERTIFICATE);
    let read = certificates.iter().filter_map(|certificate| {
        let both = certificate.require("certificate_chain") & certificate.require("private_key");
        let chain = data::file(certificate, "certificate_chain", "a certificate");
        let key = data::file(certificate, "private_key", "a key");
        both.then_some(Certificate { chain: chain?, key: key? })
    });
    read.collect()
}

/// 1.2 and 1.3 towards clients, 1.2 alone towards servers, by Envoy's default.
fn versions(common: &Message<'_>, server: bool) -> TlsVersions {
    let parameters = common.message("tls_params", &TLS_PARAMETERS);
    let choices = [
        ("TLS_AUTO", 0, Some(None)),
        ("TLSv1_0", 1, None),
        ("TLSv1_1", 2, None),
        ("TLSv1_2", 3, Some(Some(2_u8))),
        ("TLSv1_3", 4, Some(Some(3))),
    ];
    let bound = |name| parameters.as_ref().and_then(|it| it.choice(name, &choices)).flatten();
    let least = bound("tls_minimum_protocol_version").unwrap_or(2);
    let most = bound("tls_maximum_protocol_version").unwrap_or(if server { 3 } else { 2 });
    if least > most {
        let at = parameters.as_ref().map_or(&common.at, |parameters| &parameters.at);
        let said = Said::from(format!("no version of TLS is left: at least 1.{least}, at most 1.{most}"));
        at.error(if server {
            said
        } else {
            said.help("towards servers the most is 1.2 unless `tls_maximum_protocol_version` is set")
        });
    }
    TlsVersions { v1_2: least <= 2, v1_3: most >= 3 }
}
