use super::support::*;
use crate::config::mesh::{Site, resolve};
use crate::config::objects::{HttpAction, HttpRule, LoadBalancer, MatchBlock, MirrorTo, Objects, TrafficPolicy};
use crate::policy::{
    Action, AppendAction, Balance, CorsPolicy, DirectResponse, FaultInjection, Format, Fraction, GrpcTimeout, HashOf,
    HeaderAddition, HeaderMatch, HeaderRules, HostRewrite, Node, PathMatch, PathRewrite, Redirect, RedirectPort,
    RetryPolicy, Rewrite, RouteMatch, TextMatch,
};
use regex::Regex;
use std::time::Duration;

fn routed(rules: Vec<HttpRule>) -> Objects {
    Objects { virtual_services: vec![virtual_service("v", &["cart"], rules)], ..shop() }
}

fn set(name: &str, value: &str) -> HeaderRules {
    let addition = HeaderAddition {
        name: name.to_owned(),
        value: Format::literal(value),
        action: AppendAction::OverwriteIfExistsOrAdd,
        keep_empty: false,
    };
    let mut rules = HeaderRules::default();
    rules.request.add.push(addition);
    rules
}

#[test]
fn each_match_block_makes_a_route_in_order() {
    let two = HttpRule { matches: vec![prefix_block("/a"), prefix_block("/b")], ..all_to("pay") };
    let config = resolved(&routed(vec![two, all_to("cart")]));
    let paths: Vec<_> = cart(&config).iter().map(|route| route.matches.path.clone()).collect();
    let prefix = |text: &str| PathMatch::Prefix(text.to_owned());
    assert_eq!(paths, [prefix("/a"), prefix("/b"), PathMatch::Any]);
    assert_eq!(targets(cart(&config)), [[PAY], [PAY], [CART]]);
}

#[test]
fn routes_are_named_by_rule_and_match() {
    let block = MatchBlock { name: "b".to_owned(), ..prefix_block("/") };
    let rule = HttpRule { name: "r".to_owned(), matches: vec![prefix_block("/a"), block], ..all_to("pay") };
    let config = resolved(&routed(vec![rule]));
    assert_eq!(cart(&config).iter().map(|route| route.name.as_str()).collect::<Vec<_>>(), ["r", "r.b"]);
}

#[test]
fn what_stands_behind_a_match_for_everything_is_not_made() {
    let header =
        HeaderMatch { name: "x".to_owned(), value: TextMatch::present(), invert: false, missing_is_empty: false };
    let conditional =
        MatchBlock { request: RouteMatch { headers: vec![header], ..RouteMatch::default() }, ..MatchBlock::default() };
    for (block, made) in [
        (path_block(PathMatch::Any), 1),
        (prefix_block("/"), 1),
        (path_block(PathMatch::SegmentPrefix("/".to_owned())), 1),
        (path_block(PathMatch::Regex(Regex::new("^(?:.*)$").unwrap())), 1),
        (path_block(PathMatch::Regex(Regex::new("^(?:/.*)$").unwrap())), 2),
        (prefix_block("/a"), 2),
        (conditional, 2),
    ] {
        let first = HttpRule { matches: vec![block.clone()], ..all_to("cart") };
        let config = resolved(&routed(vec![first, all_to("pay")]));
        assert_eq!(cart(&config).len(), made, "{block:?}");
    }
}

#[test]
fn callers_and_ports_are_compared_while_routes_are_made() {
    let block = |change: &dyn Fn(&mut MatchBlock)| {
        let mut block = prefix_block("/a");
        change(&mut block);
        block
    };
    for (matches, here) in [
        (block(&|block| block.port = Some(80)), true),
        (block(&|block| block.port = Some(81)), false),
        (block(&|block| block.source_labels = labels(&[("app", "web")])), true),
        (block(&|block| block.source_labels = labels(&[("app", "other")])), false),
        (block(&|block| block.source_namespace = Some("default".to_owned())), true),
        (block(&|block| block.source_namespace = Some("bank".to_owned())), false),
        (block(&|block| block.gateways = strings(&["mesh"])), true),
        (block(&|block| block.gateways = strings(&["door"])), false),
        (
            block(&|block| {
                block.gateways = strings(&["mesh"]);
                block.source_labels = labels(&[("app", "other")]);
            }),
            true,
        ),
    ] {
        let rule = HttpRule { matches: vec![matches.clone()], ..all_to("pay") };
        let node = Node { namespace: "default".to_owned(), labels: labels(&[("app", "web")]), ..Node::default() };
        let config = resolve(&routed(vec![rule, all_to("cart")]), &Site { node, ..caller() });
        assert_eq!(cart(&config).len() == 2, here, "{matches:?}");
    }
}

#[test]
fn a_single_destination_has_everything_whatever_its_weight_and_several_share() {
    for (weights, shares) in [
        (&[("cart", 0)][..], &[1][..]),
        (&[("cart", 7)][..], &[1][..]),
        (&[("cart", 3), ("pay", 1)][..], &[3, 1][..]),
        (&[("cart", 0), ("pay", 100)][..], &[100][..]),
    ] {
        let backends = weights.iter().map(|(to, weight)| weighted(to, *weight)).collect();
        let config = resolved(&routed(vec![rule(Vec::new(), HttpAction::Route(backends))]));
        let made: Vec<_> = forward(&cart(&config)[0]).to.clusters().map(|to| to.weight).collect();
        assert_eq!(made, shares, "{weights:?}");
    }
}

#[test]
fn a_destination_without_port_uses_the_only_one_of_its_service_else_the_listeners() {
    let mut objects = routed(vec![
        prefix_to("/1", "one"),
        prefix_to("/2", "two"),
        prefix_to("/3", "nobody"),
        prefix_to("/4", "two:9000/v1"),
    ]);
    let http = |number| port(number, "http", crate::config::objects::AppProtocol::Http);
    objects.services.push(service_with("one", vec![http(8080)]));
    objects.services.push(service_with("two", vec![http(8080), http(9000)]));
    let config = resolved(&objects);
    let host = |name: &str, port: &str| vec![format!("outbound|{port}|{name}.default.svc.cluster.local")];
    assert_eq!(
        targets(cart(&config)),
        [host("|one", "8080"), host("|two", "80"), host("|nobody", "80"), host("v1|two", "9000")]
    );
}

#[test]
fn short_names_are_of_the_objects_namespace_not_of_the_callers() {
    let mut objects = routed(vec![all_to("pay")]);
    objects.virtual_services[0].namespace = "bank".to_owned();
    objects.virtual_services[0].hosts = strings(&["cart.default.svc.cluster.local"]);
    assert_eq!(targets(cart(&resolved(&objects))), [["outbound|80||pay.bank.svc.cluster.local"]]);
}

#[test]
fn the_destinations_fields_come_last_where_there_is_one_and_first_where_there_are_several() {
    let with =
        |to: &str, weight| crate::config::objects::WeightedBackend { headers: set("x", to), ..weighted(to, weight) };
    for (backends, last) in [(vec![with("cart", 0)], true), (vec![with("cart", 1), with("pay", 1)], false)] {
        let several = backends.len();
        let rule = HttpRule { headers: set("x", "route"), ..rule(Vec::new(), HttpAction::Route(backends)) };
        let config = resolved(&routed(vec![rule]));
        let route = &cart(&config)[0];
        let destination = forward(route).to.clusters().next().unwrap();
        let made: Vec<_> = route
            .request_operations(Some(&destination.headers))
            .flat_map(|operations| &operations.add)
            .map(|addition| addition.value.as_literal().unwrap())
            .collect();
        let expected = if last { ["route", "cart"] } else { ["cart", "route"] };
        // Whoever comes first is in force last only if the list is read to its end.
        assert_eq!(made, expected, "{several}");
        assert_eq!(route.destination_headers_last, last);
    }
}

#[test]
fn a_host_among_the_fields_is_a_rewrite_of_the_host() {
    let literal = |host: &str| Some(HostRewrite::Literal(host.to_owned()));
    let rewriting = |host: &str| Some(Rewrite { host: literal(host), ..Rewrite::default() });
    let single = |headers| vec![crate::config::objects::WeightedBackend { headers, ..weighted("cart", 0) }];
    for (route, rewrite, destination, expected) in [
        (set(":authority", "a"), None, HeaderRules::default(), literal("a")),
        (set("host", "a"), None, set("host", "b"), literal("a")),
        (HeaderRules::default(), None, set("host", "b"), literal("b")),
        (HeaderRules::default(), rewriting("r"), set("host", "b"), literal("r")),
        (set("x", "y"), None, HeaderRules::default(), None),
    ] {
        let rule = HttpRule { headers: route, rewrite, ..rule(Vec::new(), HttpAction::Route(single(destination))) };
        let config = resolved(&routed(vec![rule]));
        let route = &cart(&config)[0];
        assert_eq!(forward(route).rewrite.host, expected);
        let to = forward(route).to.clusters().next().unwrap();
        assert_eq!((to.host_rewrite.as_ref(), to.headers.request.is_empty()), (None, true));
    }
    let backends = vec![
        crate::config::objects::WeightedBackend { headers: set("host", "b"), ..weighted("cart", 1) },
        weighted("pay", 1),
    ];
    let config = resolved(&routed(vec![rule(Vec::new(), HttpAction::Route(backends))]));
    let hosts: Vec<_> = forward(&cart(&config)[0]).to.clusters().map(|to| to.host_rewrite.clone()).collect();
    assert_eq!(hosts, [Some("b".to_owned()), None]);
}

#[test]
fn a_timeout_bounds_that_of_grpc_which_rules_alone_without_one() {
    let second = Duration::from_secs(1);
    for (timeout, grpc) in [(None, GrpcTimeout::Obeyed), (Some(second), GrpcTimeout::AtMost(second))] {
        let config = resolved(&routed(vec![HttpRule { timeout, ..all_to("cart") }]));
        let forward = forward(&cart(&config)[0]);
        assert_eq!((forward.timeout, forward.grpc_timeout), (timeout, grpc));
    }
}

#[test]
fn retries_are_the_rules_or_the_meshs() {
    let three = RetryPolicy { attempts: 3, ..RetryPolicy::mesh_default() };
    for (written, made) in [
        (None, RetryPolicy::mesh_default()),
        (Some(RetryPolicy::none()), RetryPolicy::none()),
        (Some(three.clone()), three),
    ] {
        let config = resolved(&routed(vec![HttpRule { retry: written, ..all_to("cart") }]));
        assert_eq!(forward(&cart(&config)[0]).retry, made);
    }
}

#[test]
fn old_versions_try_503_again_by_default() {
    let site = Site { version: "1.23".parse().unwrap(), ..caller() };
    assert_eq!(forward(&cart(&resolve(&shop(), &site))[0]).retry.on.statuses, [503]);
    let objects = routed(vec![all_to("cart")]);
    assert_eq!(forward(&cart(&resolve(&objects, &site))[0]).retry.on.statuses, [503]);
    assert!(forward(&cart(&resolved(&objects))[0]).retry.on.statuses.is_empty());
}

#[test]
fn a_consistent_hash_keeps_retries_where_they_were_unless_the_rule_says_otherwise() {
    let hashing = TrafficPolicy {
        load_balancer: Some(LoadBalancer {
            balance: Some(Balance::RingHash { min_size: 1024, max_size: 8_388_608 }),
            hash: Some(HashOf::Header("x-user".to_owned())),
            ..balancer()
        }),
        ..TrafficPolicy::default()
    };
    let written = || Some(RetryPolicy::mesh_default());
    for (hashed, retry, said, avoids) in [
        (false, None, None, true),
        (false, written(), None, true),
        (false, written(), Some(false), false),
        (true, None, None, false),
        (true, written(), None, false),
        (true, written(), Some(true), true),
    ] {
        let mut objects = routed(vec![HttpRule { retry, avoid_previous_hosts: said, ..all_to("cart") }]);
        if hashed {
            objects.destination_rules = vec![destination_rule("cart", hashing.clone())];
        }
        let config = resolved(&objects);
        let forward = forward(&cart(&config)[0]);
        assert_eq!(forward.retry.avoid_previous_hosts, avoids, "{hashed} {said:?}");
        assert_eq!(forward.hash.len(), usize::from(hashed));
    }
}

#[test]
fn the_hashes_of_all_destinations_stand_on_the_route_together() {
    let by = |header: &str| TrafficPolicy {
        load_balancer: Some(LoadBalancer { hash: Some(HashOf::Header(header.to_owned())), ..balancer() }),
        ..TrafficPolicy::default()
    };
    let mut objects = routed(vec![rule(Vec::new(), HttpAction::Route(vec![weighted("cart", 1), weighted("pay", 1)]))]);
    objects.destination_rules = vec![destination_rule("cart", by("a")), destination_rule("pay", by("b"))];
    let config = resolved(&objects);
    let forward = forward(&cart(&config)[0]);
    let of: Vec<_> = forward.hash.iter().map(|policy| policy.of.clone()).collect();
    assert_eq!(of, [HashOf::Header("a".to_owned()), HashOf::Header("b".to_owned())]);
    assert!(forward.hash.iter().all(|policy| !policy.terminal));
    assert!(forward.retry.avoid_previous_hosts);
    let config = resolved(&Objects { virtual_services: Vec::new(), ..objects });
    assert_eq!(super::support::forward(&cart(&config)[0]).hash.len(), 1, "a service that nobody routes has its own");
}

#[test]
fn mirrors_of_nothing_are_left_out_and_old_ones_mark_the_host() {
    let mirror = |share| MirrorTo { to: backend("pay"), share };
    let rule = HttpRule { mirrors: vec![mirror(Fraction::ALL), mirror(Fraction::NONE)], ..all_to("cart") };
    let objects = routed(vec![rule]);
    for (version, marked) in [("latest", false), ("1.27", true)] {
        let config = resolve(&objects, &Site { version: version.parse().unwrap(), ..caller() });
        let mirrors = &forward(&cart(&config)[0]).mirrors;
        assert_eq!(mirrors.len(), 1);
        assert_eq!((mirrors[0].cluster.as_str(), mirrors[0].shadow_host), (PAY, marked));
    }
}

#[test]
fn faults_and_cors_stand_on_the_route_as_filters() {
    let fault = FaultInjection {
        delay: Some(crate::policy::Delay { fixed: Some(Duration::from_secs(1)), share: Fraction::ALL }),
        ..FaultInjection::default()
    };
    let rule = HttpRule { fault: Some(fault.clone()), cors: Some(CorsPolicy::default()), ..all_to("cart") };
    let config = resolved(&routed(vec![rule]));
    let filters = &cart(&config)[0].filters;
    assert_eq!((filters.fault.as_deref(), filters.cors.is_some()), (Some(&fault), true));
}

#[test]
fn answers_of_the_policy_go_to_no_cluster_and_a_redirect_leaves_out_the_ports_of_its_scheme() {
    let direct = HttpRule {
        matches: vec![prefix_block("/a")],
        ..rule(Vec::new(), HttpAction::Direct(DirectResponse { status: 418, body: b"no".to_vec() }))
    };
    let redirect = |scheme: Option<&str>, port| Redirect {
        status: 301,
        path: None,
        host: None,
        scheme: scheme.map(str::to_owned),
        port,
        strip_query: false,
    };
    let explicit = RedirectPort::Explicit;
    for (scheme, written, made) in [
        (None, explicit(80), RedirectPort::OfProtocol),
        (None, explicit(443), explicit(443)),
        (Some("https"), explicit(443), RedirectPort::OfProtocol),
        (Some("https"), explicit(80), explicit(80)),
        (Some("https"), RedirectPort::Kept, RedirectPort::Kept),
        (Some("https"), RedirectPort::OfListener, explicit(80)),
        (None, RedirectPort::OfListener, RedirectPort::OfProtocol),
    ] {
        let rules = vec![direct.clone(), rule(Vec::new(), HttpAction::Redirect(redirect(scheme, written)))];
        let config = resolved(&routed(rules));
        let [first, second] = cart(&config) else { panic!() };
        assert!(matches!(&first.action, Action::Direct(response) if response.status == 418));
        assert!(matches!(&second.action, Action::Redirect(redirect) if redirect.port == made), "{:?}", second.action);
    }
}

#[test]
fn routes_of_the_gateway_api_answer_500_without_a_cluster_and_take_a_prefix_away_whole() {
    let rewrite = Rewrite { path: Some(PathRewrite::Prefix("/".to_owned())), ..Rewrite::default() };
    let rule = HttpRule {
        matches: vec![path_block(PathMatch::SegmentPrefix("/a.b".to_owned()))],
        rewrite: Some(rewrite),
        ..all_to("cart")
    };
    let mut objects = routed(vec![rule]);
    assert_eq!(forward(&cart(&resolved(&objects))[0]).not_found_status, 503);
    objects.virtual_services[0].of_gateway_api = true;
    let config = resolved(&objects);
    let forward = forward(&cart(&config)[0]);
    assert_eq!(forward.not_found_status, 500);
    let Some(PathRewrite::Regex { pattern, substitution }) = &forward.rewrite.path else { panic!() };
    for (path, made) in [("/a.b", "/"), ("/a.b/c", "/c"), ("/a.b/", "/")] {
        assert_eq!(pattern.replace(path, substitution.as_str()), made);
    }
}

#[test]
fn a_hash_of_a_port_counts_only_where_the_destination_names_the_port() {
    let by = |header: &str| TrafficPolicy {
        load_balancer: Some(LoadBalancer { hash: Some(HashOf::Header(header.to_owned())), ..balancer() }),
        ..TrafficPolicy::default()
    };
    let mut rule = destination_rule("cart", by("host"));
    rule.port_policies = vec![(80, by("port"))];
    rule.subsets = vec![subset("own", &[]), subset("none", &[])];
    rule.subsets[0].policy = by("subset");
    rule.subsets[0].port_policies = vec![(80, by("subset-port"))];
    for (to, header) in [
        ("cart", "host"),
        ("cart:80", "port"),
        ("cart/none", "host"),
        ("cart:80/none", "port"),
        ("cart/own", "subset"),
        ("cart:80/own", "subset-port"),
        ("cart:81/own", "subset"),
    ] {
        let objects = Objects { destination_rules: vec![rule.clone()], ..routed(vec![all_to(to)]) };
        let config = resolved(&objects);
        assert_eq!(forward(&cart(&config)[0]).hash[0].of, HashOf::Header(header.to_owned()), "{to}");
    }
    let unrouted = Objects { destination_rules: vec![rule], ..shop() };
    let config = resolved(&unrouted);
    assert_eq!(forward(&cart(&config)[0]).hash[0].of, HashOf::Header("port".to_owned()));
}
