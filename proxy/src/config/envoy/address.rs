//! Addresses and ranges of them.

use super::message::Message;
use super::reading::Said;
use super::schema::{ADDRESS, CIDR_RANGE, PIPE, SOCKET_ADDRESS};
use super::written::Written;
use crate::policy::{Address, Cidr};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// Any address; a host that is no IP address is a name to look up.
pub(super) fn any(written: &Written<'_>) -> Option<Address> {
    let address = written.message(&ADDRESS)?;
    match address.one_of(&["socket_address", "pipe"], true)? {
        ("pipe", pipe) => {
            let path = pipe.message(&PIPE)?.required_text("path");
            Some(Address::Pipe(PathBuf::from(path)))
        }
        (_, socket) => {
            let socket = socket.message(&SOCKET_ADDRESS)?;
            socket.choice("protocol", &[("TCP", 0, Some(())), ("UDP", 1, None)]);
            let host = socket.required_text("address");
            socket.require("port_value");
            let port: u16 = socket.within("port_value", 0, 65_535)?;
            if host.is_empty() {
                return None;
            }
            match host.parse::<IpAddr>() {
                Ok(ip) => Some(Address::Socket(SocketAddr::new(ip, port))),
                Err(_) => Some(Address::Name(host, port)),
            }
        }
    }
}

/// An address to listen at: an IP address with a port.
pub(super) fn socket(written: &Written<'_>) -> Option<SocketAddr> {
    match any(written)? {
        Address::Socket(address) => return Some(address),
        Address::Name(host, _) => written.error(
            Said::from(format!("`{host}` is no IP address")).expected("an IP address such as 127.0.0.1, 0.0.0.0 or ::"),
        ),
        Address::Pipe(_) => written.refuse("a `pipe` to listen at"),
    }
    None
}

/// Ranges of addresses.
pub(super) fn ranges(message: &Message<'_>, name: &str) -> Vec<Cidr> {
    message.messages(name, &CIDR_RANGE).iter().filter_map(range).collect()
}

fn range(range: &Message<'_>) -> Option<Cidr> {
    let text = range.required_text("address_prefix");
    let Ok(address) = text.parse::<IpAddr>() else {
        if !text.is_empty() {
            let said = Said::from(format!("`{text}` is no IP address")).expected("an address such as 10.0.0.0");
            range.at.error(said.help("the length stands beside it, under `prefix_len`"));
        }
        return None;
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    // Absent is zero, as in any message of protobuf: every address.
    let prefix = if range.has("prefix_len") { range.within("prefix_len", 0, most)? } else { 0 };
    Some(Cidr { address, prefix })
}
