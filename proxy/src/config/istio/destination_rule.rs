//! `DestinationRule`.

use super::export_to::export_to;
use super::labels::{RuleSelector, labels, selector};
use super::traffic_policy::{WrittenPolicy, policy};
use super::virtual_service::check_destination_host;
use crate::config::kinds;
use crate::config::names::is_label;
use crate::config::object::Object;
use crate::config::objects::{DestinationRule, PlaceInFile, Subset, TrafficPolicy};
use crate::config::pairs::Pairs;
use crate::config::problems::Problems;
use serde::Deserialize;
use squall_yaml::{Document, Keyed, Node, Spanned};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    host: Spanned<String>,
    traffic_policy: Option<Keyed<WrittenPolicy>>,
    #[serde(default)]
    subsets: Vec<WrittenSubset>,
    #[serde(default)]
    export_to: Vec<Spanned<String>>,
    workload_selector: Option<Keyed<RuleSelector>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenSubset {
    name: Spanned<String>,
    #[serde(default)]
    labels: Pairs<String>,
    traffic_policy: Option<Keyed<WrittenPolicy>>,
}

/// A policy, and those of single ports.
type Policies = (TrafficPolicy, Vec<(u16, TrafficPolicy)>);

/// Reads one.
pub(in crate::config) fn destination_rule(document: &Document, problems: &mut Problems<'_>) -> Option<DestinationRule> {
    let Object { metadata, spec } = problems.read::<Object<Spec>>(document, &kinds::DESTINATION_RULE)?;
    metadata.check(document, problems);
    let namespace = metadata.namespace();
    let written_spec = document.root.get("spec");
    check_host(&spec.host, problems);
    let (host_policy, port_policies) = policies(spec.traffic_policy.as_ref(), written_spec, problems);
    let mut subsets: Vec<Subset> = Vec::new();
    for (index, written) in spec.subsets.iter().enumerate() {
        let name = &written.name;
        if !is_label(&name.value) {
            let message = format!("`{}` can be no name of a subset", name.value);
            problems.error(name.place, message, "letters, digits and dashes inside, as `v1`");
        }
        if subsets.iter().any(|subset| subset.name == name.value) {
            problems.error(name.place, format!("subset `{}` is defined twice", name.value), "give one another name");
            continue;
        }
        let node = written_spec.and_then(|spec| spec.get("subsets")).and_then(|subsets| subsets.list().get(index));
        let own = policies(written.traffic_policy.as_ref(), node, problems);
        let (policy, port_policies) = own;
        let labels = labels(&written.labels, problems);
        subsets.push(Subset {
            name: name.value.clone(),
            labels,
            policy,
            port_policies,
            place: PlaceInFile(name.place),
        });
    }
    let export_to = export_to(&spec.export_to, &namespace, false, problems);
    if let Some(written) = &spec.workload_selector
        && export_to.iter().any(|to| *to != "." && *to != namespace)
    {
        let help = "say `exportTo: [.]`, or nothing";
        problems.error(written.key, "a rule for some workloads is seen by its own namespace alone", help);
    }
    Some(DestinationRule {
        host: spec.host.value.to_ascii_lowercase(),
        host_place: PlaceInFile(spec.host.place),
        export_to,
        workload_selector: selector(spec.workload_selector.as_ref(), problems),
        policy: host_policy,
        port_policies,
        subsets,
        origin: problems.origin_of(document.place(), written_spec),
        created: metadata.created(),
        name: metadata.name,
        namespace,
    })
}

/// Istio takes `*` here, which is every host.
fn check_host(host: &Spanned<String>, problems: &mut Problems<'_>) {
    if host.value != "*" {
        check_destination_host(host, problems);
    }
}

fn policies(written: Option<&Keyed<WrittenPolicy>>, above: Option<&Node>, problems: &mut Problems<'_>) -> Policies {
    let Some(written) = written else { return Policies::default() };
    let node = above.and_then(|above| above.get("trafficPolicy"));
    // As it stands in the file: fields that are accepted without effect count.
    if node.is_some_and(|node| node.map().is_empty()) {
        problems.error(written.key, "Istio refuses a `trafficPolicy` in which nothing is said", "take it out");
    }
    if node.is_some_and(|node| node.get("tunnel").is_some() && node.get("proxyProtocol").is_some()) {
        problems.error(written.key, "only one of `tunnel` and `proxyProtocol`", "take one out");
    }
    policy(&written.value, problems)
}
