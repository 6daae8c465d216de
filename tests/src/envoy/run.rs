//! Runs cases on both sides, several at a time.

use super::case::Case;
use super::compare::compare;
use super::observe::observe;
use super::script::Actor;
use super::{Side, binary, differences};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So many cases at a time: nearly all they do is wait.
const AT_ONCE: usize = 4;

/// A case that differs is done so often before it counts: Envoy acts on some of what its workers see a moment later, on its main
/// thread, and on a busy machine a moment is long enough for the next request.
const TRIES: usize = 3;

/// Holds every case to Envoy; fails with all that differ.
///
/// Cases whose name has the text of `SQUALL_CASE` in it are the only ones, if it is set.
pub fn hold_all(cases: &[Case]) {
    let Some(envoy) = binary() else { return };
    let only = std::env::var("SQUALL_CASE").unwrap_or_default();
    let chosen: Vec<_> = cases.iter().filter(|case| case.name.contains(&only)).collect();
    let complaints = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    complaints.lock().expect("no panic while it is held").extend(complaint(case, &envoy));
                }
            });
        }
    });
    let complaints = complaints.into_inner().expect("no panic while it was held");
    assert!(
        complaints.is_empty(),
        "{} of {} cases differ\n\n{}",
        complaints.len(),
        chosen.len(),
        complaints.join("\n")
    );
}

/// What is wrong with a case: that it differs, or that it does not though it is listed.
fn complaint(case: &Case, envoy: &Path) -> Option<String> {
    let tries = if case.differs.is_some() { 1 } else { TRIES };
    let mut differing = String::new();
    for _ in 0..tries {
        differing = attempt(case, envoy);
        if differing.is_empty() {
            break;
        }
        eprintln!("{} differs\n{differing}", case.name);
    }
    let wrong = match case.differs {
        None if differing.is_empty() => return None,
        None => differing,
        Some(name) if !differences::listed().iter().any(|known| known == name) => {
            format!("    `{name}` is not in docs/differences.md\n{differing}")
        }
        Some(name) if differing.is_empty() => format!("    nothing differs: take `{name}` away\n"),
        Some(_) => return None,
    };
    Some(format!("{}\n{wrong}", case.name))
}

/// What differs in a case, or what it panicked with.
fn attempt(case: &Case, envoy: &Path) -> String {
    catch_unwind(AssertUnwindSafe(|| hold(case, envoy))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        format!("    {}\n", text.unwrap_or_default())
    })
}

/// What differs in a case; nothing if it is empty.
fn hold(case: &Case, envoy: &Path) -> String {
    let actors: Vec<_> = case.parts.iter().map(Actor::start).collect();
    let addresses: Vec<_> = actors.iter().map(|actor| (actor.name.clone(), actor.address())).collect();
    let bootstrap = case.bootstrap.write(&addresses);
    let mut files = case.bootstrap.files.clone();
    files.push(("bootstrap.yaml", bootstrap.clone()));
    let expected = match Side::envoy(envoy, &files) {
        Ok(side) => observe(case, &side, &actors, None),
        Err(error) => return format!("    {error}\n{bootstrap}\n"),
    };
    actors.iter().for_each(Actor::reset);
    match Side::squall(&files) {
        Ok(side) => compare(&expected, &observe(case, &side, &actors, Some(&expected))),
        Err(error) => format!("    {error}\n"),
    }
}
