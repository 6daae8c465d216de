use super::super::super::LoadOptions;
use super::support::{read_with, with_cluster, with_manager};
use crate::policy::{Cidr, Config, HttpFilter, Refill};

fn by(version: &str, text: &str) -> Config {
    let options = LoadOptions { version: version.parse().unwrap(), ..LoadOptions::default() };
    let (config, findings, _) = read_with(text, &options);
    config.unwrap_or_else(|| panic!("{findings:?} in\n{text}"))
}

#[test]
fn the_envoy_of_an_old_istio_trusts_private_addresses_and_speaks_http_2_with_wide_windows() {
    let text = with_manager("", "", "virtual_hosts: []");
    for (version, trusted, window) in
        [("1.24", true, 256 << 20), ("1.25", false, 256 << 20), ("1.27", false, 256 << 20), ("1.28", false, 16 << 20)]
    {
        let config = by(version, &text);
        let manager = config.http_managers().next().unwrap();
        let ten = |range: &Cidr| range.contains([10, 0, 0, 1].into());
        assert_eq!(manager.client_address.internal.iter().any(ten), trusted, "{version}");
        assert_eq!(manager.http2.stream_window, window, "{version}");
    }
    let said = with_manager("internal_address_config: {}", "", "virtual_hosts: []");
    assert!(by("1.24", &said).http_managers().next().unwrap().client_address.internal.is_empty());
}

#[test]
fn the_envoy_of_an_old_istio_always_ejects_one() {
    let text = with_cluster("outlier_detection: {}");
    for (version, always) in [("1.19", true), ("1.20", false)] {
        assert_eq!(by(version, &text).clusters[0].outlier.as_ref().unwrap().always_eject_one, always, "{version}");
    }
}

#[test]
fn the_envoy_of_an_old_istio_fills_buckets_by_steps() {
    let limit = "{name: limit, typed_config: {\"@type\": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit, stat_prefix: l, token_bucket: {max_tokens: 1, fill_interval: 1s}}}";
    let text = with_manager("", limit, "virtual_hosts: []");
    for (version, refill) in [("1.22", Refill::BySteps), ("1.23", Refill::Evenly)] {
        let config = by(version, &text);
        let manager = config.http_managers().next().unwrap();
        assert!(
            matches!(&manager.filters[0], HttpFilter::LocalRateLimit(limit) if limit.bucket.refill == refill),
            "{version}: {:?}",
            manager.filters
        );
    }
}
