//! Bad input: a clear error with its place, all errors at once, nothing started.

use squall_tests::{EJECT, EJECT_POLICIES, Project, ejection, project, repository};

fn check(project: &Project) -> String {
    let ended = project.run(&["check", "eject.yaml"]).expect_code(104);
    let run = project.run(&["run", "eject.yaml"]).expect_code(104);
    assert!(!project.path().join("squall-out").exists(), "nothing is started");
    assert_eq!(run.err(), ended.err(), "run and check say the same");
    ended.err()
}

#[test]
fn a_misspelt_key_is_told_with_its_line_and_a_suggestion() {
    let misspelt = EJECT.replace("timeline:", "timelime:");
    let told = check(&project().file("eject.yaml", &misspelt).file("policies/cart.yaml", EJECT_POLICIES));
    assert!(told.contains("eject.yaml:7:1"), "{told}");
    assert!(told.contains("timelime") && told.contains("timeline"), "{told}");
}

#[test]
fn all_errors_are_told_at_once() {
    let wrong = EJECT
        .replace("rate: 300/s", "rate: fast")
        .replace("target: cart/1", "target: card/1")
        .replace("failing: {success", "faling: {success")
        .replace("within: 1s", "within: 9s");
    let told = check(&project().file("eject.yaml", &wrong).file("policies/cart.yaml", EJECT_POLICIES));
    for expected in ["eject.yaml:6:", "`card`", "`faling`", "`fast`"] {
        assert!(told.contains(expected), "{expected} is missing in\n{told}");
    }
}

#[test]
fn a_policy_field_that_is_not_obeyed_is_refused_unless_accepted() {
    let policies =
        EJECT_POLICIES.replace("    outlierDetection:", "    proxyProtocol: {version: V1}\n    outlierDetection:");
    let told = check(&project().file("eject.yaml", EJECT).file("policies/cart.yaml", &policies));
    assert!(told.contains("policies/cart.yaml:") && told.contains("proxyProtocol"), "{told}");
    let accepting = format!("{EJECT}accept-unsupported: [DestinationRule.spec.trafficPolicy.proxyProtocol]\n");
    let project = project().file("eject.yaml", &accepting).file("policies/cart.yaml", &policies);
    let _ = project.run(&["check", "eject.yaml"]).expect_code(0);
}

#[test]
fn the_shipped_scenarios_are_sound() {
    let scenarios = repository().join("scenarios");
    let ended = ejection().run(&["check", scenarios.to_str().expect("a path in UTF-8")]).expect_code(0);
    assert_eq!(ended.err(), "");
}

#[test]
fn lint_tells_of_policies_alone_what_they_do_not_do_and_refuses_what_is_wrong() {
    let policies = EJECT_POLICIES.replace("maxEjectionPercent: 100", "maxEjectionPercent: 10");
    let project = project().file("cart.yaml", &policies).file("wrong.yaml", "kind: Service\n");
    let line = policies.lines().position(|line| line.contains("maxEjectionPercent")).expect("a line") + 1;
    let what = "maxEjectionPercent 10 of 3 instances is 0: no instance of cart is ever ejected";
    let ended = project.run(&["lint", "cart.yaml", "--instances", "cart=3"]).expect_code(0);
    for expected in [what, &format!("cart.yaml:{line}:7"), "help: outlierDetection:", "maxEjectionPercent: 34"] {
        assert!(ended.out().contains(expected), "{expected} is missing in\n{}", ended.out());
    }
    let ended = project.run(&["lint", "cart.yaml", "--instances", "cart=3", "--format", "github"]).expect_code(0);
    let told = ended.out();
    assert!(told.starts_with(&format!("::warning file=cart.yaml,line={line},col=7,title=SQ0501::{what}%0A")), "{told}");
    let _ = project.run(&["lint", "cart.yaml", "--format", "sarif"]).expect_code(0);
    let _ = project.run(&["lint", "wrong.yaml", "--format", "json"]).expect_code(104);
    let _ = project.run(&["lint", "nothing.yaml"]).expect_code(104);
    let _ = project.run(&["lint", "cart.yaml", "--instances", "cart"]).expect_code(2);
}

#[test]
fn a_wrong_command_line_and_an_empty_selection_have_codes_of_their_own() {
    let project = ejection();
    let _ = project.run(&["run"]).expect_code(2);
    let _ = project.run(&["run", "eject.yaml", "--frobnicate"]).expect_code(2);
    let _ = project.run(&["run", "eject.yaml", "--filter", "no such scenario"]).expect_code(4);
    let _ = project.run(&["run", "no-such-file.yaml"]).expect_code(104);
    let _ = project.run(&["report", "no-such-record"]).expect_code(1);
}

#[test]
fn what_set_has_changed_is_told_to_come_from_there() {
    let project = project().file("eject.yaml", EJECT).file("policies/cart.yaml", EJECT_POLICIES);
    for (set, reason) in [
        ("load.rat=800/s", "unknown key `rat`"),
        ("load.rate=fast", "`fast`"),
        ("load={to: cart, rat: 8/s}", "unknown key `rat`"),
    ] {
        let told = project.run(&["check", "eject.yaml", "--set", set]).expect_code(104).err();
        let from = set.split_once('=').map_or(set, |(path, _)| path);
        assert!(told.contains(reason) && told.contains(&format!("by `--set {from}=")), "{told}");
    }
}

#[test]
fn a_policy_that_concerns_no_service_is_a_warning() {
    let policies = EJECT_POLICIES.replace("host: cart\n  trafficPolicy", "host: card\n  trafficPolicy");
    let project = project().file("eject.yaml", EJECT).file("policies/cart.yaml", &policies);
    let told = project.run(&["check", "eject.yaml"]).err();
    assert!(told.contains("`card` is the host of no service that `default` sees"), "{told}");
    assert!(told.contains("did you mean `cart`?"), "{told}");
}

#[test]
fn contradictions_are_errors_of_their_own() {
    for (from, to, expected) in [
        ("target: cart/1", "target: carts/1", "no service `carts`"),
        ("failing: {success", "failling: {success", "`failling`"),
        ("within: 1s", "within: 20s", "but ejected cart/1 within 20s needs"),
        ("without: [outlier-detection, retries]", "without: [timeouts]", "nothing to take out"),
    ] {
        let wrong = EJECT.replace(from, to);
        let told = check(&project().file("eject.yaml", &wrong).file("policies/cart.yaml", EJECT_POLICIES));
        assert!(told.contains(expected), "{expected}:\n{told}");
    }
}

#[test]
fn absurd_quantities_are_refused_before_anything_is_started() {
    for (from, to, expected) in [
        ("rate: 300/s", "rate: 1000000000/s", "at most 200000/s"),
        ("for: 4s", "for: 18446744073709551615s", "is not a duration"),
        ("for: 4s", "for: 3000000s", "at most 24h"),
        ("for: 4s", "for: 20h", "requests are planned"),
        ("body: 1KB", "body: 1000000GB", "at most 1GiB"),
    ] {
        let text = EJECT.replace(from, to);
        let told = check(&project().file("eject.yaml", &text).file("policies/cart.yaml", EJECT_POLICIES));
        assert!(told.contains(expected), "{to}: {expected} is missing in\n{told}");
    }
}

#[test]
fn a_policy_that_is_given_as_a_scenario_is_one_error_and_told_for_what_it_is() {
    let project = project().file("cart.yaml", EJECT_POLICIES);
    let told = project.run(&["run", "cart.yaml"]).expect_code(104).err();
    assert!(told.contains("this is a `DestinationRule`, not a scenario") && told.contains("cart.yaml:2:1"), "{told}");
    assert!(told.contains("squall init cart.yaml"), "{told}");
    let objects = EJECT_POLICIES.matches("kind:").count();
    assert_eq!(told.matches("error[").count(), objects, "one error an object: {told}");
}

#[test]
fn what_cannot_be_printed_is_an_error() {
    let project = ejection();
    for arguments in [&["schema"][..], &["list", "."], &["init", "policies"], &["completions", "bash"], &["man"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a full disk");
        let ended = project.squall(arguments).stdout(full).output().expect("the binary runs");
        assert_eq!(ended.status.code(), Some(1), "{arguments:?}");
        assert!(String::from_utf8_lossy(&ended.stderr).contains("No space left"), "{arguments:?}");
    }
}
