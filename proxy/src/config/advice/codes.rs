//! The codes of advice: each a promise that is not kept.

/// One kind of advice.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// By which it can be searched for.
    pub code: &'static str,
    /// What does not happen, in a few words.
    pub title: &'static str,
    /// Why, in one sentence.
    pub why: &'static str,
}

pub(super) const EJECTS_NOBODY: Code = Code {
    code: "SQ0501",
    title: "no instance is ever ejected",
    why: "The share of instances that may be out counts all of them and is rounded down, and there is no \"at least one\".",
};
pub(super) const DETECTS_NOTHING: Code = Code {
    code: "SQ0502",
    title: "the detector counts nothing",
    why: "A detector whose every threshold is off, or enforced for nobody, ejects nobody.",
};
pub(super) const STILL_ANY_5XX: Code = Code {
    code: "SQ0503",
    title: "other errors eject as well",
    why: "A threshold for gateway errors leaves that for all answers from 500 on where it was, at 5 in a row.",
};
pub(super) const GATEWAY_NEVER_FIRST: Code = Code {
    code: "SQ0504",
    title: "the gateway threshold never acts first",
    why: "A gateway error counts as an answer from 500 on as well, so the lower of the two thresholds is always reached first.",
};
pub(super) const GATEWAY_NOT_ENFORCED: Code = Code {
    code: "SQ0505",
    title: "gateway errors eject nobody",
    why: "Envoy counts gateway errors but enforces the threshold for 0 % of the detections unless told otherwise.",
};
pub(super) const SPLIT_IS_BLIND: Code = Code {
    code: "SQ0506",
    title: "time-outs and resets never eject",
    why: "With the split, time-outs and resets count as local failures, and each connection that is obtained sets that counter back to zero: only failures to connect add up.",
};
pub(super) const TOO_FEW_FOR_RATES: Code = Code {
    code: "SQ0507",
    title: "rates are never compared",
    why: "Rates of success are compared only in an interval in which enough instances had enough requests.",
};
pub(super) const ALL_OUT: Code = Code {
    code: "SQ0508",
    title: "all instances may be ejected at once",
    why: "A detector of Istio turns panic off: once every instance is out, each request is answered 503 instead of being tried anywhere.",
};
pub(super) const PANIC_ABOVE_71: Code = Code {
    code: "SQ0509",
    title: "a panic threshold above 71 does nothing more",
    why: "Panic is looked at only while the healthy instances cannot carry all load, and with one priority 71.4 % of them can; nor does the threshold stop an ejection.",
};
pub(super) const LATE_RETURN: Code = Code {
    code: "SQ0510",
    title: "ejected for much longer than the base time",
    why: "Whether an ejection is over is looked at once an interval, so it lasts between the base time and the base time plus one interval.",
};
pub(super) const CHECK_ENDS_EJECTION: Code = Code {
    code: "SQ0511",
    title: "a passing check ends the ejection",
    why: "The next passing active check takes an instance back at once, however little of the ejection time is over.",
};
pub(super) const NO_WARM_UP_AFTER_EJECTION: Code = Code {
    code: "SQ0512",
    title: "an instance that comes back is not warmed up",
    why: "Warm-up is for instances that are new; one that returns from an ejection gets its full share at once.",
};
pub(super) const PREFERS_PLACE: Code = Code {
    code: "SQ0513",
    title: "the detector prefers the nearest place",
    why: "In Istio a detector switches failover by place on: callers use the instances nearest to them and leave the others idle.",
};
pub(super) const ANSWERS_NOT_RETRIED: Code = Code {
    code: "SQ0514",
    title: "answers of the application are not retried",
    why: "Istio's default conditions retry only what the application cannot have seen; since 1.24 neither its 503 nor a connection that is reset are among them.",
};
pub(super) const RETRIES_NOTHING: Code = Code {
    code: "SQ0515",
    title: "nothing is ever retried",
    why: "A number of retries retries nothing by itself: a condition must say what.",
};
pub(super) const TIME_OUT_NOT_RETRIED: Code = Code {
    code: "SQ0516",
    title: "a per-try time-out only fails sooner",
    why: "A per-try time-out counts as a reset of the proxy's own, which only `5xx`, `gateway-error` and `reset` retry.",
};
pub(super) const PER_TRY_UNUSED: Code = Code {
    code: "SQ0517",
    title: "the per-try time-out has no effect",
    why: "A per-try time-out that is not shorter than the time-out of the route is not used at all.",
};
pub(super) const TRIES_DO_NOT_FIT: Code = Code {
    code: "SQ0518",
    title: "not all tries fit into the time-out",
    why: "The time-out of the route bounds all tries together with what lies between them.",
};
pub(super) const CONNECTING_NOT_RETRIED: Code = Code {
    code: "SQ0519",
    title: "a connection that hangs is not retried",
    why: "The per-try time-out begins with a connection; until then only the connect time-out gives a try up, and the time-out of the route ends the request before that.",
};
pub(super) const RETRIES_TOO_SOON: Code = Code {
    code: "SQ0520",
    title: "all retries are over within moments",
    why: "A back-off is drawn between 0 and a bound that begins at 25 ms; with nowhere else to go such retries meet the same failure again.",
};
pub(super) const BODIES_NOT_RETRIED: Code = Code {
    code: "SQ0522",
    title: "large bodies are not retried",
    why: "A retry needs the whole request once more, and more than the buffer holds is not kept: retries are given up without a word.",
};
pub(super) const FEW_RETRIES: Code = Code {
    code: "SQ0523",
    title: "only a few requests are retried at a time",
    why: "The limit of retries is one of the whole cluster at any moment; beyond it a failure is passed on.",
};
pub(super) const HANGING: Code = Code {
    code: "SQ0524",
    title: "a request that hangs is never a failure",
    why: "Istio has no time-out by default, and what never ends is neither retried nor counted by the detector.",
};
pub(super) const QUEUES_FOR_EVER: Code = Code {
    code: "SQ0525",
    title: "requests queue for ever",
    why: "A limit of connections refuses nothing: what does not fit waits, and only a limit of waiting requests or a time-out ends that.",
};
pub(super) const COLD_BURSTS: Code = Code {
    code: "SQ0526",
    title: "a cold burst is refused",
    why: "Each request that needs a new connection counts as waiting until it is there, however many connections are allowed.",
};
pub(super) const ONE_EACH: Code = Code {
    code: "SQ0527",
    title: "the limit of connections is exceeded",
    why: "Each instance may have one connection whatever the limit of all together.",
};
pub(super) const FAULT_AHEAD: Code = Code {
    code: "SQ0528",
    title: "the fault tests no healing",
    why: "Faults are injected ahead of the router: no retry, time-out, limit or detector ever sees them.",
};
pub(super) const DELAY_BEYOND_TIME_OUT: Code = Code {
    code: "SQ0529",
    title: "the time-out does not end the delay",
    why: "The time-out of a route starts behind the injected delay, so the delay is waited out in full.",
};
pub(super) const FAULT_OF_NOBODY: Code = Code {
    code: "SQ0530",
    title: "the fault happens to no request",
    why: "A fault without a percentage happens to 0 % of the requests.",
};
pub(super) const UNMATCHED: Code = Code {
    code: "SQ0531",
    title: "what matches no rule is answered 404",
    why: "A VirtualService takes the place of the service's own route: there is nothing behind its last rule.",
};
pub(super) const PREFIX_IN_WORD: Code = Code {
    code: "SQ0532",
    title: "a prefix ends within a word",
    why: "A prefix is compared letter by letter, not by segments of the path.",
};
pub(super) const WEIGHTS_IGNORED: Code = Code {
    code: "SQ0533",
    title: "weights of instances are ignored",
    why: "RANDOM picks every instance alike, whatever it weighs.",
};
pub(super) const HASH_OF_NOTHING: Code = Code {
    code: "SQ0534",
    title: "requests do not stick",
    why: "A consistent hash of nothing is no error: the instance is picked at random.",
};
pub(super) const SUBSET_REPLACES: Code = Code {
    code: "SQ0535",
    title: "the subset's block replaces the whole block",
    why: "A block of a subset replaces that of the host whole, never field by field.",
};
pub(super) const PORT_REPLACES: Code = Code {
    code: "SQ0536",
    title: "the port's settings replace everything",
    why: "Settings for a port replace the whole policy: blocks and fields that they leave out are the defaults, not those above.",
};
pub(super) const SUBSET_UNUSED: Code = Code {
    code: "SQ0537",
    title: "the subset's policy holds for nobody",
    why: "A subset is a cluster of its own, and its policy holds only for requests that a route sends to it.",
};
pub(super) const STATUS_AT_ONCE: Code = Code {
    code: "SQ0538",
    title: "one bad status is enough",
    why: "The threshold of an active check counts time-outs and lost connections; an unexpected status fails the instance at once.",
};
pub(super) const NEVER_ROLLED_BACK: Code = Code {
    code: "SQ0539",
    title: "the deadline rolls nothing back",
    why: "A Deployment that misses its deadline gets a condition that says so, and stays as it is.",
};
pub(super) const EJECTION_ENDS_FIRST: Code = Code {
    code: "SQ0540",
    title: "the ejection ends before the restart",
    why: "An ejection ends by its own clock, so that a stuck instance is used again until the liveness probe has restarted it.",
};
pub(super) const ZERO_IS_NO_LIMIT: Code = Code {
    code: "SQ0541",
    title: "a limit of 0 is none",
    why: "Istio takes 0 in a count of a connection pool for a field that is not there; Envoy's own 0 would allow nothing.",
};

/// All of them, in order. SQ0521 was a guess about who calls whom, and is not used.
pub const CODES: [&Code; 40] = [
    &EJECTS_NOBODY,
    &DETECTS_NOTHING,
    &STILL_ANY_5XX,
    &GATEWAY_NEVER_FIRST,
    &GATEWAY_NOT_ENFORCED,
    &SPLIT_IS_BLIND,
    &TOO_FEW_FOR_RATES,
    &ALL_OUT,
    &PANIC_ABOVE_71,
    &LATE_RETURN,
    &CHECK_ENDS_EJECTION,
    &NO_WARM_UP_AFTER_EJECTION,
    &PREFERS_PLACE,
    &ANSWERS_NOT_RETRIED,
    &RETRIES_NOTHING,
    &TIME_OUT_NOT_RETRIED,
    &PER_TRY_UNUSED,
    &TRIES_DO_NOT_FIT,
    &CONNECTING_NOT_RETRIED,
    &RETRIES_TOO_SOON,
    &BODIES_NOT_RETRIED,
    &FEW_RETRIES,
    &HANGING,
    &QUEUES_FOR_EVER,
    &COLD_BURSTS,
    &ONE_EACH,
    &FAULT_AHEAD,
    &DELAY_BEYOND_TIME_OUT,
    &FAULT_OF_NOBODY,
    &UNMATCHED,
    &PREFIX_IN_WORD,
    &WEIGHTS_IGNORED,
    &HASH_OF_NOTHING,
    &SUBSET_REPLACES,
    &PORT_REPLACES,
    &SUBSET_UNUSED,
    &STATUS_AT_ONCE,
    &NEVER_ROLLED_BACK,
    &EJECTION_ENDS_FIRST,
    &ZERO_IS_NO_LIMIT,
];
