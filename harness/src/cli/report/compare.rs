//! `squall report --compare A B`: pages of two records, or of all scenarios that two runs share.

use super::find::{self, Found};
use super::{say, write};
use squall_reports::html::compare::{self, One};
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// Where pages of two runs are drawn: beside neither of them.
const FOLDER: &str = "squall-out/compare";

/// Draws a page for each pair, and an overview of several.
pub(super) fn draw(a: &Path, b: &Path, out: Option<&Path>, fail: &mut dyn FnMut(&dyn Display)) -> Result<(), String> {
    let (a, b) = (side(a, fail), side(b, fail));
    let (Some(first), Some(second)) = (a.first(), b.first()) else { return Ok(()) };
    let runs = format!("{}-{}", first.record.run.id, second.record.run.id);
    let out = out.map_or_else(|| Path::new(FOLDER).join(runs), Path::to_owned);
    let out = std::path::absolute(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    let (pairs, alone) = paired(&a, &b);
    match &pairs[..] {
        [] => Err(format!("the two have no scenario in common; only one of them has: {}", alone.join(", "))),
        [(one, other)] => {
            let name = format!("{}.html", other.record.scenario.slug);
            let file = if out.extension().is_some_and(|extension| extension == "html") { out } else { out.join(name) };
            page(one, other, &file)?;
            say(&format!("{}\n", file.display()))
        }
        several => overview(several, &alone, &out),
    }
}

fn side(path: &Path, fail: &mut dyn FnMut(&dyn Display)) -> Vec<Found> {
    let mut found = Vec::new();
    let problems = find::each(&[path.to_owned()], false, |one| found.push(one));
    problems.iter().for_each(|problem| fail(problem));
    found.retain(|one| match compare::refused(&one.record) {
        Some(why) => {
            fail(&format!("{}: {why}", one.folder.display()));
            false
        }
        None => true,
    });
    found
}

type Pairs<'a> = Vec<(&'a Found, &'a Found)>;

/// The scenarios of both, by name and repetition; two single ones belong together whatever their names are.
fn paired<'a>(a: &'a [Found], b: &'a [Found]) -> (Pairs<'a>, Vec<String>) {
    if let ([one], [other]) = (a, b) {
        return (vec![(one, other)], Vec::new());
    }
    let same = |one: &Found, other: &Found| {
        one.record.scenario.slug == other.record.scenario.slug
            && one.record.run.repetition.0 == other.record.run.repetition.0
    };
    let pairs = a.iter().filter_map(|one| Some((one, b.iter().find(|other| same(one, other))?))).collect();
    let lonely = |one: &&Found, others: &[Found]| !others.iter().any(|other| same(one, other));
    let alone = a.iter().filter(|one| lonely(one, b)).chain(b.iter().filter(|one| lonely(one, a)));
    (pairs, alone.map(|one| one.record.scenario.slug.clone()).collect())
}

fn page(one: &Found, other: &Found, file: &Path) -> Result<(), String> {
    let folder = file.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let page = compare::page(shown(one), shown(other), folder).map_err(|error| error.to_string())?;
    write(file, &page)
}

fn shown(found: &Found) -> One<'_> {
    One { record: &found.record, folder: &found.folder }
}

fn overview(pairs: &[(&Found, &Found)], alone: &[String], folder: &Path) -> Result<(), String> {
    let name = |other: &Found| {
        let (number, of) = other.record.run.repetition;
        let repetition = if of > 1 { format!("-{number}") } else { String::new() };
        format!("{}{repetition}.html", other.record.scenario.slug)
    };
    let mut drawn = Vec::new();
    for (one, other) in pairs {
        page(one, other, &folder.join(name(other)))?;
        drawn.push((shown(one), shown(other), name(other)));
    }
    let file: PathBuf = folder.join("index.html");
    write(&file, &compare::overview(&drawn, alone).map_err(|error| error.to_string())?)?;
    say(&format!("{}\n", file.display()))
}
