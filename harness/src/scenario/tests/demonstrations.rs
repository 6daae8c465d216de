//! Each advice has a scenario that shows it under load, or says why there is none.

use crate::scenario::resolved::PolicySource;
use crate::scenario::{LoadOptions, Loaded, load};
use squall_proxy::config::advice::CODES;
use std::path::{Path, PathBuf};

/// The words after which the page says why a code has no scenario.
const REASON: &str = "Not shown under load:";

/// Codes told of a scenario, with these changes.
fn told(file: &Path, set: &[String]) -> (Loaded, Vec<&'static str>) {
    let options = LoadOptions { set: set.to_vec(), ..LoadOptions::default() };
    let loaded = load(&[file.to_owned()], &options).unwrap_or_else(|findings| panic!("{findings:#?}"));
    let codes = loaded.warnings.iter().filter_map(|finding| finding.code).collect();
    (loaded, codes)
}

#[test]
fn every_advice_is_shown_by_a_scenario_that_tells_it_alone_and_does_not_tell_it_once_the_policies_are_mended() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = std::fs::read_to_string(root.join("docs/advice.md")).unwrap();
    for code in CODES.map(|known| known.code) {
        let section = page.split("\n## ").find(|section| section.starts_with(code)).unwrap_or_default();
        let file = root.join(format!("examples/advice/{code}.yaml"));
        if !file.exists() {
            assert!(section.contains(REASON), "{code} has neither a scenario nor a reason");
            continue;
        }
        assert!(!section.contains(REASON), "{code} is shown, although it is said why it cannot be");
        assert!(section.contains(&format!("(../examples/advice/{code}.yaml)")), "{code}: the page does not link it");

        let (loaded, codes) = told(&file, &[]);
        assert_eq!(codes, expected(code), "{code} as written");
        let scenario = &loaded.scenarios[0];
        assert!(scenario.title.starts_with(&format!("{code}: ")), "{code}: {}", scenario.title);
        let control = scenario.control.as_ref().unwrap_or_else(|| panic!("{code} has no control"));
        let mended = format!("fixed/{code}.yaml");
        let is_mended = |source: &PolicySource| *source == PolicySource::Path(folder(&file).join(&mended));
        let by_policies = control.policies.as_ref().is_some_and(|other| other.sources.iter().all(is_mended));
        assert!(by_policies || !control.without.is_empty(), "{code}: the control is something else");

        let (_, codes) = told(&file, &[format!("policies[0]={mended}")]);
        assert_eq!(codes, Vec::<&str>::new(), "{code} as advised");
    }
}

/// A block that replaces another takes its share away, of which is told too.
fn expected(code: &'static str) -> Vec<&'static str> {
    if code == "SQ0535" { vec!["SQ0501", code] } else { vec![code] }
}

fn folder(file: &Path) -> PathBuf {
    file.parent().map(Path::to_owned).unwrap_or_default()
}
