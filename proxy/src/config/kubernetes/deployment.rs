//! `Deployment`: the part of it that heals.

use super::OfCluster;
use super::probe::{WrittenProbe, probe};
use crate::config::kinds;
use crate::config::number::Count;
use crate::config::object::{Metadata, Object};
use crate::config::objects::Deployment;
use crate::config::problems::Problems;
use serde::Deserialize;
use squall_yaml::{Document, Keyed, Node, Spanned};
use std::collections::BTreeMap;

/// Of a Deployment only what heals is read; images, volumes and the rest belong to the cluster.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "fields that are known and not looked at")]
struct Spec {
    replicas: Option<Count>,
    selector: Option<Keyed<Selector>>,
    template: Template,
    min_ready_seconds: Option<Keyed<Count>>,
    strategy: Option<OfCluster>,
    revision_history_limit: Option<OfCluster>,
    progress_deadline_seconds: Option<OfCluster>,
    paused: Option<OfCluster>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Selector {
    #[serde(default)]
    match_labels: BTreeMap<String, String>,
    #[serde(default)]
    match_expressions: Vec<Spanned<Expression>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expression {
    key: String,
    operator: Operator,
    #[serde(default)]
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Template {
    #[serde(default)]
    metadata: Metadata,
    spec: PodSpec,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "fields that are known and not looked at")]
struct PodSpec {
    containers: Vec<Spanned<Container>>,
    termination_grace_period_seconds: Option<Keyed<u64>>,
    restart_policy: Option<OfCluster>,
    volumes: Option<OfCluster>,
    service_account_name: Option<OfCluster>,
    service_account: Option<OfCluster>,
    automount_service_account_token: Option<OfCluster>,
    image_pull_secrets: Option<OfCluster>,
    security_context: Option<OfCluster>,
    node_selector: Option<OfCluster>,
    node_name: Option<OfCluster>,
    affinity: Option<OfCluster>,
    tolerations: Option<OfCluster>,
    topology_spread_constraints: Option<OfCluster>,
    priority_class_name: Option<OfCluster>,
    priority: Option<OfCluster>,
    preemption_policy: Option<OfCluster>,
    scheduler_name: Option<OfCluster>,
    runtime_class_name: Option<OfCluster>,
    overhead: Option<OfCluster>,
    resources: Option<OfCluster>,
    dns_policy: Option<OfCluster>,
    dns_config: Option<OfCluster>,
    host_aliases: Option<OfCluster>,
    host_network: Option<OfCluster>,
    #[serde(rename = "hostPID")]
    host_pid: Option<OfCluster>,
    #[serde(rename = "hostIPC")]
    host_ipc: Option<OfCluster>,
    host_users: Option<OfCluster>,
    hostname: Option<OfCluster>,
    subdomain: Option<OfCluster>,
    #[serde(rename = "setHostnameAsFQDN")]
    set_hostname_as_fqdn: Option<OfCluster>,
    share_process_namespace: Option<OfCluster>,
    enable_service_links: Option<OfCluster>,
    os: Option<OfCluster>,
    active_deadline_seconds: Option<OfCluster>,
    resource_claims: Option<OfCluster>,
    scheduling_gates: Option<OfCluster>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "fields that are known and not looked at")]
struct Container {
    readiness_probe: Option<Keyed<WrittenProbe>>,
    liveness_probe: Option<Keyed<WrittenProbe>>,
    startup_probe: Option<Keyed<WrittenProbe>>,
    name: Option<OfCluster>,
    image: Option<OfCluster>,
    image_pull_policy: Option<OfCluster>,
    command: Option<OfCluster>,
    args: Option<OfCluster>,
    working_dir: Option<OfCluster>,
    env: Option<OfCluster>,
    env_from: Option<OfCluster>,
    ports: Option<OfCluster>,
    resources: Option<OfCluster>,
    resize_policy: Option<OfCluster>,
    restart_policy: Option<OfCluster>,
    volume_mounts: Option<OfCluster>,
    volume_devices: Option<OfCluster>,
    security_context: Option<OfCluster>,
    termination_message_path: Option<OfCluster>,
    termination_message_policy: Option<OfCluster>,
    stdin: Option<OfCluster>,
    stdin_once: Option<OfCluster>,
    tty: Option<OfCluster>,
}

/// What Kubernetes waits, by itself, for a pod to end; seconds.
const GRACE_PERIOD: u64 = 30;

/// Reads one.
pub(in crate::config) fn deployment(document: &Document, problems: &mut Problems<'_>) -> Option<Deployment> {
    let Object { metadata, spec } = problems.read::<Object<Spec>>(document, &kinds::DEPLOYMENT)?;
    metadata.check(document, problems);
    let labels = spec.template.metadata.labels;
    check_selector(spec.selector.as_ref(), &labels, document, problems);
    if let Some(wait) = spec.min_ready_seconds.filter(|wait| wait.value.0 > 0) {
        problems.unsupported_value(wait.key, "minReadySeconds".len(), "spec.minReadySeconds", &wait.value.0);
    }
    let pod = spec.template.spec;
    if let Some(grace) = pod.termination_grace_period_seconds.filter(|grace| grace.value != GRACE_PERIOD) {
        let field = "terminationGracePeriodSeconds";
        problems.unsupported_value(grace.key, field.len(), &format!("spec.template.spec.{field}"), &grace.value);
    }
    if pod.containers.is_empty() {
        problems.error(document.place(), "a pod needs a container", "add one under `spec.template.spec.containers`");
    }
    let asked = probed(&pod.containers, problems);
    let nodes =
        document.root.get("spec").and_then(|spec| spec.get("template")).and_then(|template| template.get("spec"));
    let nodes = nodes.and_then(|spec| spec.get("containers")).map_or(&[][..], Node::list);
    let node = asked.and_then(|index| nodes.get(index));
    let container = asked.and_then(|index| pod.containers.get(index)).map(|container| &container.value);
    let mut read = |written: Option<&Keyed<WrittenProbe>>, name: &str| {
        let node = node.and_then(|node| node.get(name));
        let asks_else = node.is_some_and(|node| node.get("exec").is_some() || node.get("grpc").is_some());
        written.and_then(|written| probe(written, name, asks_else, problems))
    };
    Some(Deployment {
        readiness: read(container.and_then(|one| one.readiness_probe.as_ref()), "readinessProbe"),
        liveness: read(container.and_then(|one| one.liveness_probe.as_ref()), "livenessProbe"),
        startup: read(container.and_then(|one| one.startup_probe.as_ref()), "startupProbe"),
        replicas: spec.replicas.map_or(1, |replicas| replicas.0),
        labels,
        origin: problems.origin_of(document.place(), document.root.get("spec")),
        name: metadata.name,
    })
}

/// The container whose probes are run. Since an instance is one process, those of further ones are not.
fn probed(containers: &[Spanned<Container>], problems: &mut Problems<'_>) -> Option<usize> {
    let probes = |container: &Container| {
        let keyed = [&container.readiness_probe, &container.liveness_probe, &container.startup_probe];
        let names = ["readinessProbe", "livenessProbe", "startupProbe"];
        names.into_iter().zip(keyed.map(|probe| probe.as_ref().map(|probe| probe.key)))
    };
    let mut first = None;
    for (index, container) in containers.iter().enumerate() {
        for (name, key) in probes(&container.value).filter_map(|(name, key)| Some((name, key?))) {
            if *first.get_or_insert(index) != index {
                let field = format!("Deployment.spec.template.spec.containers.{name}");
                problems.unsupported(key, name.len(), &field);
            }
        }
    }
    first
}

/// A selector takes the pods of the template.
fn check_selector(
    written: Option<&Keyed<Selector>>,
    labels: &BTreeMap<String, String>,
    document: &Document,
    problems: &mut Problems<'_>,
) {
    let pairs: Vec<String> = labels.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    let own = if pairs.is_empty() { "app: cart".to_owned() } else { pairs.join(", ") };
    let help = format!("repeat the labels of its template: `selector: {{matchLabels: {{{own}}}}}`");
    let Some(Keyed { value: Selector { match_labels, match_expressions }, key: place }) = written else {
        return problems.error(document.place(), "a Deployment needs `spec.selector`", help);
    };
    if match_labels.is_empty() && match_expressions.is_empty() {
        return problems.error(*place, "an empty selector takes nothing", help);
    }
    let wrong = match_labels.iter().find(|(key, value)| labels.get(*key) != Some(value));
    if let Some((key, value)) = wrong {
        let message = format!("the selector takes `{key}: {value}`, which is no label of the template");
        return problems.error(*place, message, help);
    }
    for expression in match_expressions {
        let Expression { key, operator, values } = &expression.value;
        let label = labels.get(key);
        let is_in = label.is_some_and(|label| values.contains(label));
        let holds = match operator {
            Operator::In => is_in,
            Operator::NotIn => !is_in,
            Operator::Exists => label.is_some(),
            Operator::DoesNotExist => label.is_none(),
        };
        if !holds {
            problems.error(expression.place, "the labels of the template do not satisfy this", help.clone());
        }
    }
}
