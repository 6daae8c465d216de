//! Says what becomes of one request by some policies, and why, without sending it.
//!
//! Nothing is decided here: the configuration is made as a proxy makes it, [`crate::serve::rehearsal`] asks the request path itself, and
//! [`mesh::left_out`] whoever makes the routes. What is left is to put it into words, as [`Explanation`] for programs and
//! [`Explanation::prose`] for people.

mod cluster;
mod conditions;
mod detector;
mod filters;
mod groups;
mod headers;
mod left_out;
mod model;
mod prose;
mod question;
mod retries;
mod route;
mod setting;
mod told;

#[cfg(test)]
mod tests;

pub use model::{
    Action, Asked, Chain, Destination, Endpoint, Explanation, Filter, Forward, Group, Host, Listener, Mirror, Outcome,
    PassedOver, Refusal, Route, Way,
};
pub use question::{BadQuestion, Question};
pub use setting::Setting;

use crate::app::{Inputs, Listen, load};
use crate::config::mesh::{self, Entry, Mode, ServedPort, Site};
use crate::config::objects::Objects;
use crate::policy::{self, Config};
use crate::serve::rehearsal::{End, Ended, Met, Rehearsal, rehearse};
use crate::serve::routing::without_port;
use squall_yaml::Finding;
use std::net::Ipv4Addr;
use told::Told;

/// What becomes of a request, and what was found on the way that is likely not meant.
pub fn explain(inputs: &Inputs, question: &Question) -> Result<(Explanation, Vec<Finding>), Vec<Finding>> {
    let read = load::read(inputs, false)?;
    let inputs = as_asked(inputs, question, &read.objects);
    let site = load::site(&inputs, &read.objects);
    let config = load::resolve(&inputs, &read.objects, &site);
    Ok((of_config(&read.objects, &site, &config, question), read.warnings))
}

/// With the labels of the caller, and with a listener for the port that is asked where nobody says which ports are served.
fn as_asked(inputs: &Inputs, question: &Question, objects: &Objects) -> Inputs {
    let mut inputs = inputs.clone();
    inputs.node.labels.extend(question.source_labels.clone());
    let serves = inputs.listen.iter().any(|Listen(served)| served.port == question.port());
    if objects.bootstrap.is_none() && inputs.mode != Mode::Gateway && !serves {
        let bind = (Ipv4Addr::UNSPECIFIED, question.port()).into();
        inputs.listen.push(Listen(ServedPort { port: question.port(), host: None, bind }));
    }
    inputs
}

fn of_config(objects: &Objects, site: &Site, config: &Config, question: &Question) -> Explanation {
    let told = Told { objects, site, config };
    let mut explanation = Explanation {
        istio_version: site.version.to_string(),
        request: question.told(),
        assumed_services: site.services.clone(),
        disarmed: config.disarmed.iter().map(|healing| healing.word()).collect(),
        beyond_envoy: config.beyond_envoy.words(),
        left_out: Vec::new(),
        listener: None,
        chains_passed_over: Vec::new(),
        chain: None,
        virtual_host: None,
        ways: Vec::new(),
    };
    let Some(listener) = listener(site, config, objects, question) else {
        let known: Vec<_> = config.listeners.iter().map(|listener| listener.address.to_string()).collect();
        let why = match known.as_slice() {
            [] => format!("nothing listens at port {}, nor at any other", question.port()),
            known => format!("nothing listens at port {}: listeners are {}", question.port(), known.join(", ")),
        };
        explanation.ways = vec![Way::all(Outcome::Closed { why })];
        return explanation;
    };
    explanation.listener = Some(route::listener(&told, listener, question));
    let rehearsed = question.rehearsed(listener.address);
    let Rehearsal { chain, by_default, passed, met } = rehearse(config, listener, rehearsed);
    explanation.chains_passed_over =
        passed.iter().map(|passed| conditions::chain(passed, listener, question)).collect();
    explanation.chain = chain.map(|chain| route::chain(chain, by_default));
    match met {
        Met::Closed => {
            let why = "no filter chain matches, and there is no default: the connection is closed".to_owned();
            explanation.ways = vec![Way::all(Outcome::Closed { why })];
        }
        Met::NotInClear => {
            let why = "requests in clear are read here, and TLS is none: the connection is closed".to_owned();
            explanation.ways = vec![Way::all(Outcome::Closed { why })];
        }
        Met::NotTls => {
            let why = "TLS is ended here, and the request comes in clear: the connection is closed".to_owned();
            explanation.ways = vec![Way::all(Outcome::Closed { why })];
        }
        Met::Bytes(proxy) => explanation.ways = vec![Way::all(route::bytes(&told, proxy))],
        Met::Http(served) => {
            let entry = Entry {
                port: question.port(),
                host: without_port(question.authority()),
                found: served.host.map(|host| &host.origin),
                taken: only_route(&served.ends).map(|route| &route.origin),
            };
            explanation.left_out = left_out::told(mesh::left_out(objects, site, entry), site, question);
            explanation.virtual_host = served.host.map(|host| route::host(host, &served.request));
            explanation.ways =
                served.ends.iter().map(|(share, ended)| route::way(&told, &served, *share, ended)).collect();
        }
    }
    explanation
}

/// The route that a request takes, if it takes only one.
fn only_route<'c>(ends: &[(policy::Fraction, Ended<'c>)]) -> Option<&'c policy::Route> {
    match ends {
        [(_, Ended { end: End::Route(route, ..), .. })] => Some(route),
        _ => None,
    }
}

/// The listener that takes a request: that of its port. A bootstrap's first is meant where no port was asked for.
fn listener<'c>(
    site: &Site,
    config: &'c Config,
    objects: &Objects,
    question: &Question,
) -> Option<&'c policy::Listener> {
    let port = question.port();
    if objects.bootstrap.is_some() {
        let at_port = config.listeners.iter().find(|listener| listener.address.port() == port);
        let any = if question.port_was_asked() { None } else { config.listeners.first() };
        return at_port.or(any);
    }
    if site.mode == Mode::Gateway {
        let bound = site.ports.iter().find(|served| served.port == port).map(|served| served.bind);
        let fits = |listener: &&policy::Listener| match bound {
            Some(bind) => listener.address == bind,
            None => listener.address.port() == port,
        };
        return config.listeners.iter().find(fits);
    }
    // Listeners stand in the order of the served ports.
    let is_meant = |served: &ServedPort| {
        let host = served.host.as_deref().map(str::to_ascii_lowercase);
        served.port == port && host.is_none_or(|host| without_port(question.authority()).eq_ignore_ascii_case(&host))
    };
    let at = site.ports.iter().position(is_meant);
    at.and_then(|at| config.listeners.get(at))
}
