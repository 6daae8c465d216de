//! How a request is described for limits: by its route, by its virtual host, or by the filter itself. Pure.

use super::conditions::Asked;
use super::rate_limit::Described;
use crate::policy::{Description, DescriptionWord, HostDescriptions, RateLimit, RouteDescriptions};
use std::borrow::Cow;
use std::net::IpAddr;

/// What descriptions tell of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// The request.
    pub asked: Asked<'a>,
    /// Its client.
    pub client: IpAddr,
    /// Where it goes; none is nowhere yet.
    pub cluster: Option<&'a str>,
    /// The cluster of this proxy.
    pub own_cluster: &'a str,
}

/// Every description of a request that a limit asks for.
pub(crate) fn describe<'a>(
    limit: &'a RateLimit,
    route: &'a RouteDescriptions,
    subject: Subject<'a>,
) -> Vec<Described<'a>> {
    if !limit.describe.is_empty() {
        return limit.describe.iter().filter_map(|description| told(description, subject)).collect();
    }
    let with_host = match limit.of_host {
        _ if route.beside => true,
        HostDescriptions::Beside => true,
        HostDescriptions::Otherwise => route.own.is_empty(),
        HostDescriptions::Never => false,
    };
    let of_host = route.of_host.iter().filter(|_| with_host);
    let wanted = route.own.iter().chain(of_host).filter(|description| description.stage == limit.stage);
    wanted.filter_map(|description| told(description, subject)).collect()
}

/// One description; none if one of its words has nothing to say.
fn told<'a>(description: &'a Description, subject: Subject<'a>) -> Option<Described<'a>> {
    let mut entries = Vec::with_capacity(description.words.len());
    for word in &description.words {
        let (key, value) = match word {
            DescriptionWord::Generic { key, value } => (key.as_str(), Cow::Borrowed(value.as_str())),
            DescriptionWord::Matching { key, value, headers, expect } => {
                let holds = headers.iter().all(|condition| subject.asked.header_fits(condition));
                if holds != *expect {
                    return None;
                }
                (key.as_str(), Cow::Borrowed(value.as_str()))
            }
            DescriptionWord::Field { name, key, optional } => match subject.asked.first(name) {
                Some(value) => (key.as_str(), Cow::Borrowed(value)),
                None if *optional => continue,
                None => return None,
            },
            DescriptionWord::RemoteAddress => ("remote_address", Cow::Owned(subject.client.to_string())),
            DescriptionWord::DestinationCluster => ("destination_cluster", Cow::Borrowed(subject.cluster?)),
            DescriptionWord::SourceCluster => ("source_cluster", Cow::Borrowed(subject.own_cluster)),
        };
        entries.push((key, value));
    }
    (!entries.is_empty()).then_some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Fraction, HeaderMatch, Pattern, Refill, TextMatch, TokenBucket};
    use squall_http1::Request;
    use std::time::Duration;

    fn limit(of_host: HostDescriptions, describe: Vec<Description>) -> RateLimit {
        RateLimit {
            stat_prefix: "limit".to_owned(),
            bucket: TokenBucket {
                max_tokens: 1,
                tokens_per_fill: 1,
                fill_interval: Duration::from_secs(1),
                refill: Refill::Evenly,
            },
            descriptors: Vec::new(),
            stage: 0,
            describe,
            of_host,
            always_of_all: true,
            most_values: 20,
            enabled: Fraction::ALL,
            enforced: Fraction::ALL,
            status: 429,
            response_headers: Vec::new(),
            per_connection: false,
            grpc_resource_exhausted: false,
            rate_limit_headers: false,
        }
    }

    fn generic(value: &str) -> DescriptionWord {
        DescriptionWord::Generic { key: "generic_key".to_owned(), value: value.to_owned() }
    }

    fn of(words: Vec<DescriptionWord>) -> Description {
        Description { stage: 0, words }
    }

    fn shown(limit: &RateLimit, route: &RouteDescriptions) -> Vec<String> {
        let mut request = Request::new("GET", "/buy");
        request.headers.add("x-user", b"ann");
        let subject = Subject {
            asked: Asked::new(&request, "http", 0),
            client: "10.0.0.7".parse().unwrap(),
            cluster: Some("cart"),
            own_cluster: "edge",
        };
        let described = describe(limit, route, subject);
        let text = |described: &Described<'_>| {
            described.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(";")
        };
        described.iter().map(text).collect()
    }

    #[test]
    fn each_word_says_its_part_and_one_that_cannot_silences_its_description() {
        let field =
            |name: &str, optional| DescriptionWord::Field { name: name.to_owned(), key: "user".to_owned(), optional };
        let matching = |prefix: &str, expect| DescriptionWord::Matching {
            key: "header_match".to_owned(),
            value: "buys".to_owned(),
            headers: vec![HeaderMatch {
                name: ":path".to_owned(),
                value: TextMatch::from(Pattern::Prefix(prefix.to_owned())),
                invert: false,
                missing_is_empty: false,
            }],
            expect,
        };
        let own = vec![
            of(vec![generic("a"), DescriptionWord::RemoteAddress]),
            of(vec![field("x-user", false), DescriptionWord::DestinationCluster, DescriptionWord::SourceCluster]),
            of(vec![field("x-other", false), generic("b")]),
            of(vec![field("x-other", true), generic("c")]),
            of(vec![field("x-other", true)]),
            of(vec![matching("/buy", true)]),
            of(vec![matching("/buy", false)]),
            of(vec![matching("/look", false)]),
            Description { stage: 1, words: vec![generic("d")] },
        ];
        let route = RouteDescriptions { own, ..RouteDescriptions::default() };
        assert_eq!(
            shown(&limit(HostDescriptions::Otherwise, Vec::new()), &route),
            [
                "generic_key=a;remote_address=10.0.0.7",
                "user=ann;destination_cluster=cart;source_cluster=edge",
                "generic_key=c",
                "header_match=buys",
                "header_match=buys",
            ]
        );
    }

    #[test]
    fn a_virtual_hosts_descriptions_count_as_filter_and_route_say() {
        let route = |own: &[&str], beside| RouteDescriptions {
            own: own.iter().map(|value| of(vec![generic(value)])).collect(),
            of_host: vec![of(vec![generic("host")])],
            beside,
        };
        let (both, own, host) = (["generic_key=own", "generic_key=host"], ["generic_key=own"], ["generic_key=host"]);
        for (option, route, expected) in [
            (HostDescriptions::Otherwise, route(&["own"], false), &own[..]),
            (HostDescriptions::Otherwise, route(&[], false), &host),
            (HostDescriptions::Otherwise, route(&["own"], true), &both),
            (HostDescriptions::Beside, route(&["own"], false), &both),
            (HostDescriptions::Never, route(&[], false), &[]),
            (HostDescriptions::Never, route(&["own"], true), &both),
        ] {
            assert_eq!(shown(&limit(option, Vec::new()), &route), expected, "{option:?}");
        }
        let by_filter = limit(HostDescriptions::Beside, vec![of(vec![generic("filter")])]);
        assert_eq!(shown(&by_filter, &route(&["own"], true)), ["generic_key=filter"]);
    }
}
