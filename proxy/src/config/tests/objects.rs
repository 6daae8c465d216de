//! What all objects have: versions, kinds, lists, names, and what is accepted without effect.

use super::*;

const SERVICE: &str = "{apiVersion: v1, kind: Service, metadata: {name: cart}, spec: {ports: [{port: 80}]}}";
const AUTHENTICATION: &str = "{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {name: cart}, spec: {mtls: {mode: STRICT}}}";

fn list(items: &str) -> String {
    format!("apiVersion: v1\nkind: List\nmetadata: {{resourceVersion: ''}}\nitems:\n{items}\n")
}

#[test]
fn of_two_objects_for_one_host_the_older_wins_wherever_it_stands_and_what_was_in_no_cluster_comes_last() {
    let object = |name: &str, created: &str| {
        format!(
            "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: {name}{created}}}\nspec: {{hosts: [cart], http: [{{directResponse: {{status: 200}}}}]}}\n---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: {name}{created}}}\nspec: {{host: cart}}\n"
        )
    };
    let at = |time: &str| format!(", creationTimestamp: {time}");
    let texts = [
        object("y", ""),
        object("x", ", creationTimestamp: null"),
        object("late", &at("2026-11-22T10:00:00Z")),
        object("zone", &at("\"2026-11-22T10:59:59+01:00\"")),
        object("b", &at("2026-01-01T00:00:00Z")),
        object("a", &at("2026-01-01T00:00:00Z")),
    ];
    let objects = good(&texts.concat()).objects;
    let expected = ["a", "b", "zone", "late", "y", "x"];
    assert_eq!(objects.virtual_services.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), expected);
    assert_eq!(objects.destination_rules.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), expected);
    assert!(errors(&object("a", &at("yesterday")))[0].contains("`yesterday` is no time"));
}

#[test]
fn an_object_is_of_a_kind_and_version_that_are_read() {
    let object = |version: &str, kind: &str| format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: cart}}\n");
    for (version, kind, told) in [
        ("networking.istio.io/v2", "VirtualService", "write `apiVersion: networking.istio.io/v1`"),
        ("networking.istio.io/v1alpha1", "DestinationRule", "write `apiVersion: networking.istio.io/v1`"),
        ("istio.io/v1", "VirtualService", "write `apiVersion: networking.istio.io/v1`"),
        ("v1", "VirtualService", "write `apiVersion: networking.istio.io/v1`"),
        (
            "extensions/v1beta1",
            "Deployment",
            "`extensions/v1beta1` is no version of `Deployment`; write `apiVersion: apps/v1`",
        ),
        ("apps/v1beta2", "Deployment", "write `apiVersion: apps/v1`"),
        ("discovery.k8s.io/v1beta1", "EndpointSlice", "write `apiVersion: discovery.k8s.io/v1`"),
        ("networking.x-k8s.io/v1alpha1", "HTTPRoute", "write `apiVersion: gateway.networking.k8s.io/v1`"),
        ("gateway.networking.k8s.io/v1beta1", "GRPCRoute", "write `apiVersion: gateway.networking.k8s.io/v1`"),
        ("v2", "Service", "`v2` is no version of `Service`"),
        ("config.istio.io/v1alpha2", "RouteRule", "write a VirtualService"),
        ("v1", "Endpoints", "write an EndpointSlice"),
        ("v1", "Pod", "2:7 objects of kind `Pod` are not read; list `Pod` under `accept-unsupported:`"),
        ("networking.k8s.io/v1", "Ingress", "write a Gateway with an HTTPRoute"),
        ("networking.istio.io/v1", "VirtualServce", "did you mean `VirtualService`?"),
        ("example.com/v1", "Zebra", "these kinds are read: VirtualService,"),
    ] {
        check_refused(&[(object(version, kind), told)]);
    }
    assert!(errors("kind: VirtualService\n")[0].contains("`apiVersion`"));
    assert!(errors("just text")[0].contains("apiVersion"));
}

#[test]
fn every_version_of_a_kind_means_the_same() {
    for kind in kinds::ALL {
        for version in kind.versions {
            let group = if kind.group.is_empty() { String::new() } else { format!("{}/", kind.group) };
            let found =
                errors(&format!("apiVersion: {group}{version}\nkind: {}\nmetadata: {{name: cart}}\n", kind.name));
            assert!(found.iter().all(|one| !one.contains("no version of")), "{version} {}: {found:?}", kind.name);
        }
    }
}

#[test]
fn the_items_of_a_list_are_read_each_by_itself() {
    let loaded = good(&list(&format!("  - {SERVICE}\n  - {SERVICE}")));
    assert_eq!(loaded.objects.services.len(), 2);
    assert_eq!(good(&list("  []")).objects, Objects::default());
    let of_kind = "apiVersion: v1\nkind: ServiceList\nitems: [{metadata: {name: cart}, spec: {ports: [{port: 80}]}}]\n";
    assert_eq!(good(of_kind).objects.services[0].name, "cart");
    check_refused(&[(
        list(&format!("  - {SERVICE}\n  - {AUTHENTICATION}")),
        "6:46 objects of kind `PeerAuthentication`",
    )]);
}

#[test]
fn a_kind_that_is_accepted_is_passed_over_alone() {
    let both = list(&format!("  - {AUTHENTICATION}\n  - {SERVICE}"));
    let loaded = accepting(&both, &["PeerAuthentication"]);
    assert_eq!((loaded.objects.services.len(), loaded.unsupported.len()), (1, 1));
    let alone = accepting(AUTHENTICATION, &["PeerAuthentication"]);
    assert_eq!((alone.objects, alone.unsupported.len()), (Objects::default(), 1));
}

#[test]
fn a_name_that_is_accepted_and_that_nothing_has_is_a_warning() {
    let loaded = accepting(SERVICE, &["DestinationRule.spec.trafficPolicy.tunel", "Pod", "Certificate"]);
    let told: Vec<_> = loaded.warnings.iter().map(shown).collect();
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("did you mean `DestinationRule.spec.trafficPolicy.tunnel`?"), "{told:?}");
}

#[test]
fn what_a_cluster_adds_says_nothing() {
    let text = concat!(
        "apiVersion: apps/v1\nkind: Deployment\n",
        "metadata: {name: cart, creationTimestamp: null, uid: a, generation: 3, managedFields: [], ownerReferences: []}\n",
        "spec: {selector: {matchLabels: {app: cart}}, strategy: {}, template: {metadata: {creationTimestamp: null, labels: {app: cart}},",
        " spec: {terminationGracePeriodSeconds: 30, containers: [{name: cart, resources: {}}]}}}\n",
        "status: {replicas: 3, conditions: [{type: Available}]}\n"
    );
    assert_eq!(warnings(text), Vec::<String>::new());
}

#[test]
fn an_object_has_a_name_and_every_error_is_told_at_once() {
    let nameless = "apiVersion: v1\nkind: Service\nspec: {ports: [{port: 0}, {port: 80, nam: a}]}\n";
    check_refused(&[(nameless.to_owned(), "0 is no port: 1 to 65535"), (nameless.to_owned(), "unknown key `nam`")]);
    check_refused(&[("apiVersion: v1\nkind: Service\nspec: {ports: []}\n".to_owned(), "the object has no name")]);
}

#[test]
fn a_field_that_holds_nothing_is_as_if_it_were_left_out() {
    let text = istio(
        "DestinationRule",
        "{host: cart, trafficPolicy: {outlierDetection: , connectionPool: {tcp: {maxConnections: 1}}}}",
    );
    let loaded = good(&text);
    assert!(loaded.objects.destination_rules[0].policy.outlier.is_none());
    assert_eq!(loaded.warnings.len(), 1);
    assert!(shown(&loaded.warnings[0]).starts_with("4:36 `outlierDetection` holds nothing"), "{:?}", loaded.warnings);
}

#[test]
fn a_refused_field_is_shown_at_its_key() {
    let text = istio("DestinationRule", "\n  host: cart\n  trafficPolicy:\n    tunnel:\n      targetHost: a");
    let findings = read(&sources(&text), &LoadOptions::default()).unwrap_err();
    let at = (findings[0].place.line, findings[0].place.column, findings[0].span_len);
    assert_eq!(at, (7, 5, "tunnel".len()), "{findings:?}");
}

#[test]
fn json_is_read_too_and_the_same_texts_have_the_same_version() {
    let json =
        r#"{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "cart"}, "spec": {"ports": [{"port": 80}]}}"#;
    assert_eq!(good(json).objects.services[0].ports[0].number, 80);
    let (one, other) = (sources(json), sources(SERVICE));
    assert_eq!(version(one.iter()), version(one.iter()));
    assert_ne!(version(one.iter()), version(other.iter()));
}

#[test]
fn a_folder_is_read_in_order_of_names_and_what_cannot_be_read_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let object = |name: &str| SERVICE.replace("name: cart", &format!("name: {name}"));
    std::fs::write(folder.path().join("b.yml"), object("b")).unwrap();
    std::fs::write(folder.path().join("a.json"), object("a")).unwrap();
    std::fs::write(folder.path().join("c.txt"), "nothing").unwrap();
    let loaded = load(&[folder.path().to_owned()], &LoadOptions::default()).unwrap();
    let names: Vec<_> = loaded.objects.services.iter().map(|service| service.name.as_str()).collect();
    assert_eq!((names, loaded.sources.len()), (vec!["a", "b"], 2));
    let missing = load(&[folder.path().join("none.yaml")], &LoadOptions::default()).unwrap_err();
    assert_eq!(missing[0].code, Some("SQ0301"));
}

#[test]
fn the_policies_of_the_shipped_scenarios_are_read() {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let mut read = 0;
    for scenario in std::fs::read_dir(scenarios).unwrap().flatten() {
        let folder = scenario.path().join("policies");
        if folder.is_dir() {
            let loaded = load(&[folder], &LoadOptions::default()).unwrap_or_else(|findings| panic!("{findings:#?}"));
            assert_eq!(loaded.warnings, []);
            read += loaded.sources.len();
        }
    }
    assert!(read > 5, "{read} files");
}
