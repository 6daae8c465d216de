//! Which route a request takes, and what the route changes.

use squall_tests::http::{Backend, get, ok};
use squall_tests::proxy::{Proxy, routes, rule};

/// Two versions as subsets, each answering with its name.
const SUBSETS: &str = "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: cart}\nspec:\n  host: cart\n  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]\n";

fn versions(http: &str) -> (Proxy, Backend, Backend) {
    let (one, two) = (Backend::named("v1"), Backend::named("v2"));
    let endpoints = [(one.address, "v1", true), (two.address, "v2", true)];
    let proxy = Proxy::with_endpoints(&format!("{}{SUBSETS}", routes(http)), &endpoints);
    (proxy, one, two)
}

/// Routes to v2 if `matching`, else to v1.
fn v2_if(matching: &str) -> (Proxy, Backend, Backend) {
    versions(&format!(
        "    - match: [{matching}]\n      route: [{{destination: {{host: cart, subset: v2}}}}]\n    - route: [{{destination: {{host: cart, subset: v1}}}}]"
    ))
}

#[test]
fn a_host_is_known_by_all_its_names_whatever_their_case_and_port() {
    let backend = Backend::named("cart");
    let proxy = Proxy::start("", &[&backend]);
    for host in ["cart", "CART", "cart:80", "cart.default", "cart.default.svc", "cart.default.svc.cluster.local"] {
        let answer = get(proxy.listen, "/", &format!("host: {host}\r\n"));
        assert_eq!((answer.status(), answer.text().as_str()), (200, "cart"), "{host}");
    }
}

#[test]
fn an_unknown_host_goes_where_the_client_was_going_which_is_nowhere_without_redirection() {
    let backend = Backend::named("cart");
    let proxy = Proxy::start("", &[&backend]);
    let answer = get(proxy.listen, "/", "host: nobody\r\n");
    assert_eq!((answer.status(), answer.text().as_str()), (503, "no healthy upstream"));
    let line = &proxy.access_log(1)[0];
    assert_eq!((&line["response_flags"], &line["upstream_cluster"]), (&"UH".into(), &"PassthroughCluster".into()));
    assert!(backend.asked().is_empty());
}

#[test]
fn a_request_that_no_rule_of_its_host_matches_is_404_nr() {
    let backend = Backend::named("cart");
    let http = "    - match: [{uri: {prefix: /shop}}]\n      route: [{destination: {host: cart}}]";
    let proxy = Proxy::start(&routes(http), &[&backend]);
    let answer = proxy.get("/other");
    assert_eq!((answer.status(), answer.text().as_str()), (404, ""));
    assert_eq!(proxy.access_log(1)[0]["response_flags"], "NR");
}

#[test]
fn uri_matches_exactly_by_prefix_and_by_regex_of_the_whole_path() {
    for (matching, hit, miss) in [
        ("{uri: {exact: /a}}", "/a?x=1", "/a/"),
        ("{uri: {prefix: /a}}", "/ab", "/b/a"),
        ("{uri: {regex: \"/a[0-9]+\"}}", "/a12", "/a12/x"),
    ] {
        let (proxy, ..) = v2_if(matching);
        assert_eq!(proxy.get(hit).text(), "v2", "{matching} {hit}");
        assert_eq!(proxy.get(miss).text(), "v1", "{matching} {miss}");
    }
}

#[test]
fn headers_method_and_query_parameters_match_and_all_conditions_of_a_block_must_hold() {
    let (proxy, ..) =
        v2_if("{headers: {x-canary: {exact: \"yes\"}}, method: {exact: GET}, queryParams: {q: {prefix: a}}}");
    assert_eq!(proxy.get_with("/?q=ab", "x-canary: yes\r\n").text(), "v2");
    assert_eq!(proxy.get_with("/?q=b", "x-canary: yes\r\n").text(), "v1");
    assert_eq!(proxy.get_with("/?q=ab", "x-canary: no\r\n").text(), "v1");
    assert_eq!(proxy.get_with("/?q=ab", "").text(), "v1");
}

#[test]
fn blocks_of_a_match_are_alternatives_and_without_headers_excludes() {
    let (proxy, ..) = v2_if("{uri: {exact: /a}}, {uri: {exact: /b}, withoutHeaders: {x-old: {}}}");
    assert_eq!(proxy.get("/a").text(), "v2");
    assert_eq!(proxy.get("/b").text(), "v2");
    assert_eq!(proxy.get_with("/b", "x-old: 1\r\n").text(), "v1");
}

#[test]
fn weights_share_the_traffic() {
    let (proxy, one, two) = versions(
        "    - route:\n        - {destination: {host: cart, subset: v1}, weight: 80}\n        - {destination: {host: cart, subset: v2}, weight: 20}",
    );
    let mut connection = proxy.connect();
    for _ in 0..1000 {
        let _ = connection.ask("GET / HTTP/1.1\r\nhost: cart\r\n\r\n");
    }
    assert_eq!(one.asked().len() + two.asked().len(), 1000);
    // Four standard deviations of a binomial: 4 x sqrt(1000 x 0.2 x 0.8) = 51.
    assert!((150..=250).contains(&two.asked().len()), "{}", two.asked().len());
}

#[test]
fn a_weight_of_zero_gets_nothing() {
    let (proxy, one, two) = versions(
        "    - route:\n        - {destination: {host: cart, subset: v1}, weight: 100}\n        - {destination: {host: cart, subset: v2}, weight: 0}",
    );
    for _ in 0..50 {
        assert_eq!(proxy.get("/").text(), "v1");
    }
    assert_eq!((one.asked().len(), two.asked().len()), (50, 0));
}

#[test]
fn a_route_to_a_subset_that_is_not_defined_is_503_nc() {
    let (proxy, ..) = versions("    - route: [{destination: {host: cart, subset: v3}}]");
    assert_eq!(proxy.get("/").status(), 503);
    assert_eq!(proxy.access_log(1)[0]["response_flags"], "NC");
}

#[test]
fn headers_are_set_added_and_removed_on_both_ways() {
    let backend =
        Backend::start(|_| squall_tests::http::Answer::Status(200, "x-secret: 1\r\nx-kept: a\r\n", Vec::new()));
    let proxy = Proxy::start(
        &routes(
            "    - route: [{destination: {host: cart}}]\n      headers:\n        request: {set: {x-set: new}, add: {x-added: more}, remove: [x-gone]}\n        response: {set: {x-by: mesh}, add: {x-kept: b}, remove: [x-secret]}",
        ),
        &[&backend],
    );
    let answer = proxy.get_with("/", "x-set: old\r\nx-added: one\r\nx-gone: 1\r\n");
    let asked = &backend.asked()[0];
    assert_eq!((asked.field("x-set"), asked.field("x-added"), asked.field("x-gone")), ("new", "one, more", ""));
    assert_eq!((answer.field("x-by"), answer.field("x-kept"), answer.field("x-secret")), ("mesh", "a, b", ""));
}

#[test]
fn a_rewrite_replaces_the_matched_prefix_and_the_authority() {
    let backend = Backend::named("cart");
    let proxy = Proxy::start(
        &routes(
            "    - match: [{uri: {prefix: /shop}}]\n      rewrite: {uri: /v2, authority: inner}\n      route: [{destination: {host: cart}}]",
        ),
        &[&backend],
    );
    let _ = proxy.get("/shop/items?id=1");
    let asked = &backend.asked()[0];
    assert_eq!((asked.target(), asked.field("host")), ("/v2/items?id=1", "inner"));
    assert_eq!(asked.field("x-envoy-original-path"), "/shop/items?id=1");
}

#[test]
fn a_redirect_is_301_by_default_with_a_location() {
    let backend = Backend::named("cart");
    let http = "    - match: [{uri: {exact: /old}}]\n      redirect: {uri: /new, authority: other.example}\n    - match: [{uri: {exact: /tmp}}]\n      redirect: {uri: /new, redirectCode: 307}\n    - route: [{destination: {host: cart}}]";
    let proxy = Proxy::start(&routes(http), &[&backend]);
    let answer = proxy.get("/old?x=1");
    assert_eq!((answer.status(), answer.field("location")), (301, "http://other.example/new?x=1"));
    let answer = proxy.get("/tmp");
    assert_eq!((answer.status(), answer.field("location")), (307, "http://cart/new"));
}

#[test]
fn a_direct_response_needs_no_upstream() {
    let http = "    - directResponse: {status: 418, body: {string: teapot}}";
    let backend = Backend::named("cart");
    let answer = Proxy::start(&routes(http), &[&backend]).get("/");
    assert_eq!((answer.status(), answer.text().as_str()), (418, "teapot"));
    assert!(backend.asked().is_empty());
}

#[test]
fn a_fault_of_the_policy_aborts_before_any_retry_and_is_flagged_fi() {
    let backend = Backend::named("cart");
    let http = "    - fault: {abort: {httpStatus: 503, percentage: {value: 100}}}\n      retries: {attempts: 3, retryOn: 5xx}\n      route: [{destination: {host: cart}}]";
    let proxy = Proxy::start(&routes(http), &[&backend]);
    let answer = proxy.get("/");
    assert_eq!((answer.status(), answer.text().as_str()), (503, "fault filter abort"));
    assert!(backend.asked().is_empty());
    let log = proxy.access_log(1);
    assert_eq!((log[0]["response_flags"].as_str(), log[0]["attempts"].as_u64()), (Some("FI"), Some(0)));
}

#[test]
fn a_delay_of_the_policy_does_not_count_against_the_routes_time() {
    let backend = Backend::start(|_| ok("late"));
    let http = "    - fault: {delay: {fixedDelay: 300ms, percentage: {value: 100}}}\n      timeout: 200ms\n      route: [{destination: {host: cart}}]";
    let answer = Proxy::start(&routes(http), &[&backend]).get("/");
    assert_eq!((answer.status(), answer.text().as_str()), (200, "late"));
    let took: u64 = answer.field("x-envoy-upstream-service-time").parse().expect("milliseconds");
    assert!(took < 300, "the endpoint has not taken the delay: {took} ms");
}

#[test]
fn round_robin_takes_turns() {
    let backends = [Backend::named("a"), Backend::named("b"), Backend::named("c")];
    let policies = rule("{loadBalancer: {simple: ROUND_ROBIN}}");
    let proxy = Proxy::start(&policies, &backends.iter().collect::<Vec<_>>());
    for _ in 0..9 {
        let _ = proxy.get("/");
    }
    let counts: Vec<usize> = backends.iter().map(|backend| backend.asked().len()).collect();
    assert_eq!(counts, [3, 3, 3]);
}

#[test]
fn a_part_of_the_routes_is_delegated_and_inherits_what_it_does_not_say() {
    let root = "    - match: [{uri: {prefix: /old}}]\n      delegate: {name: part}\n      headers: {response: {add: {x-by: root}}}\n    - route: [{destination: {host: cart, subset: v1}}]";
    let part = "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: part}\nspec:\n  http:\n  - match: [{uri: {prefix: /old/2}}]\n    route: [{destination: {host: cart, subset: v2}}]\n  - match: [{uri: {prefix: /new}}]\n    directResponse: {status: 418}\n";
    let (one, two) = (Backend::named("v1"), Backend::named("v2"));
    let endpoints = [(one.address, "v1", true), (two.address, "v2", true)];
    let proxy = Proxy::with_endpoints(&format!("{}{part}{SUBSETS}", routes(root)), &endpoints);
    let told = |path| {
        let answer = proxy.get(path);
        (answer.text(), answer.field("x-by").to_owned())
    };
    assert_eq!(told("/old/2"), ("v2".to_owned(), "root".to_owned()));
    assert_eq!(told("/old/1").0, "v1", "the delegate has no rule for it");
    assert_eq!(told("/new").0, "v1", "a delegate's rule narrows what was delegated");
}
