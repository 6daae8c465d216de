use super::{CODES, analyze};
use crate::config::mesh::tests::support::*;
use crate::config::objects::{
    AppProtocol, Gateway, GatewayServer, HttpAction, HttpRule, MatchBlock, MirrorTo, Objects, PlaceInFile, TcpRule,
    TrafficPolicy, VirtualService,
};
use crate::policy::{Fraction, HeaderMatch, Origin, PathMatch, TextMatch};
use regex::Regex;
use squall_yaml::{Finding, Place, Severity};

fn found(objects: &Objects) -> Vec<Finding> {
    analyze(objects, &[])
}

/// Code and message of each finding.
fn told(objects: &Objects) -> Vec<(&'static str, String)> {
    found(objects).into_iter().map(|finding| (finding.code.unwrap(), finding.message)).collect()
}

fn codes(objects: &Objects) -> Vec<&'static str> {
    told(objects).into_iter().map(|(code, _)| code).collect()
}

fn helps(objects: &Objects) -> Vec<Option<String>> {
    found(objects).into_iter().map(|finding| finding.help).collect()
}

fn routed(rules: Vec<HttpRule>) -> Objects {
    Objects { virtual_services: vec![virtual_service("v", &["cart"], rules)], ..shop() }
}

fn standing(block: MatchBlock, line: usize) -> MatchBlock {
    MatchBlock { origin: at_line(line), ..block }
}

fn at(line: usize, column: usize) -> PlaceInFile {
    PlaceInFile(Place { line, column })
}

#[test]
fn objects_that_fit_together_say_nothing() {
    let mut objects = routed(vec![prefix_to("/a", "pay"), all_to("cart/v1")]);
    let mut rule = destination_rule("cart", TrafficPolicy::default());
    rule.subsets = vec![subset("v1", &[("v", "1")])];
    objects.destination_rules = vec![rule];
    objects.endpoints = vec![endpoint("cart", 1, &[("v", "1")])];
    assert_eq!(told(&objects), []);
}

#[test]
fn codes_are_unique_and_each_says_why() {
    let mut codes: Vec<_> = CODES.iter().map(|(code, _)| *code).collect();
    codes.dedup();
    assert_eq!(codes.len(), CODES.len());
    assert!(CODES.iter().all(|(code, why)| code.starts_with("SQ04") && why.ends_with('.')));
}

#[test]
fn a_host_of_no_service_is_told_with_the_one_that_is_likely_meant() {
    let one = |host: &str| routed(vec![all_to(host)]);
    for (host, help) in [
        ("carts", Some("did you mean `cart`?")),
        ("cart.default", Some("only a name without a dot is completed: write `cart.default.svc.cluster.local`")),
        ("cart.default.svc", Some("only a name without a dot is completed: write `cart.default.svc.cluster.local`")),
        ("zzz", None),
    ] {
        let objects = one(host);
        let expected = format!("`{host}` is the host of no service that `default` sees");
        assert_eq!(told(&objects), [("SQ0401", expected)]);
        assert_eq!(helps(&objects), [help.map(str::to_owned)], "{host}");
    }
    assert_eq!(analyze(&one("named"), &strings(&["named"])), []);
}

#[test]
fn copies_and_bytes_have_destinations_too() {
    let mirrored =
        HttpRule { mirrors: vec![MirrorTo { to: backend("nobody"), share: Fraction::ALL }], ..all_to("cart") };
    assert_eq!(codes(&routed(vec![mirrored])), ["SQ0401"]);
    let mut objects = routed(Vec::new());
    let to = vec![weighted("nobody", 0)];
    objects.virtual_services[0].tcp = vec![TcpRule { matches: Vec::new(), to, origin: Origin::default() }];
    assert_eq!(codes(&objects), ["SQ0401"]);
}

#[test]
fn a_finding_stands_at_the_word_or_at_the_line_of_its_rule() {
    let mut rule = HttpRule { origin: at_line(7), ..all_to("nobody") };
    let place = |rule: &HttpRule| {
        let [finding] = found(&routed(vec![rule.clone()])).try_into().unwrap();
        assert_eq!((finding.severity, finding.file.to_str()), (Severity::Warning, Some("mesh.yaml")));
        (finding.place.line, finding.place.column, finding.span_len)
    };
    assert_eq!(place(&rule), (7, 1, 0));
    if let HttpAction::Route(backends) = &mut rule.action {
        backends[0].to.origin = at(9, 13);
    }
    assert_eq!(place(&rule), (9, 13, 6));
}

#[test]
fn a_port_that_the_service_does_not_have_is_told() {
    let objects = routed(vec![all_to("pay:8080")]);
    assert_eq!(told(&objects), [("SQ0403", "`pay` has no port 8080".to_owned())]);
    assert_eq!(helps(&objects), [Some("it has 80".to_owned())]);
}

#[test]
fn a_subset_that_nobody_defines_is_told() {
    let mut objects = routed(vec![all_to("cart/v1x")]);
    let message = || "no DestinationRule of `cart` defines the subset `v1x`".to_owned();
    assert_eq!(told(&objects), [("SQ0402", message())]);
    assert_eq!(helps(&objects), [Some("add a DestinationRule for `cart` with that subset".to_owned())]);
    let mut rule = destination_rule("*.svc.cluster.local", TrafficPolicy::default());
    rule.subsets = vec![subset("v1", &[]), subset("other", &[])];
    objects.destination_rules = vec![rule];
    assert_eq!(told(&objects), [("SQ0402", message())]);
    assert_eq!(helps(&objects), [Some("did you mean `v1`?".to_owned())]);
    objects.destination_rules[0].subsets[0].name = "v1x".to_owned();
    assert_eq!(told(&objects), []);
}

#[test]
fn two_objects_for_one_host_of_the_mesh_are_told_at_the_second() {
    let second = |namespace: &str, export_to: &[&str], gateways: &[&str]| VirtualService {
        namespace: namespace.to_owned(),
        export_to: strings(export_to),
        gateways: strings(gateways),
        host_places: vec![at(20, 5)],
        ..virtual_service("w", &["cart.default.svc.cluster.local"], vec![all_to("pay.default.svc.cluster.local")])
    };
    for (namespace, export_to, gateways, conflict) in [
        ("default", &[][..], &["mesh"][..], true),
        ("bank", &[][..], &["mesh"][..], true),
        ("bank", &["."][..], &["mesh"][..], true),
        ("default", &[][..], &["door"][..], false),
    ] {
        let mut objects = routed(vec![all_to("cart")]);
        objects.gateways = vec![door("door", vec![clear(80, &["*"])])];
        objects.virtual_services.push(second(namespace, export_to, gateways));
        let all = found(&objects);
        let found: Vec<_> = all.iter().filter(|finding| finding.code == Some("SQ0404")).collect();
        assert_eq!(found.len(), usize::from(conflict), "{namespace} {export_to:?} {gateways:?}");
        for finding in found {
            assert_eq!(finding.message, "`cart.default.svc.cluster.local` is routed by `default/v` already");
            assert_eq!(finding.place, Place { line: 20, column: 5 });
        }
    }
    let mut apart = routed(vec![all_to("cart")]);
    apart.virtual_services[0].export_to = strings(&["."]);
    apart.virtual_services.push(second("bank", &["."], &["mesh"]));
    assert_eq!(codes(&apart), Vec::<&str>::new(), "nobody sees both");
}

fn clear(number: u16, hosts: &[&str]) -> GatewayServer {
    GatewayServer { port: number, protocol: AppProtocol::Http, hosts: strings(hosts), ..GatewayServer::default() }
}

fn secure(number: u16, hosts: &[&str]) -> GatewayServer {
    GatewayServer { terminates_tls: true, ..clear(number, hosts) }
}

fn door(name: &str, servers: Vec<GatewayServer>) -> Gateway {
    Gateway { name: name.to_owned(), servers, origin: at_line(3), ..Gateway::default() }
}

fn at_door(gateways: Vec<Gateway>, named: &[&str], hosts: &[&str]) -> Objects {
    let routing = VirtualService {
        gateways: strings(named),
        gateway_places: vec![at(8, 7); named.len()],
        ..virtual_service("v", hosts, vec![all_to("cart")])
    };
    Objects { gateways, virtual_services: vec![routing], ..shop() }
}

#[test]
fn gateways_that_are_not_there_or_that_nobody_names_are_told() {
    let one = || vec![door("front", vec![clear(80, &["*"])])];
    assert_eq!(told(&at_door(one(), &["default/front"], &["a.com"])), []);
    let objects = at_door(one(), &["frond"], &["a.com"]);
    assert_eq!(
        told(&objects),
        [
            ("SQ0406", "no VirtualService names the gateway `default/front`".to_owned()),
            ("SQ0405", "there is no gateway `default/frond`".to_owned()),
        ]
    );
    assert_eq!(helps(&objects)[1], Some("did you mean `default/front`?".to_owned()));
    assert_eq!(found(&objects)[1].place, Place { line: 8, column: 7 });
    let redirecting = GatewayServer { https_redirect: true, ..clear(80, &["*"]) };
    assert_eq!(told(&at_door(vec![door("front", vec![redirecting])], &["mesh"], &["a.com"])), []);
    let mut objects = routed(vec![prefix_to("/a", "cart")]);
    objects.virtual_services[0].http[0].matches[0].gateways = strings(&["front"]);
    assert_eq!(codes(&objects), ["SQ0405"]);
}

#[test]
fn an_object_without_a_host_of_its_gateway_is_told() {
    for (of_server, of_object, fits) in [
        ("*.foo.com", "a.foo.com", true),
        ("b.com", "a.com", false),
        ("bank/a.com", "a.com", false),
        ("./a.com", "a.com", true),
    ] {
        let objects = at_door(vec![door("front", vec![clear(80, &[of_server])])], &["front"], &[of_object]);
        assert_eq!(codes(&objects), if fits { Vec::new() } else { vec!["SQ0408"] }, "{of_server} {of_object}");
    }
}

#[test]
fn servers_that_are_in_each_others_way_are_told_at_the_second() {
    let tcp = GatewayServer { protocol: AppProtocol::Tcp, ..clear(80, &["*"]) };
    for (one, other, conflict) in [
        (clear(80, &["a.com"]), clear(80, &["a.com"]), false),
        (clear(80, &["a.com"]), secure(443, &["a.com"]), false),
        (secure(443, &["a.com"]), secure(443, &["b.com"]), false),
        (secure(443, &["a.com"]), secure(443, &["a.com"]), true),
        (clear(80, &["a.com"]), secure(80, &["b.com"]), true),
        (clear(80, &["a.com"]), tcp, true),
    ] {
        for gateways in [
            vec![door("front", vec![one.clone(), other.clone()])],
            vec![door("front", vec![one.clone()]), door("back", vec![other.clone()])],
        ] {
            let named = ["front", "back"];
            let objects = at_door(gateways.clone(), &named[..gateways.len()], &["a.com", "b.com"]);
            assert_eq!(codes(&objects), if conflict { vec!["SQ0407"] } else { Vec::new() }, "{one:?} {other:?}");
        }
    }
}

#[test]
fn what_stands_behind_a_rule_for_everything_is_told() {
    let first = HttpRule { origin: at_line(4), ..all_to("cart") };
    let second = HttpRule { origin: at_line(9), ..prefix_to("/a", "pay") };
    let objects = routed(vec![first, second.clone()]);
    assert_eq!(
        told(&objects),
        [("SQ0409", "never reached: every request goes by what stands at mesh.yaml:4".to_owned())]
    );
    assert_eq!(found(&objects)[0].place.line, 9);
    let all =
        HttpRule { matches: vec![standing(prefix_block("/"), 5), standing(prefix_block("/b"), 6)], ..all_to("cart") };
    assert_eq!(codes(&routed(vec![all, second])), ["SQ0409", "SQ0409"]);
}

#[test]
fn a_match_that_an_earlier_one_covers_is_told() {
    let prefix = |text: &str| prefix_block(text);
    let exact = |text: &str| path_block(PathMatch::Exact(text.to_owned()));
    let regex = || path_block(PathMatch::Regex(Regex::new("^(?:/a.*)$").unwrap()));
    let ignoring = |mut block: MatchBlock| {
        block.request.ignore_path_case = true;
        block
    };
    let with = |mut block: MatchBlock, name: &str| {
        let value = TextMatch::exact("1");
        block.request.headers.push(HeaderMatch {
            name: name.to_owned(),
            value,
            invert: false,
            missing_is_empty: false,
        });
        block
    };
    let port = |mut block: MatchBlock| {
        block.port = Some(80);
        block
    };
    let from = |mut block: MatchBlock, app: &str| {
        block.source_labels = labels(&[("app", app)]);
        block
    };
    for (earlier, later, covered) in [
        (prefix("/a"), from(prefix("/a"), "x"), true),
        (from(prefix("/a"), "x"), prefix("/a"), false),
        (from(prefix("/a"), "x"), from(prefix("/a"), "y"), false),
        (prefix("/a"), prefix("/a"), true),
        (prefix("/a"), prefix("/a/b"), true),
        (prefix("/a"), exact("/a/b"), true),
        (prefix("/a/b"), prefix("/a"), false),
        (exact("/a"), prefix("/a"), false),
        (exact("/a"), exact("/a"), true),
        (regex(), regex(), true),
        (prefix("/a"), regex(), false),
        (ignoring(prefix("/A")), prefix("/a/b"), true),
        (prefix("/a"), ignoring(prefix("/a")), false),
        (prefix("/a"), with(prefix("/a"), "x"), true),
        (with(prefix("/a"), "x"), prefix("/a"), false),
        (with(prefix("/a"), "x"), with(prefix("/a"), "y"), false),
        (prefix("/a"), port(prefix("/a")), true),
        (port(prefix("/a")), prefix("/a"), false),
    ] {
        let rules = [earlier.clone(), later.clone()]
            .map(|block| HttpRule { matches: vec![standing(block, 3)], ..all_to("pay") });
        let made = codes(&routed(rules.to_vec()));
        assert_eq!(made, if covered { vec!["SQ0410"] } else { Vec::new() }, "{later:?} behind {earlier:?}");
    }
    let same = routed(vec![prefix_to("/a", "pay"), prefix_to("/a", "cart")]);
    assert!(told(&same)[0].1.ends_with("is the same"));
    let mut of_api = same;
    of_api.virtual_services[0].of_gateway_api = true;
    assert_eq!(told(&of_api), [], "those are sorted by how specific they are");
}

#[test]
fn a_subset_that_selects_no_known_endpoint_is_told_with_what_endpoints_carry() {
    let mut rule = destination_rule("cart", TrafficPolicy::default());
    rule.subsets = vec![subset("v1", &[("v", "1")]), subset("v2", &[("v", "two")])];
    rule.subsets[1].place = at(12, 9);
    let mut objects = Objects { destination_rules: vec![rule], ..shop() };
    assert_eq!(told(&objects), [], "nobody knows the endpoints");
    objects.endpoints = vec![endpoint("cart", 1, &[("v", "1")]), endpoint("cart", 2, &[("v", "2"), ("app", "cart")])];
    assert_eq!(told(&objects), [("SQ0411", "no endpoint of `cart` carries the labels of the subset `v2`".to_owned())]);
    assert_eq!(helps(&objects), [Some("endpoints carry `v: 1`, `v: 2`".to_owned())]);
    assert_eq!(found(&objects)[0].place, Place { line: 12, column: 9 });
}

#[test]
fn a_rule_for_a_host_of_no_service_is_told() {
    for (host, known) in [("cart", true), ("*.svc.cluster.local", true), ("carts", false), ("*.com", false)] {
        let rule = destination_rule(host, TrafficPolicy::default());
        let objects = Objects { destination_rules: vec![rule], ..shop() };
        assert_eq!(codes(&objects), if known { Vec::new() } else { vec!["SQ0412"] }, "{host}");
    }
}

#[test]
fn a_delegate_that_cannot_be_one_is_told_with_the_reason() {
    let delegating = |name: &str| {
        let action = HttpAction::Delegate { name: name.to_owned(), namespace: String::new(), place: at(6, 11) };
        rule(vec![prefix_block("/a")], action)
    };
    let part = |name: &str, hosts: &[&str], http| virtual_service(name, hosts, http);
    for (written, object, message, help) in [
        (
            "prat",
            part("part", &[], vec![all_to("pay")]),
            "there is no VirtualService `default/prat` to delegate to",
            Some("did you mean `part`?"),
        ),
        (
            "part",
            part("part", &["pay"], vec![all_to("pay")]),
            "`default/part` has hosts of its own",
            Some("a delegate has no `hosts`"),
        ),
        (
            "part",
            part("part", &[], vec![delegating("part")]),
            "`default/part` delegates again",
            Some("delegation is one level deep"),
        ),
        (
            "part",
            VirtualService { export_to: strings(&["bank"]), ..part("part", &[], vec![all_to("pay")]) },
            "`default/part` is not exported to `default`",
            None,
        ),
    ] {
        let mut objects = routed(vec![delegating(written)]);
        objects.virtual_services.push(object);
        assert_eq!(told(&objects), [("SQ0413", message.to_owned())]);
        assert_eq!(helps(&objects), [help.map(str::to_owned)]);
        assert_eq!(found(&objects)[0].place, Place { line: 6, column: 11 });
    }
    let mut objects = routed(vec![delegating("part")]);
    objects.virtual_services.push(part("part", &[], vec![prefix_to("/a/b", "pay"), prefix_to("/b", "pay")]));
    assert_eq!(told(&objects), [("SQ0414", "no match of this rule is one of `v`'s, which delegates to it".to_owned())]);
}
