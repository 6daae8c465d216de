//! Advice, shown under load: the policies as written do what the advice says, and the control obeys them as advised.

use squall_tests::{EJECT, EJECT_POLICIES, project, repository};

const FLAWED: &str = "maxEjectionPercent: 10";

#[test]
fn a_control_obeys_policies_of_its_own_and_must_miss_what_is_expected() {
    let flawed = EJECT_POLICIES.replace("maxEjectionPercent: 100", FLAWED);
    let shown = EJECT
        .replace("failing: {success: \">= 99.9%\", attempts-per-request: \"<= 1.1\"}", "failing: {attempts-per-request: \">= 1.1\"}")
        .replace("{ejected: cart/1, within: 1s}", "{not-ejected: cart/1}")
        .replace(
            "control: {without: [outlier-detection, retries]}",
            "control: {policies: [fixed/cart.yaml], fails: [failing.attempts-per-request, healing.not-ejected(cart/1)]}",
        );
    let project = project()
        .file("eject.yaml", &shown)
        .file("policies/cart.yaml", &flawed)
        .file("fixed/cart.yaml", EJECT_POLICIES);
    let ended = project.run(&["run", "eject.yaml", "--json", "--seed", "7"]).expect_code(0);
    assert!(ended.err().contains("warning[SQ0501]"), "{}", ended.err());
    let summary = &ended.json_lines()[0];
    assert_eq!((summary["verdict"].as_str(), summary["control"].as_str()), (Some("PASS"), Some("FAIL")));

    let slug = "one-failing-instance-is-ejected";
    let record = project.record(slug);
    let policies = |arm: usize| record["arms"][arm]["policies"].as_array().map(Vec::len);
    assert_eq!((policies(0), policies(1)), (Some(0), Some(1)));
    let files: Vec<_> =
        record["scenario"]["policies"].as_array().expect("files").iter().map(|file| file["path"].clone()).collect();
    assert_eq!(files, ["policies/cart.yaml", "fixed/cart.yaml"]);
    let page = std::fs::read_to_string(project.path().join("squall-out/latest").join(slug).join("report.html"));
    let page = page.expect("a report");
    assert!(page.contains("control: other policies") && page.contains("under fixed/cart.yaml"));
}

#[test]
fn what_a_shipped_demonstration_tells_is_what_its_load_shows() {
    // The shortest of them; all are run by CI.
    let file = repository().join("examples/advice/SQ0530.yaml");
    let ended =
        project().run(&["run", file.to_str().expect("a path in UTF-8"), "--json", "--seed", "1"]).expect_code(0);
    assert!(ended.err().contains("warning[SQ0530]"), "{}", ended.err());
    assert_eq!(ended.json_lines()[0]["control"], "FAIL");
}
