//! What the Envoy of a version does by itself, whoever configures it.

use super::IstioVersion;
use crate::policy::{Cidr, Http2Options, Refill};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

impl IstioVersion {
    /// HTTP/2 where nothing is said of it.
    pub(in crate::config) fn http2(self) -> Http2Options {
        if !self.has_wide_http2() {
            return Http2Options::default();
        }
        let window = 256 << 20;
        Http2Options {
            max_concurrent_streams: (1 << 31) - 1,
            stream_window: window,
            connection_window: window,
            ..Http2Options::default()
        }
    }

    /// Addresses whose control fields are obeyed where nothing is said of them: nobody's, or the private ones.
    pub(in crate::config) fn internal_addresses(self) -> Vec<Cidr> {
        if !self.trusts_private_addresses() {
            return Vec::new();
        }
        let v4 = |a, b, prefix| Cidr { address: IpAddr::V4(Ipv4Addr::new(a, b, 0, 0)), prefix };
        let v6 = |first, prefix| Cidr { address: IpAddr::V6(Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, 0)), prefix };
        let loopback = Cidr { address: IpAddr::V6(Ipv6Addr::LOCALHOST), prefix: 128 };
        vec![v4(10, 0, 8), v4(172, 16, 12), v4(192, 168, 16), v4(127, 0, 8), v6(0xfd00, 8), loopback]
    }

    /// How buckets of local rate limits are filled.
    pub(in crate::config) fn refill(self) -> Refill {
        if self.fills_buckets_by_steps() { Refill::BySteps } else { Refill::Evenly }
    }
}
