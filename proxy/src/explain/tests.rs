use super::*;
use crate::config::mesh::OutboundTraffic;
use crate::config::{self, LoadOptions};
use crate::policy::{Healing, disarm};
use squall_yaml::Source;
use std::collections::BTreeMap;

/// What is said of a question about these texts.
fn of(inputs: &Inputs, text: &str, question: &Question) -> Explanation {
    let source = Source { path: "mesh.yaml".into(), text: text.to_owned() };
    let options = LoadOptions { version: inputs.istio, ..LoadOptions::default() };
    let objects = config::read(&[source], &options).unwrap_or_else(|errors| panic!("{errors:?}")).objects;
    let inputs = as_asked(inputs, question, &objects);
    let site = load::site(&inputs, &objects);
    let mut config = mesh::resolve(&objects, &site);
    disarm(&mut config, &inputs.disarm);
    of_config(&objects, &site, &config, question)
}

fn get(url: &str) -> Question {
    Question::new("GET", url).unwrap()
}

/// A VirtualService for `cart` with these rules, in flow style, and a last rule for everything.
fn cart(rules: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: cart}}\nspec:\n  hosts: [cart]\n  http:\n{rules}\n  - name: rest\n    route: [{{destination: {{host: cart}}}}]\n"
    )
}

/// The same with one rule ahead, called `first`, that has this match.
fn matching(block: &str) -> String {
    cart(&format!("  - name: first\n    match: [{block}]\n    route: [{{destination: {{host: cart}}}}]"))
}

/// The only route of the only way.
fn route(explanation: &Explanation) -> &Route {
    match explanation.ways.as_slice() {
        [Way { outcome: Outcome::Route(route), .. }] => route,
        ways => panic!("{ways:#?}"),
    }
}

fn sent(explanation: &Explanation) -> &Forward {
    match &route(explanation).action {
        Action::Forward(forward) => forward,
        action => panic!("{action:?}"),
    }
}

fn setting<'s>(settings: &'s [Setting], name: &str) -> (&'s str, &'s str) {
    let found = settings.iter().find(|setting| setting.name == name).unwrap_or_else(|| panic!("no {name}"));
    (&found.value, &found.from)
}

#[test]
fn each_condition_that_is_not_met_is_named_with_what_it_wants_and_what_is_there() {
    for (block, condition, wanted, given) in [
        ("{uri: {prefix: /shop}}", "prefix", "a path that begins with `/shop`", "`/cart`"),
        ("{uri: {exact: /}}", "exact", "the path `/`", "`/cart`"),
        ("{uri: {exact: /A}, ignoreUriCase: true}", "exact", "the path `/A`, whatever its case", "`/cart`"),
        ("{uri: {regex: \"/c.[0-9]+\"}}", "regex", "a path that as a whole matches `/c.[0-9]+`", "`/cart`"),
        ("{method: {exact: POST}}", "method", "`POST`", "`GET`"),
        ("{scheme: {exact: https}}", "scheme", "`https`", "`http`"),
        ("{authority: {prefix: shop}}", "authority", "beginning with `shop`", "`cart`"),
        ("{headers: {x-user: {exact: ann}}}", "header", "`x-user` `ann`", "`bob`"),
        ("{headers: {x-none: {}}}", "header", "`x-none` there at all", "there is none"),
        ("{headers: {authorization: {exact: Bearer}}}", "header", "[redacted]", "there is none"),
        ("{withoutHeaders: {x-user: {}}}", "without header", "`x-user` not there at all", "`bob`"),
        ("{queryParams: {id: {exact: \"7\"}}}", "query", "`id` `7`", "`8`"),
    ] {
        let question = get("http://cart/cart?id=8").header("x-user", "bob").unwrap();
        let told = of(&Inputs::of_a_caller(), &matching(block), &question);
        assert_eq!(route(&told).name, "rest", "{block}");
        let passed = &told.ways[0].passed_over;
        assert_eq!(passed.len(), 1, "{block}: {passed:?}");
        assert_eq!((passed[0].condition.as_str(), passed[0].name.as_str()), (condition, "first"), "{block}");
        assert!(passed[0].wanted.contains(wanted) && passed[0].given == given, "{block}: {:?}", passed[0]);
        assert_eq!(passed[0].place, "mesh.yaml:8", "{block}");
        let prose = told.prose().to_string();
        let line = format!("{condition}: wanted {}; given {given}", passed[0].wanted);
        assert!(prose.contains(&line), "{block}: {line} is not in\n{prose}");
    }
}

#[test]
fn rules_that_are_not_for_the_listener_or_the_caller_are_named_too() {
    let labels = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    for (block, condition, wanted, given) in [
        ("{port: 8080}", "port", "8080", "80"),
        ("{sourceLabels: {app: web, tier: a}}", "source labels", "app=web, tier=a", "app=web"),
        ("{sourceNamespace: other}", "source namespace", "other", "default"),
        ("{gateways: [front]}", "gateway", "default/front", "`mesh`"),
    ] {
        let question = get("http://cart/").from_labels(labels(&[("app", "web")]));
        let told = of(&Inputs::of_a_caller(), &matching(block), &question);
        assert_eq!(route(&told).name, "rest", "{block}");
        assert_eq!(told.left_out.len(), 1, "{block}: {:?}", told.left_out);
        let left = &told.left_out[0];
        assert_eq!(
            (left.condition.as_str(), left.wanted.as_str(), left.given.as_str(), left.name.as_str()),
            (condition, wanted, given, "default/cart first"),
            "{block}"
        );
        assert!(told.prose().to_string().contains(&format!("{condition}: wanted {wanted}; given {given}")), "{block}");
    }
    let question = get("http://cart/").from_labels(labels(&[("app", "web"), ("tier", "a")]));
    let told = of(&Inputs::of_a_caller(), &matching("{sourceLabels: {app: web, tier: a}}"), &question);
    assert_eq!((route(&told).name.as_str(), told.left_out.len()), ("first", 0));
}

#[test]
fn objects_that_do_not_count_are_named_with_the_reason() {
    let object = |spec: &str| {
        format!(
            "{}---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: other, namespace: shop}}\nspec: {{{spec}, http: [{{route: [{{destination: {{host: cart.default.svc.cluster.local}}}}]}}]}}\n",
            cart("")
        )
    };
    for (spec, condition, given) in [
        ("hosts: [pay]", "hosts", "`cart`"),
        ("hosts: [cart.default.svc.cluster.local], exportTo: [\".\"]", "exportTo", "namespace default"),
        ("hosts: [cart.default.svc.cluster.local], gateways: [front]", "gateways", "`mesh`"),
        ("hosts: [cart.default.svc.cluster.local]", "host", "mesh.yaml:1 has it"),
    ] {
        let told = of(&Inputs::of_a_caller(), &object(spec), &get("http://cart/"));
        let left: Vec<_> = told.left_out.iter().map(|left| (left.condition.as_str(), left.given.as_str())).collect();
        assert_eq!(left, [(condition, given)], "{spec}");
        assert_eq!(told.left_out[0].name, "shop/other");
    }
    let sidecar = "---\napiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: only}\nspec: {egress: [{hosts: [\"./pay.default.svc.cluster.local\"]}]}\n";
    let told = of(&Inputs::of_a_caller(), &format!("{}{sidecar}", cart("")), &get("http://cart/"));
    assert!(told.left_out.iter().any(|left| left.condition == "Sidecar"), "{:?}", told.left_out);
}

#[test]
fn a_delegate_that_is_not_there_and_a_rule_that_its_root_excludes_are_named() {
    let delegating = |name: &str| {
        cart(&format!("  - name: first\n    match: [{{uri: {{prefix: /a}}}}]\n    delegate: {{name: {name}}}"))
    };
    let told = of(&Inputs::of_a_caller(), &delegating("nobody"), &get("http://cart/a"));
    assert_eq!((told.left_out[0].condition.as_str(), told.left_out[0].wanted.as_str()), ("delegate", "default/nobody"));
    let delegate = "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: inner}\nspec: {http: [{match: [{uri: {prefix: /b}}], route: [{destination: {host: cart}}]}]}\n";
    let told = of(&Inputs::of_a_caller(), &format!("{}{delegate}", delegating("inner")), &get("http://cart/a"));
    assert!(told.left_out.iter().any(|left| left.wanted.contains("excludes")), "{:?}", told.left_out);
}

#[test]
fn every_field_of_the_retries_says_whose_word_it_is() {
    let text = cart(
        "  - name: first\n    match: [{uri: {prefix: /a}}]\n    route: [{destination: {host: cart}}]\n    timeout: 2s\n    retries: {attempts: 3, perTryTimeout: 500ms}",
    );
    let told = of(&Inputs::of_a_caller(), &text, &get("http://cart/a"));
    let forward = sent(&told);
    assert_eq!(setting(&forward.settings, "time-out"), ("2s", "mesh.yaml:10:5"));
    assert_eq!(setting(&forward.settings, "per-try time-out"), ("500ms", "mesh.yaml:11:28"));
    assert_eq!(setting(&forward.retries, "retries"), ("3", "mesh.yaml:11:15"));
    let default = "default of Istio 1.32";
    assert_eq!(
        setting(&forward.retries, "retry on"),
        ("connect-failure, refused-stream, gRPC unavailable, gRPC cancelled", default)
    );
    assert_eq!(setting(&forward.retries, "longest back-off"), ("250ms", default));
    let told = of(&Inputs::of_a_caller(), &text, &get("http://cart/rest"));
    assert_eq!(setting(&sent(&told).settings, "time-out"), ("none", default));
    assert_eq!(setting(&sent(&told).retries, "retries"), ("2", default));
    let old = Inputs { istio: "1.23".parse().unwrap(), ..Inputs::of_a_caller() };
    let told = of(&old, &text, &get("http://cart/rest"));
    let on = "connect-failure, refused-stream, gRPC unavailable, gRPC cancelled, 503";
    assert_eq!(setting(&sent(&told).retries, "retry on"), (on, "default of Istio 1.23"));
    let without = Inputs { disarm: vec![Healing::Retries, Healing::Timeouts], ..Inputs::of_a_caller() };
    let told = of(&without, &text, &get("http://cart/a"));
    assert_eq!(setting(&sent(&told).retries, "retries"), ("0", "--disarm retries"));
    assert_eq!(setting(&sent(&told).settings, "time-out"), ("none", "--disarm timeouts"));
}

#[test]
fn what_the_request_itself_asks_for_is_told_apart_from_what_is_written() {
    let text = cart("  - name: first\n    route: [{destination: {host: cart}}]\n    timeout: 10s")
        .replace("\n  - name: rest\n    route: [{destination: {host: cart}}]", "");
    let grpc = get("http://cart/").header("content-type", "application/grpc").unwrap();
    let grpc = grpc.header("grpc-timeout", "2S").unwrap();
    let told = of(&Inputs::of_a_caller(), &text, &grpc);
    assert_eq!(setting(&sent(&told).settings, "time-out"), ("2s", "the request's grpc-timeout"));
    let asked = || get("http://cart/").header("x-envoy-max-retries", "7").unwrap();
    assert_eq!(setting(&sent(&of(&Inputs::of_a_caller(), &text, &asked())).retries, "retries").0, "2");
    // Old versions obey such fields of callers at private addresses that came through one proxy.
    let old = Inputs { istio: "1.24".parse().unwrap(), ..Inputs::of_a_caller() };
    let asked = asked().header("x-forwarded-for", "10.0.0.9").unwrap();
    let told = of(&old, &text, &asked);
    let (retries, from) = setting(&sent(&told).retries, "retries");
    assert_eq!(retries, "7");
    assert!(from.contains("the request's own fields"), "{from}");
}

const ENDPOINTS: &str = "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: a, labels: {kubernetes.io/service-name: cart, version: v1}}\naddressType: IPv4\nports: [{port: 81}]\nendpoints: [{addresses: [10.0.0.1]}, {addresses: [10.0.0.2], conditions: {ready: false}}, {addresses: [10.0.0.3]}]\n";

const RULE: &str = "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: cart}\nspec:\n  host: cart\n  trafficPolicy: {outlierDetection: {consecutive5xxErrors: 3}, connectionPool: {http: {http1MaxPendingRequests: 4}}}\n  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}, trafficPolicy: {loadBalancer: {simple: RANDOM}}}]\n";

#[test]
fn destinations_are_told_with_their_shares_endpoints_and_the_blocks_that_hold() {
    let split = cart(
        "  - name: first\n    match: [{uri: {prefix: /}}]\n    route: [{destination: {host: cart, subset: v1}, weight: 3}, {destination: {host: cart, subset: v2}, weight: 1}, {destination: {host: cart}, weight: 0}, {destination: {host: cart, subset: v9}, weight: 4}]",
    );
    let told = of(&Inputs::of_a_caller(), &format!("{split}{RULE}{ENDPOINTS}"), &get("http://cart/"));
    let to = &sent(&told).destinations;
    let shares: Vec<_> = to.iter().map(|to| (to.subset.as_str(), to.percent)).collect();
    assert_eq!(shares, [("v1", 37.5), ("v2", 12.5), ("", 50.0)]);
    let endpoints: Vec<_> = to[0].endpoints.iter().map(|one| (one.address.as_str(), one.health, one.percent)).collect();
    assert_eq!(
        endpoints,
        [("10.0.0.1:81", "healthy", 50.0), ("10.0.0.2:81", "unhealthy", 0.0), ("10.0.0.3:81", "healthy", 50.0)]
    );
    assert_eq!((to[1].note.as_str(), to[1].endpoints.len()), ("it has no endpoints: 503 UH", 0));
    let missing = to[2].missing.as_ref().unwrap();
    assert_eq!((missing.status, missing.flags.as_str()), (503, "NC"));
    let group =
        |to: &Destination, name: &str| to.groups.iter().find(|group| group.name == name).unwrap().settings.clone();
    assert_eq!(setting(&group(&to[0], "outlier detection"), "5xx").0, "3 in a row");
    assert!(setting(&group(&to[0], "outlier detection"), "5xx").1.starts_with("mesh.yaml:"));
    assert_eq!(setting(&group(&to[0], "outlier detection"), "most out at once").0, "10%, which is 0 of 3");
    assert_eq!(setting(&group(&to[0], "breakers"), "waiting requests").0, "4");
    assert_eq!(setting(&group(&to[0], "load balancing"), "policy"), ("least request of 2", "default of Istio 1.32"));
    let balancing = group(&to[1], "load balancing");
    let (policy, from) = setting(&balancing, "policy");
    assert_eq!(policy, "random, whatever the weights");
    assert!(from.starts_with("mesh.yaml:"), "{from}");
}

#[test]
fn what_filters_rewrites_mirrors_and_changes_of_fields_do_is_told() {
    let text = cart(
        "  - name: first\n    match: [{uri: {prefix: /old}}]\n    route: [{destination: {host: cart}, headers: {response: {remove: [x-gone]}}}]\n    rewrite: {uri: /new, authority: shop.example}\n    mirror: {host: cart}\n    mirrorPercentage: {value: 25}\n    headers: {request: {set: {x-a: b, x-token: secret}, remove: [x-c]}}\n    fault: {delay: {fixedDelay: 2s, percentage: {value: 10}}, abort: {httpStatus: 503, percentage: {value: 5}}}\n    corsPolicy: {allowOrigins: [{exact: \"http://a\"}]}",
    );
    let question = get("http://cart/old/1?x=2").header("origin", "http://a").unwrap();
    let told = of(&Inputs::of_a_caller(), &text, &question);
    let filters: Vec<_> = route(&told).filters.iter().map(|filter| (filter.name, filter.does.as_str())).collect();
    assert_eq!(filters[0].0, "fault");
    assert!(filters[0].1.starts_with("holds back 10% of the requests 2s; answers 5% of the requests with 503"));
    assert!(filters[1].0 == "cors" && filters[1].1.contains("origin is allowed"), "{filters:?}");
    let to = &sent(&told).destinations[0];
    assert_eq!((to.host.as_str(), to.path.as_str()), ("shop.example", "/new/1?x=2"));
    assert_eq!(to.request_headers, ["remove x-c", "set x-a: b", "set x-token: [redacted]"]);
    assert_eq!(route(&told).response_headers, ["remove x-gone"]);
    let mirror = &sent(&told).mirrors[0];
    assert_eq!((mirror.share.as_str(), mirror.known), ("25%", true));
    let preflight = Question::new("OPTIONS", "http://cart/old").unwrap().header("origin", "http://a").unwrap();
    let preflight = preflight.header("access-control-request-method", "GET").unwrap();
    let told = of(&Inputs::of_a_caller(), &text.replace("fault: {delay", "#"), &preflight);
    assert_eq!(route(&told).action, Action::Answered);
}

#[test]
fn redirects_and_direct_responses_are_told_as_the_client_gets_them() {
    let text = cart(
        "  - name: away\n    match: [{uri: {prefix: /old}}]\n    redirect: {uri: /new, authority: shop.example, redirectCode: 308}\n  - name: here\n    match: [{uri: {exact: /teapot}}]\n    directResponse: {status: 418, body: {string: short}}",
    );
    let told = of(&Inputs::of_a_caller(), &text, &get("http://cart/old?x=1"));
    let location = "http://shop.example/new?x=1".to_owned();
    assert_eq!(route(&told).action, Action::Redirect { status: 308, location });
    let told = of(&Inputs::of_a_caller(), &text, &get("http://cart/teapot"));
    assert_eq!(route(&told).action, Action::Direct { status: 418, body_bytes: 5 });
}

#[test]
fn a_request_that_nothing_is_for_is_told_what_becomes_of_it() {
    let only = cart("  - match: [{uri: {prefix: /a}}]\n    route: [{destination: {host: cart}}]")
        .replace("\n  - name: rest\n    route: [{destination: {host: cart}}]", "");
    let refused = |told: &Explanation| match &told.ways[0].outcome {
        Outcome::Refused(refused) => (refused.status, refused.flags.clone(), refused.why.clone()),
        other => panic!("{other:?}"),
    };
    let (status, flags, why) = refused(&of(&Inputs::of_a_caller(), &only, &get("http://cart/b")));
    assert_eq!((status, flags.as_str()), (404, "NR"));
    assert_eq!(why, "no route of virtual host cart.default.svc.cluster.local:80 matches");
    let told = of(&Inputs::of_a_caller(), &only, &get("http://nobody/"));
    assert_eq!(sent(&told).destinations[0].cluster, "PassthroughCluster");
    assert!(told.prose().to_string().contains("it goes where the client was going"));
    let strict = Inputs { unknown_hosts: OutboundTraffic::RegistryOnly, ..Inputs::of_a_caller() };
    let told = of(&strict, &only, &get("http://nobody/"));
    assert_eq!(route(&told).action, Action::Direct { status: 502, body_bytes: 0 });
    let (status, _, why) = refused(&of(&Inputs::of_a_caller(), &only, &get("/a").header("host", "a/b").unwrap()));
    assert_eq!(status, 400);
    assert!(why.contains("invalid authority"), "{why}");
}

const GATEWAY: &str = "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: front}\nspec:\n  selector: {istio: ingress}\n  servers:\n  - {port: {number: 80, name: http, protocol: HTTP}, hosts: [shop.example], tls: {httpsRedirect: true}}\n  - {port: {number: 8080, name: plain, protocol: HTTP}, hosts: [\"*\"]}\n---\n";

#[test]
fn at_a_gateway_the_gateways_and_hosts_of_objects_decide() {
    let ingress = || {
        let mut inputs = Inputs { mode: Mode::Gateway, ..Inputs::of_a_caller() };
        inputs.node.labels.insert("istio".to_owned(), "ingress".to_owned());
        inputs
    };
    let bound = |gateways: &str| {
        let object = cart("").replace("hosts: [cart]", &format!("hosts: [shop.example]\n  gateways: [{gateways}]"));
        format!("{GATEWAY}{object}")
    };
    let told = of(&ingress(), &bound("front"), &get("http://shop.example:8080/"));
    assert_eq!(told.listener.as_ref().unwrap().name, "0.0.0.0_8080");
    assert_eq!(route(&told).name, "rest");
    let told = of(&ingress(), &bound("back"), &get("http://shop.example:8080/"));
    assert_eq!((told.left_out[0].condition.as_str(), told.left_out[0].wanted.as_str()), ("gateways", "default/back"));
    assert!(matches!(&told.ways[0].outcome, Outcome::Refused(refused) if refused.status == 404), "{told:#?}");
    let told = of(&ingress(), &bound("front"), &get("http://shop.example/x"));
    let Outcome::Elsewhere { status, location, .. } = &told.ways[0].outcome else { panic!("{told:#?}") };
    assert_eq!((*status, location.as_str()), (301, "https://shop.example/x"));
    let told = of(&ingress(), &bound("front"), &get("http://shop.example:81/"));
    assert!(matches!(&told.ways[0].outcome, Outcome::Closed { why } if why.contains("nothing listens at port 81")));
}

/// A bootstrap with these routes, as JSON.
fn bootstrap(routes: &str) -> String {
    format!(
        "static_resources:\n  listeners:\n  - name: front\n    address: {{socket_address: {{address: 127.0.0.1, port_value: 8080}}}}\n    filter_chains:\n    - filters:\n      - name: hcm\n        typed_config:\n          \"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager\n          stat_prefix: front\n          http_filters: [{{name: router, typed_config: {{\"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}}}]\n          route_config: {{virtual_hosts: [{{name: all, domains: [\"*\"], retry_policy: {{retry_on: 5xx}}, routes: [{routes}]}}]}}\n  clusters:\n  - {{name: cart, load_assignment: {{cluster_name: cart, endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: 80}}}}}}}}]}}]}}}}\n"
    )
}

#[test]
fn routes_for_a_share_of_the_requests_part_the_ways() {
    let text = bootstrap(
        "{match: {prefix: /, runtime_fraction: {default_value: {numerator: 30}}}, direct_response: {status: 201}}, {match: {prefix: /, runtime_fraction: {default_value: {numerator: 50}}}, direct_response: {status: 202}}, {match: {prefix: /}, route: {cluster: cart}}",
    );
    let told = of(&Inputs::of_a_caller(), &text, &get("http://any/"));
    assert_eq!(told.listener.as_ref().unwrap().address, "127.0.0.1:8080");
    // One draw decides of both: what is not among the first 30 % is among the first 50 % two times out of seven.
    let shares: Vec<_> = told.ways.iter().map(|way| (way.percent, way.passed_over.len())).collect();
    assert_eq!(shares, [(30.0, 0), (20.0, 1), (50.0, 2)]);
    assert_eq!(told.ways[2].passed_over[0].condition, "share");
    assert_eq!(told.ways[2].passed_over[0].wanted, "one of 30% of the requests");
    assert!(told.prose().to_string().contains("20% of such requests"));
}

#[test]
fn a_bootstrap_has_envoys_defaults_and_what_its_hosts_say() {
    let told = of(
        &Inputs::of_a_caller(),
        &bootstrap("{match: {prefix: /}, route: {cluster: cart}}"),
        &get("http://any:8080/"),
    );
    let forward = sent(&told);
    assert_eq!(setting(&forward.settings, "time-out"), ("15s", "default of Envoy"));
    let (retries, from) = setting(&forward.retries, "retries");
    assert_eq!(retries, "1");
    assert!(from.starts_with("what stands around mesh.yaml:"), "{from}");
    let breakers = forward.destinations[0].groups.iter().find(|group| group.name == "breakers").unwrap();
    assert_eq!(setting(&breakers.settings, "connections"), ("1024", "default of Envoy"));
    let closed = of(
        &Inputs::of_a_caller(),
        &bootstrap("{match: {prefix: /}, route: {cluster: cart}}"),
        &get("https://any:8080/"),
    );
    assert!(matches!(&closed.ways[0].outcome, Outcome::Closed { why } if why.contains("TLS is none")), "{closed:#?}");
}

#[test]
fn bytes_are_told_with_the_chain_that_takes_them() {
    let entry = "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: db}\nspec: {hosts: [db.example, api.example], ports: [{number: 443, name: tls, protocol: TLS}], resolution: STATIC, endpoints: [{address: 10.0.0.9}]}\n";
    let told = of(&Inputs::of_a_caller(), entry, &get("https://db.example/"));
    let chain = told.chain.as_ref().unwrap();
    assert_eq!(chain.serves, "bytes");
    let Outcome::Bytes { destinations, .. } = &told.ways[0].outcome else { panic!("{told:#?}") };
    assert!(destinations[0].cluster.contains("db.example"), "{destinations:?}");
    let told = of(&Inputs::of_a_caller(), entry, &get("https://nobody.example/"));
    assert_eq!(told.chains_passed_over[0].condition, "server name");
    assert_eq!(told.chains_passed_over[0].given, "nobody.example");
    assert!(told.chain.as_ref().unwrap().by_default);
}

#[test]
fn without_any_service_those_that_policies_name_are_taken_to_be_there_and_that_is_said() {
    let told = of(&Inputs::of_a_caller(), &cart(""), &get("http://cart/"));
    assert_eq!(told.assumed_services, ["cart.default.svc.cluster.local"]);
    assert!(told.prose().to_string().contains("taken to be there"));
    let told = of(&Inputs::of_a_caller(), &format!("{}{ENDPOINTS}", cart("")), &get("http://cart/"));
    assert!(told.assumed_services.is_empty());
}

#[test]
fn the_hash_of_a_request_decides_its_endpoint_where_it_is_known() {
    let rule = RULE.replace(
        "outlierDetection: {consecutive5xxErrors: 3}",
        "loadBalancer: {consistentHash: {httpHeaderName: x-user}}",
    );
    let text = format!("{}{rule}{ENDPOINTS}", cart(""));
    let percents = |question: &Question| -> Vec<f64> {
        let told = of(&Inputs::of_a_caller(), &text, question);
        sent(&told).destinations[0].endpoints.iter().map(|endpoint| endpoint.percent).collect()
    };
    let mut known = percents(&get("http://cart/").header("x-user", "ann").unwrap());
    known.sort_by(f64::total_cmp);
    assert_eq!(known, [0.0, 0.0, 100.0]);
    assert_eq!(percents(&get("http://cart/")), [50.0, 0.0, 50.0]);
}

#[test]
fn a_service_that_nothing_lists_has_the_ports_that_policies_name() {
    let text = "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: edge}\nspec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}\n---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: bookinfo}\nspec: {hosts: ['*'], gateways: [edge], http: [{match: [{uri: {exact: /productpage}}], route: [{destination: {host: productpage, port: {number: 9080}}}]}, {route: [{destination: {host: productpage}}]}]}\n";
    let mut inputs = Inputs { mode: Mode::Gateway, ..Inputs::of_a_caller() };
    inputs.node.labels.insert("istio".to_owned(), "ingressgateway".to_owned());
    for (url, cluster) in [("http://x/productpage", "outbound|9080|"), ("http://x/other", "outbound|80|")] {
        let told = of(&inputs, text, &get(url));
        let destination = &sent(&told).destinations[0];
        assert!(destination.missing.is_none(), "{destination:?}");
        assert!(destination.cluster.starts_with(cluster), "{destination:?}");
    }
    let source = Source { path: "mesh.yaml".into(), text: text.to_owned() };
    let objects = config::read(&[source], &LoadOptions::default()).unwrap().objects;
    let names = config::advice::unlisted_hosts(&objects, &config::advice::Instances::default());
    assert_eq!(config::analyze::analyze(&objects, &names), []);
}
