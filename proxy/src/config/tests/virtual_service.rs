//! What a VirtualService means.

use super::*;
use crate::config::objects::{HttpAction, HttpRule, MatchBlock, VirtualService};
use crate::policy::{
    AbortWith, AppendAction, Cidr, DirectResponse, Fraction, HostRewrite, PathMatch, PathRewrite, Pattern,
    RedirectPort, RetryOn, RetryPolicy,
};
use std::time::Duration;

fn service(text: &str) -> VirtualService {
    good(text).objects.virtual_services.remove(0)
}

fn first(rule_text: &str) -> HttpRule {
    service(&rule(rule_text)).http.remove(0)
}

fn matching(block: &str) -> MatchBlock {
    service(&routed(&format!("match: [{{{block}}}]"))).http.remove(0).matches.remove(0)
}

fn retry(block: &str) -> Option<RetryPolicy> {
    service(&routed(block)).http.remove(0).retry
}

#[test]
fn names_are_in_lower_case_and_the_gateway_is_the_mesh_where_none_is_named() {
    let read = service(&istio("VirtualService", "{hosts: [Cart], http: [{route: [{destination: {host: Cart}}]}]}"));
    assert_eq!((read.name.as_str(), read.namespace.as_str()), ("cart", "default"));
    assert_eq!((read.hosts, read.gateways), (vec!["cart".to_owned()], vec!["mesh".to_owned()]));
    let HttpAction::Route(to) = &read.http[0].action else { panic!() };
    assert_eq!(to[0].to.host, "cart");
    let named = istio(
        "VirtualService",
        "{hosts: [cart], gateways: [edge, shop/edge, edge.shop.svc.cluster.local], http: [{route: [{destination: {host: a}}]}]}",
    );
    assert_eq!(service(&named).gateways, ["edge", "shop/edge", "shop/edge"]);
    assert!(warnings(&named)[0].contains("write `shop/edge`"));
}

#[test]
fn retries_absent_are_left_to_the_mesh_and_empty_are_off() {
    assert_eq!(retry("timeout: 1s"), None);
    assert_eq!(retry("retries: {}").unwrap().attempts, 0);
    assert_eq!(retry("retries: {attempts: 0}").unwrap().attempts, 0);
    let by_default = retry("retries: {attempts: 3, perTryTimeout: 2s}").unwrap();
    assert_eq!((by_default.attempts, by_default.on), (3, RetryOn::mesh_default()));
    assert_eq!(by_default.per_try_timeout, Some(Duration::from_secs(2)));
    assert!(by_default.avoid_previous_hosts);
    assert_eq!((by_default.host_reselections, by_default.previous_priorities), (5, None));
}

#[test]
fn the_back_off_grows_to_ten_times_its_base_and_remote_localities_are_looked_at_after_two() {
    let policy =
        retry("retries: {attempts: 1, backoff: 100ms, retryRemoteLocalities: true, retryIgnorePreviousHosts: false}")
            .unwrap();
    assert_eq!((policy.back_off_base, policy.back_off_max), (Duration::from_millis(100), Duration::from_secs(1)));
    assert_eq!((policy.previous_priorities, policy.avoid_previous_hosts), (Some(2), false));
}

#[test]
fn integers_in_retry_on_are_status_codes() {
    let policy = retry("retries: {attempts: 1, retryOn: \"503,gateway-error,reset,internal\"}").unwrap();
    assert_eq!((policy.on.statuses, policy.on.grpc_statuses), (vec![503], vec![13]));
    assert!(policy.on.gateway_error && policy.on.reset && !policy.on.any_5xx);
}

#[test]
fn a_single_destination_needs_no_weight_and_one_without_among_several_gets_nothing() {
    let to = |route: &str| {
        let HttpAction::Route(to) = first(&format!("route: [{route}]")).action else { panic!() };
        to.iter().map(|one| (one.to.host.clone(), one.weight)).collect::<Vec<_>>()
    };
    assert_eq!(to("{destination: {host: a}, weight: 0}"), [("a".to_owned(), 1)]);
    assert_eq!(to("{destination: {host: a}, weight: 30}, {destination: {host: b}}"), [("a".to_owned(), 30)]);
}

#[test]
fn an_empty_match_and_an_asterisk_mean_present_and_a_regex_matches_the_whole() {
    let block = matching(
        "headers: {X-User: {}, x-id: {regex: \"[0-9]+\"}, y: {regex: \"*\"}}, uri: {prefix: ''}, queryParams: {q: {regex: \"*\"}}",
    );
    let by_name = |name: &str| &block.request.headers.iter().find(|header| header.name == name).unwrap().value;
    assert_eq!((&by_name("x-user").pattern, &by_name("y").pattern), (&Pattern::Present, &Pattern::Present));
    assert!(by_name("x-id").matches("12") && !by_name("x-id").matches("12x"));
    assert_eq!(block.request.path, PathMatch::Prefix(String::new()));
    assert_eq!(block.request.query[0].value.pattern, Pattern::Present);
}

#[test]
fn a_field_that_must_be_missing_counts_as_empty_unless_it_must_not_be_there_at_all() {
    let block = matching("withoutHeaders: {x: {}, y: {prefix: a}, z: }");
    let told: Vec<_> = block
        .request
        .headers
        .iter()
        .map(|header| (header.name.as_str(), header.invert, header.missing_is_empty))
        .collect();
    assert_eq!(told, [("x", true, false), ("y", true, true), ("z", true, false)]);
}

#[test]
fn method_authority_and_scheme_are_fields_of_their_own() {
    let block = matching(
        "method: {exact: GET}, authority: {prefix: cart}, scheme: {exact: http}, port: 80, sourceLabels: {app: web}, sourceNamespace: shop, gateways: [mesh]",
    );
    let names: Vec<_> = block.request.headers.iter().map(|header| header.name.as_str()).collect();
    assert_eq!(names, [":method", ":authority", ":scheme"]);
    assert_eq!((block.port, block.source_labels["app"].as_str()), (Some(80), "web"));
    assert_eq!((block.source_namespace.as_deref(), block.gateways), (Some("shop"), vec!["mesh".to_owned()]));
}

#[test]
fn fields_are_set_ahead_of_those_that_are_added_in_order_of_their_names() {
    let rules = first("route: [{destination: {host: a}}], headers: {request: {add: {b: '1'}, set: {Z: '2', Host: shop, a: '%REQ(x)%'}, remove: [C]}}").headers;
    let told: Vec<_> = rules.request.add.iter().map(|one| (one.name.as_str(), one.action)).collect();
    let (set, add) = (AppendAction::OverwriteIfExistsOrAdd, AppendAction::AppendIfExistsOrAdd);
    assert_eq!(told, [(":authority", set), ("a", set), ("z", set), ("b", add)]);
    assert_eq!(rules.request.remove, ["c"]);
    assert!(rules.response.is_empty());
}

#[test]
fn a_redirect_is_301_and_keeps_the_port_unless_it_is_told() {
    let redirect = |block: &str| {
        let HttpAction::Redirect(redirect) = first(&format!("redirect: {{{block}}}")).action else { panic!() };
        redirect
    };
    let plain = redirect("uri: /b");
    assert_eq!(
        (plain.status, plain.path, plain.port),
        (301, Some(PathRewrite::Whole("/b".to_owned())), RedirectPort::Kept)
    );
    for (block, port) in [
        ("port: 8443", RedirectPort::Explicit(8443)),
        ("uri: /, derivePort: FROM_REQUEST_PORT", RedirectPort::OfListener),
        ("uri: /, derivePort: FROM_PROTOCOL_DEFAULT", RedirectPort::Kept),
    ] {
        assert_eq!(redirect(block).port, port, "{block}");
    }
    let by_prefix = first(
        "match: [{uri: {prefix: /a}}], redirect: {prefixRewrite: /b, redirectCode: 308, scheme: https, authority: c}",
    );
    let HttpAction::Redirect(by_prefix) = by_prefix.action else { panic!() };
    assert_eq!((by_prefix.status, by_prefix.path), (308, Some(PathRewrite::Prefix("/b".to_owned()))));
    assert_eq!((by_prefix.scheme.as_deref(), by_prefix.host.as_deref()), (Some("https"), Some("c")));
}

#[test]
fn a_direct_response_holds_text_or_bytes() {
    for (body, expected) in [(", body: {string: fine}", "fine"), (", body: {bytes: Zmlu ZQ==}", "fine"), ("", "")] {
        let HttpAction::Direct(direct) = first(&format!("directResponse: {{status: 418{body}}}")).action else {
            panic!()
        };
        assert_eq!(direct, DirectResponse { status: 418, body: expected.as_bytes().to_vec() }, "{body}");
    }
}

#[test]
fn a_rewrite_replaces_the_prefix_or_every_match_and_groups_are_numbered() {
    let rewrite = |block: &str| service(&routed(&format!("rewrite: {{{block}}}"))).http.remove(0).rewrite.unwrap();
    let both = rewrite("uri: /b, authority: c");
    assert!(matches!(both.path, Some(PathRewrite::Prefix(prefix)) if prefix == "/b"));
    assert!(matches!(both.host, Some(HostRewrite::Literal(host)) if host == "c"));
    let Some(PathRewrite::Regex { pattern, substitution }) =
        rewrite(r"uriRegexRewrite: {match: '/v([0-9]+)', rewrite: '/$\1\\'}").path
    else {
        panic!()
    };
    assert_eq!(pattern.replace_all("/v1/v2", substitution.as_str()), r"/$1\/$2\");
}

#[test]
fn shares_of_mirrors_are_everything_and_shares_of_faults_nothing_where_none_is_written() {
    let mirrors = |block: &str| {
        let mirrors = service(&routed(block)).http.remove(0).mirrors;
        mirrors.iter().map(|mirror| (mirror.to.host.clone(), mirror.share)).collect::<Vec<_>>()
    };
    let one = |share| vec![("b".to_owned(), share)];
    assert_eq!(mirrors("mirror: {host: b}"), one(Fraction::ALL));
    assert_eq!(mirrors("mirror: {host: b}, mirrorPercentage: {value: 0.5}"), one(Fraction(5000)));
    assert_eq!(mirrors("mirror: {host: b}, mirrorPercent: 7"), one(Fraction(70_000)));
    assert_eq!(mirrors("mirror: {host: b}, mirrorPercentage: {value: 0}"), []);
    assert_eq!(
        mirrors("mirrors: [{destination: {host: b}}, {destination: {host: c}, percentage: {}}]"),
        one(Fraction::ALL)
    );

    let fault = |block: &str| service(&routed(&format!("fault: {{{block}}}"))).http.remove(0).fault;
    let both = fault("delay: {fixedDelay: 2s, percent: 3}, abort: {httpStatus: 503}").unwrap();
    let (delay, abort) = (both.delay.unwrap(), both.abort.unwrap());
    assert_eq!((delay.fixed, delay.share), (Some(Duration::from_secs(2)), Fraction(30_000)));
    assert_eq!((abort.with, abort.share), (AbortWith::Http(503), Fraction::NONE));
    let grpc = fault("abort: {grpcStatus: UNAVAILABLE, percentage: {value: 100}}").unwrap().abort.unwrap();
    assert_eq!((grpc.with, grpc.share), (AbortWith::Grpc(14), Fraction::ALL));
    assert_eq!(fault("abort: {}"), None);
}

#[test]
fn cors_takes_the_deprecated_origins_where_there_are_no_others() {
    let cors = |block: &str| service(&routed(&format!("corsPolicy: {{{block}}}"))).http.remove(0).cors.unwrap();
    let old = cors("allowOrigin: [\"https://a\"], allowMethods: [GET, POST], maxAge: 24h, allowCredentials: true");
    assert!(old.allow_origins[0].matches("https://a") && !old.allow_origins[0].matches("https://ab"));
    assert_eq!((old.allow_methods.as_str(), old.max_age), ("GET,POST", Some(Duration::from_secs(86400))));
    assert_eq!((old.allow_credentials, old.forward_unmatched_preflights), (Some(true), true));
    let new = cors("allowOrigins: [{prefix: \"https://\"}], allowOrigin: [\"http://b\"], unmatchedPreflights: IGNORE");
    assert_eq!((new.allow_origins.len(), new.forward_unmatched_preflights), (1, false));
}

#[test]
fn a_delegate_has_no_hosts_and_a_rule_that_delegates_nothing_else() {
    let root = first("match: [{uri: {prefix: /a}}], delegate: {name: cart}");
    assert_eq!(
        root.action,
        HttpAction::Delegate { name: "cart".to_owned(), namespace: "default".to_owned(), place: Default::default() }
    );
    let delegate = service(&istio("VirtualService", "{http: [{route: [{destination: {host: a}}]}]}"));
    assert!(delegate.hosts.is_empty() && delegate.gateways.is_empty());
}

#[test]
fn rules_for_tls_have_server_names_and_rules_for_tcp_addresses() {
    let read = service(&istio(
        "VirtualService",
        "{hosts: ['*.a.com'], tls: [{match: [{sniHosts: [X.a.com], port: 443}, {sniHosts: ['*.a.com']}], route: [{destination: {host: a}}]}], tcp: [{match: [{destinationSubnets: [10.0.0.0/8, 10.1.2.3]}], route: [{destination: {host: a, port: {number: 9}}}]}]}",
    ));
    let names: Vec<_> = read.tls.iter().map(|rule| (rule.server_names.clone(), rule.matches[0].port)).collect();
    assert_eq!(names, [(vec!["x.a.com".to_owned()], Some(443)), (vec!["*.a.com".to_owned()], None)]);
    let cidr = |address: &str, prefix| Cidr { address: address.parse().unwrap(), prefix };
    assert_eq!(read.tcp[0].matches[0].destinations, [cidr("10.0.0.0", 8), cidr("10.1.2.3", 32)]);
    assert_eq!(read.tcp[0].to[0].to.port, Some(9));
}

#[test]
fn a_rule_that_is_never_reached_is_warned_of() {
    let to = "route: [{destination: {host: a}}]";
    let rules = |rules: &str| {
        let text = istio("VirtualService", &format!("{{hosts: [cart], http: [{rules}]}}"));
        assert_eq!(warnings(&text), [""; 0], "each is told once");
        let found = analyze::analyze(&good(&text).objects, &["a".to_owned(), "cart".to_owned()]);
        found.into_iter().map(|finding| finding.message).collect::<Vec<_>>()
    };
    let prefix = |path: &str| format!("{{match: [{{uri: {{prefix: {path}}}}}], {to}}}");
    for (text, count) in [
        (format!("{{{to}}}, {{{to}}}"), 1),
        (format!("{{{to}}}, {}, {}", prefix("/a"), prefix("/b")), 2),
        (format!("{}, {}", prefix("/a"), prefix("/a")), 1),
        (format!("{}, {}", prefix("/a"), prefix("/ab")), 1),
        (format!("{}, {}", prefix("/ab"), prefix("/a")), 0),
        (format!("{{match: [{{uri: {{prefix: /a}}, port: 80}}], {to}}}, {}", prefix("/a")), 0),
        (format!("{}, {{match: [{{uri: {{exact: /a}}}}, {{uri: {{exact: /b}}}}], {to}}}", prefix("/a")), 1),
    ] {
        let found = rules(&text);
        assert_eq!(found.len(), count, "{text}\n{found:?}");
        assert!(found.iter().all(|one| one.contains("never reached")), "{found:?}");
    }
    let tcp = istio(
        "VirtualService",
        "{hosts: [cart], tcp: [{route: [{destination: {host: a}}]}, {route: [{destination: {host: b}}]}]}",
    );
    assert!(warnings(&tcp)[0].contains("never reached"));
}

#[test]
fn what_istio_warns_of_is_a_warning() {
    for (text, told) in [
        (routed("mirror: {host: b}, mirrorPercent: 7"), "`mirrorPercent` is deprecated"),
        (routed("fault: {abort: {percentage: {value: 1}}}"), "an abort without a status aborts nothing"),
        (rule(&format!("directResponse: {{status: 200, body: {{string: {}}}}}", "a".repeat(200_000))), "large"),
        (
            istio(
                "VirtualService",
                "{hosts: [10.0.0.1], tls: [{match: [{sniHosts: [10.0.0.1]}], route: [{destination: {host: a}}]}]}",
            ),
            "an address is no server name",
        ),
    ] {
        let found = warnings(&text);
        assert!(found.len() == 1 && found[0].contains(told), "{told}: {found:?}");
    }
}
