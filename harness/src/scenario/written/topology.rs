use super::{AtOnce, Distribution, InOrder, Names, Placed, Reserved, ServicePort};
use crate::units::{Bytes, Percent, TimeSpan};
use schemars::JsonSchema;
use serde::Deserialize;

/// What runs.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Topology {
    /// The services.
    #[serde(default)]
    pub services: Vec<Service>,
    /// Not obeyed yet.
    pub from: Option<Reserved>,
}

/// A service and its instances.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Service {
    /// Its name, by which policies know its host.
    pub name: Placed<String>,
    /// How many instances; 1 where neither this nor a manifest says so.
    pub instances: Option<Placed<u32>>,
    /// Port that policies know it by; 80 where neither this, `ports` nor a Kubernetes Service of the policies says it.
    pub port: Option<Placed<u16>>,
    /// Several ports, all of which lead to the same process: `[80, 8080, {port: 6379, tcp: true}]`.
    pub ports: Option<Placed<Vec<Placed<ServicePort>>>>,
    /// How each instance answers; for the built-in test service only.
    pub responds: Option<Placed<Responds>>,
    /// Versions by name; each has the service's own `instances` and `responds` unless it says otherwise. The first gets the
    /// traffic until a policy or a release says otherwise; `v1` is put in front where the file does not name it.
    pub versions: Option<Placed<InOrder<Option<Version>>>>,
    /// Where it runs already: `[10.0.0.7:8080, cart.test:8080]`. Each is an instance; nothing is started, and none is killed or
    /// stopped. For `--platform external`.
    pub at: Option<Placed<Vec<Placed<String>>>>,
    /// Program and arguments of your own service; `{port}` becomes the port to listen on.
    pub run: Option<Placed<Vec<String>>>,
    /// Path that answers 200 to 399 once your program is ready.
    pub ready: Option<Placed<String>>,
    /// Environment of your program.
    pub env: Option<Placed<InOrder<String>>>,
    /// A Kubernetes Deployment with replicas, labels and probes.
    pub manifest: Option<Placed<String>>,
    /// Path of readiness and liveness probes with Kubernetes' default timing.
    pub health: Option<Placed<String>>,
    /// Bytes are passed on at its port without being read as HTTP.
    #[serde(default)]
    pub tcp: bool,
    /// Zone of all instances, or zones that are dealt out to them in turn: `[a, b]`.
    pub zone: Option<Placed<Names>>,
    /// Not obeyed yet.
    pub calls: Option<Reserved>,
}

/// One version of a service.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Version {
    /// How many instances.
    pub instances: Option<Placed<u32>>,
    /// How each answers.
    pub responds: Option<Placed<Responds>>,
}

/// How the built-in test service answers.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Responds {
    /// Time until the answer: fixed, `{p50, p99}` or `{min, max}`; p50 2 ms, p99 10 ms where it is not said.
    pub latency: Option<Placed<Distribution<TimeSpan>>>,
    /// Size of the body; 1 KB where it is not said.
    pub body: Option<Bytes>,
    /// Share of answers that are status 500.
    pub errors: Option<Percent>,
    /// Processor time burnt by each request.
    pub cpu: Option<TimeSpan>,
    /// Requests served at once, such as `8 at once`; others wait.
    pub limit: Option<AtOnce>,
}
