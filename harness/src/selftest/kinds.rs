//! Every kind of fault, as a scenario has it.

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    /// Its word.
    pub(super) word: &'static str,
    /// Its keys beside the target.
    keys: &'static str,
    /// One of those that stand for all: an answer, a delay, silence, lost bytes, a shut door, slowed bytes, and both of processes.
    stands_for_all: bool,
    /// Proxies are told something: there must be one.
    told: bool,
}

const fn all(word: &'static str, keys: &'static str) -> Kind {
    Kind { word, keys, stands_for_all: true, told: false }
}

const fn one(word: &'static str, keys: &'static str) -> Kind {
    Kind { word, keys, stands_for_all: false, told: false }
}

const fn told(word: &'static str) -> Kind {
    Kind { word, keys: "", stands_for_all: false, told: true }
}

const KINDS: [Kind; 27] = [
    all("latency", "base: 50ms"),
    one("degrade", "by: 50ms, pick: 50%"),
    one("overload", "free: 0, each: 2ms"),
    all("abort", "status: 503"),
    one("reset", ""),
    one("truncate", "after-bytes: 10B"),
    one("corrupt", ""),
    one("drip", "every: 5ms"),
    one("rewrite", "set: {x-selftest: '1'}"),
    one("lose-trailers", ""),
    all("hang", ""),
    all("refuse", ""),
    one("flap", "down: 200ms, up: 200ms"),
    one("accept-stall", ""),
    one("connection-limit", "most: 1"),
    all("blackhole", "direction: both"),
    all("bandwidth", "rate: 64KB/s"),
    one("slicer", "size: 64B, every: 5ms"),
    one("slow-close", "by: 100ms"),
    all("kill", ""),
    one("terminate", "grace: 500ms"),
    one("crash-loop", "up: 200ms"),
    all("pause", ""),
    one("limit", "descriptors: 64"),
    told("unlist"),
    told("stale"),
    told("misdirect"),
];

impl Kind {
    /// As it stands in a phase, with what gives it something to do.
    pub(super) fn written(&self) -> String {
        let comma = if self.keys.is_empty() { "" } else { ", " };
        let beside = if self.word == "stale" { ", {kill: {target: cart/1, restart: supervisor}}" } else { "" };
        format!("{{{}: {{target: cart/1{comma}{}}}}}{beside}", self.word, self.keys)
    }

    /// Where a proxy must stand for it.
    pub(super) fn mode(&self) -> &'static str {
        if self.told { "client" } else { "none" }
    }
}

/// The words of all kinds.
pub(super) fn words() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.word)
}

/// Those that are named, or without a name those that stand for all, or all; words that are no kinds are the error.
pub(super) fn chosen(named: &[String], full: bool) -> Result<Vec<Kind>, Vec<String>> {
    let unknown: Vec<String> = named.iter().filter(|name| !words().any(|word| word == *name)).cloned().collect();
    if !unknown.is_empty() {
        return Err(unknown);
    }
    let is_wanted = |kind: &Kind| match named {
        [] => full || kind.stands_for_all,
        named => named.iter().any(|name| name == kind.word),
    };
    Ok(KINDS.into_iter().filter(is_wanted).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_the_documentation_is_here_in_its_order() {
        let page = include_str!("../../../docs/faults.md");
        let table = page.split("## Kinds").nth(1).unwrap().split("### Together").next().unwrap();
        let rows = table.lines().filter(|line| line.starts_with("| `")).filter(|line| line.matches('|').count() == 5);
        let documented: Vec<&str> = rows.map(|row| row.split('`').nth(1).unwrap()).collect();
        assert_eq!(words().collect::<Vec<_>>(), documented);
    }

    #[test]
    fn eight_stand_for_all_and_unknown_words_come_back() {
        assert_eq!(chosen(&[], false).unwrap().len(), 8);
        assert_eq!(chosen(&[], true).unwrap().len(), KINDS.len());
        let named = ["kill", "abort"].map(str::to_owned);
        assert_eq!(chosen(&named, false).unwrap().iter().map(|kind| kind.word).collect::<Vec<_>>(), ["abort", "kill"]);
        assert_eq!(chosen(&["abort", "kil", "x"].map(str::to_owned), true).unwrap_err(), ["kil", "x"]);
    }
}
