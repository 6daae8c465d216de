//! What a certificate says of its owner. Who signed it is another question, and asked elsewhere.

mod subject;

use super::der::{BOOLEAN, Der, OBJECT, OCTETS, SEQUENCE};
use ring::digest::{SHA256, digest};
use std::fmt::Write as _;
use std::net::IpAddr;

/// What a certificate says of its owner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Owner {
    /// As RFC 2253 writes it: `CN=cart,O=Shop`; possibly empty.
    pub subject: String,
    /// The last common name of the subject.
    pub common_name: Option<String>,
    /// Names of hosts, `*.shop.example` among them.
    pub dns: Vec<String>,
    /// Identities: `spiffe://cluster.local/ns/default/sa/cart`.
    pub uris: Vec<String>,
    /// Addresses of persons.
    pub emails: Vec<String>,
    /// Addresses of hosts.
    pub ips: Vec<IpAddr>,
}

/// Identifier of the names beside the subject: 2.5.29.17.
const ALT_NAMES: &[u8] = &[0x55, 0x1d, 0x11];

impl Owner {
    /// Reads it; none where this is no certificate.
    pub(crate) fn of(certificate: &[u8]) -> Option<Self> {
        let mut whole = Der::new(certificate).inside(SEQUENCE)?;
        let mut body = whole.inside(SEQUENCE)?;
        let _version = body.take(0xa0);
        // Serial number, algorithm, issuer, validity.
        for _ in 0..4 {
            body.next()?;
        }
        let named = body.take(SEQUENCE)?;
        let _key = body.take(SEQUENCE)?;
        let mut owner =
            Self { subject: subject::text(named), common_name: subject::common_name(named), ..Self::default() };
        while let Some((tag, content)) = body.next() {
            if tag == 0xa3 {
                owner.read_extensions(content);
            }
        }
        Some(owner)
    }

    fn read_extensions(&mut self, content: &[u8]) {
        let Some(mut extensions) = Der::new(content).inside(SEQUENCE) else { return };
        while let Some(mut extension) = extensions.inside(SEQUENCE) {
            let id = extension.take(OBJECT);
            let _critical = extension.take(BOOLEAN);
            let names = extension.take(OCTETS).filter(|_| id == Some(ALT_NAMES));
            let Some(mut names) = names.and_then(|names| Der::new(names).inside(SEQUENCE)) else { continue };
            while let Some((tag, content)) = names.next() {
                self.read_name(tag, content);
            }
        }
    }

    fn read_name(&mut self, tag: u8, content: &[u8]) {
        let text = str::from_utf8(content).ok().map(ToOwned::to_owned);
        match tag {
            0x81 => self.emails.extend(text),
            0x82 => self.dns.extend(text),
            0x86 => self.uris.extend(text),
            0x87 => {
                let v4 = <[u8; 4]>::try_from(content).ok().map(IpAddr::from);
                self.ips.extend(v4.or_else(|| <[u8; 16]>::try_from(content).ok().map(IpAddr::from)));
            }
            _ => {}
        }
    }

    /// True if it has no name beside its subject.
    pub(super) fn has_no_alt_names(&self) -> bool {
        self.dns.is_empty() && self.uris.is_empty() && self.emails.is_empty() && self.ips.is_empty()
    }
}

/// The SHA-256 of a certificate, in hexadecimal.
pub(crate) fn fingerprint(certificate: &[u8]) -> String {
    let digest = digest(&SHA256, certificate);
    digest.as_ref().iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A value with its length ahead.
    fn value(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        let ahead = if length < 0x80 { vec![tag, length] } else { vec![tag, 0x81, length] };
        [ahead, content.to_vec()].concat()
    }

    /// A certificate with these names, as far as it is looked at.
    fn certificate(names: &[(u8, &[u8])]) -> Vec<u8> {
        let names: Vec<u8> = names.iter().flat_map(|(tag, name)| value(*tag, name)).collect();
        let id = value(OBJECT, ALT_NAMES);
        let extension = [id, value(BOOLEAN, &[0xff]), value(OCTETS, &value(SEQUENCE, &names))].concat();
        let extensions = value(SEQUENCE, &value(SEQUENCE, &extension));
        let common_name = [value(OBJECT, &[0x55, 4, 3]), value(0x0c, b"cart")].concat();
        let subject = value(SEQUENCE, &value(0x31, &value(SEQUENCE, &common_name)));
        let empty = value(SEQUENCE, &[]);
        let body = [
            value(0xa0, &value(2, &[2])),
            value(2, &[1]),
            empty.clone(),
            empty.clone(),
            empty.clone(),
            subject,
            empty,
            value(0xa3, &extensions),
        ];
        value(SEQUENCE, &value(SEQUENCE, &body.concat()))
    }

    #[test]
    fn every_kind_of_name_is_read() {
        let owner = Owner::of(&certificate(&[
            (0x82, b"*.shop.example"),
            (0x86, b"spiffe://a/sa/b"),
            (0x81, b"a@shop.example"),
            (0x87, &[10, 0, 0, 1]),
            (0x87, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
            (0x88, b"something else"),
            (0x82, b"shop.example"),
        ]));
        let owner = owner.unwrap();
        assert_eq!((owner.subject.as_str(), owner.common_name.as_deref()), ("CN=cart", Some("cart")));
        assert_eq!(owner.dns, ["*.shop.example", "shop.example"]);
        assert_eq!(owner.uris, ["spiffe://a/sa/b"]);
        assert_eq!(owner.emails, ["a@shop.example"]);
        assert_eq!(owner.ips.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.1", "::1"]);
    }

    #[test]
    fn a_fingerprint_is_a_sha256_in_hexadecimal() {
        let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(fingerprint(b""), of_nothing);
    }

    proptest! {
        #[test]
        fn a_certificate_that_is_cut_or_damaged_panics_nowhere(at in 0_usize..200, byte in any::<u8>()) {
            let mut bytes = certificate(&[(0x82, b"shop.example"), (0x87, &[10, 0, 0, 1])]);
            let at = at % bytes.len();
            let _ = Owner::of(&bytes[..at]);
            bytes[at] = byte;
            let _ = Owner::of(&bytes);
        }
    }
}
