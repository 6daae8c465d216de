use super::super::super::LoadOptions;
use super::super::super::problems::Problems;
use super::whole::BOOTSTRAP;
use proptest::prelude::*;
use squall_yaml::Source;
use std::path::Path;

fn read(text: String) {
    let path = Path::new("bootstrap.yaml");
    let options = LoadOptions::default();
    for document in squall_yaml::parse(&Source { path: path.to_owned(), text }).unwrap_or_default() {
        let mut problems = Problems::new(path, &options);
        let config = super::super::bootstrap(&document, &mut problems);
        let (findings, _) = problems.into_parts();
        let refused = findings.iter().any(|one| one.severity == squall_yaml::Severity::Error);
        assert!(config.is_some() || refused, "a bootstrap without configuration and without an error");
    }
}

const SCALARS: [&str; 20] = [
    "~",
    "true",
    "-1",
    "0",
    "1",
    "1.5",
    "99999999999999999999",
    "\"\"",
    "0s",
    "1s",
    "250ms",
    "a",
    "*",
    "%",
    "%REQ(",
    "[]",
    "{}",
    "[{}]",
    "{a: {}}",
    "(",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn no_value_in_place_of_another_makes_reading_panic(line in 0..600_usize, scalar in 0..SCALARS.len()) {
        let lines: Vec<&str> = BOOTSTRAP.lines().collect();
        let line = line % lines.len();
        let mutated = lines.iter().enumerate().map(|(number, text)| match text.split_once(": ") {
            Some((key, _)) if number == line => format!("{key}: {}\n", SCALARS[scalar]),
            _ => format!("{text}\n"),
        });
        read(mutated.collect());
    }

    #[test]
    fn no_missing_or_doubled_line_makes_reading_panic(line in 0..600_usize, doubled in any::<bool>()) {
        let lines: Vec<&str> = BOOTSTRAP.lines().collect();
        let line = line % lines.len();
        let mutated = lines.iter().enumerate().flat_map(|(number, text)| {
            let times = if number == line { usize::from(doubled) * 2 } else { 1 };
            std::iter::repeat_n(format!("{text}\n"), times)
        });
        read(mutated.collect());
    }

    #[test]
    fn no_letter_in_place_of_another_makes_reading_panic(at in 0..20_000_usize, letter in "[ -~é]") {
        let mut letters: Vec<char> = BOOTSTRAP.chars().collect();
        let at = at % letters.len();
        letters[at] = letter.chars().next().unwrap_or('a');
        read(letters.into_iter().collect());
    }
}
