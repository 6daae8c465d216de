//! What the Gateway API's objects become.

use super::*;
use crate::config::objects::{AppProtocol, HttpAction, HttpRule, VirtualService};
use crate::policy::{DirectResponse, Fraction, HostRewrite, PathMatch, PathRewrite, RedirectPort};
use std::time::Duration;

fn object(kind: &str, spec: &str) -> String {
    format!(
        "apiVersion: gateway.networking.k8s.io/v1\nkind: {kind}\nmetadata: {{name: cart, namespace: shop}}\nspec: {spec}\n"
    )
}

fn route(spec: &str) -> String {
    object("HTTPRoute", &format!("{{parentRefs: [{{name: edge}}], {spec}}}"))
}

fn routes(text: &str) -> Vec<VirtualService> {
    good(text).objects.virtual_services
}

fn first(rule: &str) -> HttpRule {
    let text = route(&format!("rules: [{{backendRefs: [{{name: cart, port: 80}}], {rule}}}]"));
    routes(&text).remove(0).http.remove(0)
}

fn filtered(matches: &str, filter: &str) -> HttpRule {
    first(&format!("matches: [{matches}], filters: [{filter}]"))
}

#[test]
fn a_route_belongs_to_gateways_and_to_services_of_the_mesh() {
    let text = object(
        "HTTPRoute",
        "{parentRefs: [{name: edge}, {name: edge, namespace: infra, sectionName: https, port: 443}, {kind: Service, group: '', name: web, namespace: other}], hostnames: [A.com], rules: [{backendRefs: [{name: cart, port: 80}]}]}",
    );
    let all = routes(&text);
    let told: Vec<_> =
        all.iter().map(|one| (one.gateways[0].as_str(), one.hosts[0].as_str(), one.section.as_str())).collect();
    assert_eq!(
        told,
        [("shop/edge", "a.com", ""), ("infra/edge", "a.com", "https"), ("mesh", "web.other.svc.cluster.local", "")]
    );
    assert_eq!(all[1].http[0].matches[0].port, Some(443));
    assert!(all.iter().all(|one| one.of_gateway_api && one.namespace == "shop"));
    assert_eq!(routes(&route("rules: []"))[0].hosts, ["*"]);
    assert!(warnings(&object("HTTPRoute", "{hostnames: [a.com]}"))[0].contains("belongs to nothing"));
}

#[test]
fn rules_are_sorted_by_what_they_match_whatever_their_order() {
    let to = "backendRefs: [{name: cart, port: 80}]";
    let matches = [
        "{path: {type: RegularExpression, value: '/aaaaaaaa.*'}}",
        "{path: {value: /}}",
        "{path: {value: /a}}",
        "{path: {value: /a}, headers: [{name: x, value: a}]}",
        "{path: {value: /a}, queryParams: [{name: q, value: a}]}",
        "{path: {value: /a}, method: GET}",
        "{path: {value: /a/b}}",
        "{path: {type: Exact, value: /a}}",
    ];
    let text =
        route(&format!("rules: [{}]", matches.map(|one| format!("{{name: r, matches: [{one}], {to}}}")).join(", ")));
    let sorted = routes(&text).remove(0).http;
    let lines: Vec<_> = sorted
        .iter()
        .map(|rule| {
            let request = &rule.matches[0].request;
            let path = match &request.path {
                PathMatch::Exact(path) => format!("={path}"),
                PathMatch::Regex(_) => "~".to_owned(),
                PathMatch::Prefix(path) | PathMatch::SegmentPrefix(path) => path.clone(),
                other => panic!("{other:?}"),
            };
            format!(
                "{path} {} {}",
                request.headers.iter().map(|one| one.name.as_str()).collect::<String>(),
                request.query.len()
            )
        })
        .collect();
    assert_eq!(lines, ["=/a  0", "/a/b  0", "/a :method 0", "/a x 0", "/a  1", "/a  0", "/  0", "~  0"]);
}

#[test]
fn a_rule_with_several_conditions_is_split_and_one_without_is_for_every_path() {
    let text = route(
        "rules: [{name: r, matches: [{path: {value: /a/}}, {path: {value: /b}}], backendRefs: [{name: cart, port: 80}]}]",
    );
    let read = routes(&text).remove(0).http;
    let paths: Vec<_> = read.iter().map(|rule| rule.matches[0].request.path.clone()).collect();
    assert_eq!(paths, [PathMatch::SegmentPrefix("/a".to_owned()), PathMatch::SegmentPrefix("/b".to_owned())]);
    assert_eq!(first("name: a").matches[0].request.path, PathMatch::Prefix("/".to_owned()));
    assert_eq!(first("timeouts: {}").name, "shop.cart.0");
}

#[test]
fn backends_take_1_by_default_and_where_nobody_takes_anything_it_is_500() {
    let action = |backends: &str| {
        routes(&route(&format!("rules: [{{backendRefs: [{backends}]}}]"))).remove(0).http.remove(0).action
    };
    let HttpAction::Route(to) =
        action("{name: a, port: 80}, {name: b, port: 81, weight: 3, namespace: other}, {name: c, port: 82, weight: 0}")
    else {
        panic!()
    };
    let told: Vec<_> = to.iter().map(|one| (one.to.host.as_str(), one.to.port, one.weight)).collect();
    assert_eq!(told, [("a", Some(80), 1), ("b.other.svc.cluster.local", Some(81), 3)]);
    let refused = HttpAction::Direct(DirectResponse { status: 500, body: Vec::new() });
    assert_eq!(action(""), refused);
    assert_eq!(routes(&route("hostnames: [a.com]")).remove(0).http.remove(0).action, refused);
    assert_eq!(action("{name: a, port: 80, weight: 0}"), refused);
}

#[test]
fn of_two_conditions_or_changes_for_one_field_the_first_counts() {
    let rule = filtered(
        "{headers: [{name: X, value: a}, {name: x, value: b}], queryParams: [{name: q, value: a}, {name: q, value: b}]}",
        "{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: A, value: '1'}, {name: a, value: '2'}], remove: [B]}}",
    );
    let request = &rule.matches[0].request;
    assert!(request.headers.len() == 1 && request.headers[0].value.matches("a"));
    assert!(request.query.len() == 1 && request.query[0].value.matches("a"));
    assert_eq!(rule.headers.request.add.len(), 1);
    assert_eq!(rule.headers.request.add[0].value.as_literal(), Some("1"));
    assert_eq!(rule.headers.request.remove, ["b"]);
}

#[test]
fn a_redirect_is_302_and_goes_to_the_listeners_port_unless_the_scheme_changes() {
    let redirect = |block: &str| {
        let rule = filtered("{path: {value: /a}}", &format!("{{type: RequestRedirect, requestRedirect: {{{block}}}}}"));
        let HttpAction::Redirect(redirect) = rule.action else { panic!() };
        redirect
    };
    let plain = redirect("hostname: a.com");
    assert_eq!((plain.status, plain.host.as_deref(), plain.port), (302, Some("a.com"), RedirectPort::OfListener));
    assert_eq!(redirect("scheme: https").port, RedirectPort::OfProtocol);
    assert_eq!(redirect("port: 8443, statusCode: 301").port, RedirectPort::Explicit(8443));
    let prefix = redirect("path: {type: ReplacePrefixMatch, replacePrefixMatch: /b/}").path;
    assert_eq!(prefix, Some(PathRewrite::Prefix("/b".to_owned())));
}

#[test]
fn a_prefix_is_rewritten_by_whole_segments() {
    let rewrite = |path: &str, block: &str| {
        let rule = filtered(
            &format!("{{path: {{value: {path}}}}}"),
            &format!("{{type: URLRewrite, urlRewrite: {{{block}}}}}"),
        );
        rule.rewrite.unwrap()
    };
    let full = rewrite("/a", "hostname: a.com, path: {type: ReplaceFullPath, replaceFullPath: /b}");
    assert_eq!(full.path, Some(PathRewrite::Whole("/b".to_owned())));
    assert_eq!(full.host, Some(HostRewrite::Literal("a.com".to_owned())));
    let Some(PathRewrite::Regex { pattern, substitution }) =
        rewrite("/a.b", "path: {type: ReplacePrefixMatch, replacePrefixMatch: /}").path
    else {
        panic!()
    };
    for (path, rewritten) in [("/a.b/c", "/c"), ("/a.b", "/"), ("/a.b/", "/")] {
        assert_eq!(pattern.replace(path, substitution.as_str()), rewritten);
    }
    let root = rewrite("/", "path: {type: ReplacePrefixMatch, replacePrefixMatch: /b}").path;
    assert_eq!(root, Some(PathRewrite::Prefix("/b/".to_owned())));
}

#[test]
fn times_retries_mirrors_and_origins_are_those_of_the_rule() {
    let rule = first("timeouts: {request: 2s, backendRequest: 1s}, retry: {codes: [503], backoff: 100ms}");
    let retry = rule.retry.unwrap();
    assert_eq!((rule.timeout, retry.per_try_timeout), (Some(Duration::from_secs(2)), Some(Duration::from_secs(1))));
    assert_eq!((retry.attempts, retry.on.statuses.clone(), retry.on.connect_failure), (2, vec![503], true));
    assert_eq!(first("timeouts: {request: 0s}").timeout, None);
    assert_eq!(first("timeouts: {backendRequest: 1s}").timeout, Some(Duration::from_secs(1)));

    let mirror = "{type: RequestMirror, requestMirror: {backendRef: {name: b, port: 80}, fraction: {numerator: 1, denominator: 4}}}";
    assert_eq!(filtered("{path: {value: /a}}", mirror).mirrors[0].share, Fraction(250_000));

    let cors = "{type: CORS, cors: {allowOrigins: ['https://*.a.com', '*'], allowMethods: [GET], maxAge: 5}}";
    let cors = filtered("{path: {value: /a}}", cors).cors.unwrap();
    assert!(cors.allow_origins[0].matches("https://x.a.com") && !cors.allow_origins[0].matches("https://a.com"));
    assert!(cors.allow_origins[1].matches("http://b:80") && !cors.allow_origins[1].matches("null"));
    assert_eq!((cors.max_age, cors.forward_unmatched_preflights), (Some(Duration::from_secs(5)), false));
}

#[test]
fn methods_of_grpc_are_paths() {
    let path = |method: &str| {
        let text = object(
            "GRPCRoute",
            &format!(
                "{{parentRefs: [{{name: edge}}], rules: [{{matches: [{{method: {{{method}}}}}], backendRefs: [{{name: cart, port: 80}}]}}]}}"
            ),
        );
        routes(&text).remove(0).http.remove(0).matches.remove(0).request.path
    };
    assert_eq!(path("service: a.B, method: c"), PathMatch::Exact("/a.B/c".to_owned()));
    assert_eq!(path("service: a.B"), PathMatch::Prefix("/a.B/".to_owned()));
    let PathMatch::Regex(regex) = path("method: c") else { panic!() };
    assert!(regex.is_match("/a.B/c") && !regex.is_match("/a/b/c"));
    let PathMatch::Regex(regex) = path("type: RegularExpression, service: 'a.*', method: 'g.+'") else { panic!() };
    assert!(regex.is_match("/a.B/get") && !regex.is_match("/b/get"));
}

#[test]
fn a_gateway_has_a_server_for_each_listener_that_some_namespaces_may_use() {
    let text = object(
        "Gateway",
        "{gatewayClassName: squall, infrastructure: {labels: {app: edge}}, listeners: [{name: http, port: 80, protocol: HTTP}, {name: all, port: 81, protocol: HTTP, hostname: '*.A.com', allowedRoutes: {namespaces: {from: All}}}, {name: tls, port: 443, protocol: TLS, tls: {mode: Passthrough}, allowedRoutes: {namespaces: {from: None}}}]}",
    );
    let gateway = good(&text).objects.gateways.remove(0);
    let told: Vec<_> = gateway
        .servers
        .iter()
        .map(|one| (one.port_name.as_str(), one.hosts[0].as_str(), one.protocol, one.passthrough))
        .collect();
    assert_eq!(
        told,
        [
            ("http", "shop/*", AppProtocol::Http, false),
            ("all", "*/*.a.com", AppProtocol::Http, false),
            ("tls", "~/*", AppProtocol::Tls, true)
        ]
    );
    assert_eq!(
        (gateway.selector["app"].as_str(), gateway.selector["gateway.networking.k8s.io/gateway-name"].as_str()),
        ("edge", "cart")
    );
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let rules = |rule: &str| route(&format!("rules: [{{{rule}, backendRefs: [{{name: cart, port: 80}}]}}]"));
    let matching = |block: &str| rules(&format!("matches: [{{{block}}}]"));
    let filter = |filter: &str| rules(&format!("filters: [{{{filter}}}]"));
    let listener = |listener: &str| object("Gateway", &format!("{{gatewayClassName: a, listeners: [{{{listener}}}]}}"));
    check_refused(&[
        (route("hostnames: ['*']"), "no host name"),
        (route("hostnames: [a_b]"), "no host name"),
        (matching("path: {value: a}"), "`a` is no path to match"),
        (matching("path: {value: //a}"), "is no path to match"),
        (matching("path: {value: /a/../b}"), "is no path to match"),
        (matching("path: {type: RegularExpression, value: '('}"), "is not understood"),
        (matching("path: {type: Prefix, value: /}"), "`Prefix` is not known here"),
        (matching("method: get"), "`get` is no method"),
        (matching("headers: [{name: a b, value: c}]"), "cannot be the name"),
        (route("rules: [{backendRefs: [{name: cart}]}]"), "a backend needs its port"),
        (route("rules: [{backendRefs: [{name: cart.shop, port: 80}]}]"), "no name of a Service"),
        (filter("type: RequestMirro"), "did you mean `RequestMirror`?"),
        (filter("type: RequestMirror"), "has `requestMirror`"),
        (filter("type: CORS, cors: {}, urlRewrite: {}"), "has no `urlRewrite`"),
        (filter("type: RequestRedirect, requestRedirect: {scheme: ftp}"), "no scheme"),
        (filter("type: RequestRedirect, requestRedirect: {statusCode: 200}"), "no status of a redirect"),
        (
            filter("type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, replacePrefixMatch: /}}"),
            "does not fit its type",
        ),
        (
            rules(
                "matches: [{path: {type: Exact, value: /a}}], filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}]",
            ),
            "needs a prefix to replace",
        ),
        (
            filter(
                "type: URLRewrite, urlRewrite: {hostname: a}}, {type: RequestRedirect, requestRedirect: {hostname: a}",
            ),
            "exclude each other",
        ),
        (
            filter(
                "type: RequestMirror, requestMirror: {backendRef: {name: a, port: 1}, fraction: {numerator: 2, denominator: 1}}",
            ),
            "is no share",
        ),
        (rules("timeouts: {request: 1s, backendRequest: 2s}"), "is longer than `request`"),
        (rules("retry: {codes: [200]}"), "200 is no status of a failure"),
        (object("GRPCRoute", "{parentRefs: [], rules: [{matches: [{method: {}}]}]}"), "neither a service nor a method"),
        (object("Gateway", "{gatewayClassName: a}"), "needs a listener"),
        (listener("name: a_b, port: 80, protocol: HTTP"), "no name of a listener"),
        (listener("name: a, port: 80, protocol: HTTP}, {name: a, port: 81, protocol: HTTP"), "stands here twice"),
        (listener("name: a, port: 80, protocol: QUIC"), "no protocol of a listener"),
        (listener("name: a, port: 80, protocol: HTTP, tls: {}"), "has no TLS"),
        (listener("name: a, port: 80, protocol: HTTP, hostname: a_b"), "no host name"),
    ]);
    let twice = "rules: [{matches: [{path: {value: /a}}, {path: {value: /b}}], filters: [{type: Nope}], backendRefs: [{name: cart, port: 80}]}]";
    assert_eq!(errors(&route(twice)).len(), 1, "a filter is told of once");
}
