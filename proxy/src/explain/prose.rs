//! An explanation for people: from the connection to the endpoint, in the order of the request path.

use super::{Action, Destination, Explanation, Forward, Outcome, PassedOver, Refusal, Route, Setting, Way};
use std::fmt;

/// Objects for other hosts that are named one by one.
const FEW: usize = 5;

/// Width of the names of settings.
const NAME: usize = 32;

/// Width of their values.
const VALUE: usize = 34;

impl Explanation {
    /// For people: plain text, without colours.
    pub fn prose(&self) -> impl fmt::Display + '_ {
        Prose(self)
    }
}

struct Prose<'e>(&'e Explanation);

impl fmt::Display for Prose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = self.0;
        head(told, f)?;
        if let Some(listener) = &told.listener {
            line(f, "listener", &[&listener.name, &listener.address, &listener.place])?;
        }
        passed(f, "chains passed over", &told.chains_passed_over)?;
        if let Some(chain) = &told.chain {
            let ends = if chain.ends_tls { "ends TLS" } else { "" };
            let default = if chain.by_default { "since no other matches" } else { "" };
            let serves = format!("serves {}", chain.serves);
            line(f, "filter chain", &[&chain.name, &serves, ends, default, &chain.place])?;
        }
        if let Some(host) = &told.virtual_host {
            let asked = format!("is meant by `{}`", host.asked);
            line(f, "virtual host", &[&host.name, &asked, &host.place])?;
        }
        let (others, left): (Vec<_>, Vec<_>) = told.left_out.iter().partition(|left| left.condition == "hosts");
        for_other_hosts(f, &others)?;
        passed(f, "left out", left)?;
        for way in &told.ways {
            self::way(f, way, told.ways.len() > 1)?;
        }
        Ok(())
    }
}

fn head(told: &Explanation, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let asked = &told.request;
    writeln!(f, "{} {}://{}{}", asked.method, asked.scheme, asked.authority, asked.path)?;
    for (name, value) in &asked.headers {
        writeln!(f, "  {name}: {value}")?;
    }
    if !asked.source_labels.is_empty() {
        let labels: Vec<_> = asked.source_labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        writeln!(f, "  from a workload with {}", labels.join(", "))?;
    }
    writeln!(f)?;
    if !told.assumed_services.is_empty() {
        let all = told.assumed_services.join(", ");
        line(f, "taken to be there", &[&all, "nothing lists services; --endpoints says where they are"])?;
    }
    if !told.disarmed.is_empty() {
        line(f, "taken out", &[&told.disarmed.join(", ")])?;
    }
    if !told.beyond_envoy.is_empty() {
        line(f, "beyond Envoy", &[&told.beyond_envoy.join(", ")])?;
    }
    Ok(())
}

/// A label, and parts of which empty ones are left out.
fn line(f: &mut fmt::Formatter<'_>, label: &str, parts: &[&str]) -> fmt::Result {
    let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    writeln!(f, "{label:<20}{}", parts.join(", "))
}

fn passed<'p>(f: &mut fmt::Formatter<'_>, label: &str, all: impl IntoIterator<Item = &'p PassedOver>) -> fmt::Result {
    let mut first = true;
    for one in all {
        if std::mem::take(&mut first) {
            writeln!(f, "{label}")?;
        }
        let named = [one.place.as_str(), one.name.as_str()];
        let named: Vec<_> = named.iter().filter(|part| !part.is_empty()).copied().collect();
        writeln!(f, "  {}", named.join(" "))?;
        writeln!(f, "    {}: wanted {}; given {}", one.condition, one.wanted, one.given)?;
    }
    Ok(())
}

fn for_other_hosts(f: &mut fmt::Formatter<'_>, others: &[&PassedOver]) -> fmt::Result {
    if others.is_empty() {
        return Ok(());
    }
    let named = others.iter().take(FEW).map(|one| format!("{} ({}, {})", one.name, one.wanted, one.place));
    let mut named: Vec<String> = named.collect();
    if others.len() > FEW {
        named.push(format!("and {} more", others.len() - FEW));
    }
    line(f, "for other hosts", &[&named.join(", ")])
}

fn way(f: &mut fmt::Formatter<'_>, way: &Way, one_of_several: bool) -> fmt::Result {
    if one_of_several {
        writeln!(f, "\n{}% of such requests", way.percent)?;
    }
    passed(f, "passed over", &way.passed_over)?;
    match &way.outcome {
        Outcome::Closed { why } => line(f, "no answer", &[why]),
        Outcome::Refused(refused) => line(f, "answer", &[&answer(refused), &refused.why]),
        Outcome::Elsewhere { status, location, why } => {
            line(f, "answer", &[&status.to_string(), &format!("location: {location}"), why])
        }
        Outcome::Route(route) => self::route(f, route),
        Outcome::Bytes { destinations, settings } => {
            line(f, "bytes", &["passed on as they are"])?;
            self::settings(f, settings)?;
            destinations.iter().try_for_each(|to| destination(f, to, destinations.len() > 1))
        }
    }
}

fn answer(refused: &Refusal) -> String {
    match (refused.status, refused.flags.as_str()) {
        (0, flags) => flags.to_owned(),
        (status, "") => status.to_string(),
        (status, flags) => format!("{status} {flags}"),
    }
}

fn route(f: &mut fmt::Formatter<'_>, route: &Route) -> fmt::Result {
    let name = if route.name.is_empty() { String::new() } else { format!("`{}`", route.name) };
    let own = if route.place.is_empty() { "which nobody wrote: the mesh's own" } else { &route.place };
    line(f, "route", &[&name, own])?;
    if route.conditions.is_empty() {
        writeln!(f, "  every request")?;
    }
    route.conditions.iter().try_for_each(|condition| writeln!(f, "  {condition}"))?;
    if !route.filters.is_empty() {
        writeln!(f, "filters, in order")?;
    }
    for filter in &route.filters {
        writeln!(f, "  {}: {}", filter.name, filter.does)?;
    }
    match &route.action {
        Action::Answered => line(f, "router", &["not asked: a filter has answered"])?,
        Action::Redirect { status, location } => {
            line(f, "redirect", &[&status.to_string(), &format!("location: {location}")])?;
        }
        Action::Direct { status, body_bytes } => {
            line(f, "direct response", &[&status.to_string(), &format!("{body_bytes} bytes")])?;
        }
        Action::Forward(forward) => self::forward(f, forward)?,
    }
    changes(f, "answer's fields", &route.response_headers)
}

fn forward(f: &mut fmt::Formatter<'_>, forward: &Forward) -> fmt::Result {
    writeln!(f, "sent on")?;
    settings(f, &forward.settings)?;
    writeln!(f, "retries")?;
    settings(f, &forward.retries)?;
    for mirror in &forward.mirrors {
        let known = if mirror.known { "" } else { "which there is not: no copy is sent" };
        line(f, "mirror", &[&format!("{} to {}", mirror.share, mirror.cluster), known])?;
    }
    forward.destinations.iter().try_for_each(|to| destination(f, to, forward.destinations.len() > 1))
}

fn destination(f: &mut fmt::Formatter<'_>, to: &Destination, one_of_several: bool) -> fmt::Result {
    let share = if one_of_several { format!("{}%", (to.percent * 100.0).round() / 100.0) } else { String::new() };
    let subset = if to.subset.is_empty() { String::new() } else { format!("subset {}", to.subset) };
    line(f, "\ncluster", &[&share, &to.cluster, &subset, &to.place])?;
    if let Some(missing) = &to.missing {
        return line(f, "answer", &[&answer(missing), &missing.why]);
    }
    if !to.path.is_empty() {
        line(f, "request as sent", &[&format!("{} of {}", to.path, to.host)])?;
    }
    changes(f, "request's fields", &to.request_headers)?;
    if !to.endpoints.is_empty() {
        writeln!(f, "endpoints")?;
    }
    for endpoint in &to.endpoints {
        let percent = format!("{}%", (endpoint.percent * 100.0).round() / 100.0);
        let locality = if endpoint.locality.is_empty() { String::new() } else { format!(", {}", endpoint.locality) };
        writeln!(
            f,
            "  {percent:>6}  {}, {}, priority {}{locality}",
            endpoint.address, endpoint.health, endpoint.priority
        )?;
    }
    if !to.note.is_empty() {
        writeln!(f, "  {}", to.note)?;
    }
    for group in &to.groups {
        if group.is.is_empty() || !group.settings.is_empty() {
            writeln!(f, "{}", group.name)?;
        } else {
            line(f, group.name, &[&group.is])?;
        }
        settings(f, &group.settings)?;
    }
    Ok(())
}

fn changes(f: &mut fmt::Formatter<'_>, label: &str, all: &[String]) -> fmt::Result {
    if all.is_empty() {
        return Ok(());
    }
    writeln!(f, "{label}")?;
    all.iter().try_for_each(|one| writeln!(f, "  {one}"))
}

fn settings(f: &mut fmt::Formatter<'_>, all: &[Setting]) -> fmt::Result {
    for Setting { name, value, from } in all {
        if from.is_empty() {
            writeln!(f, "  {name:<NAME$}{value}")?;
        } else {
            writeln!(f, "  {name:<NAME$}{value:<VALUE$}  {from}")?;
        }
    }
    Ok(())
}
