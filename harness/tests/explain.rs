//! What is said of the shipped policies, word for word: change a snapshot only on purpose.

use std::path::Path;
use std::process::Command;

const BOOTSTRAP: &str = r#"static_resources:
  listeners:
  - name: front
    address: {socket_address: {address: 127.0.0.1, port_value: 8080}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: front
          route_config:
            virtual_hosts:
            - name: shop
              domains: ["*"]
              routes:
              - match: {prefix: /, headers: [{name: x-canary, present_match: true}]}
                route: {cluster: canary}
              - match: {prefix: /, runtime_fraction: {default_value: {numerator: 5}}}
                route: {cluster: canary}
              - match: {prefix: /}
                route: {cluster: cart, timeout: 3s, retry_policy: {retry_on: "5xx,reset", num_retries: 2}}
          http_filters:
          - name: router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
  clusters:
  - name: cart
    outlier_detection: {consecutive_5xx: 3}
    load_assignment: {cluster_name: cart, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 1}}}}]}]}
  - name: canary
    load_assignment: {cluster_name: canary, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 2}}}}]}]}
"#;

/// What the binary prints, run from the root of the repository.
fn told(arguments: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut command = Command::new(env!("CARGO_BIN_EXE_squall"));
    let output = command.arg("proxy").args(arguments).current_dir(root).output().expect("the binary runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn a_shipped_policy_is_explained() {
    insta::assert_snapshot!(told(&[
        "explain",
        "--policies",
        "scenarios/ejection/policies/slow.yaml",
        "--url",
        "http://search/"
    ]));
}

#[test]
fn a_shipped_release_is_explained_with_its_weights() {
    insta::assert_snapshot!(told(&["explain", "--policies", "scenarios/release/policies", "--url", "http://web/"]));
}

#[test]
fn a_bootstrap_is_explained_with_the_shares_of_its_routes() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("envoy.yaml");
    std::fs::write(&file, BOOTSTRAP).expect("a file");
    let path = file.display().to_string();
    let told = told(&["explain", "--envoy-bootstrap", &path, "--url", "http://shop:8080/items"]);
    insta::assert_snapshot!(told.replace(&path, "envoy.yaml"));
}

#[test]
fn a_shipped_policy_is_translated() {
    insta::assert_snapshot!(told(&["translate", "--policies", "scenarios/time-outs/policies/per-try.yaml"]));
}

#[test]
fn every_shipped_policy_is_explained_and_translated_in_both_forms() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    for folder in std::fs::read_dir(root).expect("scenarios").map(|entry| entry.expect("an entry").path()) {
        let policies = folder.join("policies");
        if !policies.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(policies).expect("policies").map(|entry| entry.expect("an entry").path()) {
            let path = file.display().to_string();
            let asked = ["explain", "--policies", &path, "--url", "http://cart/", "--format", "json"];
            let explained: serde_json::Value = serde_json::from_str(&told(&asked)).expect("JSON");
            assert!(explained["ways"][0]["outcome"]["kind"].is_string(), "{path}: {explained:#}");
            let translated = told(&["translate", "--policies", &path, "--format", "json"]);
            let translated: serde_json::Value = serde_json::from_str(&translated).expect("JSON");
            assert!(translated["listeners"].is_array(), "{path}");
        }
    }
}
