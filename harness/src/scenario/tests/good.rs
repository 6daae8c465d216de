use super::{CART, errors, read, scenario};
use crate::load::wire::Connections;
use crate::scenario::parse::text_of;
use crate::scenario::resolve::quick;
use crate::scenario::resolved::{Expectation, Latency, Limit, Program};
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
    assert_eq!((flow.name.as_str(), flow.rate, flow.time_out.as_secs()), ("load", Rate(500.0), 5));
    assert_eq!(flow.connections, Connections::UpTo(4_000));
    assert_eq!((flow.method.as_str(), flow.path.as_str(), &flow.accept[..]), ("GET", "/", &[(200, 399)][..]));
    let service = &cart.services[0];
    assert_eq!((service.port, &service.program), (80, &Program::TestService));
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
    let read = |set: &str| text_of(&source, true, &[set.parse().unwrap()]);
    let (scenarios, _) = read("load.rate=800/s");
    assert_eq!(scenarios[0].flows[0].rate, Rate(800.0));
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
    assert_eq!(own.flows[0].accept, [(200, 299), (404, 404)]);
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
        ("rate: 500/s", "rate: 500/s, closed: {connections: 4}"),
        ("kill: {target: cart/1}", "kill: {target: cart/1, pulse: {active: 2s, idle: 3s}}"),
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
