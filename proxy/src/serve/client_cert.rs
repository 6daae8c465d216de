//! `x-forwarded-client-cert`: what is told to the upstream of the certificate that a client showed, as Envoy tells it.

use super::client::Peer;
use crate::net::{Owner, fingerprint};
use crate::policy::{ClientCertDetails, ForwardClientCert, HttpManager};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use squall_http1::Request;
use std::cell::RefCell;
use std::sync::Arc;

/// The name of the field.
const FIELD: &str = "x-forwarded-client-cert";

/// What both ends have shown each other by TLS.
#[derive(Debug)]
pub(super) struct Identities {
    /// Who we are.
    pub(super) ours: Arc<Owner>,
    /// The client, if it showed anything.
    pub(super) theirs: Option<Shown>,
}

/// A client's certificate.
#[derive(Debug)]
pub(super) struct Shown {
    /// Whose it is.
    pub(super) owner: Owner,
    /// As it came, the client's own first.
    chain: Vec<Vec<u8>>,
    /// The field, once it was asked for: all requests of a connection get the same.
    told: RefCell<Option<(ClientCertDetails, Arc<[u8]>)>>,
}

impl Shown {
    /// What a client showed; none if that was nothing.
    pub(super) fn new<'c>(chain: impl Iterator<Item = &'c [u8]>) -> Option<Self> {
        let chain: Vec<_> = chain.map(<[u8]>::to_vec).collect();
        let owner = Owner::of(chain.first()?).unwrap_or_default();
        Some(Self { owner, chain, told: RefCell::default() })
    }

    fn told(&self, ours: &Owner, wanted: ClientCertDetails) -> Arc<[u8]> {
        if let Some((_, told)) = self.told.borrow().as_ref().filter(|(known, _)| *known == wanted) {
            return Arc::clone(told);
        }
        let told: Arc<[u8]> = in_a_line(&self.text(ours, wanted)).into_bytes().into();
        *self.told.borrow_mut() = Some((wanted, Arc::clone(&told)));
        told
    }

    fn text(&self, ours: &Owner, wanted: ClientCertDetails) -> String {
        let owner = &self.owner;
        let mut parts: Vec<String> = ours.uris.iter().map(|uri| format!("By={uri}")).collect();
        let first = self.chain.first().map(Vec::as_slice).unwrap_or_default();
        parts.push(format!("Hash={}", fingerprint(first)));
        if wanted.cert {
            parts.push(format!("Cert=\"{}\"", pem(first)));
        }
        if wanted.chain {
            parts.push(format!("Chain=\"{}\"", self.chain.iter().map(|one| pem(one)).collect::<String>()));
        }
        if wanted.subject {
            parts.push(format!("Subject=\"{}\"", owner.subject));
        }
        if wanted.uri {
            parts.extend(owner.uris.iter().map(|uri| format!("URI={uri}")));
            if owner.uris.is_empty() {
                parts.push("URI=".to_owned());
            }
        }
        if wanted.dns {
            parts.extend(owner.dns.iter().map(|dns| format!("DNS={dns}")));
        }
        parts.join(";")
    }
}

/// The text without anything that could end a field: whoever signs a certificate says what stands in its names.
fn in_a_line(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { format!("%{:02X}", u32::from(letter)) } else { letter.to_string() })
        .collect()
}

/// A certificate as PEM, with what may not stand in a field written as in a URL.
fn pem(certificate: &[u8]) -> String {
    let body = STANDARD.encode(certificate);
    let mut text = "-----BEGIN%20CERTIFICATE-----%0A".to_owned();
    for (at, letter) in body.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            text.push_str("%0A");
        }
        match letter {
            '+' => text.push_str("%2B"),
            '/' => text.push_str("%2F"),
            '=' => text.push_str("%3D"),
            letter => text.push(letter),
        }
    }
    text.push_str("%0A-----END%20CERTIFICATE-----%0A");
    text
}

/// Brings the field of a request into the form that the upstream may believe.
pub(super) fn forward(manager: &HttpManager, peer: &Peer, request: &mut Request) {
    if manager.client_cert == ForwardClientCert::AlwaysForwardOnly {
        return;
    }
    let shown = peer.identities.as_ref().and_then(|both| both.theirs.as_ref().map(|shown| (&both.ours, shown)));
    let Some((ours, shown)) = shown.filter(|_| manager.client_cert != ForwardClientCert::Sanitize) else {
        request.headers.remove(FIELD);
        return;
    };
    if manager.client_cert == ForwardClientCert::ForwardOnly {
        return;
    }
    let told = shown.told(ours, manager.client_cert_details);
    let before: Vec<u8> = match manager.client_cert {
        ForwardClientCert::AppendForward => request.headers.get_all(FIELD).collect::<Vec<_>>().join(&b","[..]),
        _ => Vec::new(),
    };
    if before.is_empty() {
        request.headers.set(FIELD, &told);
    } else {
        request.headers.set(FIELD, &[&before[..], b",", &told].concat());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: ClientCertDetails = ClientCertDetails { cert: false, chain: false, subject: true, uri: true, dns: true };

    fn shown(uris: &[&str], dns: &[&str]) -> Shown {
        let own = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let owner = Owner { subject: "CN=web".to_owned(), uris: own(uris), dns: own(dns), ..Owner::default() };
        Shown { owner, chain: vec![b"web".to_vec(), b"authority".to_vec()], told: RefCell::default() }
    }

    #[test]
    fn the_parts_stand_in_envoys_order_and_each_name_by_itself() {
        let ours = Owner { uris: vec!["spiffe://cart".to_owned()], ..Owner::default() };
        let hash = fingerprint(b"web");
        let told = shown(&["spiffe://web", "spiffe://w"], &["web.example"]).text(&ours, ALL);
        assert_eq!(
            told,
            format!("By=spiffe://cart;Hash={hash};Subject=\"CN=web\";URI=spiffe://web;URI=spiffe://w;DNS=web.example")
        );
        let nameless = shown(&[], &[]);
        assert_eq!(nameless.text(&Owner::default(), ALL), format!("Hash={hash};Subject=\"CN=web\";URI="));
        assert_eq!(nameless.text(&ours, ClientCertDetails::default()), format!("By=spiffe://cart;Hash={hash}"));
    }

    #[test]
    fn a_name_cannot_end_the_field_that_tells_it() {
        let told = shown(&["spiffe://a\r\nx-admin: yes"], &[]).told(&Owner::default(), ALL);
        let told = String::from_utf8_lossy(&told).into_owned();
        assert!(told.ends_with("URI=spiffe://a%0D%0Ax-admin: yes"), "{told}");
    }

    #[test]
    fn certificates_are_told_as_pem_for_a_url() {
        let web = "-----BEGIN%20CERTIFICATE-----%0Ad2Vi%0A-----END%20CERTIFICATE-----%0A";
        let authority = "-----BEGIN%20CERTIFICATE-----%0AYXV0aG9yaXR5%0A-----END%20CERTIFICATE-----%0A";
        let wanted = ClientCertDetails { cert: true, chain: true, ..ClientCertDetails::default() };
        let told = shown(&[], &[]).text(&Owner::default(), wanted);
        assert!(told.ends_with(&format!(";Cert=\"{web}\";Chain=\"{web}{authority}\"")), "{told}");
        let long = pem(&[0xff; 49]);
        assert_eq!(long.matches("%2F").count(), 65, "{long}");
        assert_eq!(long.matches("%0A").count(), 4, "{long}");
    }
}
