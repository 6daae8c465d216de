//! Latencies as a histogram log, which the tools of `HdrHistogram` read: a line a flow, phase and kind, and one a flow and second.
//!
//! Values are microseconds; the column of largest values is in milliseconds, as those tools show it.

use crate::record::{Arm, LatencyKind, Micros, Population, SECOND};
use crate::stats::{BadHistogram, Histogram};
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry, LogIteratorError};
use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds in a millisecond.
const DIVISOR: f64 = 1_000.0;

/// A line of a log.
#[derive(Debug, Clone)]
pub struct Line {
    /// `<flow>.<phase>.<kind>`, `<flow>.by-second.response`, or nothing in logs of others.
    pub tag: Option<String>,
    /// Seconds since the log's base.
    pub start: f64,
    /// Seconds.
    pub length: f64,
    /// The values.
    pub histogram: Histogram,
}

/// A text that is no histogram log.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BadLog {
    /// A line is none of a log.
    #[error("not a line of a histogram log: {0}")]
    Line(String),
    /// A line's histogram is none.
    #[error(transparent)]
    Histogram(#[from] BadHistogram),
}

/// The log of an arm: all four intervals of every flow in every phase, and the response times of the acceptable requests alone; then the
/// response times of every flow second by second.
pub fn write(arm: &Arm) -> Result<String, BadHistogram> {
    let mut text = header(began(arm));
    // With a single flow, all flows together are that flow.
    let only = (arm.flows.len() == 1).then_some(0);
    let mut written: Vec<_> =
        arm.latencies.iter().filter_map(|one| Some((one, one.flow.or(only)?, one.phase?))).collect();
    written.sort_by_key(|(one, flow, phase)| (*phase, *flow, one.kind, one.population));
    for (latency, flow, phase) in written {
        let Some(kind) = word(latency.kind, latency.population) else { continue };
        let (flow, phase) = (&arm.flows[flow], &arm.phases[phase]);
        let tag = format!("{}.{}.{kind}", slug(&flow.name), slug(&phase.name));
        let longest = Histogram::decode(&latency.histogram)?.max();
        push(&mut text, &tag, (phase.from, phase.to - phase.from), longest, &latency.histogram)?;
    }
    let mut seconds: Vec<_> = arm.seconds.iter().filter(|second| second.count > 0).collect();
    seconds.sort_by_key(|second| (second.flow, second.at));
    for second in seconds {
        let Some(flow) = arm.flows.get(second.flow) else { continue };
        let tag = format!("{}.by-second.response", slug(&flow.name));
        push(&mut text, &tag, (second.at, SECOND), second.max, &second.histogram)?;
    }
    Ok(text)
}

/// What stands before the lines; without names of columns Java's tools show nothing.
fn header(began: f64) -> String {
    format!(
        "#[Histogram log format version 1.3]\n\
         #values: microseconds; Interval_Max: milliseconds\n\
         #[StartTime: {began:.3} (seconds since epoch)]\n\
         #[BaseTime: {began:.3} (seconds since epoch)]\n\
         #[MaxValueDivisor: {DIVISOR:.3}]\n\
         \"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n"
    )
}

fn push(
    text: &mut String,
    tag: &str,
    (from, length): (Micros, Micros),
    longest: u64,
    encoded: &str,
) -> Result<(), BadHistogram> {
    let (from, length, longest) = (seconds(from), seconds(length), longest as f64 / DIVISOR);
    let histogram = Histogram::compressed(encoded)?;
    // Writing to a text cannot fail.
    let _ = writeln!(text, "Tag={tag},{from:.3},{length:.3},{longest:.3},{histogram}");
    Ok(())
}

/// Reads a log, ours or another's.
pub fn read(text: &[u8]) -> Result<Vec<Line>, BadLog> {
    // The legend is for spreadsheets; the reader takes it for a broken line.
    let own: Vec<u8> = text
        .split_inclusive(|byte| *byte == b'\n')
        .filter(|line| !line.starts_with(b"\""))
        .flatten()
        .copied()
        .collect();
    let mut lines = Vec::new();
    for entry in IntervalLogIterator::new(&own) {
        let entry = entry.map_err(|error| match error {
            LogIteratorError::ParseError { offset } => BadLog::Line(format!("at byte {offset}")),
        })?;
        if let LogEntry::Interval(interval) = entry {
            lines.push(Line {
                tag: interval.tag().map(|tag| tag.as_str().to_owned()),
                start: interval.start_timestamp().as_secs_f64(),
                length: interval.duration().as_secs_f64(),
                histogram: Histogram::decode(interval.encoded_histogram())?,
            });
        }
    }
    Ok(lines)
}

/// Seconds since the epoch.
fn began(arm: &Arm) -> f64 {
    let started: Option<jiff::Timestamp> = arm.started.as_ref().and_then(|started| started.parse().ok());
    let started = started.map_or(UNIX_EPOCH, SystemTime::from);
    started.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

fn seconds(micros: Micros) -> f64 {
    micros.max(0) as f64 / SECOND as f64
}

fn word(kind: LatencyKind, population: Population) -> Option<&'static str> {
    match (kind, population) {
        (LatencyKind::Response, Population::All) => Some("response"),
        (LatencyKind::Response, Population::Acceptable) => Some("response-acceptable"),
        (LatencyKind::Service, Population::Acceptable) => Some("service"),
        (LatencyKind::PacerLag, Population::All) => Some("pacer-lag"),
        (LatencyKind::ConnectionWait, Population::All) => Some("connection-wait"),
        _ => None,
    }
}

/// A tag holds no comma, space or line end.
fn slug(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c.to_ascii_lowercase() } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{ArmKind, Flow, Latency, Phase, SecondLatency};

    fn latency(kind: LatencyKind, population: Population, phase: usize, values: std::ops::Range<u64>) -> Latency {
        let mut histogram = Histogram::default();
        values.for_each(|value| histogram.record(value));
        Latency::of((None, Some(phase)), (kind, population), &histogram)
    }

    fn arm() -> Arm {
        let phase = |name: &str, from, to| Phase { name: name.to_owned(), from, to, judged: true, moved_in: 0 };
        let flow = Flow {
            name: "load".to_owned(),
            to: "cart".to_owned(),
            journey: false,
            rate: 1000.0,
            connections: "64".to_owned(),
            time_out: 2_000_000,
        };
        Arm {
            started: Some("2026-05-04T10:00:00.5Z".to_owned()),
            flows: vec![flow],
            phases: vec![phase("base, line", 1_000_000, 3_000_000), phase("failing", 3_000_000, 7_500_000)],
            latencies: vec![
                latency(LatencyKind::Response, Population::All, 1, 500..90_000),
                latency(LatencyKind::Service, Population::Acceptable, 1, 100..200),
                latency(LatencyKind::Response, Population::All, 0, 1_000..3_000),
            ],
            seconds: vec![second(3, 700..900), second(2, 100..400), second(4, 0..0)],
            ..Arm::empty(ArmKind::Main)
        }
    }

    fn second(number: i64, values: std::ops::Range<u64>) -> SecondLatency {
        let mut histogram = Histogram::default();
        values.for_each(|value| histogram.record(value));
        SecondLatency {
            flow: 0,
            at: number * SECOND,
            count: histogram.count(),
            p50: 0,
            p90: 0,
            p99: None,
            max: histogram.max(),
            histogram: histogram.encode(),
        }
    }

    #[test]
    fn what_is_written_is_read_back_with_the_same_count_in_every_bucket() {
        let arm = arm();
        let lines = read(write(&arm).unwrap().as_bytes()).unwrap();
        let tags: Vec<_> = lines.iter().map(|line| line.tag.clone().unwrap()).collect();
        let phases = ["load.base--line.response", "load.failing.response", "load.failing.service"];
        assert_eq!(
            tags,
            [&phases[..], &["load.by-second.response"; 2]].concat(),
            "seconds without a request are left out"
        );
        assert_eq!([(lines[3].start, lines[3].length), (lines[4].start, lines[4].length)], [(2.0, 1.0), (3.0, 1.0)]);
        assert_eq!([lines[3].histogram.count(), lines[4].histogram.count()], [300, 200]);
        assert_eq!((lines[1].start, lines[1].length), (3.0, 4.5));
        let original = Histogram::decode(&arm.latencies[0].histogram).unwrap();
        assert_eq!(lines[1].histogram.buckets(), original.buckets());
        let mut merged = lines[0].histogram.clone();
        merged.add(&lines[1].histogram);
        assert_eq!(merged.count(), lines[0].histogram.count() + lines[1].histogram.count());
    }

    #[test]
    fn the_header_is_what_javas_tools_ask_for() {
        let text = write(&arm()).unwrap();
        let head: Vec<_> = text.lines().take(6).collect();
        assert_eq!(head[0], "#[Histogram log format version 1.3]");
        assert_eq!(head[2], "#[StartTime: 1777888800.500 (seconds since epoch)]");
        assert_eq!(head[3], "#[BaseTime: 1777888800.500 (seconds since epoch)]");
        assert_eq!(head[4], "#[MaxValueDivisor: 1000.000]");
        assert!(head[5].starts_with("\"StartTimestamp\""), "{text}");
        let first = text.lines().nth(6).unwrap();
        assert!(first.starts_with("Tag=load.base--line.response,1.000,2.000,2.999,HISTF"), "{first}");
    }

    /// From the tests of `HdrHistogram` itself, which are in the public domain: written by `jHiccup`.
    #[test]
    fn a_log_written_by_java_is_read() {
        let text = b"#[Logged with jHiccup version 2.0.7-SNAPSHOT]\n#[Histogram log format version 1.2]\n\
#[StartTime: 1441753532.570 (seconds since epoch), Tue Sep 08 16:05:32 PDT 2015]\n\
\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n\
0.126,1.007,1.933,HISTFAAAAEB42pNpmSzMwMAgywABTBDKT4GBgdnNYMcCBvsPEBEjDT0FMTUxMT05LgEhPqmIeWxtTAKMTNxM6xmZmAAjcgjc\n\
1.133,1.000,0.377,HISTFAAAADx42pNpmSzMwMAgyQABTBDKT4GBgdnNYMcCBvsPEBEBDQUxCSkJMTEFOSExPhmbR6xfmPQ4GJmYAP4DCJg=\n";
        let lines = read(text).unwrap();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].tag, None);
        // Nanoseconds in two digits, and 1.933 ms as its own column says.
        let largest = lines[0].histogram.max() as f64 / 1e6;
        assert!((largest - 1.933).abs() < 0.02, "{largest}");
    }

    #[test]
    fn nonsense_is_an_error() {
        assert!(read(b"Tag=x,not,a,log\n").is_err());
        assert!(read(b"0.1,1.0,2.0,HISTFnonsense\n").is_err());
    }
}
