//! The test service in every protocol, asked without a proxy.

use squall_tests::project;

#[test]
fn the_test_service_answers_and_fails_in_each_protocol() {
    let (mut flows, mut expect) = (Vec::new(), Vec::new());
    for (protocol, request) in [("http1", "{}"), ("http2", "{}"), ("grpc", "{path: /a.B/C, body: 10B}")] {
        for (service, lost) in [("good", 0), ("bad", 20)] {
            let name = format!("{protocol}-{service}");
            expect.push(format!("    - {{of: {name}, lost: \"== {lost}\"}}\n"));
            flows.push(format!(
                "  - {{name: {name}, to: {service}, rate: 20/s, protocol: {protocol}, request: {request}}}\n"
            ));
        }
    }
    let text = format!(
        "scenario: protocols\nmesh: {{mode: none}}\n\
         topology: {{services: [{{name: good, responds: {{latency: 0ms, body: 3KB}}}}, \
                    {{name: bad, responds: {{latency: 0ms, errors: 100%}}}}]}}\n\
         timeline: [{{phase: warm-up, for: 0s}}, {{phase: all, for: 1s}}]\n\
         load:\n{}expect:\n  all:\n{}",
        flows.concat(),
        expect.concat()
    );
    let ended = project().file("protocols.yaml", &text).run(&["run", "protocols.yaml"]);
    let _ = ended.expect_code(0);
}
