//! What `squall proxy explain` says is what the proxy does.

use serde_json::Value;
use squall_tests::http::{Backend, Connection};
use squall_tests::proxy::{Proxy, routes};
use squall_tests::{binary, project};
use std::path::Path;
use std::process::Command;

/// Rules of every kind of condition, each answered by a status of its own or sent to a version.
const RULES: &str = r#"    - {name: admin, match: [{sourceLabels: {app: admin}}], directResponse: {status: 290}}
    - {name: port, match: [{port: 8080}], directResponse: {status: 291}}
    - {name: exact, match: [{uri: {exact: /exact}}], directResponse: {status: 292}}
    - {name: regex, match: [{uri: {regex: "/r[0-9]+"}}], directResponse: {status: 293}}
    - {name: method, match: [{method: {exact: DELETE}}], directResponse: {status: 294}}
    - {name: header, match: [{headers: {x-user: {prefix: a}}, withoutHeaders: {x-bot: {}}}], directResponse: {status: 295}}
    - {name: query, match: [{queryParams: {id: {regex: "[0-9]+"}}}], directResponse: {status: 296}}
    - {name: authority, match: [{authority: {exact: "cart:80"}}], directResponse: {status: 297}}
    - {name: away, match: [{uri: {prefix: /old}}], redirect: {uri: /new, redirectCode: 302}}
    - {name: prefix, match: [{uri: {prefix: /shop}}], rewrite: {uri: /store}, route: [{destination: {host: cart, subset: v2}}]}
    - {name: nowhere, match: [{uri: {prefix: /nine}}], route: [{destination: {host: cart, subset: v9}}]}
    - {name: last, match: [{uri: {prefix: /all}}], route: [{destination: {host: cart, subset: v1}}]}"#;

const SUBSETS: &str = "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: cart}\nspec: {host: cart, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}\n";

fn explained(folder: &Path, method: &str, path: &str, fields: &[(&str, &str)]) -> Value {
    let mut command = Command::new(binary());
    command.args(["proxy", "explain", "--format", "json", "--method", method, "--url", path, "--policies"]);
    command.arg(folder.join("policies.yaml")).arg("--endpoints").arg(folder.join("endpoints.yaml"));
    for (name, value) in fields {
        command.args(["--header", &format!("{name}:{value}")]);
    }
    let output = command.output().expect("the binary runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn every_request_takes_the_route_that_was_explained() {
    let (one, two) = (Backend::named("v1"), Backend::named("v2"));
    let endpoints = [(one.address, "v1", true), (two.address, "v2", true)];
    let proxy = Proxy::with_endpoints(&format!("{}{SUBSETS}", routes(RULES)), &endpoints);
    let mut lines = 0;
    for (method, path, fields) in [
        ("GET", "/exact", &[("host", "cart")][..]),
        ("GET", "/exact/", &[("host", "cart")]),
        ("GET", "/r12", &[("host", "cart")]),
        ("GET", "/r12x", &[("host", "cart")]),
        ("DELETE", "/all", &[("host", "cart")]),
        ("GET", "/all", &[("host", "cart"), ("x-user", "ann")]),
        ("GET", "/all", &[("host", "cart"), ("x-user", "ann"), ("x-bot", "1")]),
        ("GET", "/all?id=7", &[("host", "cart")]),
        ("GET", "/all?id=x", &[("host", "cart")]),
        ("GET", "/all", &[("host", "cart:80")]),
        ("GET", "/all", &[("host", "CART.default.svc")]),
        ("GET", "/older", &[("host", "cart")]),
        ("GET", "/shop/1", &[("host", "cart")]),
        ("GET", "/a/../shop", &[("host", "cart")]),
        ("GET", "/nine", &[("host", "cart")]),
        ("GET", "/none", &[("host", "cart")]),
        ("GET", "/all", &[("host", "nobody")]),
        ("GET", "/all", &[("host", "a@b")]),
    ] {
        let told = explained(proxy.folder(), method, path, fields);
        let head = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect::<Vec<_>>().concat();
        let mut connection = Connection::to(proxy.listen).expect("a connection");
        let answer = connection.ask(&format!("{method} {path} HTTP/1.1\r\n{head}\r\n"));
        lines += 1;
        let line = proxy.access_log(lines)[lines - 1].clone();
        let about = format!("{method} {path} {fields:?}\n{line}\n{told:#}");
        let outcome = &told["ways"][0]["outcome"];
        if outcome["kind"] == "refused" {
            assert_eq!(outcome["status"], answer.status(), "{about}");
            let flags = outcome["flags"].as_str().filter(|flags| !flags.is_empty()).unwrap_or("-");
            assert_eq!(flags, line["response_flags"].as_str().unwrap_or("-"), "{about}");
            continue;
        }
        assert_eq!(outcome["name"], line["route_name"], "{about}");
        let action = &outcome["action"];
        match action["kind"].as_str().expect("a kind") {
            "direct" => assert_eq!(action["status"], answer.status(), "{about}"),
            "redirect" => {
                assert_eq!(action["status"], answer.status(), "{about}");
                assert_eq!(action["location"], answer.field("location"), "{about}");
            }
            "forward" => {
                let to = &action["destinations"][0];
                let known = to["missing"].is_null();
                if known {
                    assert_eq!(to["cluster"], line["upstream_cluster"], "{about}");
                } else {
                    assert_eq!(to["missing"]["status"], answer.status(), "{about}");
                    assert_eq!(to["missing"]["flags"], line["response_flags"], "{about}");
                }
                if let Some(endpoint) = to["endpoints"].as_array().and_then(|all| all.first()) {
                    assert_eq!(endpoint["address"], line["upstream_host"], "{about}");
                    let asked: Vec<_> = one.asked().into_iter().chain(two.asked()).collect();
                    assert_eq!(to["path"], asked[0].target(), "{about}");
                    [&one, &two].iter().for_each(|backend| backend.forget());
                }
            }
            kind => panic!("{kind}: {about}"),
        }
    }
}

#[test]
fn bad_policies_are_told_with_their_place_and_a_request_without_a_host_is_a_usage_error() {
    let project = project().file("good.yaml", &routes("    - route: [{destination: {host: cart}}]"));
    let project = project.file("bad.yaml", &routes("    - rout: []"));
    for question in [&["explain", "--url", "http://cart/"][..], &["translate"]] {
        let asked = |file: &str| project.run(&[&["proxy"], question, &["--policies", file]].concat());
        let told = asked("bad.yaml").expect_code(104).err();
        assert!(told.contains("bad.yaml:7") && told.contains("rout"), "{told}");
        let _ = asked("good.yaml").expect_code(0);
    }
    for (arguments, reason) in [
        (&["--url", "/a"][..], "names no host"),
        (&["--url", "cart"], "no URL"),
        (&["--url", "http://cart/", "--header", "x"], "NAME:VALUE"),
        (&["--url", "http://cart/", "--mode", "gateway", "--source-labels", "a=b"], "--mode outbound"),
        (&["--url", "http://cart/", "--istio-version", "1.99"], "version of Istio"),
    ] {
        let told = project.run(&[&["proxy", "explain", "--policies", "good.yaml"], arguments].concat());
        let told = told.expect_code(2).err();
        assert!(told.contains(reason), "{arguments:?}: {told}");
    }
}
