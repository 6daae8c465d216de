//! Which endpoint of a cluster is picked.

use super::any::Extensions;
use super::message::Message;
use super::reading::Said;
use super::schema::{
    BALANCING, BALANCING_POLICY, COMMON_LB, EXTENSION, LEAST_REQUEST, LEAST_REQUEST_POLICY, LOCALITY_WEIGHTED, MAGLEV,
    MAGLEV_POLICY, POLICY_LOCALITY, POLICY_LOCALITY_WEIGHTED, POLICY_SLOW_START, RANDOM_POLICY, RING_HASH,
    RING_HASH_POLICY, ROUND_ROBIN, ROUND_ROBIN_POLICY, SLOW_START, Schema,
};
use super::share;
use crate::policy::{Balance, Discovery, SlowStart};
use std::time::Duration;

const MOST_RING: i128 = 8_388_608;
const MOST_TABLE: i128 = 5_000_011;

const POLICIES: Extensions = Extensions {
    known: &[&ROUND_ROBIN_POLICY, &LEAST_REQUEST_POLICY, &RANDOM_POLICY, &RING_HASH_POLICY, &MAGLEV_POLICY],
    package: "envoy.extensions.load_balancing_policies.",
    others: "client_side_weighted_round_robin cluster_provided dynamic_modules override_host pick_first \
        random_subsetting subset wrr_locality",
};

/// Everything that has a say in it.
pub(super) struct Balancing {
    pub(super) balance: Balance,
    pub(super) slow_start: Option<SlowStart>,
    pub(super) locality_weighted: bool,
    /// 50 by Envoy's default.
    pub(super) panic_percent: f64,
    /// Zero is at once, and so is nothing at all.
    pub(super) merge_window: Option<Duration>,
    pub(super) ignore_unchecked: bool,
    pub(super) close_on_change: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    RoundRobin,
    LeastRequest,
    RingHash,
    Random,
    Maglev,
    OfCluster,
    Extension,
}

/// Reads `lb_policy` with its block, or `load_balancing_policy`.
pub(super) fn read(cluster: &Message<'_>, discovery: &Discovery) -> Balancing {
    let common = cluster.message("common_lb_config", &COMMON_LB);
    let panic = common.as_ref().and_then(|common| share::percent(common, "healthy_panic_threshold"));
    let by_runtime = cluster.at.reading.runtime.borrow_mut().number("upstream.healthy_panic_threshold");
    let weighted = common.as_ref().and_then(|common| common.message("locality_weighted_lb_config", &LOCALITY_WEIGHTED));
    let mut balancing = Balancing {
        balance: Balance::RoundRobin,
        slow_start: None,
        locality_weighted: weighted.is_some(),
        panic_percent: by_runtime.or(panic).unwrap_or(50.0),
        merge_window: common.as_ref().and_then(|common| common.limit("update_merge_window", None)),
        ignore_unchecked: common.as_ref().is_some_and(|common| common.flag("ignore_new_hosts_until_first_hc")),
        close_on_change: common.as_ref().is_some_and(|common| common.flag("close_connections_on_host_set_change")),
    };
    let kind = kind(cluster, discovery);
    let blocks = [
        ("round_robin_lb_config", &ROUND_ROBIN, Kind::RoundRobin),
        ("least_request_lb_config", &LEAST_REQUEST, Kind::LeastRequest),
        ("ring_hash_lb_config", &RING_HASH, Kind::RingHash),
        ("maglev_lb_config", &MAGLEV, Kind::Maglev),
    ];
    let names: Vec<&'static str> = blocks.iter().map(|(name, ..)| *name).collect();
    let written = cluster.one_of(&names, false);
    let block = written.and_then(|(name, value)| {
        let (_, schema, of) = blocks.iter().find(|(other, ..)| *other == name)?;
        if *of != kind && !cluster.has("load_balancing_policy") {
            value.warn("this has no effect with this `lb_policy`");
        }
        value.message(schema).filter(|_| *of == kind)
    });
    if let Some(policy) = cluster.message("load_balancing_policy", &BALANCING) {
        by_extension(&policy, &mut balancing);
        return balancing;
    }
    balancing.balance = balance(kind, block.as_ref());
    if let (Kind::RoundRobin | Kind::LeastRequest, Some(block)) = (kind, &block) {
        balancing.slow_start = slow_start(block, &SLOW_START);
    }
    balancing
}

fn kind(cluster: &Message<'_>, discovery: &Discovery) -> Kind {
    let kinds = [
        ("ROUND_ROBIN", 0, Some(Kind::RoundRobin)),
        ("LEAST_REQUEST", 1, Some(Kind::LeastRequest)),
        ("RING_HASH", 2, Some(Kind::RingHash)),
        ("RANDOM", 3, Some(Kind::Random)),
        ("MAGLEV", 5, Some(Kind::Maglev)),
        ("CLUSTER_PROVIDED", 6, Some(Kind::OfCluster)),
        ("LOAD_BALANCING_POLICY_CONFIG", 7, Some(Kind::Extension)),
    ];
    let kind = cluster.choice("lb_policy", &kinds).unwrap_or(Kind::RoundRobin);
    let original = *discovery == Discovery::OriginalDestination;
    if original != (kind == Kind::OfCluster) && !cluster.has("load_balancing_policy") {
        let said = if original {
            Said::from("a cluster of type ORIGINAL_DST goes where the client was going")
                .help("write `lb_policy: CLUSTER_PROVIDED`")
        } else {
            Said::from("`lb_policy: CLUSTER_PROVIDED` is for clusters of type ORIGINAL_DST alone")
        };
        cluster.at.error(said);
    }
    if kind == Kind::Extension && !cluster.has("load_balancing_policy") {
        cluster.at.error("`lb_policy: LOAD_BALANCING_POLICY_CONFIG` needs a `load_balancing_policy`");
    }
    kind
}

fn balance(kind: Kind, block: Option<&Message<'_>>) -> Balance {
    match kind {
        Kind::RoundRobin | Kind::OfCluster | Kind::Extension => Balance::RoundRobin,
        Kind::Random => Balance::Random,
        Kind::LeastRequest => block.map_or(Balance::LEAST_REQUEST, least_request),
        Kind::RingHash => ring(block, 0),
        Kind::Maglev => maglev(block),
    }
}

fn least_request(block: &Message<'_>) -> Balance {
    let active_bias = share::runtime_number(block, "active_request_bias").unwrap_or(1.0);
    if active_bias < 0.0 {
        block.at.error("`active_request_bias` must not be below 0");
    }
    Balance::LeastRequest { choices: block.within("choice_count", 2, i128::from(u32::MAX)).unwrap_or(2), active_bias }
}

fn ring(block: Option<&Message<'_>>, least: i128) -> Balance {
    let (mut min_size, mut max_size) = (1024, MOST_RING as u64);
    if let Some(block) = block {
        // The older enum and the newer one number the same names differently.
        let hashes = match least {
            0 => [("DEFAULT_HASH", -1, None), ("XX_HASH", 0, Some(())), ("MURMUR_HASH_2", 1, None)],
            _ => [("DEFAULT_HASH", 0, Some(())), ("XX_HASH", 1, Some(())), ("MURMUR_HASH_2", 2, None)],
        };
        block.choice("hash_function", &hashes);
        min_size = block.within("minimum_ring_size", least, MOST_RING).unwrap_or(min_size);
        max_size = block.within("maximum_ring_size", 0, MOST_RING).unwrap_or(max_size);
        if min_size > max_size {
            block.at.error(format!("`minimum_ring_size` {min_size} is above `maximum_ring_size` {max_size}"));
        }
    }
    Balance::RingHash { min_size, max_size }
}

fn maglev(block: Option<&Message<'_>>) -> Balance {
    let size = block.and_then(|block| Some((block, block.within("table_size", 0, MOST_TABLE)?)));
    let Some((block, table_size)) = size else { return Balance::Maglev { table_size: 65_537 } };
    if !is_prime(table_size) {
        block.at.error(Said::from(format!("`table_size` {table_size} is no prime")).expected("a prime such as 65537"));
    }
    Balance::Maglev { table_size }
}

fn is_prime(number: u64) -> bool {
    number >= 2 && (2..=number.isqrt()).all(|part| !number.is_multiple_of(part))
}

fn slow_start(block: &Message<'_>, schema: &'static Schema) -> Option<SlowStart> {
    let slow = block.message("slow_start_config", schema)?;
    let aggression = share::runtime_number(&slow, "aggression").unwrap_or(1.0);
    if aggression <= 0.0 {
        slow.at.error("`aggression` must be above 0");
    }
    let min_percent = share::percent(&slow, "min_weight_percent").unwrap_or(10.0);
    // Without a window no endpoint is ever new.
    let window = slow.limit("slow_start_window", None)?;
    Some(SlowStart { window, aggression, min_percent })
}

fn by_extension(policy: &Message<'_>, balancing: &mut Balancing) {
    let policies = policy.messages("policies", &BALANCING_POLICY);
    if policies.is_empty() {
        policy.at.error("`policies` is empty");
    }
    // Envoy takes the first that it knows.
    let first = policies.first().and_then(|policy| {
        policy.require("typed_extension_config");
        policy.message("typed_extension_config", &EXTENSION)?.extension(&POLICIES)
    });
    for other in policies.iter().skip(1) {
        other.at.warn("this has no effect: the first policy is taken");
    }
    let Some(config) = first else { return };
    let weighted = if config.is(&RING_HASH_POLICY) || config.is(&MAGLEV_POLICY) {
        config.message("locality_weighted_lb_config", &POLICY_LOCALITY_WEIGHTED)
    } else {
        let locality = config.message("locality_lb_config", &POLICY_LOCALITY);
        locality.and_then(|locality| locality.message("locality_weighted_lb_config", &POLICY_LOCALITY_WEIGHTED))
    };
    balancing.locality_weighted |= weighted.is_some();
    balancing.balance = if config.is(&LEAST_REQUEST_POLICY) {
        config.choice("selection_method", &[("N_CHOICES", 0, Some(())), ("FULL_SCAN", 1, None)]);
        least_request(&config)
    } else if config.is(&RING_HASH_POLICY) {
        ring(Some(&config), 1)
    } else if config.is(&MAGLEV_POLICY) {
        maglev(Some(&config))
    } else if config.is(&RANDOM_POLICY) {
        Balance::Random
    } else {
        Balance::RoundRobin
    };
    if config.is(&LEAST_REQUEST_POLICY) || config.is(&ROUND_ROBIN_POLICY) {
        balancing.slow_start = slow_start(&config, &POLICY_SLOW_START);
    }
}
