//! Local rate limits.

mod descriptions;
mod descriptors;

use super::message::Message;
use super::reading::Said;
use super::schema::{HTTP_STATUS, TOKEN_BUCKET};
use super::{header_rules, share};
use crate::policy::{Fraction, HostDescriptions, RateLimit, TokenBucket};
pub(super) use descriptions::of_routes;
use std::time::Duration;

/// The limit of a listener or of a route; that of a route must have a bucket.
pub(super) fn read(limit: &Message<'_>, on_route: bool) -> Option<RateLimit> {
    let stat_prefix = limit.required_text("stat_prefix");
    let enabled = share::runtime_fraction(limit, "filter_enabled").unwrap_or(Fraction::NONE);
    let enforced = share::runtime_fraction(limit, "filter_enforced").unwrap_or(Fraction::NONE);
    if on_route || enabled > Fraction::NONE {
        limit.require("token_bucket");
    }
    for (name, effect) in [("filter_enabled", "does nothing"), ("filter_enforced", "refuses nothing")] {
        if !limit.has(name) {
            limit.at.warn(format!("without `{name}` this {effect}: Envoy's default is 0 %"));
        }
    }
    let status = limit.message("status", &HTTP_STATUS).and_then(|status| status_of(&status));
    let versions = [("OFF", 0, Some(false)), ("DRAFT_VERSION_03", 1, Some(true))];
    // Without a bucket of its own, a listener's limit is there for the routes that have one.
    let refill = limit.at.reading.version.refill();
    let unlimited =
        TokenBucket { max_tokens: u32::MAX, tokens_per_fill: u32::MAX, fill_interval: Duration::from_secs(1), refill };
    let bucket = if limit.has("token_bucket") { bucket(limit) } else { Some(unlimited) };
    let of_host = [
        ("OVERRIDE", 0, Some(HostDescriptions::Otherwise)),
        ("INCLUDE", 1, Some(HostDescriptions::Beside)),
        ("IGNORE", 2, Some(HostDescriptions::Never)),
    ];
    let response_headers = header_rules::additions(limit, "response_headers_to_add");
    let descriptors = descriptors::own(limit);
    let describe = descriptions::of_filter(limit);
    Some(RateLimit {
        stat_prefix,
        descriptors,
        stage: limit.within("stage", 0, 10).unwrap_or(0),
        describe,
        of_host: limit.choice("vh_rate_limits", &of_host).unwrap_or_default(),
        always_of_all: limit.boolean("always_consume_default_token_bucket").unwrap_or(true),
        most_values: limit.within("max_dynamic_descriptors", 1, i128::from(u32::MAX)).unwrap_or(20),
        enabled,
        enforced,
        status: status.filter(|status| *status >= 400).unwrap_or(429),
        response_headers,
        per_connection: limit.flag("local_rate_limit_per_downstream_connection"),
        grpc_resource_exhausted: limit.flag("rate_limited_as_resource_exhausted"),
        rate_limit_headers: limit.choice("enable_x_ratelimit_headers", &versions).unwrap_or(false),
        bucket: bucket?,
    })
}

/// The bucket of a limit, or of a descriptor.
fn bucket(limit: &Message<'_>) -> Option<TokenBucket> {
    let bucket = limit.message("token_bucket", &TOKEN_BUCKET)?;
    let whole = bucket.require("max_tokens") & bucket.require("fill_interval");
    let most = i128::from(u32::MAX);
    let max_tokens = bucket.within("max_tokens", 1, most);
    let per_fill = if bucket.has("tokens_per_fill") { bucket.within("tokens_per_fill", 1, most) } else { Some(1) };
    let interval = bucket.duration("fill_interval");
    if let (Some(interval), Some(value)) = (interval, bucket.value("fill_interval"))
        && interval < Duration::from_millis(50)
    {
        value.error(Said::from("this is too short").expected("a duration of at least 0.05s"));
    }
    let refill = bucket.at.reading.version.refill();
    let bucket =
        || Some(TokenBucket { max_tokens: max_tokens?, tokens_per_fill: per_fill?, fill_interval: interval?, refill });
    if whole { bucket() } else { None }
}

/// A status by its number, or by its name in Envoy's API.
fn status_of(status: &Message<'_>) -> Option<u16> {
    status.require("code");
    let value = status.value("code")?;
    if let Some(name) = value.node.scalar().filter(|text| text.parse::<u16>().is_err()) {
        let number = NAMES.iter().find(|(known, _)| *known == name).map(|(_, number)| *number);
        if number.is_none() {
            value.error(
                Said::from(format!("`{name}` is no status")).expected("a number such as 429, or TooManyRequests"),
            );
        }
        return number;
    }
    value.within(100, 599)
}

/// Names of those statuses that a refusal may have; one below 400 becomes 429.
#[rustfmt::skip]
const NAMES: [(&str, u16); 42] = [
    ("OK", 200), ("BadRequest", 400), ("Unauthorized", 401), ("PaymentRequired", 402), ("Forbidden", 403),
    ("NotFound", 404), ("MethodNotAllowed", 405), ("NotAcceptable", 406), ("ProxyAuthenticationRequired", 407),
    ("RequestTimeout", 408), ("Conflict", 409), ("Gone", 410), ("LengthRequired", 411), ("PreconditionFailed", 412),
    ("PayloadTooLarge", 413), ("URITooLong", 414), ("UnsupportedMediaType", 415), ("RangeNotSatisfiable", 416),
    ("ExpectationFailed", 417), ("MisdirectedRequest", 421), ("UnprocessableEntity", 422), ("Locked", 423),
    ("FailedDependency", 424), ("UpgradeRequired", 426), ("PreconditionRequired", 428), ("TooManyRequests", 429),
    ("RequestHeaderFieldsTooLarge", 431), ("InternalServerError", 500), ("NotImplemented", 501), ("BadGateway", 502),
    ("ServiceUnavailable", 503), ("GatewayTimeout", 504), ("HTTPVersionNotSupported", 505),
    ("VariantAlsoNegotiates", 506), ("InsufficientStorage", 507), ("LoopDetected", 508), ("NotExtended", 510),
    ("NetworkAuthenticationRequired", 511), ("Continue", 100), ("Created", 201), ("Accepted", 202), ("NoContent", 204),
];
