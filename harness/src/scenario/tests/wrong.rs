use super::{CART, errors, read};
use proptest::prelude::*;
use std::fmt::Write;

#[test]
fn form() {
    let cases = [
        ("load: {to: cart", "laod: {to: cart"),
        ("rate: 500/s", "rate: 500"),
        ("rate: 500/s", "rate: 500/s, conections: 3"),
        ("instances: 3", "instances: three"),
        ("kill:", "kil:"),
        ("kill: {target: cart/1}", "kill: {target: cart/1, pulse: {active: 2s, idle: 3s}}"),
        ("kill: {target: cart/1}", "partition: {target: cart/1}"),
        ("rate: 500/s", "profile: {poisson: 800}"),
        ("rate: 500/s", "profile: {ramp: {from: 1/s, over: 5s}}"),
        ("rate: 500/s", "rate: 500/s, protocol: http3"),
        ("rate: 500/s", "rate: 500/s, request: {body: {p50: 1KB, max: 2}}"),
        ("rate: 500/s", "rate: 500/s, request: {body: {texts: hello}}"),
        ("topology: {", "mesh: {mode: sidecar}\ntopology: {"),
        ("topology: {", "abort-when: [x]\ntopology: {"),
        ("topology: {", "max-affected: {}\ntopology: {"),
        ("instances: 3", "instances: 3, calls: [{to: pay}]"),
        ("instances: 3", "instances: 3, zone: []"),
        ("success:", "succes:"),
        ("target: cart/1", "target: 'zone:a'"),
        ("within: 1s", "within: 1"),
        (">= 99.9%", "99.9%"),
        (">= 99.9%", ">= 20ms"),
    ];
    insta::assert_snapshot!(table(&cases));
}

#[test]
fn meaning() {
    let cases = [
        ("to: cart", "to: carts"),
        ("target: cart/1", "target: crt/1"),
        ("target: cart/1", "target: cart/4"),
        ("target: cart/1", "target: cart@v2"),
        ("  outage: {", "  outtage: {"),
        ("ejected: cart/1", "ejected: cart/2"),
        ("ejected: cart/1, within: 1s", "within: 1s"),
        ("2x baseline", "2x outage"),
        ("phase: recovery", "phase: outage"),
        ("target: cart/1", "target: cart/1, pick: 30%"),
        ("kill: {target: cart/1}", "abort: {target: cart/1, status: 5003}"),
        ("kill: {target: cart/1}", "hang: {target: cart/1, at: 9s}"),
        ("kill: {target: cart/1}", "hang: {target: cart/1, for: 9s}"),
        ("instances: 3", "instances: 3, ready: /health"),
        ("rate: 500/s", "rate: 500/s, request: {headers: {x: {from-env: SQUALL_NOT_SET}}}"),
        ("expect:", "control: {without: [retry]}\nexpect:"),
        ("expect:", "control: {without: [retries], fails: [outage.succes]}\nexpect:"),
        ("expect:", "control: {}\nexpect:"),
        ("expect:", "control: {policies: []}\nexpect:"),
        ("expect:", "control: {policies: [no-such-file.yaml]}\nexpect:"),
        ("expect:", "accept: [SQ0599]\nexpect:"),
        ("topology: {", "mesh: {zone: a/b}\ntopology: {"),
    ];
    insta::assert_snapshot!(table(&cases));
}

#[test]
fn arithmetic() {
    let cases = [
        ("within: 1s", "within: 7.5s"),
        ("rate: 500/s", "rate: 5/s"),
        (">= 99.9%", ">= 99.99%"),
        ("99.9%\"", "99.9%\", confidence: 95%"),
        ("p99:", "p99.99:"),
        ("baseline, for: 5s", "baseline, for: 1s"),
        ("{kill: {target: cart/1}}", "{kill: {target: cart/1}}, {refuse: {target: cart}}"),
        ("expect:", "max-affected: {instances: 0}\nexpect:"),
        ("{ejected: cart/1, within: 1s}", "{readmitted: cart/1, within: 8s}"),
        ("{ejected: cart/1, within: 1s}", "{recovered: cart, within: 12s}"),
        ("{ejected: cart/1, within: 1s}", "{restarted: cart/1, within: 1s}"),
    ];
    insta::assert_snapshot!(table(&cases));
}

#[test]
fn policies_that_cannot_be_applied() {
    let recovery = "{phase: recovery, for: 8s}";
    let object = |attempts: &str| {
        format!(
            "{{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {{name: cart}}, \
             spec: {{hosts: [cart], http: [{{route: [{{destination: {{host: cart}}}}], retries: {{attempts: {attempts}}}}}]}}}}"
        )
    };
    let apply = |policies: &str| format!("{{phase: recovery, for: 8s, do: [{{apply: {policies}}}]}}");
    let good = apply(&object("2"));
    let twice = format!("{{phase: recovery, for: 8s, do: [{{apply: {0}}}, {{apply: {0}}}]}}", object("2"));
    let healed = "{ejected: cart/1, within: 1s}";
    let cases = [
        (recovery, apply("no-such-file.yaml")),
        (recovery, apply("[]")),
        (recovery, apply("3")),
        (recovery, apply(&object("many"))),
        (recovery, twice),
        (healed, "{refused: recovery, within: 1s}".to_owned()),
        (healed, "{refused: recovry}".to_owned()),
        (healed, "{refused: recovery, ejected: cart/1}".to_owned()),
    ];
    let cases: Vec<(&str, &str)> = cases.iter().map(|(from, to)| (*from, to.as_str())).collect();
    insta::assert_snapshot!(table(&cases));
    let loaded = errors(&CART.replace(recovery, &good).replace(healed, "{refused: recovery, within: 1s}"));
    assert!(loaded.contains("nothing in VirtualService cart would be refused"), "{loaded}");
    let unread = errors(&CART.replace(recovery, &good).replace("load:", "mesh: {mode: none}\nload:"));
    assert!(unread.contains("nobody reads policies in mode `none`"), "{unread}");
    let right = CART.replace(recovery, &apply(&object("many"))).replace(healed, "{refused: recovery, within: 1s}");
    assert_eq!(errors(&right), "");
}

#[test]
fn journeys_that_cannot_be() {
    let look = "{step: look, capture: {item: {json: /id}}}";
    let journey = |steps: &str| format!("rate: 500/s, journey: [{steps}]");
    let cases = [
        journey(""),
        journey(&format!("{look}, {look}")),
        journey("{step: a/b}"),
        journey("{step: look, request: {path: '/cart/${itm}'}}"),
        journey(&format!("{look}, {{step: add, request: {{path: '/cart/${{itm}}'}}}}")),
        journey("{step: look, capture: {item: {json: id}, order: {regex: '('}, 'a b': {header: x}}}"),
        journey("{step: look, capture: {item: {xml: id}}}"),
        journey("{step: look, think: 20m}"),
        journey("{step: look, think: {p50: 1s}}"),
        journey("{step: look, to: cartt}"),
        format!("closed: {{connections: 4}}, journey: [{look}]"),
        format!("journey: [{look}]"),
    ];
    let cases: Vec<(&str, &str)> = cases.iter().map(|changed| ("rate: 500/s", changed.as_str())).collect();
    insta::assert_snapshot!(table(&cases));
}

#[test]
fn loads_that_cannot_be() {
    let cases = [
        ("rate: 500/s", "rate: 0/s"),
        ("rate: 500/s", "rate: 300000/s"),
        ("rate: 500/s", "rate: 500/s, profile: {poisson: 800/s}"),
        ("rate: 500/s", "profile: {ramp: {from: 0/s, to: 900000/s, over: 0s}}"),
        ("rate: 500/s", "profile: {ramp: {from: 1/s, to: 900/s, over: 60s}}"),
        ("rate: 500/s", "profile: {sine: {mean: 500/s, amplitude: 600/s, period: 2s}}"),
        ("rate: 500/s", "profile: {burst: {to: 900/s, for: 2s, every: 2s}}"),
        ("rate: 500/s", "profile: {replay: no-such-file.csv}"),
        ("rate: 500/s", "closed: {connections: 0}"),
        ("rate: 500/s", "rate: 500/s, closed: {connections: 4}, connections: 4"),
        ("rate: 500/s", "closed: {connections: 4}"),
        ("rate: 500/s", "rate: 500/s, streams: 8"),
        ("rate: 500/s", "rate: 500/s, protocol: http2, streams: 0"),
        ("rate: 500/s", "rate: 500/s, tls: {ca: no-such-file.pem, insecure: true, key: key.pem}"),
        ("rate: 500/s", "rate: 500/s, accept: {grpc: [0]}"),
        ("rate: 500/s", "rate: 500/s, accept: {json: {status: ok}}"),
        ("rate: 500/s", "rate: 500/s, request: {body: {p50: 2KB, p99: 1KB}}"),
        ("rate: 500/s", "rate: 500/s, request: {body: {p50: 2KB}}"),
        ("rate: 500/s", "rate: 500/s, request: {body: {file: no-such-file.json}}"),
        ("rate: 500/s", "rate: 500/s, request: {body: 2GB}"),
        ("rate: 500/s", "rate: 500/s, request: {path: '${nobody}'}"),
        ("rate: 500/s", "rate: 500/s, request: {speed: 0B/s}"),
        ("rate: 500/s", "rate: 500/s, protocol: http2, request: {speed: 10B/s}"),
    ];
    insta::assert_snapshot!(table(&cases));
}

#[test]
fn roads_that_there_are_not() {
    let client = [
        ("topology: {", "mesh: {mode: gateway}\ntopology: {"),
        ("kill: {target: cart/1}", "abort: {target: cart/1, status: 503, behind: sidecar}"),
        ("target: cart/1", "target: proxy of cart/1"),
        ("to: cart", "to: 'cart:8080'"),
        ("to: cart", "to: cart, host: 'shop.example.com:x'"),
        ("to: cart", "to: cart, host: 'shop.example.com:8080'"),
        ("instances: 3", "instances: 3, port: 80, ports: [80]"),
        ("instances: 3", "instances: 3, ports: [80, 8080, 80, 0]"),
        ("instances: 3", "instances: 3, tcp: true, ports: [80, 8080]"),
        ("instances: 3", "instances: 3, ports: []"),
    ];
    let both = CART.replace("topology: {", "mesh: {mode: both}\ntopology: {");
    let on_both_sides = [
        ("target: cart/1", "target: cart/1, behind: sidecar"),
        ("kill: {target: cart/1}", "latency: {target: cart/1, base: 1s, unit: connection, behind: sidecar}"),
        ("kill: {target: cart/1}", "abort: {target: proxy of cart/1, status: 503}"),
        ("target: cart/1", "target: proxy of cart/1, restart: supervisor"),
        ("target: cart/1", "target: proxy of cart/1, behind: sidecar"),
        ("ejected: cart/1", "ejected: proxy of cart/1"),
        ("kill: {target: cart/1}", "abort: {target: bytes, status: 503, behind: sidecar}"),
    ];
    let both = both.replace("instances: 3}", "instances: 3}, {name: bytes, ports: [80, {port: 1, tcp: true}]}");
    insta::assert_snapshot!(table(&client) + &table_of(&both, &on_both_sides));
}

#[test]
fn sweeps_that_cannot_be() {
    let sweep = "\
scenario: what the mesh costs
topology: {services: [{name: echo, instances: 2}]}
load: {to: echo}
sweep: {rate: [500/s, 1000/s], connections: [16, 64]}
expect:
  sweep: [{where: {rate: 500/s}, success: \">= 99%\"}]
";
    let cases = [
        ("rate: [500/s, 1000/s]", "rate: []"),
        ("rate: [500/s, 1000/s]", "rate: [0/s]"),
        ("connections: [16, 64]", "connections: [0]"),
        ("connections: [16, 64]", "connections: [16], blocks: 0"),
        ("connections: [16, 64]", "connections: [16, 64], payload: [0B, 1KB, 2GB]"),
        ("connections: [16, 64]", "connections: [16, 64], payload: [0B, 1KB], blocks: 2000"),
        ("connections: [16, 64]", "connections: [16, 64], protocol: [http1, grpc]"),
        ("rate: 500/s}", "rate: 700/s}"),
        ("rate: 500/s}", "protocol: http2}"),
        ("rate: 500/s}", "payload: 1KB}"),
        ("connections: [16, 64]", "connections: [16, 64], each: {measure: 0s}"),
    ];
    let search = "search: {from: 100/s, to: 9000/s, while: {p99: \"<= 20ms\"}}";
    let sought = sweep
        .replace("rate: [500/s, 1000/s]", search)
        .replace("{where: {rate: 500/s}, success: \">= 99%\"}", "{highest-rate: \">= 500/s\"}");
    let of_search = [
        ("from: 100/s", "from: 0/s"),
        ("to: 9000/s", "to: 90/s"),
        ("to: 9000/s", "to: 9000/s, confirm: 1s"),
        ("{p99: \"<= 20ms\"}", "{}"),
        ("{p99: \"<= 20ms\"}", "{p99: \"<= 2x baseline\", highest-rate: \">= 5/s\", of: load}"),
        ("{p99: \"<= 20ms\"}", "{success: \">= 99.99%\"}"),
        ("connections: [16, 64]", "connections: [16, 64], rate: [5/s], blocks: 2"),
        ("{highest-rate: \">= 500/s\"}", "{p99: \"<= 20ms\"}"),
        ("{highest-rate: \">= 500/s\"}", "{highest-rate: \"<= 20ms\"}"),
        ("{highest-rate: \">= 500/s\"}", "{where: {mode: none}, highest-rate: \"<= 20/s\", over: {mode: client}}"),
    ];
    let of_grid = [("success: \">= 99%\"", "highest-rate: \">= 5/s\"")];
    let spoken = sweep.replace("connections: [16, 64]", "connections: [16, 64], protocol: [http1, http2]");
    let of_grpc = [("to: echo", "to: echo, protocol: grpc, request: {path: /a.B/C}")];
    insta::assert_snapshot!(
        [
            table_of(sweep, &cases),
            table_of(&spoken, &of_grpc),
            table_of(&sought, &of_search),
            table_of(sweep, &of_grid)
        ]
        .concat()
    );
}

/// What is said about the scenario after each change.
pub(super) fn table(cases: &[(&str, &str)]) -> String {
    table_of(CART, cases)
}

/// What is said about this scenario after each change.
fn table_of(scenario: &str, cases: &[(&str, &str)]) -> String {
    let mut shown = String::new();
    for (from, to) in cases {
        let text = scenario.replacen(from, to, 1);
        assert_ne!(text, scenario, "{from}");
        write!(shown, "# {to}\n{}", errors(&text)).unwrap();
    }
    shown
}

#[test]
fn all_errors_of_a_file_come_at_once() {
    let text = "\
scenario: many mistakes
version: 2x
topology: {services: [{name: cart, instances: many, pport: 80}, {instances: 1}]}
load: {to: cart, rate: fast, time-out: 5}
timeline:
  - {phase: baseline, for: 5}
  - {phase: outage, for: 8s, faults: [{kil: {target: cart/1}}, {abort: {target: cart/0, status: 503}}]}
expect:
  outage: {sucess: \">= 99.9%\", p99: fast}
";
    insta::assert_snapshot!(errors(text));
}

#[test]
fn fixed_connections_that_a_fault_can_hold_are_warned_of() {
    let text = CART.replace("kill:", "hang:").replace("rate: 500/s", "rate: 500/s, connections: 64");
    let warnings: Vec<_> = read(&text).1.into_iter().map(|finding| finding.message).collect();
    insta::assert_debug_snapshot!(warnings);
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        read(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_change_of_a_scenario_makes_the_reader_panic(at in 0..CART.len(), with in "[ -~\n]{0,6}", drop in 0..12_usize) {
        let mut text = CART.to_owned();
        let end = (at + drop).min(text.len());
        text.replace_range(at..end, &with);
        read(&text);
    }
}
