//! Faults: delays, aborts and slow answers.

use super::message::Message;
use super::reading::Said;
use super::schema::{
    FAULT_ABORT, FAULT_DELAY, FAULT_FIXED_LIMIT, FAULT_HEADER_ABORT, FAULT_HEADER_DELAY, FAULT_HEADER_LIMIT,
    FAULT_RATE_LIMIT,
};
use super::{header_match, share};
use crate::policy::{Abort, AbortWith, Delay, FaultInjection, Fraction, ResponseRate};

/// The block of a listener or a route.
pub(super) fn read(fault: &Message<'_>) -> FaultInjection {
    FaultInjection {
        delay: fault.message("delay", &FAULT_DELAY).and_then(|delay| delay_of(&delay)),
        abort: fault.message("abort", &FAULT_ABORT).and_then(|abort| abort_of(&abort)),
        response_rate: fault.message("response_rate_limit", &FAULT_RATE_LIMIT).and_then(|rate| rate_of(&rate)),
        upstream_cluster: fault.text("upstream_cluster").filter(|cluster| !cluster.is_empty()),
        headers: header_match::all(fault, "headers"),
        max_active: fault.count("max_active_faults"),
    }
}

/// Nothing happens where no percentage is given.
fn share_of(message: &Message<'_>) -> Fraction {
    if !message.has("percentage") {
        let said = Said::from("without a `percentage` this happens to no request");
        message.at.warn(said.help("write `percentage: {numerator: 100}` for all"));
    }
    share::fraction_of(message, "percentage").unwrap_or(Fraction::NONE)
}

fn delay_of(delay: &Message<'_>) -> Option<Delay> {
    let share = share_of(delay);
    let fixed = match delay.one_of(&["fixed_delay", "header_delay"], true)? {
        ("fixed_delay", _) => Some(delay.positive("fixed_delay")?),
        (_, header) => {
            header.message(&FAULT_HEADER_DELAY);
            None
        }
    };
    Some(Delay { fixed, share })
}

fn abort_of(abort: &Message<'_>) -> Option<Abort> {
    let share = share_of(abort);
    let with = match abort.one_of(&["http_status", "grpc_status", "header_abort"], true)? {
        ("http_status", status) => AbortWith::Http(status.within(200, 599)?),
        ("grpc_status", status) => AbortWith::Grpc(status.count()?),
        (_, header) => {
            header.message(&FAULT_HEADER_ABORT);
            AbortWith::Header
        }
    };
    Some(Abort { with, share })
}

fn rate_of(rate: &Message<'_>) -> Option<ResponseRate> {
    let share = share_of(rate);
    let kib_per_second = match rate.one_of(&["fixed_limit", "header_limit"], true)? {
        ("fixed_limit", limit) => {
            let limit = limit.message(&FAULT_FIXED_LIMIT)?;
            limit.require("limit_kbps");
            Some(limit.within("limit_kbps", 1, i128::from(u64::MAX))?)
        }
        (_, header) => {
            header.message(&FAULT_HEADER_LIMIT);
            None
        }
    };
    Some(ResponseRate { kib_per_second, share })
}
