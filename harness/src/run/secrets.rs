//! What must not leave a run: known before anything is written, and taken out of everything that is.

use crate::scenario::resolved::{HeaderValue, Scenario};
use squall_reports::record::Record;
use squall_reports::redact::{Redactor, is_plain_field, is_secret_name};
use squall_reports::{escape, record::stream};
use std::path::Path;

/// Takes out what looks like a secret, what the environment holds under a secret's name, and what the scenario's requests carry.
pub(super) fn redactor(scenario: &Scenario) -> Redactor {
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        // `PWD` is no password, and where a key lies is no secret.
        .filter(|(name, value)| is_secret_name(name) && !(value.starts_with('/') && Path::new(value).exists()))
        .map(|(_, value)| value);
    let headers = || scenario.flows.iter().flat_map(|flow| &flow.headers);
    let carried = headers().filter_map(|header| match &header.value {
        HeaderValue::FromEnv(variable) => std::env::var(variable).ok(),
        HeaderValue::Literal(value) => is_secret_name(&header.name).then(|| value.clone()),
    });
    let plain = headers().filter(|header| !is_plain_field(&header.name));
    plain.fold(Redactor::knowing(environment.chain(carried)), |redactor, header| match &header.value {
        HeaderValue::Literal(value) => redactor.and_field(&header.name, value),
        HeaderValue::FromEnv(_) => redactor,
    })
}

/// A record without secrets, and without characters that show as something else than they are.
pub(super) fn clean(record: &mut Record, redactor: &Redactor) {
    record.run.command = redactor.command(&record.run.command);
    record.change_texts(&mut |text| *text = escape::visible_lines(&redactor.text(text)));
    record.scenario.title = escape::visible(&record.scenario.title);
}

/// A text as people may see it.
pub(super) fn shown(text: &str, redactor: &Redactor) -> String {
    escape::visible(&redactor.text(text))
}

/// The same for a line that is written while the run goes on.
pub(super) fn cleaner(redactor: Redactor) -> stream::Cleaner {
    Box::new(move |text| *text = escape::visible_lines(&redactor.text(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{LoadOptions, load};

    const SECRETIVE: &str = r#"
scenario: a shop with secrets
about: "see https://shop:s3cr3t@example.org/wiki"
topology:
  services:
    - {name: cart, instances: 2}
load:
  to: cart
  rate: 50/s
  request: {path: "/?access_token=s3cr3t", headers: {authorization: Bearer s3cr3t, x-user: alice, accept: text/plain, x-env: {from-env: PATH}}}
timeline:
  - {phase: calm, for: 40s}
expect:
  calm: {success: ">= 99%"}
"#;

    #[test]
    fn what_a_scenario_carries_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("shop.yaml");
        std::fs::write(&file, SECRETIVE).unwrap();
        let loaded = load(&[file], &LoadOptions::default()).unwrap_or_else(|findings| panic!("{findings:?}"));
        let scenario = &loaded.scenarios[0];
        let redactor = redactor(scenario);
        let safe = redactor.text(&scenario.source);
        assert!(!safe.contains("s3cr3t") && !safe.contains("alice"), "{safe}");
        assert!(safe.contains("accept: text/plain") && safe.contains("[redacted]@example.org"), "{safe}");
        let here = std::env::var("PWD").unwrap_or_else(|_| "/tmp".to_owned());
        assert_eq!(redactor.text(&here), here, "a folder is no secret, although its variable ends as a password's");
        let path = std::env::var("PATH").unwrap();
        assert_eq!(redactor.text(&format!("{path}: not found")), "[redacted]: not found");
    }
}
