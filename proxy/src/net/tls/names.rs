//! Whether a certificate is for one of the names that are wanted, as Envoy compares them.

use crate::net::certificate::Owner;
use crate::policy::{NameKind, NameMatch, Pattern};
use rustls::{CertificateError, Error};

/// An error unless one of its names is wanted.
pub(super) fn check(wanted: &[NameMatch], certificate: &[u8]) -> Result<(), Error> {
    let owner = Owner::of(certificate).ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))?;
    if wanted.iter().any(|wanted| fits(wanted, &owner)) {
        return Ok(());
    }
    Err(Error::InvalidCertificate(CertificateError::NotValidForName))
}

fn fits(wanted: &NameMatch, owner: &Owner) -> bool {
    let is = |kind| wanted.kind.is_none_or(|wanted| wanted == kind);
    let texts = |names: &[String]| names.iter().any(|name| wanted.value.matches(name));
    let of_host = |name: &String| match &wanted.value.pattern {
        Pattern::Exact(exact) => stands_for(name, exact),
        _ => wanted.value.matches(name),
    };
    is(NameKind::Dns) && owner.dns.iter().any(of_host)
        || is(NameKind::Uri) && texts(&owner.uris)
        || is(NameKind::Email) && texts(&owner.emails)
        || is(NameKind::Ip) && owner.ips.iter().any(|ip| wanted.value.matches(&ip.to_string()))
}

/// Whether a host's name in a certificate stands for `host`: `*` for letters of its first label, and only once.
fn stands_for(name: &str, host: &str) -> bool {
    if name.eq_ignore_ascii_case(host) {
        return true;
    }
    let (Some((label, suffix)), Some((first, rest))) = (name.split_once('.'), host.split_once('.')) else {
        return false;
    };
    let Some((start, end)) = label.split_once('*') else { return false };
    let punycode = label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"));
    if punycode || end.contains('*') || suffix.contains('*') || !suffix.eq_ignore_ascii_case(rest) {
        return false;
    }
    let (label, first) = (label.len(), first.as_bytes());
    let same =
        |part: Option<&[u8]>, wanted: &str| part.is_some_and(|part| part.eq_ignore_ascii_case(wanted.as_bytes()));
    label <= first.len() + 1
        && same(first.get(..start.len()), start)
        && same(first.get(first.len().saturating_sub(end.len())..), end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::TextMatch;
    use regex::Regex;

    #[test]
    fn a_star_stands_for_letters_of_the_first_label_alone() {
        for (name, host, fits) in [
            ("shop.example", "shop.example", true),
            ("Shop.Example", "shop.eXample", true),
            ("*.shop.example", "cart.shop.example", true),
            ("*.shop.example", "a.cart.shop.example", false),
            ("*.shop.example", "shop.example", false),
            ("ca*.shop.example", "cart.shop.example", true),
            ("*rt.shop.example", "cart.shop.example", true),
            ("c*t.shop.example", "cart.shop.example", true),
            ("ca*art.shop.example", "cart.shop.example", false),
            ("c**t.shop.example", "cart.shop.example", false),
            ("cart.*.example", "cart.shop.example", false),
            ("xn--*.shop.example", "xn--a.shop.example", false),
            ("*", "shop", false),
            ("spiffe://*.a", "spiffe://b.a", true),
        ] {
            assert_eq!(stands_for(name, host), fits, "{name} for {host}");
        }
    }

    #[test]
    fn each_kind_of_name_is_compared_by_every_kind_of_condition() {
        let owner = Owner {
            dns: vec!["*.shop.example".to_owned()],
            uris: vec!["spiffe://cluster.local/ns/shop/sa/cart".to_owned()],
            emails: vec!["cart@shop.example".to_owned()],
            ips: vec!["10.0.0.1".parse().unwrap(), "2001:db8::1".parse().unwrap()],
            ..Owner::default()
        };
        let own = str::to_owned;
        for (kind, pattern, expected) in [
            (None, Pattern::Exact(own("cart.shop.example")), true),
            (Some(NameKind::Dns), Pattern::Exact(own("cart.shop.example")), true),
            (Some(NameKind::Uri), Pattern::Exact(own("cart.shop.example")), false),
            (Some(NameKind::Dns), Pattern::Prefix(own("cart")), false),
            (Some(NameKind::Dns), Pattern::Suffix(own(".shop.example")), true),
            (Some(NameKind::Dns), Pattern::Contains(own("shop")), true),
            (Some(NameKind::Uri), Pattern::Prefix(own("spiffe://cluster.local/ns/shop/")), true),
            (Some(NameKind::Uri), Pattern::Regex(Regex::new("^(?:spiffe://.*/sa/cart)$").unwrap()), true),
            (Some(NameKind::Uri), Pattern::Regex(Regex::new("^(?:.*/sa/web)$").unwrap()), false),
            (Some(NameKind::Email), Pattern::Suffix(own("@shop.example")), true),
            (Some(NameKind::Ip), Pattern::Exact(own("10.0.0.1")), true),
            (Some(NameKind::Ip), Pattern::Exact(own("2001:db8::1")), true),
            (Some(NameKind::Ip), Pattern::Prefix(own("10.0.1.")), false),
            (None, Pattern::Exact(own("10.0.0.1")), true),
        ] {
            let wanted = NameMatch { kind, value: TextMatch::from(pattern) };
            assert_eq!(fits(&wanted, &owner), expected, "{wanted:?}");
        }
    }
}
