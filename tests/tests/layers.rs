//! The layer table of ARCHITECTURE.md, held by reading the imports: a module imports only from layers below its own.
//!
//! Nothing but the standard library is used, and nothing is compiled: `use` lines and paths are read as text.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A module prefix and its layer; the longest prefix wins.
type Layers = &'static [(&'static str, u32)];

const HARNESS: Layers = &[
    ("cli", 5),
    ("output", 4),
    ("gameday", 4),
    ("run", 3),
    ("run::events", 3),
    ("deploy", 2),
    ("control", 2),
    ("load", 2),
    ("observe", 2),
    ("slo", 2),
    ("guardian", 2),
    ("shim", 2),
    ("service", 2),
    ("selftest", 2),
    ("scenario", 1),
    ("topology", 1),
    ("fault", 1),
    ("shim::wire", 1),
    ("load::wire", 1),
    ("load::schedule", 1),
    ("service::options", 1),
    ("service::ledger", 1),
    ("journal", 1),
    ("recover", 1),
    ("units", 0),
    ("seed", 0),
    ("distribution", 0),
    ("clock", 0),
    ("descriptor", 0),
    ("preface", 0),
    ("process", 0),
];

const PROXY: Layers = &[
    ("app", 8),
    ("explain", 8),
    ("translate", 8),
    ("serve", 7),
    ("admin", 7),
    ("cluster", 6),
    ("wire", 5),
    ("filter", 4),
    ("net", 4),
    ("balance", 3),
    ("health", 2),
    ("config", 2),
    ("telemetry", 2),
    ("policy", 1),
    ("clock", 0),
];

/// Layer 2 of the harness: siblings that never import each other.
const SIBLINGS: &[&str] = &["deploy", "control", "load", "observe", "slo", "guardian", "shim", "service", "selftest"];

#[test]
fn modules_of_the_harness_import_only_from_layers_below() {
    assert_eq!(violations("harness/src", HARNESS), Vec::<String>::new());
}

#[test]
fn modules_of_the_proxy_import_only_from_layers_below() {
    assert_eq!(violations("proxy/src", PROXY), Vec::<String>::new());
}

#[test]
fn the_harness_sees_of_the_proxy_only_what_it_promises() {
    let promised = ["config", "policy", "app", "explain", "translate"];
    let mut foreign = Vec::new();
    for file in sources(&root().join("harness/src")) {
        for path in paths_after(&read(&file), "squall_proxy::") {
            if !promised.contains(&path[0].as_str()) {
                foreign.push(format!("{}: squall_proxy::{}", file.display(), path.join("::")));
            }
        }
    }
    assert_eq!(foreign, Vec::<String>::new());
}

#[test]
fn reports_and_proxy_know_nothing_of_the_harness() {
    for folder in ["proxy", "reports", "http1", "yaml"] {
        let manifest = read(&root().join(folder).join("Cargo.toml"));
        assert!(!manifest.lines().any(|line| line.starts_with("squall.") || line.starts_with("squall =")), "{folder}");
    }
    for folder in ["reports", "http1", "yaml"] {
        let manifest = read(&root().join(folder).join("Cargo.toml"));
        assert!(!manifest.contains("squall-proxy"), "{folder}");
    }
}

#[test]
fn the_check_itself_sees_a_violation() {
    let text = "use crate::run::events::RunEvent;\nfn f() { crate::cli::main() }\n";
    let found: Vec<_> = paths_after(text, "crate::").iter().map(|path| path.join("::")).collect();
    assert_eq!(found, ["run::events::RunEvent", "cli::main"]);
    assert_eq!(layer("run::events::RunEvent", HARNESS), Some(("run::events", 3)));
    assert_eq!(layer("shim::wire::Offer", HARNESS), Some(("shim::wire", 1)));
    let grouped = "use crate::{clock, run::{events, arm}};\n";
    let found: Vec<_> = paths_after(grouped, "crate::").iter().map(|path| path.join("::")).collect();
    assert_eq!(found, ["clock", "run::events", "run::arm"]);
}

fn violations(folder: &str, layers: Layers) -> Vec<String> {
    let base = root().join(folder);
    let mut found = BTreeSet::new();
    for file in sources(&base) {
        let own_path = module_path(&base, &file);
        let Some((own, own_layer)) = layer(&own_path, layers) else { continue };
        for path in paths_after(&code(&read(&file)), "crate::") {
            let path = path.join("::");
            let Some((other, other_layer)) = layer(&path, layers) else { continue };
            let same_module = first(own) == first(other);
            let sibling = own_layer == 2 && other_layer == 2 && SIBLINGS.contains(&first(own));
            if !same_module && (other_layer > own_layer || (sibling && layers.as_ptr() == HARNESS.as_ptr())) {
                found.insert(format!("{own} (layer {own_layer}) imports {path} (layer {other_layer})"));
            }
        }
    }
    found.into_iter().collect()
}

/// The text without comments and without what only tests see.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Every path that follows `prefix`, groups in braces unfolded.
fn paths_after(text: &str, prefix: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(prefix) {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|before| before.is_alphanumeric() || before == '_' || before == ':') {
            continue;
        }
        let mut rest = text[at + prefix.len()..].chars().peekable();
        unfold(&mut rest, &mut Vec::new(), &mut found);
    }
    found
}

/// Reads one path, or one group of paths, into `found`.
fn unfold(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, stem: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let depth = stem.len();
    loop {
        while rest.next_if(|next| next.is_whitespace()).is_some() {}
        if rest.next_if_eq(&'{').is_some() {
            loop {
                let mut inner = stem.clone();
                unfold(rest, &mut inner, found);
                while rest.next_if(|next| next.is_whitespace() || *next == ',').is_some() {}
                if rest.next_if_eq(&'}').is_some() || rest.peek().is_none() {
                    break;
                }
            }
            return;
        }
        let mut word = String::new();
        while let Some(next) = rest.next_if(|next| next.is_alphanumeric() || *next == '_') {
            word.push(next);
        }
        if word.is_empty() {
            // A star, or something that is no path: what was read so far counts.
            rest.next_if_eq(&'*');
            break;
        }
        stem.push(word);
        if rest.next_if_eq(&':').is_some() {
            if rest.next_if_eq(&':').is_none() {
                break;
            }
        } else {
            // `as name` belongs to the import, not to the path.
            break;
        }
    }
    if stem.len() > depth || depth > 0 {
        found.push(stem.clone());
    }
    let mut rest_of_item = rest.clone();
    while rest_of_item.next_if(|next| next.is_whitespace()).is_some() {}
    if rest_of_item.next() == Some('a') && rest_of_item.next() == Some('s') {
        while rest.next_if(|next| !matches!(next, ',' | '}' | ';' | '\n')).is_some() {}
    }
}

fn layer(path: &str, layers: Layers) -> Option<(&'static str, u32)> {
    let within = |prefix: &str| path == prefix || path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with("::"));
    layers.iter().filter(|(prefix, _)| within(prefix)).max_by_key(|(prefix, _)| prefix.len()).copied()
}

fn first(path: &str) -> &str {
    path.split("::").next().unwrap_or_default()
}

fn module_path(base: &Path, file: &Path) -> String {
    let relative = file.strip_prefix(base).expect("sources are below their folder").with_extension("");
    relative.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("::")
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
