//! The page about advice, held to the table.

use crate::config::advice::CODES;

#[test]
fn the_page_has_a_section_for_each_code_in_order_with_its_reason_and_what_to_write() {
    let page = include_str!("../../../../../docs/advice.md");
    let mut rest = page;
    for code in CODES {
        let heading = format!("## {}: {}\n", code.code, code.title);
        let at = rest.find(&heading).unwrap_or_else(|| panic!("docs/advice.md lacks, or has elsewhere: {heading}"));
        rest = &rest[at + heading.len()..];
        let section = rest.split("\n## ").next().unwrap_or_default();
        assert!(section.contains(code.why), "{}: {}", code.code, code.why);
        assert!(section.contains("```yaml\n"), "{} says nothing to write", code.code);
    }
    assert!(!rest.contains("\n## "), "there is a section without a code");
}
