use super::support::*;
use crate::config::objects::{HttpAction, HttpRule, MatchBlock, Objects, VirtualService};
use crate::policy::{
    Format, HeaderAddition, HeaderMatch, HeaderRules, PathMatch, RetryPolicy, Rewrite, RouteMatch, TextMatch,
};
use regex::Regex;
use std::time::Duration;

fn delegating(name: &str, namespace: &str, matches: Vec<MatchBlock>) -> HttpRule {
    let action =
        HttpAction::Delegate { name: name.to_owned(), namespace: namespace.to_owned(), place: Default::default() };
    HttpRule { name: "root".to_owned(), ..rule(matches, action) }
}

fn delegate(http: Vec<HttpRule>) -> VirtualService {
    VirtualService { hosts: Vec::new(), ..virtual_service("part", &[], http) }
}

fn mesh(root: HttpRule, part: VirtualService) -> Objects {
    Objects { virtual_services: vec![virtual_service("v", &["cart"], vec![root, all_to("cart")]), part], ..shop() }
}

#[test]
fn a_delegates_rules_stand_in_the_place_of_the_rule_that_delegates() {
    let part = delegate(vec![prefix_to("/a/1", "pay"), all_to("pay")]);
    let config = resolved(&mesh(delegating("part", "", vec![prefix_block("/a")]), part));
    let paths: Vec<_> = cart(&config).iter().map(|route| route.matches.path.clone()).collect();
    let prefix = |text: &str| PathMatch::Prefix(text.to_owned());
    assert_eq!(paths, [prefix("/a/1"), prefix("/a"), PathMatch::Any]);
    assert_eq!(targets(cart(&config)), [[PAY], [PAY], [CART]]);
}

#[test]
fn short_names_of_a_delegate_are_of_its_own_namespace() {
    let part = VirtualService { namespace: "bank".to_owned(), ..delegate(vec![all_to("pay")]) };
    let config = resolved(&mesh(delegating("part", "bank", vec![prefix_block("/a")]), part));
    assert_eq!(targets(cart(&config))[0], ["outbound|80||pay.bank.svc.cluster.local"]);
}

#[test]
fn what_is_left_to_nobody_is_dropped() {
    let good = delegate(vec![all_to("pay")]);
    let again = delegate(vec![delegating("part", "", Vec::new())]);
    let hidden = VirtualService { namespace: "bank".to_owned(), export_to: strings(&["."]), ..good.clone() };
    let with_hosts = VirtualService { hosts: strings(&["example.com"]), ..good.clone() };
    for (namespace, part, routes) in [
        ("", good.clone(), 2),
        ("default", good.clone(), 2),
        ("bank", good, 1),
        ("", again, 1),
        ("bank", hidden, 1),
        ("", with_hosts, 1),
    ] {
        let config = resolved(&mesh(delegating("part", namespace, vec![prefix_block("/a")]), part.clone()));
        assert_eq!(cart(&config).len(), routes, "{part:?}");
    }
}

#[test]
fn each_match_of_a_delegate_must_narrow_one_of_its_roots() {
    let exact = |text: &str| path_block(PathMatch::Exact(text.to_owned()));
    let regex = || path_block(PathMatch::Regex(Regex::new("^(?:/a.*)$").unwrap()));
    let any = MatchBlock::default;
    for (root, own, kept) in [
        (prefix_block("/a"), prefix_block("/a/b"), true),
        (prefix_block("/a/b"), prefix_block("/a"), false),
        (prefix_block("/a"), exact("/a/b"), true),
        (prefix_block("/a"), exact("/b"), false),
        (exact("/a"), exact("/a"), true),
        (exact("/a"), prefix_block("/a"), false),
        (regex(), prefix_block("/a"), false),
        (prefix_block("/a"), regex(), false),
        (regex(), regex(), false),
        (regex(), any(), true),
        (any(), prefix_block("/a"), true),
    ] {
        let part = delegate(vec![HttpRule { matches: vec![own.clone()], ..all_to("pay") }]);
        let config = resolved(&mesh(delegating("part", "", vec![root.clone()]), part));
        assert_eq!(cart(&config).len() == 2, kept, "{own:?} under {root:?}");
    }
}

#[test]
fn conditions_of_both_hold_and_contradictions_drop_the_rule() {
    let header = |name: &str, value: &str| HeaderMatch {
        name: name.to_owned(),
        value: TextMatch::exact(value),
        invert: false,
        missing_is_empty: false,
    };
    let with = |headers: Vec<HeaderMatch>| MatchBlock {
        request: RouteMatch { headers, ..RouteMatch::default() },
        ..MatchBlock::default()
    };
    for (root, own, made) in [
        (vec![header("a", "1")], vec![header("b", "2")], Some(vec![header("a", "1"), header("b", "2")])),
        (vec![header("a", "1")], vec![header("a", "1")], Some(vec![header("a", "1")])),
        (vec![header("a", "1")], vec![header("a", "2")], None),
    ] {
        let part = delegate(vec![HttpRule { matches: vec![with(own)], ..all_to("pay") }]);
        let config = resolved(&mesh(delegating("part", "", vec![with(root)]), part));
        let found = (cart(&config).len() == 2).then(|| cart(&config)[0].matches.headers.clone());
        assert_eq!(found, made);
    }
}

#[test]
fn callers_ports_and_case_must_fit_too() {
    let change = |change: &dyn Fn(&mut MatchBlock)| {
        let mut block = prefix_block("/a");
        change(&mut block);
        block
    };
    let plain = change(&|_| {});
    let port = |port| change(&move |block| block.port = Some(port));
    let from = change(&|block| block.source_namespace = Some("default".to_owned()));
    let app = |app: &'static str| change(&move |block| block.source_labels = labels(&[("app", app)]));
    let gateways = |names: &'static [&str]| change(&move |block| block.gateways = strings(names));
    let ignoring = change(&|block| block.request.ignore_path_case = true);
    for (root, own, fits) in [
        (port(80), plain.clone(), true),
        (port(80), port(80), true),
        (port(80), port(81), false),
        (from.clone(), plain.clone(), false),
        (from.clone(), from, true),
        (app("x"), app("y"), false),
        (plain.clone(), app("y"), true),
        (gateways(&["mesh"]), gateways(&["mesh"]), true),
        (gateways(&["door"]), gateways(&["mesh"]), false),
        (plain, ignoring, false),
    ] {
        assert_eq!(crate::config::mesh::narrowing::narrowed(&root, &own).is_some(), fits, "{own:?} under {root:?}");
    }
}

#[test]
fn what_a_delegate_does_not_say_is_its_roots() {
    let mut headers = HeaderRules::default();
    headers.request.add.push(HeaderAddition {
        name: "x".to_owned(),
        value: Format::literal("y"),
        action: Default::default(),
        keep_empty: false,
    });
    let second = Some(Duration::from_secs(1));
    let root = HttpRule {
        timeout: second,
        retry: Some(RetryPolicy::none()),
        headers: headers.clone(),
        rewrite: Some(Rewrite { append_forwarded_host: true, ..Rewrite::default() }),
        ..delegating("part", "", vec![prefix_block("/a")])
    };
    let own = HttpRule { name: "own".to_owned(), timeout: second.map(|second| second * 2), ..all_to("pay") };
    let config = resolved(&mesh(root, delegate(vec![own, all_to("cart")])));
    let route = &cart(&config)[0];
    assert_eq!(route.name, "root-own");
    assert_eq!(route.headers, [headers]);
    let forward = forward(route);
    assert_eq!((forward.timeout, forward.retry.attempts), (second.map(|second| second * 2), 0));
    assert!(forward.rewrite.append_forwarded_host);
    assert_eq!(cart(&config)[1].name, "root");
}
