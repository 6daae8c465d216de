//! TLS to endpoints, as a rule asks for it.

use crate::config::objects::TlsSetting;
use crate::policy::{NameMatch, ServerNames, Sni, TlsVersions, Trust, UpstreamTls};

/// TLS of a cluster. `alt_names` are those of the service's entry, for a rule that says none.
pub(super) fn upstream_tls(setting: &TlsSetting, alt_names: &[String]) -> Option<UpstreamTls> {
    let TlsSetting::Simple { certificate, ca, names, sni, insecure } = setting else { return None };
    let names = if names.is_empty() { alt_names } else { names };
    let given = !names.is_empty();
    Some(UpstreamTls {
        sni: sni.as_ref().map_or(Sni::FromHost, |sni| Sni::Fixed(sni.clone())),
        trust: match ca {
            _ if *insecure => Trust::Nobody,
            Some(file) => Trust::File(file.clone()),
            None => Trust::System,
        },
        names: match sni {
            _ if *insecure => ServerNames::Any,
            _ if given => ServerNames::OneOf(names.iter().map(|name| NameMatch::exact(name)).collect()),
            // Whoever says a server name and no names to check gets the chain checked, and no name.
            Some(_) => ServerNames::Any,
            None => ServerNames::Sni,
        },
        certificate: certificate.clone(),
        alpn: Vec::new(),
        versions: TlsVersions::default(),
    })
}
