//! What would become of a request: the decisions of the request path in their order, without a socket and without chance. What would be
//! drawn is told with its shares.

mod filters;
mod sending;

pub(crate) use filters::{Does, FilterRun};
pub(crate) use sending::{Destination, Sending};

use super::admission::{Admitted, admit};
use super::chain;
use super::client::Peer;
use super::respond::Failure;
use super::routing::{self, Arrival, Condition, Directory, Way};
use crate::filter::conditions::{Asked, Unmet};
use crate::filter::rewrite;
use crate::policy::{
    Action, Config, DirectResponse, FilterChain, Fraction, Handler, HttpManager, Listener, Route, TcpProxy,
    TransportProtocol, VirtualHost,
};
use crate::telemetry::is_grpc;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use squall_http1::{Request, Version};
use std::borrow::Cow;
use std::net::SocketAddr;

/// A request that nobody sends.
#[derive(Debug, Clone)]
pub(crate) struct Rehearsed {
    /// As a client writes it.
    pub request: Request,
    /// The client.
    pub from: SocketAddr,
    /// Where it was going.
    pub going_to: SocketAddr,
    /// By TLS, for this server name and with these protocols offered; none is in clear.
    pub tls: Option<(String, Vec<String>)>,
}

/// What becomes of it.
pub(crate) struct Rehearsal<'c> {
    /// The chain that its connection meets; none: it is closed.
    pub chain: Option<&'c FilterChain>,
    /// The chain is that which is used if no other matches.
    pub by_default: bool,
    /// Chains that it does not meet.
    pub passed: Vec<PassedChain<'c>>,
    /// What the chain does.
    pub met: Met<'c>,
}

/// A chain that is not met.
pub(crate) struct PassedChain<'c> {
    /// Which.
    pub chain: &'c FilterChain,
    /// By which condition.
    pub by: Condition,
    /// The connection fits that condition; another chain is more specific.
    pub fits: bool,
}

/// What a chain does.
pub(crate) enum Met<'c> {
    /// There is none.
    Closed,
    /// Bytes come that are TLS, where requests in clear are read.
    NotInClear,
    /// Bytes come that are not TLS, where TLS is ended.
    NotTls,
    /// Bytes are passed on.
    Bytes(&'c TcpProxy),
    /// The request is read.
    Http(Box<Served<'c>>),
}

/// A request that is read.
pub(crate) struct Served<'c> {
    /// As it was admitted, or as it came.
    pub request: Request,
    /// It came by TLS.
    pub secure: bool,
    /// The virtual host that its authority means.
    pub host: Option<&'c VirtualHost>,
    /// What becomes of it, each with its share of many such requests.
    pub ends: Vec<(Fraction, Ended<'c>)>,
}

impl Served<'_> {
    /// `http` or `https`.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }
}

/// One way on which it may go.
pub(crate) struct Ended<'c> {
    /// Routes ahead, with the condition that is not met.
    pub passed: Vec<(&'c Route, Unmet<'c>)>,
    /// Where the way leads.
    pub end: End<'c>,
}

/// Where a way leads.
pub(crate) enum End<'c> {
    /// It is answered here, before any route or for want of one.
    Refused(Refusal),
    /// It has to come again, at this place.
    Elsewhere(u16, String),
    /// By a route, through filters.
    Route(&'c Route, Vec<FilterRun<'c>>, Done<'c>),
}

/// What the router does.
pub(crate) enum Done<'c> {
    /// It is not asked: a filter answers everything.
    Nothing,
    /// The client is sent elsewhere.
    Redirect(u16, String),
    /// It is answered as it stands.
    Direct(&'c DirectResponse),
    /// It is sent on.
    Sent(Box<Sending<'c>>),
}

/// An answer of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Its status.
    pub status: u16,
    /// Its letters in the access log, possibly empty.
    pub flag: &'static str,
    /// Its details in the access log.
    pub details: Cow<'static, str>,
}

impl From<&Failure> for Refusal {
    fn from(failure: &Failure) -> Self {
        let reply = failure.local_reply(false);
        Self {
            status: reply.status,
            flag: reply.flag.map_or("", crate::telemetry::Flag::letters),
            details: reply.details,
        }
    }
}

/// Says what would become of a request at a listener.
pub(crate) fn rehearse<'c>(config: &'c Config, listener: &'c Listener, asked: Rehearsed) -> Rehearsal<'c> {
    let inspection = listener.inspection;
    let hello = asked.tls.as_ref().filter(|_| inspection.tls);
    let version = match asked.request.version {
        Version::Http10 => "http/1.0",
        Version::Http11 => "http/1.1",
        Version::Http2 => "h2c",
    };
    let arrival = Arrival {
        going_to: asked.going_to,
        from: asked.from,
        transport: if hello.is_some() { TransportProtocol::Tls } else { TransportProtocol::RawBuffer },
        server_name: hello.map_or("", |(name, _)| name),
        protocols: hello.map_or(&[], |(_, protocols)| protocols),
        http: (inspection.http && asked.tls.is_none()).then_some(version),
    };
    let conditions: Vec<_> = listener.chains.iter().map(|chain| &chain.matches).collect();
    let mut passed = Vec::new();
    let chosen = routing::choose(&conditions, &arrival, |at, by, fits| {
        passed.extend(listener.chains.get(at).map(|chain| PassedChain { chain, by, fits }));
    });
    let own = chosen.and_then(|at| listener.chains.get(at));
    let chain = own.or(listener.default_chain.as_ref());
    let met = chain.map_or(Met::Closed, |chain| met(config, chain, asked));
    Rehearsal { chain, by_default: own.is_none() && chain.is_some(), passed, met }
}

fn met<'c>(config: &'c Config, chain: &'c FilterChain, asked: Rehearsed) -> Met<'c> {
    match (&chain.handler, &chain.tls, &asked.tls) {
        (_, Some(_), None) => Met::NotTls,
        (Handler::Tcp(proxy), _, _) => Met::Bytes(proxy),
        (Handler::Http(_), None, Some(_)) => Met::NotInClear,
        (Handler::Http(manager), _, _) => Met::Http(Box::new(served(config, manager, asked))),
    }
}

fn served<'c>(config: &'c Config, manager: &'c HttpManager, asked: Rehearsed) -> Served<'c> {
    let Rehearsed { mut request, from, going_to, tls } = asked;
    let mut peer = Peer::new(from, going_to, None, 0);
    peer.secure = tls.is_some();
    // What is made up of nothing, such as an id, is the same at each rehearsal.
    let admitted = admit(manager, &peer, &mut request, &mut ChaCha8Rng::seed_from_u64(0));
    let alone = |end| vec![(Fraction::ALL, Ended { passed: Vec::new(), end })];
    let (host, ends) = match admitted {
        Err(failure) => (None, alone(End::Refused((&failure).into()))),
        Ok(Admitted { redirect: Some(_), .. }) if is_grpc(&request.headers) => {
            (None, alone(End::Refused((&Failure::PathNormalization).into())))
        }
        Ok(Admitted { redirect: Some(target), .. }) => (None, alone(End::Elsewhere(307, target))),
        Ok(admitted) => ways(&Scene { config, manager, peer: &peer, admitted: &admitted, request: &request }),
    };
    Served { request, secure: peer.secure, host, ends }
}

/// Everything that is known of a request once it was admitted.
struct Scene<'c, 'a> {
    config: &'c Config,
    manager: &'c HttpManager,
    peer: &'a Peer,
    admitted: &'a Admitted,
    request: &'a Request,
}

/// All ways on which it may go. A route that is for a share of the requests parts them; all such routes look at one draw.
fn ways<'c>(scene: &Scene<'c, '_>) -> (Option<&'c VirtualHost>, Vec<(Fraction, Ended<'c>)>) {
    let table = &scene.manager.routes;
    let directory = Directory::new(table);
    let authority = scene.request.headers.get_str("host").unwrap_or_default();
    let host = directory.host(authority).and_then(|at| table.virtual_hosts.get(at));
    let routes = host.map(|host| host.routes.as_slice()).unwrap_or_default();
    let mut borders: Vec<u32> = routes.iter().filter_map(|route| Some(route.matches.fraction?.0)).collect();
    borders.extend([0, Fraction::ALL.0]);
    borders.retain(|border| *border <= Fraction::ALL.0);
    borders.sort_unstable();
    borders.dedup();
    let mut ways: Vec<(Fraction, Option<Way>, u32)> = Vec::new();
    let asked = Asked::new(scene.request, scene.peer.scheme(), 0);
    let conditions =
        |host: usize, route: usize| table.virtual_hosts.get(host)?.routes.get(route).map(|route| &route.matches);
    for (from, to) in borders.iter().zip(borders.iter().skip(1)) {
        let way = directory.find(&asked.drawn(*from), scene.peer.secure, conditions);
        match ways.last_mut() {
            Some((share, last, _)) if *last == way => share.0 += to - from,
            _ => ways.push((Fraction(to - from), way, *from)),
        }
    }
    let ended = |(share, way, draw): (Fraction, Option<Way>, u32)| {
        let ahead = match way {
            Some(Way::Route { route, .. }) => route,
            Some(Way::ToTls) => 0,
            None => routes.len(),
        };
        let asked = asked.drawn(draw);
        let unmet = |route: &'c Route| Some((route, asked.unmet(&route.matches)?));
        let passed = routes.iter().take(ahead).map(|route| &**route).filter_map(unmet).collect();
        let end = match way {
            Some(Way::Route { route, .. }) => match routes.get(route) {
                Some(route) => by_route(scene, route),
                None => End::Refused((&Failure::NoRoute).into()),
            },
            Some(Way::ToTls) => End::Elsewhere(301, chain::by_tls(scene.request)),
            None => End::Refused((&Failure::NoRoute).into()),
        };
        (share, Ended { passed, end })
    };
    (host, ways.into_iter().map(ended).collect())
}

fn by_route<'c>(scene: &Scene<'c, '_>, route: &'c Route) -> End<'c> {
    let forward = route.forward();
    if let Some(upgrade) = &scene.admitted.upgrade
        && !chain::may_switch(scene.manager, forward, upgrade)
    {
        return End::Refused((&Failure::UpgradeRefused).into());
    }
    let filters = filters::run(scene, route);
    if filters.iter().any(|run| run.does.answers_all()) {
        return End::Route(route, filters, Done::Nothing);
    }
    let done = match &route.action {
        Action::Redirect(redirect) => {
            let authority = scene.request.headers.get_str("host").unwrap_or_default();
            let from = (scene.peer.scheme(), scene.peer.local.port());
            let target = scene.request.target();
            let location = rewrite::location(redirect, &route.matches.path, from, authority, target);
            Done::Redirect(redirect.status, location)
        }
        Action::Direct(direct) => Done::Direct(direct),
        Action::Forward(forward) => Done::Sent(Box::new(sending::sending(scene, route, forward))),
    };
    End::Route(route, filters, done)
}
