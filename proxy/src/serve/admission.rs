//! What a request must be like before it is routed, and what is made of it then.

use super::client::Peer;
use super::client_cert;
use super::control_fields;
use super::respond::Failure;
use crate::filter::path::{Normalized, normalize, unescape_slashes};
use crate::filter::{hop_by_hop, referer};
use crate::policy::{ClientAddress, HttpManager, StripPort, Underscores};
use crate::telemetry::trace::request_id::fresh;
use rand::Rng;
use squall_http1::{Request, Version};
use std::net::{IpAddr, SocketAddr};

/// What was found out of a request on its way in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Admitted {
    /// The client, by what is trusted.
    pub(super) client: Option<SocketAddr>,
    /// It comes from inside: its control fields are obeyed.
    pub(super) internal: bool,
    /// What it asks to switch to, in lower case; `connect` for CONNECT.
    pub(super) upgrade: Option<String>,
    /// It has to come again for this target.
    pub(super) redirect: Option<String>,
}

/// Checks a request and brings it into the form in which it is matched and sent on.
pub(super) fn admit(
    manager: &HttpManager,
    peer: &Peer,
    request: &mut Request,
    rng: &mut impl Rng,
) -> Result<Admitted, Failure> {
    version(manager, request)?;
    let upgrade = upgrade(request)?;
    absolute_target(manager, request, upgrade.as_deref() == Some("connect"))?;
    let redirect = path(manager, request)?;
    authority(manager, peer, request)?;
    underscores(manager, request)?;
    hop_by_hop::strip(&mut request.headers).map_err(|_| Failure::ConnectionMisused)?;
    referer::sanitize(&mut request.headers);
    if let Some(upgrade) = upgrade.as_deref().filter(|upgrade| *upgrade != "connect") {
        request.headers.add("connection", b"upgrade");
        request.headers.add("upgrade", upgrade.as_bytes());
    }
    let (client, internal) = forwarded(manager, peer, request);
    client_cert::forward(manager, peer, request);
    trust(manager, request, internal);
    request_id(manager, request, internal, rng);
    Ok(Admitted { client, internal, upgrade, redirect })
}

fn version(manager: &HttpManager, request: &mut Request) -> Result<(), Failure> {
    if request.version != Version::Http10 {
        return Ok(());
    }
    if !manager.http1.accept_http_10 {
        // What is wanted instead is said in the version that is wanted.
        request.version = Version::Http11;
        return Err(Failure::LowVersion);
    }
    if let (false, Some(host)) = (request.headers.contains("host"), &manager.http1.default_host) {
        request.headers.add("host", host.as_bytes());
    }
    Ok(())
}

/// What a request asks to switch to. An offer to go on in HTTP/2 is not taken up; the request goes on as it is.
fn upgrade(request: &mut Request) -> Result<Option<String>, Failure> {
    if request.method() == "CONNECT" {
        let has_body = request.framing().is_ok_and(|framing| framing != squall_http1::Framing::Empty);
        let has_body = has_body && request.version != Version::Http2;
        return if has_body {
            Err(Failure::Refused(squall_http1::Refusal::Syntax))
        } else {
            Ok(Some("connect".to_owned()))
        };
    }
    if request.headers.has_token("upgrade", "h2c") {
        request.headers.remove("upgrade");
        request.headers.remove("http2-settings");
        return Ok(None);
    }
    let asked = request.headers.get_str("upgrade").map(|upgrade| upgrade.trim().to_ascii_lowercase());
    Ok(asked.filter(|_| request.headers.has_token("connection", "upgrade")))
}

/// The host of an absolute target goes before the field.
fn absolute_target(manager: &HttpManager, request: &mut Request, connect: bool) -> Result<(), Failure> {
    if request.target().starts_with('/') && !connect {
        return Ok(());
    }
    let target = request.target().to_owned();
    if connect {
        if request.version != Version::Http2 {
            request.headers.set("host", target.as_bytes());
        }
        return Ok(());
    }
    let schemes = ["http://", "https://"];
    let scheme = schemes
        .iter()
        .find(|scheme| target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    let Some(rest) = scheme.filter(|_| manager.http1.absolute_url).and_then(|scheme| target.get(scheme.len()..)) else {
        return Err(Failure::BadTarget);
    };
    let path_at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(path_at);
    request.headers.set("host", authority.as_bytes());
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    request.set_target(&path);
    Ok(())
}

fn path(manager: &HttpManager, request: &mut Request) -> Result<Option<String>, Failure> {
    let changed = match normalize(manager.paths, request.target()) {
        Normalized::Refused => {
            // What is logged is what it was refused for.
            let read = unescape_slashes(request.target());
            request.set_target(&read);
            return Err(Failure::PathNormalization);
        }
        Normalized::Redirect(target) => {
            request.set_target(&target);
            return Ok(Some(target));
        }
        Normalized::Target(std::borrow::Cow::Borrowed(_)) => return Ok(None),
        Normalized::Target(std::borrow::Cow::Owned(target)) => target,
    };
    request.set_target(&changed);
    Ok(None)
}

fn authority(manager: &HttpManager, peer: &Peer, request: &mut Request) -> Result<(), Failure> {
    let host = request.headers.get("host").unwrap_or_default();
    if host.is_empty() || request.headers.get_all("host").count() > 1 {
        return Err(Failure::MissingHost);
    }
    // Neither user nor path nor anything that no name has: what is matched must be what others read.
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:[]%".contains(byte);
    if !host.iter().all(allowed) {
        return Err(Failure::BadAuthority);
    }
    let text = request.headers.get_str("host").unwrap_or_default();
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => {
            (name, Some(port))
        }
        _ => (text, None),
    };
    let strip = match manager.authority.strip_port {
        StripPort::Never => false,
        StripPort::Any => true,
        StripPort::Matching => port.and_then(|port| port.parse().ok()) == Some(peer.local.port()),
    };
    let port = port.filter(|_| !strip);
    let name_kept = if manager.authority.strip_trailing_dot { name.strip_suffix('.').unwrap_or(name) } else { name };
    if strip || name_kept.len() != name.len() {
        let changed = port.map_or_else(|| name_kept.to_owned(), |port| format!("{name_kept}:{port}"));
        request.headers.set("host", changed.as_bytes());
    }
    Ok(())
}

fn underscores(manager: &HttpManager, request: &mut Request) -> Result<(), Failure> {
    let named = |request: &Request| request.headers.iter().any(|(name, _)| name.contains('_'));
    match manager.paths.underscores {
        Underscores::Allow => {}
        Underscores::Reject if named(request) => return Err(Failure::Underscore),
        Underscores::Drop => request.headers.retain(|name, _| !name.contains('_')),
        Underscores::Reject => {}
    }
    Ok(())
}

/// `x-forwarded-*`: who the client is, and whether it comes from inside.
fn forwarded(manager: &HttpManager, peer: &Peer, request: &mut Request) -> (Option<SocketAddr>, bool) {
    let rules = &manager.client_address;
    let last = last_forwarded(request, rules);
    let single = request
        .headers
        .get_all("x-forwarded-for")
        .map(|value| value.split(|byte| *byte == b',').count())
        .sum::<usize>();
    let (client, internal) = if rules.use_remote {
        let client = if rules.trusted_hops == 0 { None } else { last.map(|ip| SocketAddr::new(ip, 0)) };
        let internal = single == 0 && is_internal(rules, peer.remote.ip());
        if !rules.skip_append {
            append_forwarded(request, peer.remote.ip());
        }
        (client.unwrap_or(peer.remote), internal)
    } else {
        let client = last.map_or(peer.remote, |ip| SocketAddr::new(ip, 0));
        (client, single == 1 && is_internal(rules, client.ip()))
    };
    if rules.use_remote && rules.trusted_hops == 0 {
        request.headers.set("x-forwarded-proto", peer.scheme().as_bytes());
    } else if !request.headers.contains("x-forwarded-proto") {
        request.headers.add("x-forwarded-proto", peer.scheme().as_bytes());
    }
    let known = request.headers.contains("x-forwarded-port") && !(rules.use_remote && rules.trusted_hops == 0);
    if rules.append_port && !known {
        request.headers.set("x-forwarded-port", itoa::Buffer::new().format(peer.local.port()).as_bytes());
    }
    if rules.use_remote && !internal {
        request.headers.set("x-envoy-external-address", client.ip().to_string().as_bytes());
    }
    (Some(client), internal)
}

/// The address that the trusted proxies ahead of this one vouch for.
fn last_forwarded(request: &Request, rules: &ClientAddress) -> Option<IpAddr> {
    let items = request.headers.get_all("x-forwarded-for").flat_map(|value| value.split(|byte| *byte == b','));
    let items: Vec<_> = items.collect();
    // With our own peer as the client, the nearest proxy has vouched for the last address but one.
    let from_end = if rules.use_remote { rules.trusted_hops.saturating_sub(1) } else { rules.trusted_hops };
    let item = items.get(items.len().checked_sub(1 + from_end as usize)?)?;
    str::from_utf8(item.trim_ascii()).ok()?.parse().ok()
}

/// Says from where a request came to its sender.
pub(super) fn append_forwarded(request: &mut Request, ip: IpAddr) {
    let before = request.headers.get_str("x-forwarded-for").map(ToOwned::to_owned);
    let value = before.map_or_else(|| ip.to_string(), |before| format!("{before},{ip}"));
    request.headers.set("x-forwarded-for", value.as_bytes());
}

fn is_internal(rules: &ClientAddress, ip: IpAddr) -> bool {
    rules.internal.iter().any(|range| range.contains(ip))
}

fn trust(manager: &HttpManager, request: &mut Request, internal: bool) {
    request.headers.remove("x-envoy-internal");
    if internal {
        request.headers.add("x-envoy-internal", b"true");
    } else {
        control_fields::strip_untrusted(&mut request.headers, manager.router.respect_expected_timeout);
    }
}

fn request_id(manager: &HttpManager, request: &mut Request, internal: bool, rng: &mut impl Rng) {
    let edge = manager.client_address.use_remote && !internal;
    if edge && !manager.request_id.preserve_external {
        request.headers.remove("x-request-id");
    }
    if manager.request_id.generate && !request.headers.contains("x-request-id") {
        request.headers.add("x-request-id", &fresh(rng));
    }
}

#[cfg(test)]
mod tests;
