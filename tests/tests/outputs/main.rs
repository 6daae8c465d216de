//! What CI and other programs read of a run, and what becomes of secrets and damaged records on the way.

mod terminal;

use squall_tests::{EJECT, EJECT_POLICIES, Ended, Project, ejection, project};
use std::fs;
use std::path::{Path, PathBuf};

const SLUG: &str = "one-failing-instance-is-ejected";

/// A scenario that cannot hold on any machine: a request takes one attempt at least.
fn impossible() -> Project {
    let impossible = EJECT.replace("<= 1.1", "<= 0.5");
    project().file("eject.yaml", &impossible).file("policies/cart.yaml", EJECT_POLICIES)
}

/// As a step of GitHub's runs a command.
fn as_step(project: &Project, arguments: &[&str]) -> Ended {
    let (summary, outputs) = (project.path().join("step.md"), project.path().join("output.txt"));
    project.run_with(arguments, |command| {
        fs::write(&summary, "# of another step\n").expect("a summary that others have begun");
        fs::write(&outputs, "other=1\n").expect("outputs of others");
        command.env("GITHUB_ACTIONS", "true").env("GITHUB_WORKSPACE", project.path());
        command.env("GITHUB_STEP_SUMMARY", &summary).env("GITHUB_OUTPUT", &outputs);
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn read(project: &Project, file: impl AsRef<Path>) -> String {
    let file = project.path().join(file);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

#[test]
fn a_step_of_github_gets_annotations_a_summary_and_outputs() {
    let project = impossible();
    let told = as_step(&project, &["run", "eject.yaml", "--no-control"]).expect_code(99).out();
    let line = 1 + EJECT.lines().position(|line| line.trim_start().starts_with("failing:")).expect("the expectation");
    let wanted = format!(
        "::error file=eject.yaml,line={line},title=FAIL failing.attempts-per-request::one failing instance is ejected: asked"
    );
    assert!(told.lines().any(|one| one.starts_with(&wanted)), "{wanted}\n{told}");
    let summary = read(&project, "step.md");
    assert!(summary.starts_with("# of another step\n# ❌ FAIL: the one scenario does not hold"), "{summary}");
    assert!(
        summary.contains("| failing.attempts-per-request | FAIL | ") && summary.contains("offered to cart/1"),
        "{summary}"
    );
    let outputs = read(&project, "output.txt");
    assert!(outputs.starts_with("other=1\nverdict=FAIL\nreport=/"), "{outputs}");
    assert!(outputs.contains("/index.html\nrecord=/"), "{outputs}");

    let ended = as_step(&project, &["run", "eject.yaml", "--no-control", "--json"]);
    assert!(!ended.out().contains("::error"), "nothing but JSON is on standard output");
    assert!(ended.err().lines().any(|one| one.starts_with("::error file=eject.yaml")), "{}", ended.err());
    let plain = project.run(&["run", "eject.yaml", "--no-control"]).expect_code(99);
    assert!(!plain.out().contains("::error"), "nobody reads them elsewhere");
}

#[test]
fn secrets_reach_no_file_and_no_stream() {
    let secretive = EJECT.replace("scenario: one", "about: \"see https://shop:s3cr3t-url@example.org\"\nscenario: one").replace(
        "rate: 300/s",
        "rate: 300/s, request: {headers: {authorization: Bearer s3cr3t-header, x-customer: s3cr3t-customer, x-env: {from-env: SHOP_KEYWORD}}}",
    );
    assert_ne!(secretive.matches("s3cr3t").count(), 0);
    let policies = format!("# password: s3cr3t-policy\n{EJECT_POLICIES}");
    let project = project().file("eject.yaml", &secretive).file("policies/cart.yaml", &policies);
    let run = ["run", "eject.yaml", "--no-control", "--set", "load.request.headers.x-api-key=s3cr3t-set"];
    let ended = project.run_with(&run, |command| {
        command.env("SHOP_KEYWORD", "s3cr3t-from-env").env("DEPLOY_TOKEN", "s3cr3t-environment");
    });
    let ended = ended.expect_code(0);
    let (out, err) = (ended.out(), ended.err());
    assert!(!out.contains("s3cr3t") && !err.contains("s3cr3t"), "{out}{err}");
    let record = read(&project, PathBuf::from("squall-out/latest").join(SLUG).join("record.json"));
    assert!(record.contains("[redacted]@example.org") && record.contains("[redacted]"));
    let mut files = 0;
    for file in files_in(&project.path().join("squall-out")) {
        // What the proxy and the generator are told is theirs alone, and gone with the run's folder; a second try has a folder of its own.
        let of_a_run = |part: &std::ffi::OsStr| part == "run" || part.to_string_lossy().starts_with("run-try-");
        let own = file.components().any(|part| of_a_run(part.as_os_str()));
        let bytes = fs::read(&file).unwrap_or_default();
        assert!(own || !text(&bytes).contains("s3cr3t"), "{}", file.display());
        files += 1;
    }
    assert!(files > 10, "{files} files");
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() { files.extend(files_in(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn a_record_becomes_every_format_and_many_runs_an_overview() {
    let project = ejection();
    for seed in ["1", "2", "3"] {
        let _ = project.run(&["run", "eject.yaml", "--no-control", "--seed", seed]).expect_code(0);
    }
    let run = "squall-out/latest";
    let markdown = project.run(&["report", run, "--format", "markdown"]).expect_code(0);
    assert_eq!(
        markdown.out(),
        read(&project, format!("{run}/summary.md")).replace(&real(&project), run),
        "as the run wrote it"
    );
    let junit = project.run(&["report", run, "--format", "junit", "--out", "-"]).expect_code(0);
    assert!(junit.out().contains("<testcase name=\"the run is sound\""), "{}", junit.out());
    let _ = project.run(&["report", run, "--format", "json", "--out", "summary.json"]).expect_code(0);
    let json: serde_json::Value = serde_json::from_str(&read(&project, "summary.json")).expect("JSON");
    assert_eq!((&json["format"], &json["verdict"]), (&"squall/summary".into(), &"PASS".into()));
    let _ = project.run(&["report", run, "--format", "png", "--out", "pictures"]).expect_code(0);
    assert!(
        project.path().join("pictures/summary.png").is_file()
            && project.path().join("pictures/plots/healing.png").is_file()
    );
    assert!(!project.path().join("pictures/report.html").exists());

    let before = fs::read(project.path().join(run).join("index.html")).expect("an overview");
    let _ = project.run(&["report", run]).expect_code(0);
    assert!(before == fs::read(project.path().join(run).join("index.html")).expect("an overview"), "byte for byte");

    let _ = project.run(&["report", "squall-out", "--index"]).expect_code(0);
    let page = read(&project, "squall-out/index.html");
    assert!(page.contains("PASS in all 3 runs") && page.contains("oldest first: PASS, PASS, PASS"), "{page}");
    let link = page.split("href=\"2").nth(1).and_then(|rest| rest.split('"').next()).expect("a link to a report");
    assert!(project.path().join("squall-out").join(format!("2{link}")).is_file(), "{link}");
}

/// Where `latest` leads.
fn real(project: &Project) -> String {
    let link = fs::read_link(project.path().join("squall-out/latest")).expect("a link");
    format!("squall-out/{}", link.display())
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_drawn() {
    let project = ejection();
    let _ = project.run(&["run", "eject.yaml"]).expect_code(0);
    let folder = format!("squall-out/latest/{SLUG}");
    let whole = read(&project, format!("{folder}/record.json"));
    let project = project
        .file(
            "newer/record.json",
            &whole.replacen("\"version\":\"1.0\"", "\"version\":\"2.0\"", 1).replace("squall 0.1.0", "squall 0.9.0"),
        )
        .file("cut/record.json", &whole[..whole.len() - 1000])
        .file("corrupt/record.json", "{\"format\": \"squall/record\", \"version\": \"1.0\", ")
        .file("foreign/record.json", "{\"format\": \"k6/summary\"}")
        .file("empty/readme.txt", "nothing");
    for (path, told) in [
        ("newer", "the record is of version 2.0, and squall 0.1.0 reads up to 1.0: read it with squall 0.9.0 or later"),
        ("corrupt", "the record is cut or damaged"),
        ("foreign", "this is not a run record"),
        ("empty", "this makes one: squall run scenarios/ --out empty"),
        ("missing", "there is no such file or folder"),
    ] {
        let ended = project.run(&["report", path]).expect_code(1);
        assert!(ended.err().contains(told), "{path}: {}", ended.err());
        assert!(!project.path().join(path).join("report.html").exists(), "{path}");
    }
    let ended = project.run(&["report", "cut"]).expect_code(0);
    assert!(ended.err().contains("follows, the rest is missing"), "{}", ended.err());
    assert!(read(&project, "cut/report.html").contains("ABORTED"));
    // One that can be read is drawn, whatever is wrong with the other.
    let ended = project.run(&["report", "foreign", &folder, "--format", "json"]).expect_code(1);
    assert!(ended.out().contains("\"verdict\": \"PASS\""), "{}", ended.out());
}

#[test]
fn two_runs_are_set_beside_each_other() {
    let other = EJECT.replace("rate: 300/s", "rate: 400/s");
    let project = ejection().file("other/eject.yaml", &other).file("other/policies/cart.yaml", EJECT_POLICIES);
    for (file, out) in [("eject.yaml", "a"), ("other/eject.yaml", "b")] {
        let _ = project.run(&["run", file, "--no-control", "--out", out]).expect_code(0);
    }
    let ended = project.run(&["report", "--compare", "a/latest", "b/latest"]).expect_code(0);
    let (folder, file) = (project.path().join("squall-out/compare"), format!("{SLUG}.html"));
    let page = ended.out().lines().map(PathBuf::from).find(|page| page.starts_with(&folder) && page.ends_with(&file));
    let page = fs::read_to_string(page.expect("the page is named")).expect("the page");
    assert!(page.contains("both hold") && page.contains("<ins>+ load: {to: cart, rate: 400/s}</ins>"), "{page}");
    let ended = project.run(&["report", "--compare", "a/latest", "b/latest", "--out", "beside.html"]).expect_code(0);
    assert!(ended.out().ends_with("/beside.html\n") && project.path().join("beside.html").is_file());

    let quick = project.run(&["run", "eject.yaml", "--quick", "--out", "c"]);
    assert_eq!(quick.code(), Some(0));
    let refused = project.run(&["report", "--compare", "a/latest", "c/latest"]).expect_code(1);
    assert!(refused.err().contains("a run with --quick is never compared"), "{}", refused.err());
    let missing = project.run(&["report", "--compare", "a/latest", "nowhere"]).expect_code(1);
    assert!(missing.err().contains("there is no such file or folder"), "{}", missing.err());
    let _ = project.run(&["report", "--compare", "a/latest"]).expect_code(2);
    let _ = project.run(&["report", "--compare", "a/latest", "b/latest", "--json"]).expect_code(2);
}

#[test]
fn an_output_that_cannot_be_written_is_told_with_its_path() {
    let project = ejection().file("taken", "a file");
    let _ = project.run(&["run", "eject.yaml", "--no-control"]).expect_code(0);
    let folder = format!("squall-out/latest/{SLUG}");
    for arguments in [
        &["report", &folder, "--out", "taken/below"][..],
        &["report", &folder, "--format", "junit", "--out", "taken/junit.xml"][..],
        &["report", "squall-out", "--index", "--out", "taken/below"][..],
    ] {
        let ended = project.run(arguments).expect_code(1);
        assert!(ended.err().contains("taken/"), "{arguments:?}: {}", ended.err());
    }
    let _ = project.run(&["report", &folder, "--format", "xml"]).expect_code(2);
}
