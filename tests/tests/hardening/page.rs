//! `docs/hardening.md` and the tests are one list: what the page names exists, and what stands here is on the page.

use squall_tests::repository;
use std::collections::BTreeSet;
use std::path::Path;

fn page() -> String {
    std::fs::read_to_string(repository().join("docs/hardening.md")).expect("the page")
}

/// Names of functions in the files of a folder.
fn functions(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            functions(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a file");
            let found = text.lines().filter_map(|line| line.trim_start().strip_prefix("fn ")?.split('(').next());
            names.extend(found.map(ToOwned::to_owned));
        }
    }
}

/// What stands between backticks and reads like a sentence.
fn named(page: &str) -> BTreeSet<String> {
    let words = page.split('`').skip(1).step_by(2);
    let sentence = |word: &&str| {
        word.matches('_').count() >= 3
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit())
    };
    words.filter(sentence).filter(|word| !word.starts_with("downstream_")).map(ToOwned::to_owned).collect()
}

#[test]
fn every_test_that_the_page_of_faults_names_exists() {
    let mut all = BTreeSet::new();
    for folder in ["harness/src", "tests/tests"] {
        functions(&repository().join(folder), &mut all);
    }
    let page = std::fs::read_to_string(repository().join("docs/faults.md")).expect("the page");
    let missing: Vec<_> = named(&page).difference(&all).cloned().collect();
    assert!(missing.is_empty(), "the page names tests that there are not: {missing:#?}");
}

#[test]
fn every_test_that_the_page_names_exists_and_every_test_here_is_on_the_page() {
    let (mut all, mut own) = (BTreeSet::new(), BTreeSet::new());
    for folder in ["http1/src", "yaml/src", "proxy/src", "tests/tests"] {
        functions(&repository().join(folder), &mut all);
    }
    let on_page = named(&page());
    let missing: Vec<_> = on_page.difference(&all).collect();
    assert!(missing.is_empty(), "the page names tests that there are not: {missing:#?}");
    functions(&repository().join("tests/tests/hardening"), &mut own);
    let tests: Vec<_> = own.into_iter().filter(|name| name.matches('_').count() >= 4).collect();
    let untold: Vec<_> =
        tests.iter().filter(|name| !on_page.contains(*name) && !name.starts_with("every_test_that")).collect();
    assert!(untold.is_empty(), "the page does not name {untold:#?}");
}
