//! GitHub's annotations: a line of a scenario, and what did not hold there.
//!
//! A step may show ten errors, one of which is the exit code's own; all further ones are dropped without a word. So there are
//! never more than nine, and the last says how many it stands for.

use crate::digest::Digest;
use crate::escape::{annotation, annotation_property, visible};
use crate::record::{Expectation, Verdict};

/// Most annotations of a run.
pub const MOST: usize = 9;

/// A place in a file, and what is to be said of it.
struct Annotation {
    file: String,
    line: usize,
    title: String,
    message: String,
}

/// The log commands of a run, a line each. `place` makes a scenario's path relative to the repository.
pub fn github(digests: &[Digest], place: &dyn Fn(&str) -> String) -> Vec<String> {
    let mut worst_first: Vec<&Digest> = digests.iter().filter(|digest| digest.verdict != Verdict::Pass).collect();
    worst_first.sort_by_key(|digest| std::cmp::Reverse(digest.verdict));
    let all: Vec<Annotation> = worst_first.into_iter().flat_map(|digest| of(digest, place)).collect();
    let shown = if all.len() > MOST { MOST - 1 } else { all.len() };
    let mut lines: Vec<String> = all[..shown].iter().map(Annotation::line).collect();
    if let Some(next) = all.get(shown) {
        let message = format!("and {} more, which the summary of this run names", all.len() - shown);
        let rest = Annotation { title: "squall".to_owned(), message, file: next.file.clone(), line: next.line };
        lines.push(rest.line());
    }
    lines
}

/// One an expectation that did not hold; one for the scenario if something else is the matter. What was missed in a run that
/// proves nothing is no finding.
fn of(digest: &Digest, place: &dyn Fn(&str) -> String) -> Vec<Annotation> {
    let file = place(&digest.file);
    let at = |line: usize, title: String, message: String| Annotation {
        file: file.clone(),
        line: line.max(1),
        title,
        message,
    };
    let speaks = |one: &&Expectation| digest.verdict == Verdict::Fail || one.verdict == digest.verdict;
    let missed = digest.failed.iter().filter(speaks).map(|one| {
        let message = format!("{}: {}", visible(&digest.title), visible(&one.detail));
        at(one.line, format!("{} {}", one.verdict, one.id), message)
    });
    let mut all: Vec<Annotation> = missed.collect();
    if all.is_empty() {
        all.push(at(digest.line, format!("{} {}", digest.verdict, digest.title), visible(&digest.headline)));
    }
    all
}

impl Annotation {
    fn line(&self) -> String {
        format!(
            "::error file={},line={},title={}::{}",
            annotation_property(&self.file),
            self.line,
            annotation_property(&self.title),
            annotation(&self.message)
        )
    }
}
