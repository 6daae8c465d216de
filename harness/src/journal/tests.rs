//! What is read of a journal that was cut, damaged, or written by somebody else.

use super::*;
use proptest::prelude::*;
use std::sync::LazyLock;

fn kill(pid: u32) -> Undo {
    Undo::Kill { pid, start_time: 7 }
}

fn marked() -> Undo {
    Undo::EndMarked { run: "a run".to_owned() }
}

/// Two processes of three are to be ended, and whatever carries the mark.
fn journal() -> Vec<u8> {
    static ONE: LazyLock<Vec<u8>> = LazyLock::new(written);
    ONE.clone()
}

fn written() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(folder.path(), "a run").unwrap();
    let first = journal.intend(kill(1)).unwrap();
    journal.intend(kill(2)).unwrap();
    journal.intend(kill(3)).unwrap();
    journal.undone(first).unwrap();
    std::fs::read(journal.path()).unwrap()
}

fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n').collect()
}

#[test]
fn what_is_not_undone_comes_back_last_first() {
    let pending = pending_in(&journal()).unwrap();
    assert_eq!(pending, Pending { undo: vec![kill(3), kill(2), marked()], damaged: vec![] });
}

#[test]
fn once_everything_is_undone_nothing_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(folder.path(), "a run").unwrap();
    journal.intend(kill(1)).unwrap();
    journal.all_undone().unwrap();
    assert_eq!(pending(journal.path()).unwrap(), Pending::default());
}

#[test]
fn a_line_says_its_version_its_place_its_length_and_its_checksum() {
    let bytes = journal();
    let first = String::from_utf8_lossy(lines(&bytes)[0]).into_owned();
    assert_eq!(
        first,
        "1 1 68 c535b2f55fc692b3 {\"entry\":\"intent\",\"id\":1,\"what\":{\"undo\":\"end-marked\",\"run\":\"a run\"}}\n"
    );
}

#[test]
fn a_journal_cut_at_any_byte_still_says_what_was_whole_and_that_is_no_damage() {
    let bytes = journal();
    for cut in 0..bytes.len() {
        let pending = pending_in(&bytes[..cut]).unwrap();
        // The line break says nothing that the length has not said before.
        let ends = lines(&bytes).into_iter().scan(0, |end, line| {
            *end += line.len();
            Some(*end - 1)
        });
        let whole = ends.filter(|end| *end <= cut).count();
        assert_eq!(pending.damaged, Vec::<String>::new(), "cut at {cut}");
        assert_eq!(pending.undo.len(), [0, 1, 2, 3, 4, 3][whole], "cut at {cut}");
    }
}

#[test]
fn any_byte_changed_in_any_bit_loses_one_line_at_most_and_that_is_told() {
    let bytes = journal();
    let all = [kill(1), kill(2), kill(3), marked()];
    for (at, bit) in (0..bytes.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << bit;
        let pending = pending_in(&changed).unwrap_or_else(|_| panic!("byte {at}, bit {bit}: no later version"));
        let lost = all[1..].iter().filter(|undo| !pending.undo.contains(undo)).count();
        assert!(pending.undo.iter().all(|undo| all.contains(undo)), "byte {at}, bit {bit}: {pending:?}");
        assert!(lost <= 1, "byte {at}, bit {bit}: {pending:?}");
        assert!(!pending.damaged.is_empty(), "byte {at}, bit {bit}: {pending:?}");
    }
}

#[test]
fn a_line_that_is_missing_is_told_and_the_others_are_undone() {
    let bytes = journal();
    let lines = lines(&bytes);
    let without = [lines[0], lines[1], lines[3], lines[4]].concat();
    let pending = pending_in(&without).unwrap();
    assert_eq!(pending.undo, [kill(3), marked()]);
    assert_eq!(pending.damaged, ["line 3 of the journal: it is the entry 4, not 3"]);
}

#[test]
fn a_journal_of_a_later_version_is_an_error_that_says_which_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    std::fs::write(&path, [journal(), line::newer(6).into_bytes()].concat()).unwrap();
    let error = pending(&path).unwrap_err().to_string();
    assert!(error.contains("of version 2, and this squall reads version 1: nothing was changed"), "{error}");
    assert!(error.ends_with("squall recover"), "{error}");
}

#[test]
fn lines_of_all_versions_begin_alike() {
    assert_eq!(line::newer(1), "2 1 22 cb995e1282a633bf {\"entry\":\"unheard-of\"}\n");
}

#[test]
fn after_a_write_or_a_sync_that_failed_nothing_more_is_noted() {
    // Writing to the one fails; the other takes everything, and cannot be synced.
    for path in ["/dev/full", "/dev/null"] {
        let file = File::options().append(true).open(path).unwrap();
        let mut journal = Journal { file, path: path.into(), sequence: 0, id: 0, broken: false };
        let first = journal.intend(kill(1)).unwrap_err().to_string();
        assert!(first.starts_with(path), "{first}");
        let second = journal.intend(kill(2)).unwrap_err().to_string();
        assert!(second.contains("nothing more is begun"), "{second}");
    }
}

#[test]
fn a_journal_that_was_never_begun_asks_for_nothing() {
    assert_eq!(pending(Path::new("/nowhere/at/all")).unwrap(), Pending::default());
    assert!(pending(Path::new("/dev")).is_err(), "what cannot be read is an error");
}

proptest! {
    #[test]
    fn whatever_the_bytes_are_nothing_is_undone_that_nobody_wrote(
        cut in any::<prop::sample::Index>(), junk in prop::collection::vec(any::<u8>(), 0..80), rest in any::<prop::sample::Index>()
    ) {
        let bytes = journal();
        let changed = [&bytes[..cut.index(bytes.len())], &junk[..], &bytes[rest.index(bytes.len())..]].concat();
        let known = [kill(1), kill(2), kill(3), marked()];
        if let Ok(pending) = pending_in(&changed) {
            prop_assert!(pending.undo.iter().all(|undo| known.contains(undo)));
        }
    }
}
