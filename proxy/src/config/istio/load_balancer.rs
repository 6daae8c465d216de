//! `loadBalancer`: which endpoint is picked.

use super::locality::{WrittenLocality, locality};
use crate::config::duration::{GoDuration, positive};
use crate::config::number::Percent;
use crate::config::objects::LoadBalancer;
use crate::config::problems::Problems;
use crate::policy::{Balance, HashOf, SlowStart};
use serde::Deserialize;
use squall_http1::is_token;
use squall_yaml::{Keyed, Spanned};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WrittenBalancer {
    simple: Option<Simple>,
    consistent_hash: Option<Keyed<ConsistentHash>>,
    locality_lb_setting: Option<Keyed<WrittenLocality>>,
    warmup: Option<Keyed<Warmup>>,
    warmup_duration_secs: Option<Keyed<GoDuration>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Simple {
    Unspecified,
    LeastConn,
    LeastRequest,
    Random,
    Passthrough,
    RoundRobin,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ConsistentHash {
    http_header_name: Option<Keyed<String>>,
    http_cookie: Option<Keyed<Cookie>>,
    use_source_ip: Option<Keyed<bool>>,
    http_query_parameter_name: Option<Keyed<String>>,
    ring_hash: Option<Keyed<RingHash>>,
    maglev: Option<Keyed<Maglev>>,
    minimum_ring_size: Option<Keyed<u64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cookie {
    name: Spanned<String>,
    #[serde(default)]
    path: String,
    ttl: Option<GoDuration>,
    #[serde(default)]
    attributes: Vec<Attribute>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attribute {
    name: Spanned<String>,
    #[serde(default)]
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RingHash {
    minimum_ring_size: Option<Spanned<u64>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Maglev {
    #[serde(default)]
    table_size: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Warmup {
    duration: Option<Keyed<GoDuration>>,
    minimum_percent: Option<Percent>,
    aggression: Option<Spanned<f64>>,
}

/// Entries of a ring: at least by Istio's default, and at most by Envoy's.
const LEAST_ON_A_RING: u64 = 1024;
const MOST_ON_A_RING: u64 = 8_388_608;
/// Envoy's bound of a Maglev table, itself a prime.
const MOST_IN_A_TABLE: u64 = 5_000_011;

/// What the block means. `watched`: there is a detector, without which nothing fails over.
pub(super) fn load_balancer(
    written: &Keyed<WrittenBalancer>,
    watched: bool,
    problems: &mut Problems<'_>,
) -> LoadBalancer {
    let WrittenBalancer { simple, consistent_hash, locality_lb_setting, .. } = &written.value;
    if let (Some(_), Some(hash)) = (simple, consistent_hash) {
        problems.error(hash.key, "only one of `simple` and `consistentHash`", "take one out");
    }
    let by_hash = consistent_hash.as_ref();
    let balance = match (by_hash, simple) {
        (Some(hash), _) => Some(hash_balance(&hash.value, problems)),
        (None, Some(Simple::Passthrough)) => None,
        (None, Some(Simple::Random)) => Some(Balance::Random),
        (None, Some(Simple::RoundRobin)) => Some(Balance::RoundRobin),
        (None, Some(Simple::LeastRequest | Simple::LeastConn | Simple::Unspecified) | None) => {
            Some(Balance::LEAST_REQUEST)
        }
    };
    let warms_up = matches!(balance, Some(Balance::LeastRequest { .. } | Balance::RoundRobin));
    LoadBalancer {
        warmup: warmup(&written.value, warms_up, problems).filter(|_| warms_up),
        hash: by_hash.and_then(|hash| hash_key(hash, problems)),
        locality: locality_lb_setting.as_ref().map(|setting| locality(setting, watched, problems)),
        balance,
    }
}

fn warmup(written: &WrittenBalancer, warms_up: bool, problems: &mut Problems<'_>) -> Option<SlowStart> {
    let (block, seconds) = (written.warmup.as_ref(), written.warmup_duration_secs.as_ref());
    let key = block.map(|block| block.key).or(seconds.map(|seconds| seconds.key))?;
    if let (Some(_), Some(seconds)) = (block, seconds) {
        problems.error(seconds.key, "only one of `warmup` and `warmupDurationSecs`", "write `warmup` alone");
    }
    if !warms_up {
        problems.warning(key, "endpoints warm up by ROUND_ROBIN and LEAST_REQUEST alone", "");
    }
    let Some(block) = block else {
        let window = positive(seconds, "warmupDurationSecs", "1ms at least", problems)?;
        return Some(SlowStart { window, aggression: 1.0, min_percent: 10.0 });
    };
    let Warmup { duration, minimum_percent, aggression } = &block.value;
    if duration.is_none() {
        problems.error(block.key, "`warmup` needs a `duration`", "as in `warmup: {duration: 30s}`");
    }
    if let Some(bad) = aggression.filter(|aggression| aggression.value <= 0.0) {
        problems.error(bad.place, format!("an aggression of {}", bad.value), "more than 0; 1 is a straight line");
    }
    Some(SlowStart {
        window: positive(duration.as_ref(), "duration", "1ms at least", problems)?,
        aggression: aggression.map_or(1.0, |aggression| aggression.value),
        min_percent: minimum_percent.map_or(10.0, |percent| percent.0),
    })
}

fn hash_balance(written: &ConsistentHash, problems: &mut Problems<'_>) -> Balance {
    let ConsistentHash { ring_hash, maglev, minimum_ring_size, .. } = written;
    let old = minimum_ring_size.as_ref().filter(|size| size.value > 0);
    if let Some(old) = old {
        problems.warning(old.key, "`minimumRingSize` is deprecated", "write `ringHash: {minimumRingSize: ...}`");
    }
    let named =
        [old.map(|old| old.key), ring_hash.as_ref().map(|ring| ring.key), maglev.as_ref().map(|maglev| maglev.key)];
    for key in named.into_iter().flatten().skip(1) {
        problems.error(key, "only one of `ringHash`, `maglev` and `minimumRingSize`", "take the others out");
    }
    if let Some(maglev) = maglev {
        let size = maglev.value.table_size;
        if size >= MOST_IN_A_TABLE || !is_prime(size) {
            let help = format!("a prime below {MOST_IN_A_TABLE}, as `tableSize: 65537`");
            problems.error(maglev.key, format!("a Maglev table of {size} entries"), help);
        }
        return Balance::Maglev { table_size: size };
    }
    let ring = ring_hash.as_ref().and_then(|ring| ring.value.minimum_ring_size.as_ref());
    if let Some(large) = ring.filter(|size| size.value > MOST_ON_A_RING) {
        problems.error(large.place, format!("a ring of {} entries", large.value), format!("{MOST_ON_A_RING} at most"));
    }
    let size = ring.map(|size| size.value).or(old.map(|old| old.value)).filter(|size| *size > 0);
    Balance::RingHash { min_size: size.unwrap_or(LEAST_ON_A_RING).min(MOST_ON_A_RING), max_size: MOST_ON_A_RING }
}

/// By trial, which is quick for what a table may hold; 1 passes, as it does in Envoy.
fn is_prime(number: u64) -> bool {
    if number >= MOST_IN_A_TABLE {
        return false;
    }
    number >= 1 && (2..=number.isqrt()).all(|factor| !number.is_multiple_of(factor))
}

fn hash_key(written: &Keyed<ConsistentHash>, problems: &mut Problems<'_>) -> Option<HashOf> {
    let ConsistentHash { http_header_name, http_cookie, use_source_ip, http_query_parameter_name, .. } = &written.value;
    let named = [
        http_header_name.as_ref().map(|name| name.key),
        http_cookie.as_ref().map(|cookie| cookie.key),
        use_source_ip.as_ref().map(|by_address| by_address.key),
        http_query_parameter_name.as_ref().map(|name| name.key),
    ];
    for key in named.into_iter().flatten().skip(1) {
        let message = "only one of `httpHeaderName`, `httpCookie`, `useSourceIp` and `httpQueryParameterName`";
        problems.error(key, message, "take the others out");
    }
    if let Some(name) = http_header_name {
        if !is_token(&name.value) {
            problems.error(
                name.key,
                format!("`{}` cannot be the name of a header", name.value),
                "letters, digits and dashes",
            );
        }
        return Some(HashOf::Header(name.value.to_ascii_lowercase()));
    }
    if let Some(cookie) = http_cookie {
        return Some(hash_cookie(&cookie.value, problems));
    }
    if let Some(name) = http_query_parameter_name {
        return Some(HashOf::Query(name.value.clone()));
    }
    if use_source_ip.as_ref().is_some_and(|by_address| by_address.value) {
        return Some(HashOf::SourceIp);
    }
    problems.warning(written.key, "without a key each request goes to any endpoint", "add `httpHeaderName` or another");
    None
}

fn hash_cookie(cookie: &Cookie, problems: &mut Problems<'_>) -> HashOf {
    if cookie.name.value.is_empty() {
        problems.error(cookie.name.place, "a cookie needs a name", "as in `httpCookie: {name: user, ttl: 0s}`");
    }
    for (index, attribute) in cookie.attributes.iter().enumerate() {
        let name = &attribute.name;
        if name.value.is_empty() {
            problems.error(name.place, "an attribute of a cookie needs a name", "as in `{name: SameSite, value: Lax}`");
        } else if cookie.attributes.iter().take(index).any(|earlier| earlier.name.value == name.value) {
            problems.error(name.place, format!("the attribute `{}` stands here twice", name.value), "take one out");
        }
    }
    HashOf::Cookie {
        name: cookie.name.value.clone(),
        ttl: cookie.ttl.map(|ttl| ttl.0),
        path: cookie.path.clone(),
        attributes: cookie.attributes.iter().map(|one| (one.name.value.clone(), one.value.clone())).collect(),
    }
}
