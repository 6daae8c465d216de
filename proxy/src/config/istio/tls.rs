//! `tls` of a destination.

use crate::config::objects::TlsSetting;
use crate::config::problems::Problems;
use crate::policy::Certificate;
use serde::Deserialize;
use squall_yaml::{Keyed, Spanned};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WrittenTls {
    #[serde(default)]
    mode: Option<Spanned<Mode>>,
    #[serde(default)]
    client_certificate: String,
    #[serde(default)]
    private_key: String,
    #[serde(default)]
    ca_certificates: String,
    credential_name: Option<Keyed<String>>,
    #[serde(default)]
    subject_alt_names: Vec<String>,
    #[serde(default)]
    sni: String,
    #[serde(default)]
    insecure_skip_verify: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Mode {
    Disable,
    Simple,
    Mutual,
    IstioMutual,
}

/// What the block means; none where it asks for what only a mesh has. Its places are those of a policy of a host: a subset's or a
/// port's is told by the same name.
pub(super) fn tls(written: &Keyed<WrittenTls>, problems: &mut Problems<'_>) -> Option<TlsSetting> {
    let tls = &written.value;
    let mode = tls.mode.map_or(Mode::Disable, |mode| mode.value);
    let own = !tls.client_certificate.is_empty() && !tls.private_key.is_empty();
    let credential = tls.credential_name.as_ref().filter(|name| !name.value.is_empty());
    match mode {
        Mode::Disable => return Some(TlsSetting::Disable),
        Mode::IstioMutual => {
            let place = tls.mode.map_or(written.key, |mode| mode.place);
            let name = "ISTIO_MUTUAL";
            problems.unsupported_value(place, name.len(), "spec.trafficPolicy.tls.mode", &name);
            return None;
        }
        Mode::Simple | Mode::Mutual => {}
    }
    if tls.insecure_skip_verify && !(tls.ca_certificates.is_empty() && tls.subject_alt_names.is_empty()) {
        let help = "take `caCertificates` and `subjectAltNames` out, or `insecureSkipVerify`";
        problems.error(written.key, "`insecureSkipVerify` looks at neither authorities nor names", help);
    }
    if let Some(credential) = credential {
        if !(tls.client_certificate.is_empty() && tls.private_key.is_empty() && tls.ca_certificates.is_empty()) {
            problems.error(credential.key, "`credentialName` stands in place of files", "take one of them out");
        }
        problems.unsupported(
            credential.key,
            "credentialName".len(),
            "DestinationRule.spec.trafficPolicy.tls.credentialName",
        );
        return None;
    }
    if mode == Mode::Mutual && !own {
        let help = "add `clientCertificate` and `privateKey`, or say `mode: SIMPLE`";
        problems.error(written.key, "`mode: MUTUAL` needs a certificate of our own", help);
    }
    let certificate = (mode == Mode::Mutual && own).then(|| Certificate {
        chain: problems.beside(&tls.client_certificate),
        key: problems.beside(&tls.private_key),
    });
    Some(TlsSetting::Simple {
        certificate,
        ca: Some(&tls.ca_certificates).filter(|path| !path.is_empty()).map(|path| problems.beside(path)),
        names: tls.subject_alt_names.clone(),
        sni: Some(tls.sni.clone()).filter(|sni| !sni.is_empty()),
        insecure: tls.insecure_skip_verify,
    })
}
