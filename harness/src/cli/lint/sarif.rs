//! Findings for code scanning: SARIF 2.1.0.

use super::document::{self, word};
use super::why;
use crate::output::in_repository;
use serde_json::{Value, json};
use squall_proxy::config::advice;
use squall_yaml::Finding;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// One run with all findings, and a rule for each code among them.
pub(super) fn sarif(findings: &[Finding], workspace: Option<&Path>) -> Value {
    let codes: BTreeMap<&str, &Finding> =
        findings.iter().filter_map(|finding| Some((finding.code?, finding))).collect();
    let rules: Vec<Value> = codes.iter().map(|(code, finding)| rule(code, finding)).collect();
    let results: Vec<Value> = findings.iter().map(|finding| result(finding, &codes, workspace)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "squall",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// What is said of a code, the same whatever it is told of. Code scanning asks for all three texts.
fn rule(code: &str, finding: &Finding) -> Value {
    let of_advice = advice::CODES.iter().find(|known| known.code == code);
    let why = why(finding).unwrap_or("The policy cannot be obeyed as it is written.");
    let page = match of_advice {
        Some(known) => page("advice", &format!("{}: {}", known.code, known.title)),
        None => page("findings", code),
    };
    json!({
        "id": code,
        "shortDescription": {"text": of_advice.map_or(why, |known| known.title)},
        "fullDescription": {"text": why},
        "help": {"text": why},
        "helpUri": page,
        "defaultConfiguration": {"level": word(finding.severity)},
    })
}

/// Where a page has this heading, as GitHub makes anchors of headings.
fn page(name: &str, heading: &str) -> String {
    let letters = heading.to_lowercase().replace(' ', "-");
    let anchor: String = letters.chars().filter(|letter| letter.is_alphanumeric() || "-_".contains(*letter)).collect();
    format!("{}/blob/main/docs/{name}.md#{anchor}", env!("CARGO_PKG_REPOSITORY"))
}

fn result(finding: &Finding, codes: &BTreeMap<&str, &Finding>, workspace: Option<&Path>) -> Value {
    let path = in_repository(&finding.file.display().to_string(), workspace);
    let uri = if path.starts_with('/') { format!("file://{}", uri(&path)) } else { uri(&path) };
    let mut physical = json!({"artifactLocation": {"uri": uri}});
    if finding.place.line > 0 {
        let mut region = json!({"startLine": finding.place.line, "startColumn": finding.place.column.max(1)});
        if finding.span_len > 0 {
            region["endColumn"] = json!(finding.place.column.max(1) + finding.span_len);
        }
        physical["region"] = region;
    }
    let mut result = json!({
        "level": word(finding.severity),
        "message": {"text": document::text(finding)},
        "locations": [{"physicalLocation": physical}],
    });
    if let Some(index) = finding.code.and_then(|code| codes.keys().position(|known| *known == code)) {
        result["ruleId"] = json!(finding.code);
        result["ruleIndex"] = json!(index);
    }
    result
}

/// A path as a reference: what has a meaning there is spelt out.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            letter if letter.is_ascii_alphanumeric() => uri.push(char::from(letter)),
            // Writing to a string never fails.
            other => drop(write!(uri, "%{other:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::{sarif, uri};
    use crate::cli::lint::tests::findings;
    use serde_json::{Value, json};

    #[test]
    fn the_document_has_what_the_format_requires() {
        let made = sarif(&findings(), None);
        assert_eq!(made["version"], "2.1.0");
        let run = &made["runs"][0];
        let driver = &run["tool"]["driver"];
        assert_eq!(driver["name"], "squall");
        assert!(driver["informationUri"].as_str().is_some_and(|uri| uri.starts_with("https://")));
        let rules = driver["rules"].as_array().unwrap();
        assert_eq!(rules.len(), 1);
        assert_eq!(rules[0]["id"], "SQ0501");
        for field in ["shortDescription", "fullDescription", "help"] {
            assert!(rules[0][field]["text"].is_string(), "{field}");
        }
        let uri = rules[0]["helpUri"].as_str().unwrap();
        assert!(uri.ends_with("/docs/advice.md#sq0501-no-instance-is-ever-ejected"), "{uri}");
        for result in run["results"].as_array().unwrap() {
            assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()));
            assert!(["warning", "error"].contains(&result["level"].as_str().unwrap()));
            if let Some(index) = result["ruleIndex"].as_u64() {
                assert_eq!(rules[usize::try_from(index).unwrap()]["id"], result["ruleId"]);
            }
        }
        let places: Vec<_> = [0, 1].map(|at| &run["results"][at]["locations"][0]["physicalLocation"]).to_vec();
        let region = json!({"startLine": 7, "startColumn": 5, "endColumn": 21});
        assert_eq!(places[0]["region"], region);
        assert!(places[1].get("region").is_none(), "a file that cannot be read has no lines");
        assert_eq!(places[0]["artifactLocation"]["uri"], "policies/cart%201.yaml");
    }

    #[test]
    fn every_code_has_its_place_in_the_pages_to_which_rules_refer() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut folders = vec![root.join("proxy/src/config"), root.join("harness/src")];
        let mut codes = std::collections::BTreeSet::new();
        while let Some(folder) = folders.pop() {
            for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = std::fs::read_to_string(path).unwrap();
                    let words = text.split('"').filter(|word| word.len() == 6 && word.starts_with("SQ"));
                    codes.extend(words.filter(|word| word[2..].parse::<u16>().is_ok()).map(str::to_owned));
                }
            }
        }
        assert!(codes.contains("SQ0301") && codes.contains("SQ0409") && codes.contains("SQ1103"), "{codes:?}");
        let page = |name: &str| std::fs::read_to_string(root.join("docs").join(name)).unwrap();
        let (advice, others) = (page("advice.md"), page("findings.md"));
        for code in codes {
            let finding = squall_yaml::Finding { code: Some(Box::leak(code.clone().into())), ..findings().remove(0) };
            let made = sarif(&[finding], None);
            let uri = made["runs"][0]["tool"]["driver"]["rules"][0]["helpUri"].as_str().unwrap().to_owned();
            let (text, heading) = if uri.contains("/advice.md#") {
                (&advice, format!("\n## {code}: "))
            } else {
                (&others, format!("\n## {code}\n"))
            };
            assert!(text.contains(&heading), "{uri} leads nowhere");
            assert!(uri.to_uppercase().contains(&format!("#{code}")), "{uri}");
        }
        for (code, why) in squall_proxy::config::analyze::CODES {
            assert!(others.contains(&format!("\n## {code}\n\n{why}\n")), "{code}");
        }
    }

    #[test]
    fn a_file_outside_of_the_folder_that_is_looked_at_is_named_from_the_root_on() {
        let uri = |file: &str| {
            let finding = squall_yaml::Finding { file: file.into(), ..findings().remove(0) };
            let made = sarif(&[finding], Some(std::path::Path::new("/home/me")));
            made["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].clone()
        };
        assert_eq!(uri("/srv/mesh/a b.yaml"), "file:///srv/mesh/a%20b.yaml");
        assert_eq!(uri("/home/me/mesh/a.yaml"), "mesh/a.yaml");
    }

    /// What version 2.1.0 of the format says of every object that is used here: what it must have, and that it has nothing unknown.
    fn constraints() -> Value {
        let place = json!({"type": "integer", "minimum": 1});
        let text = json!({
            "type": "object",
            "required": ["text"],
            "additionalProperties": false,
            "properties": {"text": {"type": "string"}},
        });
        let level = json!({"enum": ["none", "note", "warning", "error"]});
        let closed = |required: &[&str], properties: Value| json!({"type": "object", "required": required, "additionalProperties": false, "properties": properties});
        let list = |items: Value, unique: bool| json!({"type": "array", "uniqueItems": unique, "items": items});
        let region = closed(&["startLine"], json!({"startLine": place, "startColumn": place, "endColumn": place}));
        let artifact = closed(&[], json!({"uri": {"type": "string"}}));
        let physical = closed(&["artifactLocation"], json!({"artifactLocation": artifact, "region": region}));
        let result = closed(
            &["message"],
            json!({
                "ruleId": {"type": "string"},
                "ruleIndex": {"type": "integer", "minimum": -1},
                "level": level,
                "message": text,
                "locations": list(closed(&[], json!({"physicalLocation": physical})), false),
            }),
        );
        let rule = closed(
            &["id"],
            json!({
                "id": {"type": "string"},
                "shortDescription": text,
                "fullDescription": text,
                "help": text,
                "helpUri": {"type": "string", "pattern": "^https://[^ ]+$"},
                "defaultConfiguration": closed(&[], json!({"level": level})),
            }),
        );
        let driver = closed(
            &["name"],
            json!({
                "name": {"type": "string"},
                "version": {"type": "string"},
                "informationUri": {"type": "string"},
                "rules": list(rule, true),
            }),
        );
        let run = closed(
            &["tool"],
            json!({
                "tool": closed(&["driver"], json!({"driver": driver})),
                "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                "results": list(result, false),
            }),
        );
        closed(
            &["version", "runs"],
            json!({"$schema": {"type": "string"}, "version": {"enum": ["2.1.0"]}, "runs": list(run, false)}),
        )
    }

    #[test]
    fn the_document_holds_what_the_format_says_of_the_objects_it_is_made_of() {
        let format = jsonschema::validator_for(&constraints()).unwrap();
        for findings in [findings(), Vec::new()] {
            let made = sarif(&findings, None);
            let wrong: Vec<String> = format.iter_errors(&made).map(|error| error.to_string()).collect();
            assert!(wrong.is_empty(), "{wrong:#?}");
        }
    }

    #[test]
    fn a_path_is_spelt_as_a_reference() {
        assert_eq!(uri("a/b c#1%.yaml"), "a/b%20c%231%25.yaml");
        assert_eq!(uri("grün.yaml"), "gr%C3%BCn.yaml");
    }
}
