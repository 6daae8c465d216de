//! What differs in what two runs were given: the program, the machine, the scenario and its policies.

use crate::plot::number;
use crate::record::{Record, Run};
use similar::{ChangeTag, TextDiff};

/// Lines shown about a change.
const CONTEXT: usize = 3;

/// One line about both runs.
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) a: String,
    pub(super) b: String,
    /// Any two runs differ in it.
    own: bool,
}

impl Fact {
    /// It differs, and need not.
    pub(super) fn matters(&self) -> bool {
        self.a != self.b && !self.own
    }
}

/// What is known of both.
pub(super) fn facts(a: &Record, b: &Record) -> Vec<Fact> {
    let fact = |name: &'static str, of: &dyn Fn(&Record) -> String| Fact { name, a: of(a), b: of(b), own: false };
    let own = |name: &'static str, of: &dyn Fn(&Record) -> String| Fact { own: true, ..fact(name, of) };
    let machine = |run: &Run| {
        format!("{} processors ({}), {}", run.machine.cores, run.machine.cpu, number::bytes(run.machine.memory))
    };
    vec![
        own("run", &|record| record.run.id.clone()),
        own("started", &|record| record.run.started.clone()),
        fact("scenario", &|record| record.scenario.title.clone()),
        fact("version", &|record| record.run.squall.clone()),
        fact("platform", &|record| record.run.platform.clone()),
        fact("machine", &|record| machine(&record.run)),
        fact("kernel", &|record| record.run.machine.kernel.clone()),
        fact("seed", &|record| record.run.seed.to_string()),
        fact("set", &|record| match &record.scenario.set[..] {
            [] => "nothing".to_owned(),
            set => set.join(", "),
        }),
    ]
}

/// A text that is not the same in both.
pub(super) struct Changed<'a> {
    pub(super) path: &'a str,
    /// Said where only one of them has it.
    pub(super) note: Option<&'static str>,
    pub(super) lines: Vec<Line>,
}

/// A line of a text; `-` stands only in A, `+` only in B.
pub(super) struct Line {
    pub(super) sign: char,
    pub(super) text: String,
}

/// The scenario and the policies that are not the same.
pub(super) fn changed<'a>(a: &'a Record, b: &'a Record) -> Vec<Changed<'a>> {
    // The scenario's file may have moved; it stays the scenario.
    let mut changed = Vec::new();
    if a.scenario.source != b.scenario.source {
        let lines = lines(&a.scenario.source, &b.scenario.source);
        changed.push(Changed { path: &b.scenario.file, note: None, lines });
    }
    let (old, new) = (&a.scenario.policies, &b.scenario.policies);
    for file in old {
        match new.iter().find(|other| other.path == file.path) {
            Some(other) if other.text == file.text => {}
            Some(other) => {
                changed.push(Changed { path: &file.path, note: None, lines: lines(&file.text, &other.text) });
            }
            None => changed.push(Changed { path: &file.path, note: Some("only A has it"), lines: Vec::new() }),
        }
    }
    let added = new.iter().filter(|file| !old.iter().any(|other| other.path == file.path));
    changed.extend(added.map(|file| Changed { path: &file.path, note: Some("only B has it"), lines: Vec::new() }));
    changed
}

fn lines(old: &str, new: &str) -> Vec<Line> {
    let diff = TextDiff::from_lines(old, new);
    let mut lines = Vec::new();
    for (number, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if number > 0 {
            lines.push(Line { sign: ' ', text: "…".to_owned() });
        }
        for change in group.iter().flat_map(|part| diff.iter_changes(part)) {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            lines.push(Line { sign, text: change.value().trim_end_matches('\n').to_owned() });
        }
    }
    lines
}
