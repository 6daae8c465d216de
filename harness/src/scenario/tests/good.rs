use super::{CART, errors, read, scenario};
use crate::load::schedule::{Gaps, Shape};
use crate::load::wire::{self, Accept, Body, Capture, Connections, Protocol, Think};
use crate::scenario::parse::{Reading, text_of};
use crate::scenario::resolve::quick;
use crate::scenario::resolved::{Expectation, Flow, Latency, Limit, Pace, Profile, Program};
use crate::scenario::schema::schema;
use crate::scenario::{LoadOptions, finding, load};
use crate::units::Rate;
use squall_yaml::{Node, Source, Value};
use std::path::Path;
use std::time::Duration;

#[test]
fn defaults_are_applied() {
    let cart = scenario(CART);
    assert_eq!(cart.slug, "a-killed-instance-is-not-noticed-by-clients");
    assert_eq!(cart.place.line, 1);
    let phases: Vec<_> =
        cart.timeline.iter().map(|phase| (phase.name.as_str(), phase.lasting.as_secs(), phase.judged)).collect();
    let expected = [("warm-up", 1, false), ("baseline", 5, true), ("outage", 8, true), ("recovery", 8, true)];
    assert_eq!(phases, expected);
    let flow = &cart.flows[0];
    assert_eq!((flow.name.as_str(), flow.time_out.as_secs()), ("load", 5));
    assert_eq!(flow.pace, Pace::Open(Profile::constant(Rate(500.0))));
    assert_eq!(flow.connections, Connections::UpTo(4_000));
    assert_eq!((flow.method.as_str(), flow.path.as_str(), &flow.accept), ("GET", "/", &Accept::default()));
    let service = &cart.services[0];
    let ports: Vec<_> = service.ports.iter().map(|port| (port.number, port.tcp)).collect();
    assert_eq!((ports, service.undeclared, &service.program), (vec![(80, false)], false, &Program::TestService));
    let version = &service.versions[0];
    let latency = Latency::Lognormal { p50: Duration::from_millis(2), p99: Duration::from_millis(10) };
    assert_eq!((version.instances, version.responds.latency, version.responds.body.0), (3, latency, 1_000));
}

#[test]
fn expectations_have_stable_ids_in_the_order_of_the_file() {
    let cart = scenario(CART);
    let shown = |expectation: &Expectation| (expectation.id.clone(), expectation.limit, expectation.written.clone());
    let all: Vec<_> = cart.expectations.iter().map(shown).collect();
    assert_eq!(
        all,
        [
            ("outage.success".into(), Limit::AtLeast(0.999), "success >= 99.9%".into()),
            ("outage.p99".into(), Limit::AtMostTimes(2.0), "p99 <= 2x baseline".into()),
            ("healing.ejected(cart/1)".into(), Limit::Within(1.0), "ejected cart/1 within 1s".into()),
        ]
    );
}

#[test]
fn a_target_of_several_instances_becomes_a_fault_for_each() {
    let text =
        CART.replace("kill: {target: cart/1}", "abort: {target: cart/1..2, status: 503, pick: 30%, at: 1s, for: 6s}");
    let cart = scenario(&text);
    let faults = &cart.timeline[2].faults;
    let shown: Vec<_> =
        faults.iter().map(|fault| (fault.what.as_str(), fault.at.as_secs(), fault.lasting.as_secs())).collect();
    assert_eq!(shown, [("abort 503 on cart/1, 30%", 1, 6), ("abort 503 on cart/2, 30%", 1, 6)]);
}

#[test]
fn a_service_has_its_own_instances_as_first_version() {
    let text = CART
        .replace("instances: 3", "instances: 3, versions: {v2: {instances: 1, responds: {errors: 20%}}}")
        .replace("cart/1", "cart@v1/1");
    let cart = scenario(&text);
    let versions: Vec<_> =
        cart.services[0].versions.iter().map(|v| (v.name.as_deref(), v.instances, v.responds.errors.0)).collect();
    assert_eq!(versions, [(Some("v1"), 3, 0.0), (Some("v2"), 1, 20.0)]);
    assert_eq!(cart.timeline[2].faults[0].target.to_string(), "cart@v1/1");
}

#[test]
fn a_change_is_read_as_if_it_stood_in_the_file() {
    let source = Source { path: "cart.yaml".into(), text: CART.to_owned() };
    let read = |set: &str| text_of(&source, true, &Reading { set: vec![set.parse().unwrap()], ..Reading::default() });
    let (scenarios, _) = read("load.rate=800/s");
    assert_eq!(scenarios[0].flows[0].pace, Pace::Open(Profile::constant(Rate(800.0))));
    let (scenarios, _) = read("timeline[recovery].for=9s");
    assert_eq!(scenarios[0].timeline[3].lasting.as_secs(), 9);
    for (set, expected) in [
        ("load.rate=800", "found the number 800"),
        ("load.rte=800/s", "unknown key `rte`"),
        ("timeline[nothing].for=9s", "there is no `[nothing]`"),
        ("load.rate.more=1", "there is no `more`"),
    ] {
        let (_, findings) = read(set);
        assert!(findings[0].message.contains(expected), "{set}: {findings:?}");
    }
}

#[test]
fn a_scenario_says_whose_behaviour_its_proxy_follows_or_has_what_was_asked_for() {
    let with = |mesh: &str| CART.replace("load:", &format!("mesh: {{{mesh}}}\nload:"));
    assert_eq!(scenario(CART).compat.to_string(), "1.32");
    // 1.30 is not 1.3, whatever other readers of YAML make of it.
    for (written, read) in [("1.23", "1.23"), ("1.30", "1.30"), ("\"1.30\"", "1.30"), ("latest", "1.32")] {
        assert_eq!(scenario(&with(&format!("compat: {written}"))).compat.to_string(), read, "{written}");
    }
    for bad in ["1.99", "new", "2", "[1.23]"] {
        let said = errors(&with(&format!("compat: {bad}")));
        assert!(said.contains("version of Istio"), "{bad}:\n{said}");
    }
    let old = Reading { istio: "1.19".parse().unwrap(), ..Reading::default() };
    let of = |text: &str| {
        let (scenarios, _) = text_of(&Source { path: "cart.yaml".into(), text: text.to_owned() }, true, &old);
        scenarios[0].compat.to_string()
    };
    assert_eq!((of(CART).as_str(), of(&with("compat: 1.23")).as_str()), ("1.19", "1.23"));
}

#[test]
fn a_scenario_says_what_its_proxies_do_better_than_envoy() {
    let with = |names: &str| CART.replace("load:", &format!("mesh: {{beyond-envoy: {names}}}\nload:"));
    assert_eq!(scenario(CART).beyond_envoy.to_string(), "");
    assert_eq!(scenario(&with("[stalled, half-open]")).beyond_envoy.to_string(), "half-open,stalled");
    assert_eq!(scenario(&with("[all]")).beyond_envoy.words().len(), 4);
    let said = errors(&with("[half_open]"));
    assert!(said.contains("one of `half-open`, `fresh-evidence`, `stalled`, `per-instance-limits`, `all`"), "{said}");
    assert!(said.contains("did you mean `half-open`?"), "{said}");
}

#[test]
fn fields_that_a_version_does_not_have_are_refused_in_its_scenarios() {
    let rule = "apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: cart}, spec: {host: cart, trafficPolicy: {outlierDetection: {outlierDetectionHttpErrorCodes: [503]}}}";
    let with = |mesh: &str| CART.replace("load:", &format!("policies: [{{{rule}}}]\nmesh: {{{mesh}}}\nload:"));
    let said = errors(&with("compat: 1.31"));
    assert!(said.contains("Istio 1.31 has no `outlierDetectionHttpErrorCodes`"), "{said}");
    assert!(!errors(&with("compat: 1.32")).contains("HttpErrorCodes"));
}

#[test]
fn quick_keeps_the_recovery_that_an_expectation_needs() {
    let readmitted = CART
        .replace("{ejected: cart/1, within: 1s}]", "{ejected: cart/1, within: 1s}, {readmitted: cart/1, within: 5s}]");
    let mut cart = scenario(&readmitted);
    quick(&mut cart);
    assert_eq!(cart.timeline.last().unwrap().lasting, Duration::from_secs(8));
}

#[test]
fn quick_takes_the_control_out_and_cuts_recovery_short() {
    let mut cart = scenario(CART);
    quick(&mut cart);
    let lengths: Vec<_> = cart.timeline.iter().map(|phase| phase.lasting.as_secs()).collect();
    assert_eq!((lengths, cart.control), (vec![1, 5, 8, 2], None));
}

#[test]
fn ports_are_those_of_the_file_or_of_the_kubernetes_service_of_the_policies() {
    let ports = |text: &str| {
        let service = scenario(text).services.remove(0);
        let ports: Vec<_> = service.ports.into_iter().map(|port| (port.number, port.name, port.tcp)).collect();
        (ports, service.undeclared)
    };
    let written = CART.replace("instances: 3", "instances: 3, ports: [8080, {port: 6379, tcp: true}]");
    let expected = vec![(8080, "http-8080".to_owned(), false), (6379, "tcp-6379".to_owned(), true)];
    assert_eq!(ports(&written), (expected, true));
    let policies = "policies: [{apiVersion: v1, kind: Service, metadata: {name: cart}, \
        spec: {ports: [{port: 9080, name: http}, {port: 5000, name: tcp}, {port: 53, name: dns, protocol: UDP}]}}]\nload:";
    let declared = CART.replace("load:", policies);
    let expected = vec![(9080, "http".to_owned(), false), (5000, "tcp".to_owned(), true)];
    assert_eq!(ports(&declared), (expected, false));
    let another = declared.replace("instances: 3", "instances: 3, port: 80");
    assert!(errors(&another).contains("the Service `cart` of the policies has no port 80"), "{}", errors(&another));
    assert_eq!(scenario(&declared.replace("to: cart", "to: 'cart:5000'")).flows[0].port, 5000);
}

#[test]
fn a_gateway_is_asked_at_the_port_and_host_that_the_flow_names() {
    let shop = "\
scenario: gateway
topology: {services: [{name: cart}]}
mesh: {mode: gateway}
policies:
  - apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: shop}
    spec:
      selector: {istio: ingress}
      servers:
        - {port: {number: 8080, name: http, protocol: HTTP}, hosts: ['*.example.com']}
        - {port: {number: 8443, name: https, protocol: HTTPS}, hosts: ['*.example.com'], tls: {mode: SIMPLE, serverCertificate: a, privateKey: b}}
  - apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: shop}
    spec: {hosts: [shop.example.com], gateways: [shop], http: [{route: [{destination: {host: cart}}]}]}
load: {to: cart, host: 'shop.example.com:8080', rate: 10/s}
timeline: [{phase: all, for: 10s}]
expect: {all: {lost: '== 0'}}
";
    let gateway = scenario(shop).entrances.remove(0);
    assert_eq!((gateway.asked, gateway.listen[0].as_str()), (vec!["0.0.0.0_8080".to_owned()], "8080=127.0.0.1:0"));
    assert_eq!(gateway.labels["istio"], "ingress");
    for (from, to, expected) in [
        ("shop.example.com:8080", "shop.example.com", "nobody listens on port 80; expected one of `8080`, `8443`"),
        ("shop.example.com:8080", "shop.example.com:8443", "port 8443 asks for TLS, which the load does not speak"),
        (
            "shop.example.com:8080",
            "www.example.com:8080",
            "the gateway routes nothing for `www.example.com` on port 8080",
        ),
        ("timeline", "control: {without: [timeouts]}\ntimeline", "nothing to take out: this scenario has no timeouts"),
    ] {
        let said = errors(&shop.replacen(from, to, 1));
        assert!(said.contains(expected), "{to}:\n{said}");
    }
}

#[test]
fn what_is_meant_for_callers_is_told_where_no_caller_has_a_proxy() {
    let policies = "policies: [{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: cart}, \
        spec: {host: cart, trafficPolicy: {outlierDetection: {consecutive5xxErrors: 3}}}}]\n";
    for (mode, told) in [("server", true), ("both", false)] {
        let (_, findings) = read(&format!("{CART}mesh: {{mode: {mode}}}\n{policies}"));
        let said = findings.iter().any(|finding| finding.message.contains("`cart` are meant for callers"));
        assert_eq!(said, told, "{mode}: {findings:?}");
    }
}

#[test]
fn what_can_be_taken_out_is_what_the_proxies_of_the_mode_have() {
    let policies = "policies: [{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: cart}, spec: {host: cart, \
        trafficPolicy: {outlierDetection: {consecutive5xxErrors: 3}, connectionPool: {http: {http1MaxPendingRequests: 5}}}}}]\n";
    for (mode, without, fits) in [
        ("none", "retries", false),
        ("client", "outlier-detection", true),
        ("server", "outlier-detection", false),
        ("server", "breakers", true),
        ("server", "retries", true),
        ("both", "outlier-detection", true),
    ] {
        let text = format!("{CART}control: {{without: [{without}]}}\nmesh: {{mode: {mode}}}\n{policies}");
        assert_eq!(errors(&text).is_empty(), fits, "{without} in {mode}: {}", errors(&text));
    }
}

#[test]
fn several_scenarios_stand_in_one_file() {
    let text = format!("{CART}---\n{}", CART.replace("a killed", "another"));
    let (scenarios, _) = read(&text);
    let lines: Vec<_> = scenarios.iter().map(|scenario| scenario.place.line).collect();
    assert_eq!(lines, [1, 12]);
}

#[test]
fn steps_sweeps_and_releases_are_read() {
    let surge = "\
scenario: overload is shed
topology: {services: [{name: cart, instances: 2, responds: {latency: 5ms, limit: 8 at once}}]}
load:
  - {name: steady, to: cart, rate: 300/s, connections: 32}
  - {name: surge, to: cart, profile: {step: {at: 10s, to: 1600/s, for: 5s}}, connections: {up-to: 512}}
timeline: [{phase: calm, for: 10s}, {phase: surge, for: 5s}, {phase: after, for: 10s}]
expect:
  surge: [{of: steady, p99: \"<= 100ms\"}]
  after: {success: \">= 99.9%\", p99: \"<= 1.2x calm\"}
";
    assert_eq!(scenario(surge).expectations[0].id, "surge.p99[steady]");
    let sweep = "\
scenario: what the mesh costs
topology: {services: [{name: echo, instances: 2, responds: {latency: 0ms, body: 1KB}}]}
load: {to: echo}
sweep: {rate: [500/s, 1000/s], connections: [16, 64], mode: [none, client], each: {warm-up: 1s, measure: 4s}}
expect:
  sweep: [{where: {mode: client, rate: 1000/s}, p99: \"<= 3ms\", over: {mode: none}}]
";
    let found = scenario(sweep);
    assert_eq!(found.expectations[0].id, "sweep.p99(1000/s, client)");
    assert_eq!(found.expectations[0].limit, Limit::AtMostMore(0.003));
    let varied = sweep
        .replace("each:", "protocol: [http1, http2], payload: [0B, 1KB, 1KiB], blocks: 3, each:")
        .replace("rate: 1000/s}", "protocol: http2, payload: 1KiB}")
        .replace("none", "both");
    let found = scenario(&varied);
    assert_eq!(found.expectations[0].id, "sweep.p99(client, http2, bodies of 1024 B)");
    assert_eq!(found.sweep.map(|sweep| sweep.cells()), Some(2 * 2 * 2 * 2 * 3 * 3));
    let release = "\
scenario: a bad release is rolled back
topology: {services: [{name: web, instances: 3, versions: {v2: {responds: {errors: 20%}}}}]}
load: {to: web, rate: 500/s}
timeline:
  - {phase: baseline, for: 5s}
  - phase: release
    for: 30s
    do: [{release: {service: web, to: v2, steps: [10%, 50%, 100%], every: 5s, roll-back-when: {success: '< 99%', over: 2s}}}]
expect: {healing: [{rolled-back: web@v2, within: 8s}], whole: {lost: \"<= 60\"}}
";
    assert_eq!(scenario(release).expectations[0].id, "healing.rolled-back(web@v2)");
}

#[test]
fn own_programs_and_fields_from_the_environment_are_read() {
    let text = "\
scenario: own
topology: {services: [{name: cart, run: [./cart, --port, '{port}'], ready: /health, env: {LOG: debug}}]}
load:
  to: cart
  rate: 100/s
  request: {method: POST, path: /items, headers: {accept: '*/*', authorization: {from-env: PATH}}, body: 2KB}
  accept: {status: [200-299, 404]}
timeline: [{phase: all, for: 10s}]
expect: {all: {lost: '== 0'}}
";
    let own = scenario(text);
    assert_eq!(own.flows[0].accept.status, [(200, 299), (404, 404)]);
    assert_eq!(errors(&text.replace("{port}", "8080")).lines().count(), 1);
}

#[test]
fn all_shipped_scenarios_can_be_run_and_fit_the_schema() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let loaded = load(std::slice::from_ref(&folder), &LoadOptions::default());
    let loaded = loaded.unwrap_or_else(|findings| panic!("{}", finding::render(&findings, false)));
    assert!(loaded.scenarios.len() >= 10, "{}", loaded.scenarios.len());
    let validator = jsonschema::draft7::new(&schema()).unwrap();
    for scenario in &loaded.scenarios {
        let source = Source { path: scenario.file.clone(), text: scenario.source.clone() };
        for document in squall_yaml::parse(&source).unwrap() {
            let errors: Vec<_> = validator
                .iter_errors(&json(&document.root))
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert_eq!(errors, [""; 0], "{}", scenario.file.display());
        }
    }
}

fn json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Unsigned(number, _) => (*number).into(),
        Value::Signed(number, _) => (*number).into(),
        Value::Float(number, _) => (*number).into(),
        Value::Text(text) => text.clone().into(),
        Value::List(entries) => entries.iter().map(json).collect(),
        Value::Map(entries) => {
            entries.iter().map(|(key, value)| (key.value.scalar().unwrap().to_owned(), json(value))).collect()
        }
    }
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let validator = jsonschema::draft7::new(&schema()).unwrap();
    let fits = |text: &str| {
        let source = Source { path: "cart.yaml".into(), text: text.to_owned() };
        validator.is_valid(&json(&squall_yaml::parse(&source).unwrap()[0].root))
    };
    assert!(fits(CART));
    for (from, to) in [
        ("load:", "laod:"),
        ("rate: 500/s", "rate: 500"),
        ("rate: 500/s", "rate: 500/s, closed: {connection: 4}"),
        ("rate: 500/s", "profile: {sine: {mean: 500/s}}"),
        ("rate: 500/s", "rate: 500/s, request: {body: 1}"),
        ("kill: {target: cart/1}", "hang: {target: cart/1, pulse: {active: 2s}}"),
        ("kill:", "kil:"),
        ("success:", "succes:"),
        (">= 99.9%", "99.9%"),
        ("within: 1s", "within: 1"),
        ("instances: 3", "instances: many"),
    ] {
        let text = CART.replacen(from, to, 1);
        assert!(!fits(&text), "{to}");
        assert_ne!(errors(&text), "", "{to}");
    }
}

/// Nothing but a load, and what is expected of it.
fn loaded(rate: &str, expected: &str) -> String {
    format!(
        "scenario: a load\ntopology: {{services: [{{name: cart}}]}}\nload: {{to: cart, {rate}}}\n\
         timeline: [{{phase: all, for: 9s}}]\nexpect: {{all: {{{expected}}}}}\n"
    )
}

#[test]
fn a_flow_asks_as_its_profile_says() {
    let pace = |profile: &str| scenario(&loaded(profile, "lost: '== 0'")).flows[0].pace.clone();
    let profile = |written: &str| pace(&format!("profile: {{{written}}}")).profile().unwrap().clone();
    let seconds = Duration::from_secs;
    let random = profile("poisson: 500/s");
    assert_eq!((random.base, random.gaps, random.stretches.len()), (Rate(500.0), Gaps::Poisson, 0));
    let ramp = profile("ramp: {from: 400/s, to: 600/s, over: 4s, at: 2s}").schedule(seconds(1), seconds(9));
    let rates: Vec<_> = ramp.pieces.iter().map(|piece| (piece.to / 1_000_000_000, piece.rate)).collect();
    let slope = Shape::Ramp { from: 400.0, to: 600.0 };
    assert_eq!(rates, [(3, Shape::Constant(400.0)), (7, slope), (9, Shape::Constant(600.0))]);
    let waves = profile("sine: {mean: 500/s, amplitude: 100/s, period: 2s}");
    assert_eq!((waves.highest(), waves.schedule(seconds(1), seconds(9)).planned()), (Rate(600.0), 4_500));
    let bursts = profile("burst: {to: 900/s, for: 1s, every: 2s}");
    assert_eq!(bursts.schedule(seconds(0), seconds(10)).planned(), 5 * 900);
    assert_eq!(pace("closed: {connections: 4}"), Pace::Closed);
}

#[test]
fn a_rate_can_be_replayed_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("day.csv"), "second,rate\n0,400\n1,600\n2,500\n").unwrap();
    let file = folder.path().join("cart.yaml");
    std::fs::write(&file, loaded("profile: {replay: day.csv}", "lost: '== 0'")).unwrap();
    let scenarios = load(&[file], &LoadOptions::default()).unwrap().scenarios;
    let flow = &scenarios[0].flows[0];
    let schedule = flow.pace.profile().unwrap().schedule(Duration::from_secs(1), Duration::from_secs(9));
    // The first rate while it warms up, and nothing after the last.
    assert_eq!(schedule.planned(), 400 + 400 + 600 + 500);
}

#[test]
fn a_flow_says_what_it_speaks_and_what_it_accepts() {
    let flow = |more: &str| scenario(&CART.replace("rate: 500/s", &format!("rate: 500/s, {more}"))).flows[0].clone();
    let call = flow("protocol: grpc, streams: 8, accept: {grpc: [0, 5]}, request: {body: {p50: 1KB, p99: 9KB}}");
    assert_eq!((call.protocol, call.method.as_str()), (Protocol::Grpc { streams: 8 }, "POST"));
    assert_eq!((call.body, call.accept.grpc), (Body::Lognormal { p50: 1_000, p99: 9_000 }, vec![0, 5]));
    // Half of a connection's places would hold all that can be under way.
    assert_eq!(flow("protocol: http2").connections, Connections::UpTo(157));
    let checked = flow("accept: {body-contains: ok, json: {/id: 7}}, request: {body: {text: hello}, method: POST}");
    assert_eq!((checked.accept.status, checked.accept.body_contains.as_deref()), (vec![(200, 399)], Some("ok")));
    assert_eq!(checked.accept.json, [("/id".to_owned(), serde_json::json!(7))]);
    assert_eq!(checked.body, Body::Text("hello".to_owned()));
}

#[test]
fn the_steps_of_a_journey_are_flows_of_their_own() {
    let journey = "rate: 100/s, time-out: 2s, request: {headers: {x-user: ann, x-of: all}, method: POST}, journey: [\
        {step: look, request: {path: /items}, capture: {item: {json: /0/id}}}, \
        {step: add, think: {min: 1s, max: 3s}, time-out: 1s, request: {path: '${item}', method: PUT, headers: {X-Of: step}}}]";
    let scenario = scenario(&CART.replace("rate: 500/s", journey));
    let names: Vec<&str> = scenario.flows.iter().map(|flow| flow.name.as_str()).collect();
    assert_eq!(names, ["load", "load/look", "load/add"]);
    let [users, look, add] = &scenario.flows[..] else { panic!("three") };
    assert_eq!(users.pace, Pace::Open(Profile::constant(Rate(100.0))));
    assert_eq!([&look.pace, &add.pace], [&Pace::Steps(Profile::constant(Rate(100.0))); 2]);
    assert_eq!([look.method.as_str(), add.method.as_str()], ["POST", "PUT"], "what all have in common, and its own");
    let fields = |flow: &Flow| flow.headers.iter().map(|header| header.name.clone()).collect::<Vec<_>>();
    assert_eq!(
        (fields(look), fields(add)),
        (vec!["x-user".to_owned(), "x-of".to_owned()], vec!["x-user".to_owned(), "X-Of".to_owned()])
    );
    // Both answers in the last moment, after the longest thought.
    assert_eq!([users.time_out, look.time_out, add.time_out].map(|span| span.as_secs()), [6, 2, 1]);
    let steps = &users.journey.as_ref().unwrap().steps;
    assert_eq!(steps.iter().map(|step| step.flow).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(steps[0].captures, [Capture { name: "item".to_owned(), from: wire::Source::Json("/0/id".to_owned()) }]);
    let (min, max) = (Duration::from_secs(1), Duration::from_secs(3));
    assert_eq!([steps[0].think, steps[1].think], [Think::Fixed(Duration::ZERO), Think::Uniform { min, max }]);
}

#[test]
fn a_closed_load_is_judged_by_what_it_can_show() {
    let closed = |expected: &str| loaded("closed: {connections: 4}", expected);
    assert_eq!(errors(&closed("rate: '>= 100/s', success: '>= 99.9%'")), "");
    let said = errors(&closed("p99: '<= 20ms'"));
    assert!(said.contains("`p99 <= 20ms` on a closed load"), "{said}");
}

/// Codes of what is warned of.
fn warned(text: &str) -> Vec<&'static str> {
    read(text).1.iter().filter_map(|finding| finding.code).collect()
}

#[test]
fn advice_that_is_accepted_is_not_told_and_what_is_accepted_in_vain_is() {
    let rule = "policies: [{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: cart}, spec: {host: cart, trafficPolicy: {connectionPool: {http: {http1MaxPendingRequests: 1}}}}}]\n";
    let control = "control: {without: [breakers]}\n";
    let text = format!("{CART}{rule}{control}");
    assert_eq!(warned(&text), ["SQ0526"]);
    assert_eq!(warned(&format!("{text}accept: [SQ0526]\n")), Vec::<&str>::new());
    assert_eq!(warned(&format!("{text}accept: [SQ0526, SQ0501]\n")), ["SQ1104"]);
}

#[test]
fn a_control_may_obey_other_policies_of_which_no_advice_is_given() {
    let rule = |pending: u32| {
        format!(
            "policies: [{{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {{name: cart}}, spec: {{host: cart, trafficPolicy: {{connectionPool: {{http: {{http1MaxPendingRequests: {pending}}}}}}}}}}}]"
        )
    };
    let text = format!("{CART}{}\ncontrol: {{{}}}\n", rule(9), rule(1));
    assert_eq!(warned(&text), Vec::<&str>::new());
    let control = scenario(&text).control.unwrap();
    assert_eq!((control.without.len(), control.policies.map(|other| other.sources.len())), (0, Some(1)));
    // What is taken out must be in the policies that the control obeys.
    let text = text.replace("control: {", "control: {without: [outlier-detection], ");
    assert!(errors(&text).contains("nothing to take out"), "{}", errors(&text));
}

#[test]
fn zones_are_dealt_out_in_turn_and_a_detector_prefers_that_of_the_proxy() {
    let rule = "policies: [{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: cart}, spec: {host: cart, trafficPolicy: {outlierDetection: {consecutiveGatewayErrors: 2, consecutive5xxErrors: 9, maxEjectionPercent: 50}}}}, {apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: cart}, spec: {hosts: [cart], http: [{route: [{destination: {host: cart}}], timeout: 2s}]}}]\n";
    let text = format!("{CART}{rule}control: {{without: [outlier-detection]}}\n");
    assert_eq!(warned(&text), Vec::<&str>::new());
    let text =
        text.replace("instances: 3", "instances: 3, zone: [a, b]").replace("topology:", "mesh: {zone: a}\ntopology:");
    assert_eq!(warned(&text), ["SQ0513"]);
    let cart = scenario(&text);
    let zones: Vec<_> = (1..=3).map(|number| cart.services[0].zone(number)).collect();
    assert_eq!((cart.zone.as_deref(), zones), (Some("a"), vec![Some("a"), Some("b"), Some("a")]));
    assert_eq!(scenario(CART).services[0].zone(1), None);
}
