//! What filters do on a table, a host or a route: `typed_per_filter_config`.

use super::any::Extensions;
use super::http_filters;
use super::message::Message;
use super::schema::{CORS_POLICY, FAULT, FILTER_CONFIG, LOCAL_RATE_LIMIT};
use super::written::Written;
use super::{cors, fault, rate_limit};
use crate::policy::RouteFilters;
use std::sync::Arc;

const PER_ROUTE: Extensions = Extensions {
    known: &[&FAULT, &CORS_POLICY, &LOCAL_RATE_LIMIT, &FILTER_CONFIG],
    package: http_filters::PACKAGE,
    others: http_filters::OTHERS,
};

/// What stands at one of them.
pub(super) fn read(owner: &Message<'_>) -> RouteFilters {
    let mut filters = RouteFilters::default();
    for (_, config) in owner.entries("typed_per_filter_config") {
        take(&config, &mut filters);
    }
    filters
}

fn take(written: &Written<'_>, filters: &mut RouteFilters) {
    let Some(config) = written.any(&PER_ROUTE) else { return };
    if config.is(&FAULT) {
        filters.fault = Some(Arc::new(fault::read(&config)));
    } else if config.is(&CORS_POLICY) {
        filters.cors = Some(Arc::new(cors::read(&config)));
    } else if config.is(&LOCAL_RATE_LIMIT) {
        filters.rate_limit = rate_limit::read(&config, true).map(Arc::new);
    } else if config.require("config") {
        config.value("config").into_iter().for_each(|inner| take(inner, filters));
    }
}

/// Where the first says nothing, what the second says: each filter's block as a whole.
pub(super) fn or(first: RouteFilters, second: &RouteFilters) -> RouteFilters {
    RouteFilters {
        fault: first.fault.or_else(|| second.fault.clone()),
        cors: first.cors.or_else(|| second.cors.clone()),
        rate_limit: first.rate_limit.or_else(|| second.rate_limit.clone()),
    }
}
