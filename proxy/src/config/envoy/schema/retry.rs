//! Retries.

use super::Schema;

pub(in super::super) static RETRY_POLICY: Schema = Schema {
    message: "envoy.config.route.v3.RetryPolicy",
    obeyed: "retry_on num_retries per_try_timeout per_try_idle_timeout retry_priority retry_host_predicate \
        host_selection_retry_max_attempts retriable_status_codes retry_back_off \
        rate_limited_retry_back_off retriable_headers retriable_request_headers",
    refused: "retry_options_predicates",
    ..Schema::EMPTY
};

pub(in super::super) static RETRY_PRIORITY: Schema = Schema {
    message: "envoy.config.route.v3.RetryPolicy.RetryPriority",
    obeyed: "name typed_config",
    former: &[("config", "typed_config")],
    ..Schema::EMPTY
};

pub(in super::super) static PREVIOUS_PRIORITIES: Schema = Schema {
    message: "envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
    obeyed: "update_frequency",
    ..Schema::EMPTY
};

pub(in super::super) static RETRY_HOST_PREDICATE: Schema = Schema {
    message: "envoy.config.route.v3.RetryPolicy.RetryHostPredicate",
    obeyed: "name typed_config",
    former: &[("config", "typed_config")],
    ..Schema::EMPTY
};

pub(in super::super) static PREVIOUS_HOSTS: Schema =
    Schema { message: "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate", ..Schema::EMPTY };

pub(in super::super) static OMIT_HOST_METADATA: Schema = Schema {
    message: "envoy.extensions.retry.host.omit_host_metadata.v3.OmitHostMetadataConfig",
    obeyed: "metadata_match",
    ..Schema::EMPTY
};

pub(in super::super) static RETRY_BACK_OFF: Schema = Schema {
    message: "envoy.config.route.v3.RetryPolicy.RetryBackOff",
    obeyed: "base_interval max_interval",
    ..Schema::EMPTY
};

pub(in super::super) static RATE_LIMITED_BACK_OFF: Schema = Schema {
    message: "envoy.config.route.v3.RetryPolicy.RateLimitedRetryBackOff",
    obeyed: "reset_headers max_interval",
    ..Schema::EMPTY
};

pub(in super::super) static RESET_HEADER: Schema =
    Schema { message: "envoy.config.route.v3.RetryPolicy.ResetHeader", obeyed: "name format", ..Schema::EMPTY };

pub(in super::super) static HEDGE_POLICY: Schema = Schema {
    message: "envoy.config.route.v3.HedgePolicy",
    obeyed: "hedge_on_per_try_timeout",
    refused: "initial_requests additional_request_chance",
    ..Schema::EMPTY
};
