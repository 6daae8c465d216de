//! How much of the keys each endpoint gets: weights that sum up to one.

/// One endpoint's share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share<'a> {
    /// The endpoint.
    pub host: usize,
    /// What it is known by.
    pub address: &'a str,
    /// Its part of the whole.
    pub weight: f64,
}

/// Shares of all endpoints that take part.
#[derive(Debug, Default)]
pub(super) struct Shares<'a>(pub Vec<Share<'a>>);

/// An endpoint that takes part: itself, what it is known by, its weight.
pub(super) type Weighed<'a> = (usize, &'a str, u32);

impl<'a> Shares<'a> {
    /// By weight alone.
    pub(super) fn even(hosts: &[Weighed<'a>]) -> Self {
        Self::by_locality(&[(1, hosts.to_vec())])
    }

    /// Localities share by their weights, whoever is healthy there, and the endpoints of each by theirs. Where no locality has a
    /// weight nobody has a share.
    pub(super) fn by_locality(localities: &[(u32, Vec<Weighed<'a>>)]) -> Self {
        let all: u64 = localities.iter().map(|(weight, _)| u64::from(*weight)).sum();
        let mut shares = Vec::new();
        for (weight, hosts) in localities.iter().filter(|(weight, _)| *weight > 0) {
            let sum: u64 = hosts.iter().map(|(_, _, weight)| u64::from(*weight)).sum();
            let of_all = f64::from(*weight) / all as f64;
            shares.extend(hosts.iter().map(|(host, address, weight)| Share {
                host: *host,
                address,
                weight: f64::from(*weight) * of_all / sum as f64,
            }));
        }
        Self(shares)
    }

    /// The least share.
    pub(super) fn lightest(&self) -> f64 {
        self.0.iter().map(|share| share.weight).fold(1.0, f64::min)
    }

    /// The greatest share.
    pub(super) fn heaviest(&self) -> f64 {
        self.0.iter().map(|share| share.weight).fold(0.0, f64::max)
    }
}
