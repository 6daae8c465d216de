//! `tls` of a gateway's server.

use crate::config::objects::{AppProtocol, GatewayServer};
use crate::config::problems::Problems;
use crate::policy::{Certificate, TlsVersions};
use serde::Deserialize;
use squall_yaml::{Keyed, Spanned};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ServerTls {
    #[serde(default)]
    https_redirect: bool,
    mode: Option<Spanned<Mode>>,
    #[serde(default)]
    server_certificate: String,
    #[serde(default)]
    private_key: String,
    #[serde(default)]
    ca_certificates: String,
    credential_name: Option<Keyed<String>>,
    credential_names: Option<Keyed<Vec<String>>>,
    #[serde(default)]
    subject_alt_names: Vec<String>,
    min_protocol_version: Option<Spanned<Version>>,
    max_protocol_version: Option<Spanned<Version>>,
    #[serde(default)]
    tls_certificates: Vec<Spanned<WrittenCertificate>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenCertificate {
    #[serde(default)]
    server_certificate: String,
    #[serde(default)]
    private_key: String,
    ca_certificates: Option<Keyed<String>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Mode {
    #[default]
    Passthrough,
    Simple,
    Mutual,
    OptionalMutual,
    AutoPassthrough,
    IstioMutual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Version {
    #[serde(rename = "TLS_AUTO")]
    Auto,
    #[serde(rename = "TLSV1_0")]
    V1_0,
    #[serde(rename = "TLSV1_1")]
    V1_1,
    #[serde(rename = "TLSV1_2")]
    V1_2,
    #[serde(rename = "TLSV1_3")]
    V1_3,
}

/// A server whose TLS is ended, passed on, or only asked for; none where it wants what only a mesh has.
pub(super) fn with_tls(
    server: GatewayServer,
    protocol: &str,
    tls: &Keyed<ServerTls>,
    problems: &mut Problems<'_>,
) -> Option<GatewayServer> {
    let mode = tls.value.mode.map_or(Mode::default(), |mode| mode.value);
    let passes = matches!(mode, Mode::Passthrough | Mode::AutoPassthrough);
    let files = [&tls.value.server_certificate, &tls.value.private_key, &tls.value.ca_certificates];
    if server.protocol != AppProtocol::Tls {
        let nothing_but_redirect = passes && files.iter().all(|file| file.is_empty());
        if !server.protocol.is_http() || !nothing_but_redirect {
            let help = "only `httpsRedirect` on HTTP; for TLS say `protocol: HTTPS`";
            problems.error(tls.key, format!("a port of {protocol} has no TLS"), help);
        }
        return Some(GatewayServer { https_redirect: tls.value.https_redirect, ..server });
    }
    if tls.value.https_redirect {
        problems.warning(tls.key, "`httpsRedirect` is for ports of HTTP", "put it on another server, of port 80");
    }
    if matches!(mode, Mode::IstioMutual | Mode::AutoPassthrough) {
        let place = tls.value.mode.map_or(tls.key, |mode| mode.place);
        let name = if mode == Mode::IstioMutual { "ISTIO_MUTUAL" } else { "AUTO_PASSTHROUGH" };
        problems.unsupported_value(place, name.len(), "spec.servers.tls.mode", &name);
        return None;
    }
    if passes {
        if files.iter().any(|file| !file.is_empty()) || !tls.value.tls_certificates.is_empty() {
            problems.warning(tls.key, "TLS that is passed through needs no certificates: they are ignored", "");
        }
        return Some(GatewayServer { passthrough: true, ..server });
    }
    let certificates = certificates(tls, problems)?;
    let client_ca = Some(&tls.value.ca_certificates).filter(|path| !path.is_empty());
    if client_ca.is_none() && mode != Mode::Simple {
        problems.error(
            tls.key,
            "`mode: MUTUAL` needs who may have signed clients' certificates",
            "add `caCertificates`",
        );
    }
    let names = &tls.value.subject_alt_names;
    if mode == Mode::Simple && !names.is_empty() {
        let help = "say `mode: MUTUAL`, or take `subjectAltNames` out";
        problems.warning(
            tls.key,
            "`mode: SIMPLE` asks no client for a certificate: names of clients are ignored",
            help,
        );
    }
    Some(GatewayServer {
        terminates_tls: true,
        client_names: if mode == Mode::Simple { Vec::new() } else { names.clone() },
        versions: versions(tls, problems),
        // What is spoken once TLS is ended.
        protocol: if protocol.eq_ignore_ascii_case("https") { AppProtocol::Http } else { AppProtocol::Tcp },
        certificates,
        client_ca: client_ca.filter(|_| mode != Mode::Simple).map(|path| problems.beside(path)),
        require_client: mode == Mode::Mutual,
        ..server
    })
}

/// The certificates of one source; none where it is one that only a cluster has.
fn certificates(tls: &Keyed<ServerTls>, problems: &mut Problems<'_>) -> Option<Vec<Certificate>> {
    let ServerTls { server_certificate, private_key, credential_name, credential_names, tls_certificates, .. } =
        &tls.value;
    let one = credential_name.as_ref().filter(|name| !name.value.is_empty()).map(|name| name.key);
    let several = credential_names.as_ref().filter(|names| !names.value.is_empty()).map(|names| names.key);
    let by_files = !server_certificate.is_empty() && !private_key.is_empty();
    let sources = [one.is_some(), several.is_some(), by_files, !tls_certificates.is_empty()];
    if sources.into_iter().filter(|there| *there).count() > 1 {
        let message = "only one of `credentialName`, `credentialNames`, `serverCertificate` and `tlsCertificates`";
        problems.error(tls.key, message, "take the others out");
    }
    if let Some((key, name)) = one.map(|key| (key, "credentialName")).or(several.map(|key| (key, "credentialNames"))) {
        problems.unsupported(key, name.len(), &format!("Gateway.spec.servers.tls.{name}"));
        return None;
    }
    let mut pairs = vec![(tls.key, server_certificate, private_key)];
    if !tls_certificates.is_empty() {
        pairs = tls_certificates
            .iter()
            .map(|written| (written.place, &written.value.server_certificate, &written.value.private_key))
            .collect();
    }
    for authorities in tls_certificates.iter().filter_map(|written| written.value.ca_certificates.as_ref()) {
        problems.warning(
            authorities.key,
            "authorities of a single certificate are ignored",
            "write `caCertificates` beside them",
        );
    }
    let mut certificates = Vec::new();
    for (place, chain, key) in pairs {
        if chain.is_empty() || key.is_empty() {
            problems.error(place, "a certificate and its key are missing", "add `serverCertificate` and `privateKey`");
            continue;
        }
        certificates.push(Certificate { chain: problems.beside(chain), key: problems.beside(key) });
    }
    Some(certificates)
}

/// 1.2 and 1.3 unless it says otherwise.
fn versions(tls: &Keyed<ServerTls>, problems: &mut Problems<'_>) -> TlsVersions {
    let mut bound = |version: Option<Spanned<Version>>, field: &str| {
        let version = version?;
        let old = match version.value {
            Version::Auto => return None,
            Version::V1_2 => return Some(2),
            Version::V1_3 => return Some(3),
            Version::V1_0 => "TLSV1_0",
            Version::V1_1 => "TLSV1_1",
        };
        problems.unsupported_value(version.place, old.len(), &format!("spec.servers.tls.{field}"), &old);
        None
    };
    let least = bound(tls.value.min_protocol_version, "minProtocolVersion").unwrap_or(2);
    let most = bound(tls.value.max_protocol_version, "maxProtocolVersion").unwrap_or(3);
    if least > most {
        let help = "write a `maxProtocolVersion` that is no lower than `minProtocolVersion`";
        problems.error(tls.key, format!("no version of TLS is left: at least 1.{least}, at most 1.{most}"), help);
    }
    TlsVersions { v1_2: least <= 2, v1_3: most >= 3 }
}
