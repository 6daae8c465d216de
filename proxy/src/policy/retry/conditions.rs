//! Conditions of retries by the names that Envoy gives them.

use super::RetryOn;

/// What an answer, or the lack of one, may be tried again for; a field of the request has a list for each kind.
const HTTP: [&str; 11] = [
    "5xx",
    "gateway-error",
    "connect-failure",
    "refused-stream",
    "reset",
    "reset-before-request",
    "retriable-4xx",
    "retriable-status-codes",
    "retriable-headers",
    "envoy-ratelimited",
    "http3-post-connect-failure",
];
const GRPC: [&str; 5] = ["cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable"];

impl RetryOn {
    /// Names of all conditions.
    pub fn names() -> Vec<&'static str> {
        [&HTTP[..], &GRPC[..]].concat()
    }

    /// Adds a condition of either kind; false for a word that is none.
    pub fn add(&mut self, name: &str) -> bool {
        self.add_http(name) || self.add_grpc(name)
    }

    /// Adds a condition of HTTP; false for a word that is none. Statuses and fields are named elsewhere, and HTTP/3 is not spoken.
    pub fn add_http(&mut self, name: &str) -> bool {
        match name {
            "5xx" => self.any_5xx = true,
            "gateway-error" => self.gateway_error = true,
            "connect-failure" => self.connect_failure = true,
            "refused-stream" => self.refused_stream = true,
            "reset" => self.reset = true,
            "reset-before-request" => self.reset_before_request = true,
            "retriable-4xx" => self.retriable_4xx = true,
            "envoy-ratelimited" => self.envoy_ratelimited = true,
            _ => return HTTP.contains(&name),
        }
        true
    }

    /// Adds a status of gRPC by its name; false for a word that is none.
    pub fn add_grpc(&mut self, name: &str) -> bool {
        let status = match name {
            "cancelled" => 1,
            "deadline-exceeded" => 4,
            "resource-exhausted" => 8,
            "internal" => 13,
            "unavailable" => 14,
            _ => return false,
        };
        self.grpc_statuses.push(status);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_condition_of_one_kind() {
        for name in RetryOn::names() {
            let mut on = RetryOn::default();
            assert!(on.add_http(name) != on.add_grpc(name), "{name}");
        }
        assert!(!RetryOn::default().add("503"));
    }
}
