//! Services that are not Kubernetes' own: machines that a `ServiceEntry` finds by the labels of their `WorkloadEntry`.

use squall_tests::http::{Backend, get};
use squall_tests::proxy::Proxy;

fn workload(name: &str, app: &str, backend: &Backend) -> String {
    format!(
        "---\napiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {{name: {name}}}\nspec: {{address: 127.0.0.1, labels: {{app: {app}, version: {name}}}, ports: {{http: {}}}}}\n",
        backend.address.port()
    )
}

#[test]
fn a_service_entry_is_where_the_workloads_with_its_labels_are() {
    let (pay, old, other) = (Backend::named("pay"), Backend::named("old"), Backend::named("other"));
    let entry = "apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: pay}
spec:
  hosts: [pay.example]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  workloadSelector: {labels: {app: pay}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: pay}
spec: {host: pay.example, subsets: [{name: old, labels: {version: old}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: pay}
spec:
  hosts: [pay.example]
  http:
  - {match: [{uri: {prefix: /old}}], route: [{destination: {host: pay.example, subset: old}}]}
  - route: [{destination: {host: pay.example}}]
";
    let workloads = [workload("new", "pay", &pay), workload("old", "pay", &old), workload("else", "other", &other)];
    let proxy = Proxy::start(&format!("{entry}{}", workloads.concat()), &[]);
    let ask = |path: &str| get(proxy.listen, path, "host: pay.example\r\n").text();
    for _ in 0..40 {
        let answer = ask("/");
        assert!(["pay", "old"].contains(&answer.as_str()), "{answer}");
        assert_eq!(ask("/old"), "old");
    }
    assert!(!pay.asked().is_empty() && other.asked().is_empty());
}
