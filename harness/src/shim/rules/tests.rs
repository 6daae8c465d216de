use super::*;
use crate::fault::spec::{Delay, Pick, Pulse, Rhythm, Slices};

fn active(id: u32, kind: Kind, unit: Unit, pick: Pick, matching: Match) -> Active {
    Active::new(
        id,
        Fault { kind, unit, pick, matching, direction: Direction::Both, existing: true, rhythm: Rhythm::default() },
        0,
        Seed(7),
    )
}

fn request_fault(id: u32, kind: Kind) -> Active {
    active(id, kind, Unit::Request, Pick::All, Match::default())
}

const ABORT: Kind = Kind::abort(503);

fn latency(millis: u64) -> Kind {
    Kind::latency(Duration::from_millis(millis))
}

fn on_request(faults: &mut [Active], head: &Request, attempt: u32) -> Verdict {
    let subject = Subject::Request { head, attempt, open: 1 };
    judge(faults.iter_mut().map(|fault| (fault, Duration::ZERO)), subject)
}

fn on_connection(faults: &mut [Active], open: usize) -> Verdict {
    judge(faults.iter_mut().map(|fault| (fault, Duration::ZERO)), Subject::Connection { open })
}

#[test]
fn delays_add_up_and_the_first_end_wins() {
    let mut faults = [
        request_fault(1, latency(5)),
        request_fault(2, ABORT),
        request_fault(3, Kind::Hang),
        request_fault(4, latency(7)),
    ];
    let request = Request::new("GET", "/");
    let verdict = on_request(&mut faults, &request, 1);
    assert_eq!(verdict.delays, [(1, Duration::from_millis(5)), (4, Duration::from_millis(7))]);
    assert_eq!(verdict.end, Some((2, End::Abort(Rc::new(Reply::of(503)), AbortPlace::Before))));
    assert_eq!(verdict.first_effects, [1, 2, 4]);
    let again = on_request(&mut faults, &request, 1);
    assert!(again.first_effects.is_empty());
    assert_eq!(faults[2].harmed, 0);
    assert_eq!(faults[1].victims, [1, 2]);
}

#[test]
fn only_matching_units_are_counted_and_taken() {
    let matching = Match {
        method: Some("GET".to_owned()),
        path: Some("/cart*".to_owned()),
        header: Some(("x-user".to_owned(), "alice".to_owned())),
        ..Match::default()
    };
    let mut fault = [active(1, ABORT, Unit::Request, Pick::Every(2), matching)];
    let mut request = |method: &str, path: &str, user: &str| {
        let mut request = Request::new(method, path);
        request.headers.add("x-user", user.as_bytes());
        on_request(&mut fault, &request, 1).end.is_some()
    };
    assert!(!request("GET", "/cart/1?x=1", "alice"), "the first of two");
    assert!(!request("POST", "/cart/1", "alice"));
    assert!(!request("GET", "/", "alice"));
    assert!(!request("GET", "/cart", "bob"));
    assert!(request("GET", "/cart", "alice"), "the second of two");
}

#[test]
fn connections_and_requests_are_different_units() {
    let mut faults = [active(1, Kind::reset(0), Unit::Connection, Pick::All, Match::default())];
    let request = Request::new("GET", "/");
    assert_eq!(on_request(&mut faults, &request, 1), Verdict::default());
    assert_eq!(on_connection(&mut faults, 1).end, Some((1, End::Reset(0))));
}

#[test]
fn an_attempt_can_be_picked() {
    let mut faults = [active(1, ABORT, Unit::Request, Pick::Attempt(1), Match::default())];
    let request = Request::new("GET", "/");
    let hit = [1, 2, 1].map(|attempt| on_request(&mut faults, &request, attempt).end.is_some());
    assert_eq!(hit, [true, false, true]);
}

#[test]
fn a_ramp_grows_delays_and_shares() {
    let rhythm = Rhythm { pulse: None, ramp: Some(Duration::from_secs(10)) };
    let mut slow = request_fault(1, latency(100));
    slow.spec.rhythm = rhythm;
    let mut flaky = active(2, ABORT, Unit::Request, Pick::Percent(50.0), Match::default());
    flaky.spec.rhythm = rhythm;
    let request = Request::new("GET", "/");
    let subject = Subject::Request { head: &request, attempt: 1, open: 1 };
    let at = |fault: &mut Active, seconds| judge(std::iter::once((fault, Duration::from_secs(seconds))), subject);
    for (seconds, millis) in [(0, 0), (5, 50), (10, 100), (60, 100)] {
        assert_eq!(at(&mut slow, seconds).delays, [(1, Duration::from_millis(millis))], "after {seconds} s");
    }
    let share = |fault: &mut Active, seconds| (0..100).filter(|_| at(fault, seconds).end.is_some()).count();
    assert_eq!((share(&mut flaky, 0), share(&mut flaky, 5), share(&mut flaky, 10)), (0, 25, 50));
}

#[test]
fn what_rests_between_pulses_takes_nothing() {
    let mut faults = [request_fault(1, ABORT)];
    faults[0].spec.rhythm.pulse = Some(Pulse { active: Duration::from_secs(1), idle: Duration::from_secs(1) });
    let request = Request::new("GET", "/");
    assert!(on_request(&mut faults, &request, 1).end.is_some());
    faults[0].acts = false;
    assert!(on_request(&mut faults, &request, 1).end.is_none());
}

#[test]
fn overload_grows_with_what_is_open() {
    let mut faults = [request_fault(1, Kind::Overload { free: 2, each: Duration::from_millis(5) })];
    let request = Request::new("GET", "/");
    let mut held = |open| {
        let subject = Subject::Request { head: &request, attempt: 1, open };
        judge(faults.iter_mut().map(|fault| (fault, Duration::ZERO)), subject).delays
    };
    assert!(held(2).is_empty());
    assert_eq!(held(5), [(1, Duration::from_millis(15))]);
    assert_eq!(faults[0].harmed, 1, "what is not held is not harmed");
}

#[test]
fn connections_beyond_the_limit_are_reset() {
    let mut faults = [active(1, Kind::ConnectionLimit { most: 2 }, Unit::Connection, Pick::All, Match::default())];
    assert_eq!(on_connection(&mut faults, 2).end, None);
    assert_eq!(on_connection(&mut faults, 3).end, Some((1, End::Reset(0))));
    assert_eq!(faults[0].harmed, 1);
}

#[test]
fn probes_are_taken_too_or_only_or_never() {
    let probe = Request::new("GET", "/healthz");
    let mut request = Request::new("GET", "/");
    request.headers.add("traceparent", b"00-0-0-0");
    for (probes, wanted) in [(Probes::Too, [true, true]), (Probes::Only, [true, false]), (Probes::Never, [false, true])]
    {
        let matching = Match { probes, ..Match::default() };
        let mut faults = [active(1, ABORT, Unit::Request, Pick::All, matching)];
        let hit = [&probe, &request].map(|head| on_request(&mut faults, head, 1).end.is_some());
        assert_eq!(hit, wanted, "{probes:?}");
    }
}

#[test]
fn each_part_of_an_answer_is_held_by_itself() {
    let time = Duration::from_millis(7);
    let held = |part| {
        let mut faults = [request_fault(1, Kind::Latency(Delay { part, ..Delay::of(time) }))];
        on_request(&mut faults, &Request::new("GET", "/"), 1)
    };
    let (request, body, pieces) = (held(Part::Request), held(Part::Body), held(Part::Pieces));
    assert_eq!((request.delays, request.changes), (vec![(1, time)], Changes::default()));
    assert_eq!(body.changes, Changes { body_held: vec![(1, time)], ..Changes::default() });
    assert_eq!(pieces.changes, Changes { pieces_held: vec![(1, time)], ..Changes::default() });
}

#[test]
fn several_ways_to_slow_a_connection_hold_together() {
    let slices = Slices { size: 10, every: Duration::from_millis(5), stray: 0 };
    let mut faults = [
        active(1, Kind::Bandwidth { bytes_per_second: 100 }, Unit::Connection, Pick::All, Match::default()),
        active(2, Kind::Slicer(slices), Unit::Connection, Pick::All, Match::default()),
    ];
    let pace = on_connection(&mut faults, 1).pace;
    assert_eq!((pace.bandwidth, pace.slices), (Some(100), Some(slices)));
}
