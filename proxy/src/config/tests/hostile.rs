//! Files that mean harm, and good ones that were spoilt on their way: each is read or refused, with a place, and soon.

use super::*;
use crate::config::mesh::{self, Mode, Site};
use crate::config::re2;
use proptest::prelude::*;
use std::time::{Duration, Instant};

/// One good file of each dialect.
const GOOD: [(&str, &str); 4] = [
    ("istio", include_str!("../../../corpus/istio.yaml")),
    ("kubernetes", include_str!("../../../corpus/kubernetes.yaml")),
    ("gateway-api", include_str!("../../../corpus/gateway-api.yaml")),
    ("bootstrap", include_str!("../../../corpus/bootstrap.yaml")),
];

/// Nothing takes longer, on the slowest of machines and without optimisation; what has no bound takes for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reads a text, and makes of it what a proxy on each side obeys. Errors have a place.
fn take(text: &str) -> Result<(), Vec<String>> {
    match read(&sources(text), &LoadOptions::default()) {
        Ok(loaded) => {
            let outbound = Site::outbound(Vec::new());
            let inbound = Mode::Inbound { app: ([127, 0, 0, 1], 80).into() };
            for mode in [Mode::Outbound, Mode::Gateway, inbound] {
                let _ = mesh::resolve(&loaded.objects, &Site { mode, ..outbound.clone() });
            }
            Ok(())
        }
        Err(findings) => {
            let all = format!("{findings:?}");
            let text = text.get(..200).unwrap_or(text);
            assert!(!findings.is_empty(), "refused without a reason: {text}");
            assert!(
                findings.iter().all(|one| one.place.line > 0 || one.message.contains("larger than")),
                "{text}\n{all}"
            );
            Err(findings.iter().map(shown).collect())
        }
    }
}

fn soon(name: &str, text: &str) -> Result<(), Vec<String>> {
    let begin: Instant = crate::clock::now();
    let taken = take(text);
    assert!(begin.elapsed() < PATIENCE, "{name} took {:?}", begin.elapsed());
    taken
}

#[test]
fn good_files_are_taken_and_refused_or_taken_cut_at_any_byte() {
    for (name, text) in GOOD {
        assert_eq!(take(text), Ok(()), "{name}");
        for at in 0..text.len() {
            let _ = take(&text[..at]);
        }
    }
}

#[test]
fn good_files_without_any_one_of_their_lines_or_with_one_twice_are_taken_or_refused() {
    for (_, text) in GOOD {
        let lines: Vec<&str> = text.lines().collect();
        for at in 0..lines.len() {
            let (before, after) = lines.split_at(at);
            let _ = take(&[before, &after[1..]].concat().join("\n"));
            let _ = take(&[before, &after[..1], after].concat().join("\n"));
        }
    }
}

#[test]
fn a_key_that_stands_twice_is_refused_where_it_stands_again() {
    for (name, text) in GOOD {
        let line = text.lines().position(|line| line.starts_with(char::is_alphabetic)).unwrap();
        let key = text.lines().nth(line).unwrap();
        let twice = text.replacen(key, &format!("{key}\n{}", key.split(':').next().unwrap().to_owned() + ": x"), 1);
        let errors = take(&twice).unwrap_err();
        assert!(errors.iter().any(|error| error.contains("twice")), "{name}: {errors:?}");
    }
}

#[test]
fn values_that_yaml_has_many_readings_of_have_one_or_are_refused() {
    let attempts =
        |value: &str| rule(&format!("route: [{{destination: {{host: cart}}}}], retries: {{attempts: {value}}}"));
    assert_eq!(take(&attempts("3")), Ok(()));
    for value in [
        "yes",
        "NaN",
        ".nan",
        ".inf",
        "0x3",
        "0o3",
        "1e3",
        "3.5",
        "1_000",
        "three",
        "-1",
        "99999999999",
        "\"3\"x",
        "!!int 3",
        "\u{ff13}",
    ] {
        assert!(take(&attempts(value)).is_err(), "{value}");
    }
    let ready = |value: &str| GOOD[1].1.replace("ready: true", &format!("ready: {value}"));
    assert_eq!(take(&ready("false")), Ok(()));
    for value in ["yes", "no", "on", "1", "TRUE!", "\"true\""] {
        assert!(take(&ready(value)).is_err(), "{value}");
    }
}

#[test]
fn other_encodings_and_odd_bytes_change_no_meaning() {
    let (name, text) = GOOD[0];
    assert_eq!(take(&format!("\u{feff}{text}")), Ok(()), "{name} behind a byte order mark");
    assert_eq!(take(&text.replace('\n', "\r\n")), Ok(()), "{name} with CRLF");
    for (what, spoilt) in [
        ("a tab", text.replacen("  hosts", "\thosts", 1)),
        ("NUL", text.replacen("cart", "ca\0rt", 1)),
        ("a control", text.replacen("cart", "ca\u{1}rt", 1)),
        ("a look-alike", text.replacen("hosts", "h\u{43e}sts", 1)),
        ("a mark amid it", text.replacen("hosts", "ho\u{feff}sts", 1)),
    ] {
        assert!(take(&spoilt).is_err(), "{what}");
    }
}

/// So many lines.
fn lines(number: usize, line: impl Fn(usize) -> String) -> String {
    (0..number).flat_map(|at| [line(at), "\n".to_owned()]).collect()
}

#[test]
fn what_is_large_is_refused_soon_and_told_by_its_limit() {
    let head = "apiVersion: v1\nkind: Service\nmetadata:\n  name: cart\n  annotations:\n";
    let keys: String = lines(1_000_000, |at| format!("    k{at}: v"));
    let entries = lines(100_000, |at| format!("    - a{at}"));
    let bomb = lines(30, |at| format!("  b{}: &b{} [{}]", at + 1, at + 1, vec![format!("*b{at}"); 9].join(", ")));
    for (name, text, told) in [
        ("10^6 keys", format!("{head}{keys}"), ""),
        ("10^5 lines", format!("spec:\n  hosts:\n{entries}"), ""),
        ("10^5 levels in flow", format!("{head}    a: {}", "[".repeat(100_000)), "nested deeper"),
        ("10^5 maps in flow", format!("{head}    a: {}", "{a: ".repeat(100_000)), "nested deeper"),
        ("10^3 levels in lines", lines(1000, |at| format!("{}a:", " ".repeat(at))), "nested deeper"),
        ("dashes", "- ".repeat(100_000), "nested deeper"),
        ("a bomb of aliases", format!("a:\n  b0: &b0 [x]\n{bomb}"), "more than"),
        ("10^5 anchors", lines(100_000, |at| format!("- &a{at} x")), ""),
        ("10^5 documents", "---\na: b\n".repeat(100_000), ""),
        ("one line", format!("{head}    a: {}", "x".repeat(9 << 20)), "larger than"),
        ("one quoted line", format!("{head}    a: \"{}\"", "\\n".repeat(2 << 20)), ""),
        ("comments", "# x\n".repeat(1_000_000), ""),
        ("open quotes", format!("a: \"{}", "b: \"".repeat(100_000)), ""),
        ("colons", ": ".repeat(1_000_000), ""),
        ("question marks", "? ".repeat(100_000), ""),
        ("brackets", "[]".repeat(1_000_000), ""),
        ("braces", "{},".repeat(500_000), ""),
        ("tags", "!a ".repeat(500_000), ""),
    ] {
        let taken = soon(name, &text);
        if !told.is_empty() {
            assert!(taken.as_ref().is_err_and(|errors| errors[0].contains(told)), "{name}: {taken:?}");
        }
    }
}

#[test]
fn a_regex_without_end_is_refused_and_names_its_rule() {
    for regex in
        ["((((a{1,100}){1,100}){1,100}){1,100})", "(a{1000}){1000}", &"(".repeat(100_000), &"a|".repeat(500_000)]
    {
        let errors = soon(
            "a regex",
            &rule(&format!("match: [{{uri: {{regex: '{regex}'}}}}], route: [{{destination: {{host: cart}}}}]")),
        );
        let errors = errors.expect_err("it is refused");
        let told = errors.iter().any(|error| error.contains("expression") || error.contains("not understood"));
        assert!(told, "{errors:.300?}");
    }
}

#[test]
fn a_regex_that_others_take_an_age_for_takes_time_in_proportion_to_the_text() {
    let text = format!("{}b", "a".repeat(1 << 20));
    #[allow(clippy::disallowed_methods, reason = "a test looks at the real clock")]
    let begin = Instant::now();
    for expression in ["(a+)+", "(a|aa)+", "(.*a){20}", "(a?){30}a{30}"] {
        assert!(!re2::whole(expression).unwrap().is_match(&text), "{expression}");
    }
    assert!(begin.elapsed() < PATIENCE, "{:?}", begin.elapsed());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn good_files_with_pieces_changed_are_taken_or_refused_with_a_place(
        at in 0..GOOD.len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8, prop::sample::select(PIECES)), 1..5),
    ) {
        let mut letters: Vec<char> = GOOD[at].1.chars().collect();
        for (place, how, piece) in edits {
            let place = place.index(letters.len().max(1));
            match how {
                0 => letters.truncate(place.max(1)),
                1 if place < letters.len() => drop(letters.remove(place)),
                2 => letters.rotate_left(place),
                _ => drop(letters.splice(place..place, piece.chars())),
            }
        }
        let _ = take(&letters.iter().collect::<String>());
    }
}

/// What is put in between.
const PIECES: &[&str] = &[
    "\n",
    "\r\n",
    "\t",
    "  ",
    "- ",
    ": ",
    "? ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&a ",
    "*a",
    "<<: *a",
    "!!str ",
    "|\n",
    ">-\n",
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "\u{feff}",
    "\0",
    "\"",
    "'",
    "#",
    "null",
    "~",
    "yes",
    "0x10",
    "1e400",
    "-0",
    "99999999999999999999",
    "spec: ",
    "kind: Service\n",
    "\u{2028}",
    "\u{1f980}",
];
