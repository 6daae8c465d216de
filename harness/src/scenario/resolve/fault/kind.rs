//! What each kind of fault does, from how it is written; and in words.

use crate::fault::spec::{self, AbortPlace, Delay, Direction, Kind, Limit, Part, Reply, Rewrite, Slices, Unit};
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::written::{Abort, Aim, Fault, Placed, Pulse, Selection, Terminate};
use crate::units::{ByteRate, Bytes, Percent, TimeSpan};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

/// What a fault of the file means.
pub(super) struct Meaning {
    pub(super) kind: Kind,
    /// The units that it can take, the first where the file does not say.
    pub(super) units: &'static [Unit],
    pub(super) aim: Aim,
    pub(super) selection: Selection,
    /// Connections that were open before it are left alone, whatever the file says.
    pub(super) only_new: bool,
}

const REQUEST: &[Unit] = &[Unit::Request];
const CONNECTION: &[Unit] = &[Unit::Connection];
const EITHER: &[Unit] = &[Unit::Request, Unit::Connection];

/// What a process may take to end, where the file does not say.
const GRACE: Duration = Duration::from_secs(30);

/// From one flipped bit to the next, where the file does not say.
const FLIPS: u64 = 1_024;

/// The kind, the units that it can take, and what all kinds have. None for kinds that were refused by name when the file was read.
pub(super) fn meant(written: &Fault, problems: &mut Problems) -> Option<Meaning> {
    macro_rules! meaning {
        ($fault:expr, $units:expr, $kind:expr) => {
            Meaning { kind: $kind, units: $units, aim: $fault.aim(), selection: $fault.selection(), only_new: false }
        };
    }
    Some(match written {
        Fault::Latency(fault) => {
            let part = fault.part.map_or(Part::Request, |part| part.value);
            let delay = Delay {
                base: fault.base.0,
                jitter: fault.jitter.unwrap_or_default().0,
                spread: fault.distribution.unwrap_or_default(),
                correlation: fault.correlation.map_or(0.0, Percent::share),
                part,
            };
            let units = match part {
                Part::Request | Part::Pieces => EITHER,
                Part::Body => REQUEST,
            };
            meaning!(fault, units, Kind::Latency(delay))
        }
        Fault::Degrade(fault) => {
            if fault.pick.is_none() {
                problems
                    .error(
                        code::SHAPE,
                        fault.target.place,
                        "`degrade` slows some of the requests, and which is not said",
                    )
                    .expected("`pick`, such as `pick: 30%`")
                    .help("to slow all of them is `latency`");
            }
            let delay = Delay { jitter: fault.jitter.unwrap_or_default().0, ..Delay::of(fault.by.0) };
            meaning!(fault, REQUEST, Kind::Latency(delay))
        }
        Fault::Overload(fault) => {
            let free = fault.free.map_or(0, |free| free as usize);
            meaning!(fault, REQUEST, Kind::Overload { free, each: fault.each.0 })
        }
        Fault::Abort(fault) => {
            meaning!(fault, REQUEST, abort(fault, problems)?)
        }
        Fault::Reset(fault) => {
            if let (Some(after), Some(_)) = (fault.after, fault.after_bytes) {
                problems
                    .error(code::SHAPE, after.place, "both `after` and `after-bytes`")
                    .help("a connection is reset once");
            }
            let after_bytes = fault.after_bytes.map_or(0, |bytes| bytes.0);
            let units = if fault.after.is_some() { CONNECTION } else { EITHER };
            meaning!(fault, units, Kind::Reset { after_bytes, after: fault.after.map(|after| after.0) })
        }
        Fault::Truncate(fault) => {
            meaning!(fault, EITHER, Kind::Truncate { after_bytes: fault.after_bytes.map_or(0, |bytes| bytes.0) })
        }
        Fault::Refuse(fault) => meaning!(fault, CONNECTION, Kind::Refuse),
        Fault::Flap(fault) => {
            let mut meaning = meaning!(fault, CONNECTION, Kind::Refuse);
            if let Some(pulse) = meaning.aim.pulse {
                problems.error(code::SHAPE, pulse.place, "`flap` has its own pulse").help("leave `pulse` out");
            }
            let pulse = Pulse { active: fault.down.value, idle: fault.up.value };
            meaning.aim.pulse = Some(Placed { value: pulse, place: fault.down.place });
            meaning
        }
        Fault::AcceptStall(fault) => Meaning { only_new: true, ..meaning!(fault, CONNECTION, Kind::AcceptStall) },
        Fault::ConnectionLimit(fault) => {
            let kind = Kind::ConnectionLimit { most: fault.most as usize };
            Meaning { only_new: true, ..meaning!(fault, CONNECTION, kind) }
        }
        Fault::Hang(fault) => meaning!(fault, EITHER, Kind::Hang),
        Fault::Blackhole(fault) => {
            meaning!(fault, CONNECTION, Kind::Blackhole { close_after: fault.close_after.map(|after| after.0) })
        }
        Fault::Bandwidth(fault) => {
            if fault.rate.0 == 0 {
                problems
                    .error(code::RANGE, fault.rate.place, "a rate of 0 lets nothing pass")
                    .help("that is a `blackhole`");
            }
            meaning!(fault, CONNECTION, Kind::Bandwidth { bytes_per_second: fault.rate.0.max(1) })
        }
        Fault::Slicer(fault) => {
            let stray = fault.stray.map_or(0, |bytes| usize::try_from(bytes.0).unwrap_or(usize::MAX));
            if let Some(far) = fault.stray.filter(|stray| stray.0 >= fault.size.0) {
                problems
                    .error(code::RANGE, far.place, "a piece would have no bytes at all")
                    .expected(format!("less than {}", fault.size.value));
            }
            let slices = Slices { size: piece(fault.size, problems), every: fault.every.0, stray };
            meaning!(fault, CONNECTION, Kind::Slicer(slices))
        }
        Fault::Drip(fault) => {
            let size = fault.size.map_or(1, |bytes| piece(bytes, problems));
            let slices = Slices { size, every: fault.every.0, stray: 0 };
            meaning!(fault, REQUEST, Kind::Drip(slices))
        }
        Fault::SlowClose(fault) => meaning!(fault, CONNECTION, Kind::SlowClose { by: fault.by.0 }),
        Fault::Corrupt(fault) => {
            let every = fault.every.map_or(FLIPS, |every| at_least_one(every, problems));
            meaning!(fault, EITHER, Kind::Corrupt { every })
        }
        Fault::Rewrite(fault) => {
            let of = fault.of.unwrap_or_default();
            let set = fault.set.as_ref().map(|set| fields(set, problems)).unwrap_or_default();
            let remove = fault.remove.as_ref().map(|names| removed(names, problems)).unwrap_or_default();
            if fault.set.is_none() && fault.remove.is_none() {
                problems
                    .error(code::SHAPE, fault.target.place, "this `rewrite` changes nothing")
                    .expected("`set: {name: value}`, `remove: [name]` or both");
            }
            meaning!(fault, REQUEST, Kind::Rewrite(Rewrite { of, set, remove }))
        }
        Fault::LoseTrailers(fault) => meaning!(fault, REQUEST, Kind::LoseTrailers),
        Fault::Kill(fault) => meaning!(fault, CONNECTION, Kind::Kill { restart: fault.restart.is_some() }),
        Fault::Terminate(fault) => {
            let kind = Kind::Terminate { grace: grace(fault, problems), restart: fault.restart.is_some() };
            meaning!(fault, CONNECTION, kind)
        }
        Fault::CrashLoop(fault) => meaning!(fault, CONNECTION, Kind::CrashLoop { up: fault.up.0 }),
        Fault::Pause(fault) => meaning!(fault, CONNECTION, Kind::Pause),
        Fault::Limit(fault) => {
            if fault.descriptors.is_none() && fault.memory.is_none() {
                problems
                    .error(code::SHAPE, fault.target.place, "this `limit` limits nothing")
                    .expected("`descriptors: 64`, `memory: 256MB` or both");
            }
            let descriptors = fault.descriptors.map(|most| most.value);
            meaning!(fault, CONNECTION, Kind::Limit(Limit { descriptors, memory: fault.memory.map(|most| most.0) }))
        }
        Fault::Unlist(fault) => meaning!(fault, CONNECTION, Kind::Unlist),
        Fault::Stale(fault) => meaning!(fault, CONNECTION, Kind::Stale),
        Fault::Misdirect(fault) => meaning!(fault, CONNECTION, Kind::Misdirect),
        Fault::Partition(_) | Fault::Loss(_) => return None,
    })
}

/// One way to fail a request. None, and an error, where there is none or more than one.
fn abort(fault: &Abort, problems: &mut Problems) -> Option<Kind> {
    let place = fault.place.unwrap_or(AbortPlace::Before);
    let goaway = fault.goaway.filter(|goaway| goaway.value);
    let mut kinds: Vec<Kind> = Vec::new();
    if let Some(status) = fault.status {
        kinds.push(Kind::Abort { reply: reply(status, fault.retry_after, fault.body.as_ref(), problems), place });
    }
    if let Some(status) = fault.grpc_status {
        let number = (status.value as u32).to_string();
        let headers = [("content-type", "application/grpc"), ("grpc-status", number.as_str())];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        kinds.push(Kind::Abort { reply: Reply { headers, ..Reply::of(200) }, place });
    }
    kinds.extend(fault.rst_stream.map(|code| Kind::ResetStream { code: code.value as u32, place }));
    kinds.extend(goaway.map(|_| Kind::GoAway));
    if kinds.len() != 1 {
        problems
            .error(code::SHAPE, fault.target.place, "`abort` fails a request in one way")
            .expected("one of `status`, `grpc-status`, `rst-stream` and `goaway: true`");
    } else if fault.status.is_none() {
        let of_status = [
            fault.retry_after.map(|after| ("retry-after", after.place)),
            fault.body.as_ref().map(|body| ("body", body.place)),
        ];
        for (key, place) in of_status.into_iter().flatten() {
            problems.error(code::SHAPE, place, format!("`{key}` goes with `status`")).help("leave it out");
        }
    }
    kinds.pop()
}

/// One that the fault outlasts, where that is known here.
fn grace(fault: &Terminate, problems: &mut Problems) -> Duration {
    let grace = fault.grace.map_or(GRACE, |grace| grace.0);
    if let Some(lasting) = fault.r#for.filter(|lasting| lasting.0 <= grace) {
        problems
            .error(
                code::TIME,
                lasting.place,
                format!("the process may take {} to end, and the fault is over by then", TimeSpan(grace)),
            )
            .help("write a shorter `grace`");
    }
    grace
}

fn reply(
    status: Placed<u16>,
    retry_after: Option<Placed<TimeSpan>>,
    body: Option<&Placed<String>>,
    problems: &mut Problems,
) -> Reply {
    if !(200..600).contains(&status.value) {
        problems
            .error(code::RANGE, status.place, format!("`{}` is no status to abort with", status.value))
            .expected("200 to 599");
    }
    let seconds = retry_after.map(|after| {
        if after.0.subsec_nanos() != 0 {
            problems
                .error(
                    code::RANGE,
                    after.place,
                    format!("`retry-after` counts whole seconds, and {} is none", after.value),
                )
                .expected("`1s`, `2s`, ...");
        }
        ("retry-after".to_owned(), after.0.as_secs().to_string())
    });
    Reply {
        status: status.value,
        headers: seconds.into_iter().collect(),
        body: body.map(|body| body.value.clone()).unwrap_or_default(),
    }
}

fn piece(bytes: Placed<Bytes>, problems: &mut Problems) -> usize {
    usize::try_from(at_least_one(bytes, problems)).unwrap_or(usize::MAX)
}

fn at_least_one(bytes: Placed<Bytes>, problems: &mut Problems) -> u64 {
    if bytes.0 == 0 {
        problems.error(code::RANGE, bytes.place, "no bytes at all").expected("`1B` or more");
    }
    bytes.0
}

fn fields(set: &Placed<BTreeMap<String, String>>, problems: &mut Problems) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    for (name, value) in &set.value {
        if check_name(name, set, problems) {
            if value.bytes().any(|byte| byte < b' ' && byte != b'\t' || byte == 0x7f) {
                problems.error(code::SHAPE, set.place, format!("`{name}` has a value with control characters"));
            }
            fields.push((name.to_ascii_lowercase(), value.clone()));
        }
    }
    fields
}

fn removed(names: &Placed<Vec<String>>, problems: &mut Problems) -> Vec<String> {
    let known = names.value.iter().filter(|name| check_name(name, names, problems));
    known.map(|name| name.to_ascii_lowercase()).collect()
}

/// False, and an error, where a field cannot be rewritten.
fn check_name<T>(name: &str, within: &Placed<T>, problems: &mut Problems) -> bool {
    let framing = ["content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"];
    if framing.iter().any(|field| field.eq_ignore_ascii_case(name)) {
        problems
            .error(code::SHAPE, within.place, format!("`{name}` says where messages end, and is not rewritten"))
            .help("what ends too early is a `truncate`, what never ends a `hang`");
        return false;
    }
    if !squall_http1::is_token(name) {
        problems.error(code::SHAPE, within.place, format!("`{name}` is no name of a field"));
        return false;
    }
    true
}

/// `abort 503`, `latency 200ms ± 50ms`.
pub(super) fn describe(fault: &spec::Fault, pulse: Option<Pulse>) -> String {
    let mut text = fault.kind.word().to_owned();
    // Writing to a string never fails.
    let _ = match &fault.kind {
        Kind::Latency(delay) => latency(&mut text, delay),
        Kind::Overload { each, .. } => write!(text, " {} for each open request", TimeSpan(*each)),
        Kind::Abort { reply, .. } => match reply.headers.iter().find(|(name, _)| name == "grpc-status") {
            Some((_, status)) => write!(text, " grpc-status {status}"),
            None => write!(text, " {}", reply.status),
        },
        Kind::ResetStream { code, .. } => write!(text, " {:?}", h2::Reason::from(*code)),
        Kind::Reset { after: Some(after), .. } => write!(text, " after {}", TimeSpan(*after)),
        Kind::Reset { after_bytes: 0, .. } => Ok(()),
        Kind::Blackhole { close_after: Some(after) } => write!(text, ", closed after {}", TimeSpan(*after)),
        Kind::Reset { after_bytes, .. } | Kind::Truncate { after_bytes } => {
            write!(text, " after {}", Bytes(*after_bytes))
        }
        Kind::ConnectionLimit { most } => write!(text, " {most}"),
        Kind::Bandwidth { bytes_per_second } => write!(text, " {}", ByteRate(*bytes_per_second)),
        Kind::Slicer(slices) | Kind::Drip(slices) => {
            write!(text, " {} every {}", Bytes(slices.size as u64), TimeSpan(slices.every))
        }
        Kind::SlowClose { by } => write!(text, " {}", TimeSpan(*by)),
        Kind::Limit(Limit { descriptors, memory }) => {
            let descriptors = descriptors.map(|most| format!("{most} descriptors"));
            let memory = memory.map(|most| Bytes(most).to_string());
            write!(text, " to {}", descriptors.into_iter().chain(memory).collect::<Vec<_>>().join(" and "))
        }
        Kind::CrashLoop { up } => write!(text, " every {}", TimeSpan(*up)),
        Kind::Corrupt { every } => write!(text, " every {}", Bytes(*every)),
        _ => Ok(()),
    };
    text.push_str(match fault.direction {
        Direction::Both => "",
        Direction::ClientToServer => " (client to server)",
        Direction::ServerToClient => " (server to client)",
    });
    if let Some(pulse) = pulse {
        let _ = write!(text, " ({} on, {} off)", pulse.active, pulse.idle);
    }
    text
}

fn latency(text: &mut String, delay: &Delay) -> std::fmt::Result {
    write!(text, " {}", TimeSpan(delay.base))?;
    if !delay.jitter.is_zero() {
        write!(text, " ± {}", TimeSpan(delay.jitter))?;
    }
    match delay.part {
        Part::Request => Ok(()),
        Part::Body => text.write_str(" before each body"),
        Part::Pieces => text.write_str(" before each piece of a body"),
    }
}
