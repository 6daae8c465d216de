//! A record full of strings that mean something somewhere, through every output.

use crate::sample::{self, FOLDER, placed};
use roxmltree::Node;
use squall_reports::artifacts::{Recorded, write_run, write_scenario};
use squall_reports::digest::Digest;
use squall_reports::record::Verdict;
use squall_reports::{annotations, card, index, junit, markdown, summary::RunSummary, trend};
use std::path::Path;

/// Markup, ends of blocks, log commands, escapes of a terminal, and letters that turn the direction of writing.
const NASTY: &str = "</title><script>alert(1)</script>\"'&|`[x](javascript:y)`\r\n::error::owned\n\u{1b}[31m\u{7}\0\u{202e}txt.exe]]>-->{{7*7}}";

fn nasty() -> Recorded {
    let mut record = sample::record("nasty", Verdict::Fail, 1);
    record.dirty = vec![NASTY.to_owned()];
    record.change_texts(&mut |text| *text = NASTY.to_owned());
    record.scenario.file = format!("scenarios/{NASTY}.yaml");
    for arm in &mut record.arms {
        for instance in &mut arm.instances {
            instance.name = NASTY.to_owned();
        }
        for phase in &mut arm.phases {
            phase.name.push_str(NASTY);
        }
        for totals in &mut arm.totals {
            totals.phase.push_str(NASTY);
        }
    }
    for expectation in &mut record.expectations {
        expectation.id.push_str(NASTY);
        expectation.limit_text = NASTY.to_owned();
        expectation.observed.text = NASTY.to_owned();
    }
    record.run.squall = NASTY.to_owned();
    record.run.machine.cpu = NASTY.to_owned();
    record.run.repetition = (1, 2);
    placed(record)
}

fn holds_nothing_hidden(text: &str) {
    for letter in text.chars() {
        let is_fine = letter == '\n' || !(letter.is_control() || letter == '\u{202e}');
        assert!(is_fine, "{letter:?} in {text}");
    }
}

#[test]
fn in_pages_it_is_text() {
    let records = [nasty()];
    let runs: Vec<trend::Run> = (0..3)
        .map(|night| {
            let mut digest = Digest::of(&records[0].0);
            digest.started = format!("{night}{NASTY}");
            trend::Run { id: format!("{night}{NASTY}"), scenarios: vec![(digest, NASTY.to_owned())] }
        })
        .collect();
    for page in [index::page(&records, Path::new(FOLDER)).unwrap(), trend::page(&runs).unwrap()] {
        holds_nothing_hidden(&page);
        assert!(
            !page.contains("<script") && !page.contains("alert(1)</") && !page.contains("href=\"javascript"),
            "{page}"
        );
        assert_eq!(page.matches("</title>").count(), page.matches("<title>").count());
        // Every attribute is closed where it should be.
        let body = page.split("<body>").nth(1).unwrap().split("</body>").next().unwrap();
        let xml = format!(
            "<body>{}</body>",
            body.replace("&nbsp;", "\u{a0}")
                .replace("<br>", "<br/>")
                .replace(" hidden>", " hidden=\"\">")
                .replace(" checked>", " checked=\"\"/>")
        );
        let xml = xml
            .replace("name=\"th\" id=\"th-light\">", "name=\"th\" id=\"th-light\"/>")
            .replace("name=\"th\" id=\"th-dark\">", "name=\"th\" id=\"th-dark\"/>");
        if let Err(error) = roxmltree::Document::parse(&xml) {
            panic!("{error}\n{xml}");
        }
    }
}

#[test]
fn in_pictures_it_is_text() {
    let svg = card::svg(&nasty().0).unwrap();
    holds_nothing_hidden(&svg);
    assert!(roxmltree::Document::parse(&svg).is_ok(), "{svg}");
    assert!(card::png(&nasty().0).is_ok());
}

#[test]
fn in_the_test_report_it_is_text() {
    let text = junit::report(&[nasty()], Path::new("/out")).unwrap();
    holds_nothing_hidden(&text);
    let document = roxmltree::Document::parse(&text).unwrap();
    let names: Vec<_> = document.descendants().filter(Node::is_element).map(|node| node.tag_name().name()).collect();
    assert!(!names.contains(&"script"));
    let failure = document.descendants().find(|node| node.has_tag_name("failure")).unwrap();
    assert!(failure.attribute("message").unwrap().contains("<script>alert(1)</script>"), "it is told, as text");
}

#[test]
fn in_markdown_it_breaks_no_table_and_no_block() {
    let text = markdown::summary(&[nasty()], Path::new("/out"));
    holds_nothing_hidden(&text);
    assert!(!text.contains("<script") && !text.contains("[x](") && !text.contains("\n::"), "{text}");
    assert_eq!(text.matches("```").count(), 2, "{text}");
    let unescaped = |row: &str| row.replace("\\\\", "").replace("\\|", "").matches('|').count();
    let rows: Vec<_> = text.lines().filter(|line| line.starts_with('|')).collect();
    assert!(rows[..3].iter().all(|row| unescaped(row) == 8), "{rows:#?}");
}

#[test]
fn in_annotations_it_is_one_command() {
    for line in annotations::github(&[Digest::of(&nasty().0)], &str::to_owned) {
        holds_nothing_hidden(&line);
        assert!(!line.contains('\n') && line.starts_with("::error file="), "{line}");
        let properties = line.strip_prefix("::error ").unwrap().split("::").next().unwrap();
        assert_eq!(properties.split(',').count(), 3, "{properties}");
    }
}

#[test]
fn in_json_it_is_a_string() {
    let text = RunSummary::of(&[nasty()], Path::new("/out")).json().unwrap();
    let back: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(back["scenarios"][0]["scenario"], NASTY);
    assert!(!text.contains('\u{1b}') && !text.contains('\0'));
}

#[test]
fn every_file_of_a_run_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (record, _) = nasty();
    write_scenario(&record, folder.path()).unwrap();
    write_run(&[(record, folder.path().to_owned())], folder.path(), folder.path()).unwrap();
    for file in ["report.html", "summary.png", "index.html", "junit.xml", "summary.md", "summary.json"] {
        let bytes = std::fs::read(folder.path().join(file)).unwrap();
        assert!(!bytes.is_empty(), "{file}");
        // JSON has no markup.
        let has_markup = bytes.windows(13).any(|window| window == b"<script>alert");
        assert!(!has_markup || file.ends_with(".json"), "{file}");
    }
}
