//! Which filter chain of a listener a connection meets: field by field the most specific that is left, without going back.

use crate::policy::{ChainMatch, Cidr, TransportProtocol};
use std::net::{IpAddr, SocketAddr};

/// A connection, as far as chains look at it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival<'a> {
    /// Where the client was going.
    pub going_to: SocketAddr,
    /// The client.
    pub from: SocketAddr,
    /// Whether it begins with TLS.
    pub transport: TransportProtocol,
    /// The server name that it asks for, in lower case, possibly empty.
    pub server_name: &'a str,
    /// ALPN.
    pub protocols: &'a [String],
    /// What plain bytes were found to be.
    pub http: Option<&'a str>,
}

/// A condition of a chain, in the order in which they are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Port that the client dialled.
    DestinationPort,
    /// Address that it dialled.
    DestinationRange,
    /// Server name.
    ServerName,
    /// TLS or not.
    Transport,
    /// ALPN, or what was found in plain bytes.
    ApplicationProtocol,
    /// The client's address.
    SourceRange,
    /// Its port.
    SourcePort,
}

impl Condition {
    const ORDER: [Self; 7] = [
        Self::DestinationPort,
        Self::DestinationRange,
        Self::ServerName,
        Self::Transport,
        Self::ApplicationProtocol,
        Self::SourceRange,
        Self::SourcePort,
    ];

    /// How well a connection fits: nothing where it does not, 0 where nothing is asked, more the more is.
    fn fit(self, chain: &ChainMatch, arrival: &Arrival<'_>) -> Option<u32> {
        match self {
            Self::DestinationPort => of_option(chain.destination_port, arrival.going_to.port()),
            Self::DestinationRange => of_ranges(&chain.destination_ranges, arrival.going_to.ip()),
            Self::ServerName => of_names(&chain.server_names, arrival.server_name),
            Self::Transport => of_option(chain.transport, arrival.transport),
            Self::ApplicationProtocol => of_protocols(&chain.application_protocols, arrival),
            Self::SourceRange => of_ranges(&chain.source_ranges, arrival.from.ip()),
            Self::SourcePort => of_list(&chain.source_ports, &arrival.from.port()),
        }
    }
}

/// The number of the chain that a connection meets; none: that of the default. `lost` is told of each other chain by which condition it
/// was passed over, and whether the connection fits that one all the same, only that another fits better.
pub(crate) fn choose(
    chains: &[&ChainMatch],
    arrival: &Arrival<'_>,
    mut lost: impl FnMut(usize, Condition, bool),
) -> Option<usize> {
    let mut left: Vec<usize> = (0..chains.len()).collect();
    for condition in Condition::ORDER {
        let fit = |at: &usize| chains.get(*at).and_then(|chain| condition.fit(chain, arrival));
        let best = left.iter().filter_map(fit).max();
        left.retain(|at| {
            let own = fit(at);
            let stays = own == best && best.is_some();
            if !stays {
                lost(*at, condition, own.is_some());
            }
            stays
        });
    }
    left.first().copied()
}

fn of_option<T: PartialEq + Copy>(wanted: Option<T>, there: T) -> Option<u32> {
    match wanted {
        None => Some(0),
        Some(wanted) => (wanted == there).then_some(1),
    }
}

fn of_list<T: PartialEq>(wanted: &[T], there: &T) -> Option<u32> {
    if wanted.is_empty() { Some(0) } else { wanted.contains(there).then_some(1) }
}

fn of_ranges(ranges: &[Cidr], address: IpAddr) -> Option<u32> {
    if ranges.is_empty() {
        return Some(0);
    }
    ranges.iter().filter(|range| range.contains(address)).map(|range| 1 + u32::from(range.prefix)).max()
}

/// Exact before the longest suffix.
fn of_names(wanted: &[String], name: &str) -> Option<u32> {
    if wanted.is_empty() {
        return Some(0);
    }
    let fit = |wanted: &String| match wanted.strip_prefix('*') {
        Some(suffix) => (name.len() > suffix.len() && name.ends_with(suffix)).then_some(1 + suffix.len() as u32),
        None => (wanted == name).then_some(u32::MAX),
    };
    wanted.iter().filter_map(fit).max()
}

fn of_protocols(wanted: &[String], arrival: &Arrival<'_>) -> Option<u32> {
    if wanted.is_empty() {
        return Some(0);
    }
    let offered = arrival.protocols.iter().map(String::as_str).chain(arrival.http);
    offered.into_iter().any(|protocol| wanted.iter().any(|wanted| wanted == protocol)).then_some(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(server_name: &str) -> Arrival<'_> {
        Arrival {
            going_to: ([10, 0, 0, 1], 443).into(),
            from: ([10, 9, 0, 1], 5000).into(),
            transport: TransportProtocol::Tls,
            server_name,
            protocols: &[],
            http: None,
        }
    }

    fn named(names: &[&str]) -> ChainMatch {
        ChainMatch { server_names: names.iter().map(|name| (*name).to_owned()).collect(), ..ChainMatch::default() }
    }

    #[test]
    fn the_most_specific_chain_is_met_and_the_others_know_by_what_they_lost() {
        let chains = [
            named(&["*.com"]),
            named(&["a.com"]),
            named(&["b.com"]),
            ChainMatch { destination_port: Some(80), ..ChainMatch::default() },
        ];
        let chains: Vec<_> = chains.iter().collect();
        let mut lost = Vec::new();
        assert_eq!(choose(&chains, &arrival("a.com"), |at, by, fits| lost.push((at, by, fits))), Some(1));
        assert_eq!(
            lost,
            [
                (3, Condition::DestinationPort, false),
                (0, Condition::ServerName, true),
                (2, Condition::ServerName, false),
            ]
        );
        assert_eq!(choose(&chains, &arrival("c.org"), |_, _, _| {}), None);
        assert_eq!(choose(&[], &arrival("a.com"), |_, _, _| {}), None);
    }
}
