//! Deployments beside policies, and active checks.

use super::{Silent, Told, both, hold, rule, silent, told};

/// A Deployment of `cart`, its own fields in line 5, its probe in line 11.
fn deployment(fields: &str, probe: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: cart}}\nspec:\n  replicas: 3\n{fields}  selector: {{matchLabels: {{app: cart}}}}\n  template:\n    metadata: {{labels: {{app: cart}}}}\n    spec:\n      containers:\n        - {{name: cart, image: cart{probe}}}\n"
    )
}

const DETECTOR: &str = "outlierDetection: {maxEjectionPercent: 100, baseEjectionTime: 5s, interval: 1s}";

fn check(fields: &str) -> String {
    both(
        &rule("connectionPool: {tcp: {connectTimeout: 1s}}"),
        &format!(
            "apiVersion: squall.dev/v1\nkind: HealthCheck\nmetadata: {{name: cart}}\nspec: {{host: cart, interval: 5s, {fields}}}\n"
        ),
    )
}

pub(super) fn table() -> (Vec<Told>, Vec<Silent>) {
    let told = vec![
        told(
            "SQ0538",
            "12:34",
            "unhealthyThreshold 3 does not count statuses: one bad answer takes an instance of cart out",
            check("unhealthyThreshold: 3"),
        ),
        told(
            "SQ0539",
            "6:3",
            "progressDeadlineSeconds takes back no release of cart: it only says that it is late",
            deployment("  progressDeadlineSeconds: 60\n", ""),
        ),
        told(
            "SQ0540",
            "19:37",
            "a stuck instance of cart is restarted after up to 31s, and its ejection ends after 5s to 6s",
            both(&rule(DETECTOR), &deployment("", ", livenessProbe: {httpGet: {path: /, port: 80}}")),
        ),
    ];
    let silent = vec![
        silent("SQ0538", check("path: /")),
        silent("SQ0538", check("unhealthyThreshold: 1")),
        silent("SQ0538", check("unhealthyThreshold: 3, http: {retriableStatuses: [503]}")),
        silent("SQ0538", check("unhealthyThreshold: 3, tcp: {}")),
        silent("SQ0539", deployment("", "")),
        silent(
            "SQ0540",
            both(&rule(DETECTOR), &deployment("", ", livenessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 1}")),
        ),
        silent(
            "SQ0540",
            both(
                &rule("outlierDetection: {maxEjectionPercent: 100}"),
                &deployment("", ", livenessProbe: {httpGet: {path: /, port: 80}}"),
            ),
        ),
        silent("SQ0540", both(&rule(DETECTOR), &deployment("", ", readinessProbe: {httpGet: {path: /, port: 80}}"))),
    ];
    (told, silent)
}

#[test]
fn deployed() {
    let (told, silent) = table();
    hold(told, silent);
}
