//! Routing objects.

use super::AppProtocol;
use crate::policy::{
    CorsPolicy, DirectResponse, FaultInjection, Fraction, HeaderRules, Origin, Redirect, RetryPolicy, Rewrite,
    RouteMatch,
};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// The routes of some hosts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VirtualService {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// In lower case, as written: short, exact, `*.suffix`, or `*`. None makes it a delegate.
    pub hosts: Vec<String>,
    /// `mesh`, `name` or `namespace/name`; `mesh` where nothing is written.
    pub gateways: Vec<String>,
    /// Where the hosts stand, in their order; possibly empty.
    pub host_places: Vec<PlaceInFile>,
    /// Where the gateways stand, in their order; possibly empty.
    pub gateway_places: Vec<PlaceInFile>,
    /// Namespaces that see it; `*` is all, `.` its own.
    pub export_to: Vec<String>,
    /// Rules for requests, in order.
    pub http: Vec<HttpRule>,
    /// Rules for TLS that is passed through, by server name.
    pub tls: Vec<TlsRule>,
    /// Rules for bytes.
    pub tcp: Vec<TcpRule>,
    /// Rules were made of the Gateway API: a destination that is not there is 500.
    pub of_gateway_api: bool,
    /// Of a route of the Gateway API: the one listener of its gateway that it belongs to, which is the name of the server's port;
    /// all where empty.
    pub section: String,
    /// When a cluster took it in, if it has been in one.
    pub created: Option<Timestamp>,
    /// Where it stands.
    pub origin: Origin,
}

impl VirtualService {
    /// Every destination, copies and those with a share of 0 included, with where its rule stands and what is spoken on the way there.
    pub(in crate::config) fn destinations(&self) -> impl Iterator<Item = (&Origin, &Backend, AppProtocol)> {
        let http = self.http.iter().flat_map(|rule| {
            let routed = match &rule.action {
                HttpAction::Route(backends) => backends.as_slice(),
                _ => &[],
            };
            let to = routed.iter().map(|backend| &backend.to).chain(rule.mirrors.iter().map(|mirror| &mirror.to));
            to.map(|to| (&rule.origin, to, AppProtocol::Http))
        });
        let bytes = self.tls.iter().map(|rule| (&rule.origin, &rule.to, AppProtocol::Tls));
        let bytes = bytes.chain(self.tcp.iter().map(|rule| (&rule.origin, &rule.to, AppProtocol::Tcp)));
        http.chain(bytes.flat_map(|(origin, to, spoken)| to.iter().map(move |backend| (origin, &backend.to, spoken))))
    }
}

/// One rule for requests.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpRule {
    /// Its name, possibly empty.
    pub name: String,
    /// Any of these; none is every request.
    pub matches: Vec<MatchBlock>,
    /// What becomes of the request.
    pub action: HttpAction,
    /// From the whole request received to the answer's end; none by Istio's default.
    pub timeout: Option<Duration>,
    /// When it is tried again; none is the mesh's default.
    pub retry: Option<RetryPolicy>,
    /// What `retries.retryIgnorePreviousHosts` says, if anything; unsaid, a consistent hash keeps retries where they were.
    pub avoid_previous_hosts: Option<bool>,
    /// Changes of fields.
    pub headers: HeaderRules,
    /// Changes of path and host.
    pub rewrite: Option<Rewrite>,
    /// Faults of the client's side.
    pub fault: Option<FaultInjection>,
    /// Who may ask across origins.
    pub cors: Option<CorsPolicy>,
    /// Copies.
    pub mirrors: Vec<MirrorTo>,
    /// Where it stands.
    pub origin: Origin,
}

/// Conditions that all must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MatchBlock {
    /// Its name, possibly empty.
    pub name: String,
    /// What a request must be like.
    pub request: RouteMatch,
    /// Port of the listener.
    pub port: Option<u16>,
    /// Labels of the caller.
    pub source_labels: BTreeMap<String, String>,
    /// Namespace of the caller.
    pub source_namespace: Option<String>,
    /// In place of the object's gateways.
    pub gateways: Vec<String>,
    /// Where it stands.
    pub origin: Origin,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum HttpAction {
    /// Sent to one of these.
    Route(Vec<WeightedBackend>),
    /// Answered with another place.
    Redirect(Redirect),
    /// Answered as it stands.
    Direct(DirectResponse),
    /// By the rules of another object.
    Delegate {
        /// Its name.
        name: String,
        /// Its namespace; that of the object where empty.
        namespace: String,
        /// Where it stands.
        place: PlaceInFile,
    },
}

/// A destination with its share.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightedBackend {
    /// Where to.
    pub to: Backend,
    /// Share of the sum.
    pub weight: u32,
    /// Changes of fields for this destination.
    pub headers: HeaderRules,
}

/// A service, or a subset of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Backend {
    /// Host of the service, in lower case, as written.
    pub host: String,
    /// Port, where the policy says one.
    pub port: Option<u16>,
    /// Subset, where the policy says one.
    pub subset: Option<String>,
    /// Where it stands.
    pub origin: PlaceInFile,
}

/// Where a word stands, for findings; no part of what it means.
#[derive(Debug, Clone, Copy, Default, Eq, PartialOrd, Ord)]
pub struct PlaceInFile(pub squall_yaml::Place);

impl PartialEq for PlaceInFile {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl std::hash::Hash for PlaceInFile {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

/// A copy of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct MirrorTo {
    /// Where to.
    pub to: Backend,
    /// Of how many.
    pub share: Fraction,
}

/// One rule for TLS that is passed through.
#[derive(Debug, Clone, PartialEq)]
pub struct TlsRule {
    /// Server names, exact or `*.suffix`.
    pub server_names: Vec<String>,
    /// Conditions besides.
    pub matches: Vec<ConnectionMatch>,
    /// Where to.
    pub to: Vec<WeightedBackend>,
    /// Where it stands.
    pub origin: Origin,
}

/// One rule for bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct TcpRule {
    /// Any of these; none is every connection.
    pub matches: Vec<ConnectionMatch>,
    /// Where to.
    pub to: Vec<WeightedBackend>,
    /// Where it stands.
    pub origin: Origin,
}

/// Conditions on a connection; all must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConnectionMatch {
    /// Port of the listener.
    pub port: Option<u16>,
    /// Where the client was going.
    pub destinations: Vec<crate::policy::Cidr>,
    /// Labels of the caller.
    pub source_labels: BTreeMap<String, String>,
    /// Namespace of the caller.
    pub source_namespace: Option<String>,
    /// In place of the object's gateways.
    pub gateways: Vec<String>,
}
