//! What is left out while routes are made: objects that a proxy does not obey at a listener, and rules that are not for it or its callers.
//!
//! For explanations alone. Every decision is that of whoever makes the routes.

use super::delegation::{delegate, merged, whole_rules};
use super::export::seen;
use super::gateway::{Server, servers_at};
use super::host::{covers, namespace, qualified, spellings};
use super::registry::Registry;
use super::routes::{Entrance, Unfit, matches_everything, unfit};
use super::view::View;
use super::virtual_services::Bound;
use super::{Mode, Site};
use crate::config::objects::{HttpAction, HttpRule, Objects, VirtualService};
use crate::policy::Origin;
use std::collections::BTreeMap;

/// A request on its way in, as far as objects are chosen by it.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Port of the listener, as services know it.
    pub port: u16,
    /// The host that is asked for, without a port.
    pub host: &'a str,
    /// Where the virtual host stands that it was found to mean; none, or no line, where there is none that somebody wrote.
    pub found: Option<&'a Origin>,
    /// Where the route stands that was taken: what stands behind it in its object is not told.
    pub taken: Option<&'a Origin>,
}

/// An object or rule that has become no route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// `namespace/name` of the object.
    pub object: String,
    /// Name of the rule, possibly empty.
    pub rule: String,
    /// Where the object, or the match of its rule, stands.
    pub origin: Origin,
    /// Why.
    pub why: Why,
}

/// Why something has become no route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The object is for these hosts.
    Hosts(Vec<String>),
    /// It is exported to these namespaces.
    ExportTo(Vec<String>),
    /// It is bound to these gateways.
    Gateways(Vec<String>),
    /// It belongs to this listener of its gateway.
    Section(String),
    /// The caller's `Sidecar` does not import it.
    Sidecar,
    /// The host belongs to another object, which stands there.
    Taken(Origin),
    /// The match is for this port.
    Port(u16),
    /// The match is for these gateways.
    MatchGateways(Vec<String>),
    /// The match is for callers of this namespace.
    SourceNamespace(String),
    /// The match is for callers with these labels.
    SourceLabels(BTreeMap<String, String>),
    /// It is left to a delegate, `namespace/name`, that is not there.
    NoDelegate(String),
    /// The rule of a delegate says what its root's excludes.
    Excluded,
}

/// Everything that was left out at a listener, in the order of the objects. Rules of an object that another has outdone are not looked at.
pub fn left_out(objects: &Objects, site: &Site, entry: Entry<'_>) -> Vec<LeftOut> {
    if objects.bootstrap.is_some() || matches!(site.mode, Mode::Inbound { .. }) {
        return Vec::new();
    }
    let registry = Registry::of(objects, &site.services);
    let view = View::new(objects, site, &registry);
    let asked = asked(&view, entry.host);
    let servers = match site.mode {
        Mode::Gateway => servers_at(&view, entry.port),
        Mode::Outbound | Mode::Inbound { .. } => Vec::new(),
    };
    let mut left = Vec::new();
    for object in objects.virtual_services.iter().filter(|object| !object.hosts.is_empty()) {
        match of_object(&view, object, &asked, entry, &servers) {
            Err(why) => {
                left.push(LeftOut { object: name(object), rule: String::new(), origin: object.origin.clone(), why });
            }
            Ok((bound, entrance)) => {
                left.extend(of_delegates(object, objects));
                left.extend(of_rules(&view, &bound, entrance, entry.taken));
            }
        }
    }
    left
}

/// The whole host of the service that a host means, or the host itself.
fn asked(view: &View<'_>, host: &str) -> String {
    let host = host.to_ascii_lowercase();
    let caller = view.site.namespace();
    let is_meant = |known: &str| known == host || spellings(known, caller).contains(&host);
    let known = view.services.iter().find(|service| is_meant(&service.host));
    known.map_or(host, |service| service.host.clone())
}

/// The object as it counts at the listener, or why it does not.
fn of_object<'o, 's>(
    view: &View<'o>,
    object: &'o VirtualService,
    asked: &str,
    entry: Entry<'_>,
    servers: &'s [Server<'o>],
) -> Result<(Bound<'o>, Entrance<'s>), Why> {
    let home = namespace(&object.namespace);
    let hosts: Vec<String> = object.hosts.iter().map(|host| qualified(host, home)).collect();
    if !hosts.iter().any(|host| covers(host, asked)) {
        return Err(Why::Hosts(object.hosts.clone()));
    }
    if seen(&object.export_to, home, view.site.namespace()).is_none() {
        return Err(Why::ExportTo(object.export_to.clone()));
    }
    let Some(bound) = view.virtual_services.iter().find(|bound| std::ptr::eq(bound.object, object)).cloned() else {
        return Err(Why::ExportTo(object.export_to.clone()));
    };
    if view.site.mode == Mode::Gateway {
        let entrance = at_gateway(&bound, entry.port, servers)?;
        return Ok((bound, entrance));
    }
    if !bound.is_bound_to("mesh") {
        return Err(Why::Gateways(bound.gateways().to_vec()));
    }
    if !view.mesh_routing_at(entry.port).any(|known| std::ptr::eq(known.object, object)) {
        return Err(Why::Sidecar);
    }
    let written = entry.found.filter(|found| found.line > 0);
    if let Some(winner) = written.filter(|found| !stands_at(found, &object.origin)) {
        // What holds the host may be a service, which only has it where no object routes it.
        let objects = &view.objects.virtual_services;
        let by_object = objects.iter().any(|other| stands_at(winner, &other.origin));
        if by_object {
            return Err(Why::Taken(winner.clone()));
        }
    }
    Ok((bound, Entrance { port: entry.port, gateway: "mesh", tls: false }))
}

fn at_gateway<'s>(bound: &Bound<'_>, port: u16, servers: &'s [Server<'_>]) -> Result<Entrance<'s>, Why> {
    let mut named = servers.iter().filter(|server| bound.is_bound_to(&server.gateway)).peekable();
    if named.peek().is_none() {
        return Err(Why::Gateways(bound.gateways().to_vec()));
    }
    let section = &bound.object.section;
    let server = named.find(|server| section.is_empty() || *section == server.written.port_name);
    let server = server.ok_or_else(|| Why::Section(section.clone()))?;
    Ok(Entrance { port, gateway: &server.gateway, tls: server.written.terminates_tls })
}

/// Rules that are left to nobody, and rules of delegates that never hold.
fn of_delegates(object: &VirtualService, objects: &Objects) -> Vec<LeftOut> {
    let left = |rule: &HttpRule, why| LeftOut {
        object: name(object),
        rule: rule.name.clone(),
        origin: rule.origin.clone(),
        why,
    };
    let mut all = Vec::new();
    for rule in whole_rules(object) {
        let HttpAction::Delegate { name, namespace, .. } = &rule.action else { continue };
        match delegate(object, objects, name, namespace) {
            None => {
                let of = if namespace.is_empty() { super::namespace(&object.namespace) } else { namespace };
                all.push(left(&rule, Why::NoDelegate(format!("{of}/{name}"))));
            }
            Some(to) => {
                let excluded = whole_rules(to).filter(|own| merged(&rule, own.clone()).is_none());
                all.extend(excluded.map(|own| left(&own, Why::Excluded)));
            }
        }
    }
    all
}

/// Matches that are not for the listener or its callers, up to the route that was taken, or the first behind which nothing is looked at.
fn of_rules(view: &View<'_>, bound: &Bound<'_>, entrance: Entrance<'_>, taken: Option<&Origin>) -> Vec<LeftOut> {
    let mut left = Vec::new();
    for rule in &bound.rules {
        if rule.matches.is_empty() {
            return left;
        }
        for block in &rule.matches {
            match unfit(view, block, entrance) {
                Some(unfit) => left.push(LeftOut {
                    object: name(bound.object),
                    rule: rule.name.clone(),
                    origin: block.origin.clone(),
                    why: unfit.into(),
                }),
                None if matches_everything(&block.request) => return left,
                None if taken.is_some_and(|taken| stands_at(taken, &block.origin)) => return left,
                None => {}
            }
        }
    }
    left
}

fn stands_at(one: &Origin, other: &Origin) -> bool {
    (&one.file, one.line) == (&other.file, other.line)
}

fn name(object: &VirtualService) -> String {
    format!("{}/{}", namespace(&object.namespace), object.name)
}

impl From<Unfit<'_>> for Why {
    fn from(unfit: Unfit<'_>) -> Self {
        match unfit {
            Unfit::Port(port) => Self::Port(port),
            Unfit::Gateways(gateways) => Self::MatchGateways(gateways.to_vec()),
            Unfit::SourceNamespace(namespace) => Self::SourceNamespace(namespace.to_owned()),
            Unfit::SourceLabels(labels) => Self::SourceLabels(labels.clone()),
        }
    }
}
