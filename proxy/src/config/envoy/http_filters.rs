//! The HTTP filters of a manager, and its router.

use super::any::Extensions;
use super::message::Message;
use super::reading::Said;
use super::schema::{CORS_FILTER, FAULT, HEALTH_CHECK_FILTER, HTTP_FILTER, LOCAL_RATE_LIMIT, ROUTER};
use super::{fault, header_match, rate_limit};
use crate::policy::{HealthCheckFilter, HttpFilter, RouterOptions};

const HTTP_FILTERS: Extensions = Extensions {
    known: &[&ROUTER, &FAULT, &CORS_FILTER, &LOCAL_RATE_LIMIT, &HEALTH_CHECK_FILTER],
    package: PACKAGE,
    others: OTHERS,
};

/// The package of HTTP filters.
pub(super) const PACKAGE: &str = "envoy.extensions.filters.http.";
/// HTTP filters that Envoy knows beside those that are obeyed.
pub(super) const OTHERS: &str = "adaptive_concurrency admission_control alternate_protocols_cache api_key_auth aws_lambda \
        aws_request_signing bandwidth_limit basic_auth buffer cache cache_v2 cdn_loop composite compressor \
        connect_grpc_bridge credential_injector csrf custom_response decompressor dynamic_forward_proxy \
        dynamic_modules ext_authz ext_proc file_system_buffer gcp_authn geoip grpc_field_extraction grpc_http1_bridge \
        grpc_http1_reverse_bridge grpc_json_reverse_transcoder grpc_json_transcoder grpc_stats grpc_web gzip \
        header_mutation header_to_metadata ip_tagging json_to_metadata jwt_authn kill_request lua mcp mcp_router \
        oauth2 on_demand original_src proto_api_scrubber proto_message_extraction rate_limit_quota ratelimit rbac \
        set_filter_state set_metadata stateful_session tap thrift_to_metadata transform upstream_codec wasm";

/// The filters ahead of the router, and the router's options.
pub(super) fn read(manager: &Message<'_>) -> (Vec<HttpFilter>, RouterOptions) {
    let messages = manager.messages("http_filters", &HTTP_FILTER);
    let mut filters = Vec::new();
    let mut router = None;
    for (number, message) in messages.iter().enumerate() {
        let Some(config) = message.extension(&HTTP_FILTERS) else {
            // One that is meant as the router and cannot be read has been told of.
            let meant = message.text("name").is_some_and(|name| name.ends_with("router"));
            router = router.or_else(|| meant.then(RouterOptions::default));
            continue;
        };
        if config.is(&ROUTER) {
            if number + 1 < messages.len() {
                message.at.error(Said::from("filters stand behind the router").help("make the router the last one"));
            }
            router = Some(options(&config));
        } else {
            filters.extend(filter(&config));
        }
    }
    if router.is_none() {
        manager.at.error(
            Said::from("`http_filters` does not end in the router: no request would be sent on")
                .help("add `envoy.filters.http.router` as the last one"),
        );
    }
    (filters, router.unwrap_or_default())
}

fn options(router: &Message<'_>) -> RouterOptions {
    RouterOptions {
        suppress_envoy_headers: router.flag("suppress_envoy_headers"),
        start_child_span: router.flag("start_child_span"),
        respect_expected_timeout: router.flag("respect_expected_rq_timeout"),
    }
}

fn filter(config: &Message<'_>) -> Option<HttpFilter> {
    Some(if config.is(&FAULT) {
        // A filter that says nothing is there for the routes that do.
        HttpFilter::Fault(if config.is_empty() { None } else { Some(fault::read(config)) })
    } else if config.is(&CORS_FILTER) {
        HttpFilter::Cors
    } else if config.is(&LOCAL_RATE_LIMIT) {
        HttpFilter::LocalRateLimit(rate_limit::read(config, false)?)
    } else {
        HttpFilter::HealthCheck(health_check(config))
    })
}

fn health_check(config: &Message<'_>) -> HealthCheckFilter {
    config.require("pass_through_mode");
    let pass_through = config.flag("pass_through_mode");
    let cache = config.limit("cache_time", None);
    if cache.is_some() && !pass_through {
        config.at.error("`cache_time` is for `pass_through_mode` alone");
    }
    HealthCheckFilter { headers: header_match::all(config, "headers"), pass_through, cache }
}
