//! Limits laid over a configuration.

use super::support::{listener, resolved, shop};
use crate::policy::{Clients, Config, HttpManager, Limit, Setting, limit};
use std::time::Duration;

fn limited(clients: Clients, chosen: &[Setting]) -> Config {
    let mut config = resolved(&shop());
    limit(&mut config, clients, chosen);
    config
}

fn manager(config: &Config) -> &HttpManager {
    config.http_managers().next().unwrap()
}

#[test]
fn strangers_meet_every_limit_and_the_mesh_those_of_size_and_count() {
    let (strangers, mesh) = (limited(Clients::Strangers, &[]), limited(Clients::Mesh, &[]));
    let times = manager(&strangers).timeouts;
    assert_eq!((times.head, times.body_idle), (Some(Duration::from_secs(10)), Some(Duration::from_secs(30))));
    let manager_of_strangers = manager(&strangers);
    assert_eq!(manager_of_strangers.limits.target_bytes, 16 << 10);
    assert_eq!(manager_of_strangers.http2.max_concurrent_streams, 100);
    let times = manager(&mesh).timeouts;
    assert_eq!((times.head, times.body_idle, times.stream_idle, times.slow_reader), (None, None, None, None));
    assert_eq!(manager(&mesh).limits.head_bytes, 60 << 10);
    assert_eq!(listener(&strangers).max_connections, Some(10_000));
    assert_eq!(listener(&mesh).max_connections, Some(10_000));
}

#[test]
fn what_was_chosen_wins_and_none_switches_a_time_off() {
    let chosen = [
        Setting { limit: Limit::RequestHead, value: Some(1_000) },
        Setting { limit: Limit::StreamIdle, value: None },
        Setting { limit: Limit::Connections, value: Some(2) },
    ];
    let config = limited(Clients::Strangers, &chosen);
    let times = manager(&config).timeouts;
    assert_eq!((times.head, times.stream_idle), (Some(Duration::from_secs(1)), None));
    assert_eq!(listener(&config).max_connections, Some(2));
}
