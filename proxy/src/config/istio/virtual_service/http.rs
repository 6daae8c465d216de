//! One rule for requests.

use super::Context;
use super::action::{WrittenDelegate, WrittenDirect, WrittenRedirect, action};
use super::cors::{WrittenCors, cors};
use super::destination::{WrittenBackend, WrittenDestination};
use super::fault::{Percentage, WrittenFault, injection};
use super::mirror::{WrittenMirror, mirrors};
use super::rewrite::{WrittenRewrite, rewrite};
use crate::config::duration::{GoDuration, positive};
use crate::config::istio::headers::{WrittenHeaders, headers};
use crate::config::istio::retries::{WrittenRetries, retries};
use crate::config::istio::route_match::{WrittenMatch, route_match};
use crate::config::number::WholePercent;
use crate::config::objects::HttpRule;
use crate::config::problems::Problems;
use serde::Deserialize;
use squall_yaml::{Keyed, Node, Spanned};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WrittenRule {
    #[serde(default)]
    name: String,
    #[serde(default, rename = "match")]
    pub(super) matches: Vec<Spanned<WrittenMatch>>,
    pub(super) route: Option<Keyed<Vec<WrittenDestination>>>,
    pub(super) redirect: Option<Keyed<WrittenRedirect>>,
    pub(super) direct_response: Option<Keyed<WrittenDirect>>,
    pub(super) delegate: Option<Keyed<WrittenDelegate>>,
    pub(super) rewrite: Option<Keyed<WrittenRewrite>>,
    timeout: Option<Keyed<GoDuration>>,
    retries: Option<Keyed<WrittenRetries>>,
    pub(super) fault: Option<Keyed<WrittenFault>>,
    pub(super) mirror: Option<Keyed<WrittenBackend>>,
    pub(super) mirrors: Option<Keyed<Vec<Spanned<WrittenMirror>>>>,
    pub(super) mirror_percentage: Option<Percentage>,
    pub(super) mirror_percent: Option<Keyed<WholePercent>>,
    cors_policy: Option<WrittenCors>,
    #[serde(default)]
    pub(super) headers: WrittenHeaders,
}

/// Resolves one; none if nothing is said of what becomes of the request.
pub(super) fn rule(
    written: &Spanned<WrittenRule>,
    node: Option<&Node>,
    context: &Context<'_>,
    problems: &mut Problems<'_>,
) -> Option<HttpRule> {
    let origin = problems.origin_of(written.place, node);
    let rule = &written.value;
    let mut matches: Vec<_> = rule.matches.iter().map(|block| route_match(block, context.for_mesh, problems)).collect();
    // A route stands where its match does, and what it does with a request is said in the rule.
    matches.iter_mut().for_each(|block| block.origin.fields = origin.fields.clone());
    let action = action(rule, written.place, context, problems);
    let timeout = positive(rule.timeout.as_ref(), "timeout", "leave it out for no time-out", problems);
    let retry = rule.retries.as_ref().map(|written| retries(written, problems));
    let avoid_previous_hosts = rule.retries.as_ref().and_then(|written| written.value.retry_ignore_previous_hosts);
    Some(HttpRule {
        name: rule.name.clone(),
        matches,
        timeout,
        retry,
        avoid_previous_hosts,
        headers: headers(&rule.headers, "spec.http.headers", problems),
        rewrite: rewrite(rule, problems),
        fault: rule.fault.as_ref().and_then(|fault| injection(fault, problems)),
        cors: rule.cors_policy.as_ref().map(|written| cors(written, problems)),
        mirrors: mirrors(rule, problems),
        action: action?,
        origin,
    })
}
