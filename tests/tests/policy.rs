//! What is configured is obeyed: every field of the model in `policy` has a reader where requests are served. One that only `config` writes
//! and only `explain` or `translate` tell would be called obeyed by every page, and change nothing.
//!
//! Nothing is compiled: the sources are read as text, and whoever reads a field is known by the name of what it is read of.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Modules that write fields or tell of them; reading there obeys nothing. `disarm` takes things out.
const TELLERS: &[&str] =
    &["config", "config.rs", "explain", "explain.rs", "translate", "translate.rs", "policy/disarm.rs"];

/// Where something was written: for whoever reads messages.
const PROVENANCE: &str = "policy/origin.rs";

/// Fields that nobody who serves need read, each with its reader or its reason.
const OTHERWISE: &[(&str, &str, &str)] =
    &[("HealthCheck", "origin", "messages and advice"), ("ServiceIdentity", "port", "advice on ports")];

#[test]
fn every_field_of_the_model_has_a_reader_that_obeys_it() {
    assert_eq!(unread(&folder("proxy/src")), Vec::<String>::new());
}

#[test]
fn the_check_itself_sees_a_field_that_nobody_obeys() {
    let policy =
        "pub struct Limits {\n    pub most: u32,\n    pub told: bool,\n}\npub struct Pool {\n    pub told: bool,\n}\n";
    let serve = "fn f(limits: &Limits, pool: &Pool) {\n    g(limits.most, pool.told)\n}\n";
    let files = |serve: &str| {
        BTreeMap::from([
            ("policy.rs".to_owned(), policy.to_owned()),
            ("serve.rs".to_owned(), serve.to_owned()),
            ("explain.rs".to_owned(), "fn f(limits: &Limits) { limits.told }".to_owned()),
        ])
    };
    assert_eq!(unread(&files(serve)), ["Limits.told"]);
    assert_eq!(unread(&files(&serve.replace("g(", "g(limits.told, "))), Vec::<String>::new());
}

/// Fields without a reader, as `Type.field`.
fn unread(files: &BTreeMap<String, String>) -> Vec<String> {
    let model = files.iter().filter(|(path, _)| path.starts_with("policy") && *path != PROVENANCE);
    let fields: Vec<_> = model.flat_map(|(_, text)| fields(text)).collect();
    let types: BTreeSet<_> = fields.iter().map(|(owner, _)| owner.as_str()).collect();
    let obeys = |path: &str| !TELLERS.iter().any(|teller| path == *teller || path.starts_with(&format!("{teller}/")));
    let readers = files.iter().filter(|(path, _)| obeys(path) && !path.contains("tests"));
    let (mut holders, mut reads) = (BTreeSet::new(), BTreeSet::new());
    for (_, text) in readers {
        let words = words(&code(text));
        holders.extend(declared(&words, &types));
        reads.extend(read(&words));
    }
    let is_read = |owner: &str, field: &str| {
        let of = |holder: &str| reads.contains(&(holder.to_owned(), field.to_owned()));
        let otherwise = OTHERWISE.iter().any(|(of, name, _)| (*of, *name) == (owner, field));
        let by_holder = holders.iter().any(|(type_, holder)| type_ == owner && of(holder));
        let by_words = snake(owner).split('_').chain([snake(owner).as_str()]).any(of);
        otherwise || by_holder || by_words
    };
    let unread = fields.iter().filter(|(owner, field)| !is_read(owner, field));
    unread.map(|(owner, field)| format!("{owner}.{field}")).collect()
}

/// Public fields with their types.
fn fields(text: &str) -> Vec<(String, String)> {
    let mut owner = String::new();
    let mut fields = Vec::new();
    for line in text.lines() {
        let item = ["pub struct ", "pub enum "].iter().find_map(|item| line.trim_start().strip_prefix(item));
        if let Some(item) = item {
            let name = item.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
            name.clone_into(&mut owner);
        } else if let Some((field, _)) = line.strip_prefix("    pub ").and_then(|field| field.split_once(':'))
            && field.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
        {
            fields.push((owner.clone(), field.to_owned()));
        }
    }
    fields
}

/// Types with the names of what holds them: `name: &Type`, in fields and parameters; `self` where they are implemented.
fn declared(words: &[String], types: &BTreeSet<&str>) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let mut implemented = None;
    for (at, word) in words.iter().enumerate() {
        let next = |more: usize| words.get(at + more).map_or("", String::as_str);
        if word == "impl" {
            implemented = words[at..].iter().take_while(|word| *word != "{").filter(|word| is_name(word)).last();
        }
        if let (".", Some(implemented)) = (next(1), implemented.filter(|_| word == "self")) {
            found.insert((implemented.clone(), word.clone()));
        }
        if is_name(word) && next(1) == ":" && next(2) != ":" {
            let of = words[at + 2..].iter().take_while(|word| !["=", ";", "{", "}", ")", "("].contains(&word.as_str()));
            let of = of.take_while(|word| *word != ",").filter(|word| types.contains(word.as_str()));
            found.extend(of.map(|of| (of.clone(), word.clone())));
        }
    }
    found
}

/// What is read of what: `holder.field` and `holder().field`, but no calls.
fn read(words: &[String]) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for (at, word) in words.iter().enumerate().skip(2) {
        let called = words.get(at + 1).is_some_and(|next| next == "(");
        if words[at - 1] != "." || called || !is_name(word) {
            continue;
        }
        let holder = match (words[at - 2].as_str(), at.checked_sub(4)) {
            (")", Some(before)) => &words[before],
            _ => &words[at - 2],
        };
        found.insert((holder.clone(), word.clone()));
    }
    found
}

fn is_name(word: &str) -> bool {
    word.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_')
}

/// Names and signs.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut goes_on = false;
    for letter in text.chars() {
        let of_name = letter.is_alphanumeric() || letter == '_';
        match words.last_mut() {
            Some(word) if of_name && goes_on => word.push(letter),
            _ if letter.is_whitespace() => {}
            _ => words.push(letter.to_string()),
        }
        goes_on = of_name;
    }
    words
}

/// `HttpLimits` as `http_limits`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// The text without comments and without what only tests see.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// All sources by their paths.
fn folder(path: &str) -> BTreeMap<String, String> {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    let mut files = BTreeMap::new();
    let mut folders: Vec<PathBuf> = vec![base.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name =
                    path.strip_prefix(&base).expect("sources are below their folder").to_string_lossy().into_owned();
                files.insert(name, fs::read_to_string(&path).expect("a source"));
            }
        }
    }
    files
}
