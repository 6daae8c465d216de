use super::*;
use crate::policy::LogSink;
use crate::telemetry::format::standard;
use std::fs;
use std::path::Path;

const PATIENCE: Duration = Duration::from_secs(10);

fn policy(path: &Path, format: &str) -> policy::AccessLog {
    policy::AccessLog { to: LogSink::File(path.to_owned()), format: standard::text(format).unwrap() }
}

fn info(route: &str) -> StreamInfo<'_> {
    let now = now();
    StreamInfo { route, ..StreamInfo::new(now, now) }
}

#[test]
fn lines_come_in_order_and_logs_of_one_file_share_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.log");
    fs::write(&path, "old\n").unwrap();
    let writer = LogWriter::start().unwrap();
    let first = writer.log(&policy(&path, "first %ROUTE_NAME%\n"), "").unwrap();
    let second = writer.log(&policy(&path, "second %ROUTE_NAME%\n"), "").unwrap();
    first.log(&info("a"));
    second.log(&info("b\nforged"));
    first.log(&info("c"));
    assert!(writer.flush(PATIENCE));
    assert_eq!(fs::read_to_string(&path).unwrap(), "old\nfirst a\nsecond b\\nforged\nfirst c\n");
    assert_eq!((writer.lost(), writer.failed()), (0, 0));
}

#[test]
fn a_file_that_was_moved_away_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let (path, moved) = (folder.path().join("access.log"), folder.path().join("access.log.1"));
    let writer = LogWriter::start().unwrap();
    let log = writer.log(&policy(&path, "%ROUTE_NAME%\n"), "").unwrap();
    log.log(&info("before"));
    assert!(writer.flush(PATIENCE));
    fs::rename(&path, &moved).unwrap();
    log.log(&info("between"));
    assert!(writer.flush(PATIENCE));
    writer.reopen();
    log.log(&info("after"));
    assert!(writer.flush(PATIENCE));
    assert_eq!(fs::read_to_string(&moved).unwrap(), "before\nbetween\n");
    assert_eq!(fs::read_to_string(&path).unwrap(), "after\n");
}

#[test]
fn a_file_that_cannot_be_opened_again_serves_on_and_the_failure_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let writer = LogWriter::start().unwrap();
    let log = writer.log(&policy(&inner.join("log"), "%ROUTE_NAME%\n"), "").unwrap();
    let away = folder.path().join("away");
    fs::rename(&inner, &away).unwrap();
    writer.reopen();
    log.log(&info("still"));
    assert!(writer.flush(PATIENCE));
    assert_eq!(fs::read_to_string(away.join("log")).unwrap(), "still\n");
    assert_eq!(writer.failed(), 1);
    assert!(writer.log(&policy(&inner.join("log2"), "x\n"), "").is_err());
}

#[test]
fn lines_beyond_the_queue_are_lost_and_counted_and_nobody_waits() {
    let folder = tempfile::tempdir().unwrap();
    let (writer, waiting) = LogWriter::idle(2);
    let log = writer.log(&policy(&folder.path().join("log"), "%ROUTE_NAME%\n"), "").unwrap();
    for _ in 0..5 {
        log.log(&info("x"));
    }
    assert_eq!(writer.lost(), 3);
    assert_eq!(waiting.try_iter().count(), 2);
}

#[test]
fn nobody_waits_longer_than_told_for_a_disk_that_does_not_answer() {
    let (writer, _waiting) = LogWriter::idle(0);
    assert!(!writer.flush(Duration::from_millis(5)));
}

#[test]
fn files_without_a_log_are_closed() {
    let folder = tempfile::tempdir().unwrap();
    let (writer, _waiting) = LogWriter::idle(1);
    let kept = writer.log(&policy(&folder.path().join("kept"), "x\n"), "").unwrap();
    drop(writer.log(&policy(&folder.path().join("gone"), "x\n"), "").unwrap());
    writer.forget_unused();
    let open = writer.sinks.lock().unwrap();
    assert_eq!(open.values().map(Arc::as_ptr).collect::<Vec<_>>(), [Arc::as_ptr(&kept.sink)]);
}
