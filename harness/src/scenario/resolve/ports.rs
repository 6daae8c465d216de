//! Ports of services, and who is asked at which.

use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{Port, Service};
use crate::scenario::written::{self, Placed, ServicePort};
use squall_proxy::config::objects::{self, AppProtocol, Objects};
use std::collections::BTreeSet;

/// Port of a service that names none.
const PORT: u16 = 80;

/// The ports of a service, and whether the mesh has to be told of them: a Kubernetes Service of the policies, where there is one, says
/// how they are called and what is spoken there.
pub(super) fn resolve(
    written: &written::Service,
    policies: Option<&Objects>,
    problems: &mut Problems,
) -> (Vec<Port>, bool) {
    let asked = asked_for(written, problems);
    // Instances are deployed into the namespace `default`.
    let here = |known: &&objects::Service| matches!(known.namespace.as_str(), "" | "default");
    let named = |known: &&objects::Service| known.name == *written.name;
    let declared = policies.and_then(|policies| policies.services.iter().filter(here).find(named));
    let Some(declared) = declared else {
        let ports: Vec<Port> = asked.iter().map(|port| undeclared(**port)).collect();
        let is_default = ports.iter().all(|port| port.number == PORT && !port.tcp);
        return if ports.is_empty() { (vec![undeclared(default(written))], written.tcp) } else { (ports, !is_default) };
    };
    let known: Vec<&objects::ServicePort> =
        declared.ports.iter().filter(|port| port.protocol != AppProtocol::Udp).collect();
    if asked.is_empty() {
        let ports: Vec<Port> = known.iter().map(|port| self::declared(port, written.tcp)).collect();
        return if ports.is_empty() { (vec![undeclared(default(written))], false) } else { (ports, false) };
    }
    let mut ports = Vec::new();
    for port in asked {
        let known_port = known.iter().find(|known| known.number == port.number);
        if known_port.is_none() {
            let numbers: Vec<String> = known.iter().map(|known| known.number.to_string()).collect();
            problems
                .error(
                    code::UNKNOWN_NAME,
                    port.place,
                    format!("the Service `{}` of the policies has no port {}", declared.name, port.number),
                )
                .names(&port.number.to_string(), numbers.iter().map(String::as_str));
        }
        ports.push(known_port.map_or_else(|| undeclared(*port), |known| self::declared(known, port.tcp)));
    }
    (ports, false)
}

/// The service and the port that a flow asks: `cart`, or `cart:8080`.
pub(super) fn asked(written: &Placed<String>, services: &[Service], problems: &mut Problems) -> (String, u16) {
    let (name, port) = match written.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (written.as_str(), None),
    };
    let Some(service) = services.iter().find(|service| service.name == name) else {
        problems
            .error(code::UNKNOWN_NAME, written.place, format!("no service `{name}`"))
            .names(name, services.iter().map(|service| service.name.as_str()));
        return (name.to_owned(), PORT);
    };
    let first = service.ports.first().map_or(PORT, |port| port.number);
    let Some(port) = port else { return (name.to_owned(), first) };
    let known: Vec<String> = service.ports.iter().map(|port| port.number.to_string()).collect();
    let number = port.parse().ok().filter(|number| service.ports.iter().any(|known| known.number == *number));
    if number.is_none() {
        problems
            .error(code::UNKNOWN_NAME, written.place, format!("`{name}` has no port `{port}`"))
            .names(port, known.iter().map(String::as_str))
            .help(format!("`ports: [{}, ...]` of the service says which it has", known.join(", ")));
    }
    (name.to_owned(), number.unwrap_or(first))
}

/// A host to call, and its port: `shop.example.com`, or `shop.example.com:8080`.
pub(super) fn host(written: &Placed<String>, problems: &mut Problems) -> Option<(String, Option<u16>)> {
    let (host, port) = match written.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (written.as_str(), None),
    };
    let is_host = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    let number = port.map(|port| port.parse::<u16>().ok().filter(|port| *port > 0));
    if !is_host || number == Some(None) {
        problems
            .error(code::RANGE, written.place, format!("`{}` is no host to call", written.value))
            .expected("one such as `shop.example.com` or `shop.example.com:8080`");
        return None;
    }
    Some((host.to_owned(), number.flatten()))
}

/// What `port` or `ports` asks for; nothing where neither is written.
fn asked_for(written: &written::Service, problems: &mut Problems) -> Vec<Placed<ServicePort>> {
    let asked = match (&written.port, &written.ports) {
        (Some(_), Some(ports)) => {
            problems.error(code::SHAPE, ports.place, "both `port` and `ports`").help("leave `port` out");
            Vec::new()
        }
        (Some(port), None) => {
            vec![Placed { value: ServicePort { number: port.value, tcp: written.tcp }, place: port.place }]
        }
        (None, Some(ports)) => {
            if ports.is_empty() {
                problems.error(code::SHAPE, ports.place, "`ports` is empty").expected("`[80, 8080]`");
            }
            if written.tcp {
                problems
                    .error(code::SHAPE, ports.place, "`tcp` beside `ports` does not say which")
                    .expected("`ports: [80, {port: 6379, tcp: true}]`");
            }
            ports.value.clone()
        }
        (None, None) => Vec::new(),
    };
    let mut seen = BTreeSet::new();
    for port in &asked {
        if port.number == 0 {
            problems.error(code::RANGE, port.place, "0 is no port").expected("1 to 65535");
        } else if !seen.insert(port.number) {
            problems.error(code::SHAPE, port.place, format!("the port {} stands here twice", port.number));
        }
    }
    asked
}

fn default(written: &written::Service) -> ServicePort {
    ServicePort { number: PORT, tcp: written.tcp }
}

/// A port that no Kubernetes Service names: its name says what is spoken there.
fn undeclared(port: ServicePort) -> Port {
    let spoken = if port.tcp { "tcp" } else { "http" };
    Port { number: port.number, name: format!("{spoken}-{}", port.number), tcp: port.tcp }
}

fn declared(port: &objects::ServicePort, tcp: bool) -> Port {
    let tcp = tcp || matches!(port.protocol, AppProtocol::Tcp | AppProtocol::Tls);
    Port { number: port.number, name: port.name.clone(), tcp }
}
