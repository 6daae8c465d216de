//! The records of the gallery: each is a picture that is easy to draw badly.

use super::build::{empty, invalid, of_arms, with_control};
use super::judge::{Ask, healed, p99, success};
use super::plan::{Harm, Place, Plan, Rollout, Stream, places, seconds};
use super::rehearse::rehearse;
use squall::slo::search::Bisection;
use squall_reports::record::search::{Outcome, Search};
use squall_reports::record::{
    Arm, ArmKind, Cell, Event, EventKind, FaultSpan, Mark, Reason, Record, Said, SaidKind, SourceFile, Verdict, Witness,
};

fn phases<const N: usize>(phases: [(&str, i64); N]) -> Vec<(String, i64)> {
    phases.into_iter().map(|(name, long)| (name.to_owned(), seconds(long))).collect()
}

fn stream(name: &str, to: &str, rate: f64) -> Stream {
    Stream { name: name.to_owned(), to: to.to_owned(), rate, time_out: seconds(2) }
}

fn main_plan() -> Plan {
    Plan::new(ArmKind::Main)
}

fn healing_asks() -> Vec<Ask> {
    vec![
        success("failing", 0.999),
        p99("failing", 25.0),
        healed("ejected", "cart/1", 1.0),
        healed("readmitted", "cart/1", 5.0),
    ]
}

/// The plain case, to compare the others with.
pub(super) fn healed_well() -> Record {
    with_control("healed", "one failing instance is out at once and back soon", &ejection(), &healing_asks())
}

fn ejection() -> Plan {
    main_plan().broken(Harm::Abort, 0, 2)
}

/// The proxy did not start: there is no arm at all.
pub(super) fn no_arm() -> Record {
    let mut record = empty("no-arm", "the proxy did not start");
    record.complete = false;
    record.verdict = Verdict::Error;
    let text = "ERROR: the proxy did not start: exit code 1, \"address in use\".".to_owned();
    record.reasons = vec![Reason { verdict: Verdict::Error, code: "error".to_owned(), text }];
    "scenario: the proxy did not start\n".clone_into(&mut record.scenario.source);
    record
}

/// An arm that is complete, and knows nothing.
pub(super) fn no_data() -> Record {
    let mut arm = Arm::empty(ArmKind::Main);
    let told = rehearse(&Plan { phases: phases([("baseline", 1), ("failing", 1)]), ..main_plan() });
    (arm.phases, arm.flows, arm.instances) = (told.phases, told.flows, told.instances);
    let mut record = of_arms("no-data", "no series holds anything", vec![arm], &healing_asks()[..2]);
    invalid(&mut record, "data", "INVALID: no data: not one request was recorded.");
    record
}

/// One request in one slot.
pub(super) fn one_point() -> Record {
    let mut plan = Plan { phases: vec![("baseline".to_owned(), 100_000)], ..main_plan() };
    plan.streams = vec![stream("load", "cart", 10.0)];
    of_arms("one-point", "one request, one slot", vec![rehearse(&plan)], &[success("baseline", 0.999)])
}

/// Nothing was answered well, ever.
pub(super) fn all_failures() -> Record {
    let mut plan = Plan { eject_after: None, retries: false, ..main_plan() };
    for phase in 0..plan.phases.len() {
        plan = plan.broken(Harm::Abort, 0, phase).broken(Harm::Hang, 1, phase).broken(Harm::Kill, 2, phase);
    }
    with_control("all-failures", "every request is lost", &plan, &healing_asks())
}

/// Killed in the fault phase: what was flushed is all there is.
pub(super) fn cut_run() -> Record {
    let mut plan = Plan { phases: phases([("warm-up", 1), ("baseline", 4), ("failing", 3)]), ..ejection() };
    plan.seed = 5;
    let mut arm = rehearse(&plan);
    let planned = Plan { phases: main_plan().phases, ..plan };
    let long = rehearse(&planned);
    arm.phases = long.phases;
    arm.faults.clear();
    arm.events.retain(|event| event.kind != EventKind::FaultCleared);
    arm.totals.clear();
    arm.latencies.clear();
    arm.marks.clear();
    arm.said.clear();
    arm.processes.clear();
    arm.singles.offers.clear();
    arm.singles.requests.retain(|single| single.outcome.is_lost());
    (arm.generator, arm.truth, arm.figures) = Default::default();
    arm.verdict = Verdict::Aborted;
    let mut record = empty("cut-run", "killed in the fault phase");
    "scenario: killed in the fault phase\n".clone_into(&mut record.scenario.source);
    record.complete = false;
    record.verdict = Verdict::Aborted;
    let text = "ABORTED: the run was cut 8.0 s after its load began; what was written until then follows.".to_owned();
    record.reasons = vec![Reason { verdict: Verdict::Aborted, code: "aborted".to_owned(), text }];
    record.dirty = vec!["a rule is left in namespace sq-7341. Clean up with: squall recover sq-7341".to_owned()];
    record.arms = vec![arm];
    record
}

/// A load of one second.
pub(super) fn one_second() -> Record {
    let mut plan = ejection();
    plan.phases = vec![("baseline".to_owned(), 400_000), ("failing".to_owned(), 600_000)];
    plan.breaks[0].phase = 1;
    with_control("one-second", "a load of one second", &plan, &[success("failing", 0.99), p99("failing", 50.0)])
}

/// One answer after a minute among answers after a millisecond.
pub(super) fn outliers() -> Record {
    let mut plan = Plan { latency: (1_000.0, 0.1), outliers: vec![(3_100, seconds(60))], ..ejection() };
    plan.streams[0].time_out = seconds(120);
    let asks = [success("failing", 0.999), p99("failing", 5.0), healed("ejected", "cart/1", 1.0)];
    with_control("outliers", "one answer takes a minute", &plan, &asks)
}

/// An hour at 5,000 requests a second.
pub(super) fn hour() -> Record {
    let mut plan = Plan {
        phases: phases([
            ("warm-up", 60),
            ("baseline", 540),
            ("one-fails", 600),
            ("calm", 600),
            ("two-fail", 600),
            ("slow", 600),
            ("recovery", 600),
        ]),
        places: places("cart", 10),
        ..main_plan()
    };
    plan.streams = vec![stream("load", "cart", 5_000.0)];
    let plan = plan.broken(Harm::Abort, 0, 2).broken(Harm::Kill, 3, 4).broken(Harm::Abort, 7, 4).broken(
        Harm::Latency(40_000),
        5,
        5,
    );
    let short = plan.phases[..3].to_vec();
    let mut control = Plan { phases: short, ..plan.control() };
    control.breaks.truncate(1);
    let asks = [
        success("one-fails", 0.9999),
        success("two-fail", 0.9999),
        p99("slow", 20.0),
        healed("ejected", "cart/1", 1.0),
        healed("ejected", "cart/4", 1.0),
        healed("ejected", "cart/8", 1.0),
    ];
    of_arms("hour", "an hour at 5,000 requests a second", vec![rehearse(&plan), rehearse(&control)], &asks)
}

fn cell(rate: f64, connections: u32, mode: &str) -> Arm {
    let mut plan = Plan { phases: phases([("warm-up", 1), ("measure", 2)]), places: places("echo", 2), ..main_plan() };
    plan.kind = ArmKind::Cell;
    plan.streams = vec![stream("load", "echo", rate)];
    plan.cell = Some(Cell::new(mode, rate, connections));
    // Close to what so few connections can carry, answers wait for one another.
    let room = f64::from(connections) * 600.0;
    let wait = 1.0 / (1.0 - (rate / room).min(0.97));
    plan.latency = (if mode == "none" { 300.0 } else { 480.0 } * wait, 0.4);
    plan.seed = rate as u64 + u64::from(connections);
    rehearse(&plan)
}

fn sweep(slug: &str, title: &str, arms: Vec<Arm>) -> Record {
    let mut record = of_arms(slug, title, arms, &[p99("measure", 10.0)]);
    let worst = record.arms.iter().max_by_key(|arm| arm.verdict).map(|arm| (arm.verdict, arm.expectations.clone()));
    if let Some((verdict, expectations)) = worst {
        record.expectations = expectations;
        if verdict > Verdict::Pass {
            record.verdict = verdict;
            let what = if verdict == Verdict::Invalid { "have no data" } else { "miss measure.p99 <= 10 ms" };
            let missed = record.arms.iter().filter(|arm| arm.verdict == verdict).count();
            let text = format!("{verdict}: {missed} of {} cells {what}.", record.arms.len());
            record.reasons = vec![Reason { verdict, code: "missed".to_owned(), text }];
        }
    }
    record
}

/// Ten rates, ten numbers of connections, two modes.
pub(super) fn sweep_200() -> Record {
    let rates = (1..=10).map(|step| f64::from(step) * 400.0);
    let cells = rates.flat_map(|rate| (1..=10).map(move |step| (rate, step * 4)));
    let arms = cells.flat_map(|(rate, connections)| ["none", "client"].map(|mode| cell(rate, connections, mode)));
    sweep("sweep-200", "what the proxy costs, in 200 cells", arms.collect())
}

/// Cells that were not run, one without totals, one that lost everything.
pub(super) fn sweep_with_holes() -> Record {
    let mut arms: Vec<Arm> = Vec::new();
    for rate in [500.0, 1_000.0, 2_000.0, 4_000.0] {
        for connections in [4, 16, 64] {
            if (rate, connections) != (1_000.0, 16) && (rate, connections) != (4_000.0, 4) {
                arms.push(cell(rate, connections, "client"));
            }
        }
    }
    let mut untold = Arm::empty(ArmKind::Cell);
    untold.cell = Some(Cell::new("none", 1_000.0, 16));
    arms.push(untold);
    arms.push(cell(2_000.0, 16, "none"));
    sweep("sweep-with-holes", "a sweep of which some cells are missing", arms)
}

/// Two protocols and two sizes of bodies, which have panels of their own.
pub(super) fn sweep_spoken() -> Record {
    let mut arms = Vec::new();
    for (protocol, payload) in [("http1", 0), ("http1", 65_536), ("http2", 0), ("http2", 65_536)] {
        for (rate, mode) in [500.0, 1_000.0, 2_000.0].into_iter().flat_map(|rate| [(rate, "none"), (rate, "both")]) {
            let mut arm = cell(rate, 16, mode);
            let spoken =
                Cell { protocol: Some(protocol.to_owned()), payload: Some(payload), ..Cell::new(mode, rate, 16) };
            arm.cell = Some(spoken);
            arms.push(arm);
        }
    }
    sweep("sweep-spoken", "what protocols and bodies cost", arms)
}

/// Highest rates that were sought: one that nothing held, one that the generator ended.
pub(super) fn searches() -> Record {
    let mut record = sweep("searches", "the highest rate that each mode bears", vec![cell(500.0, 4, "client")]);
    for (mode, each) in [("none", 480.0), ("client", 140.0), ("both", 110.0)] {
        for connections in [1, 4, 16, 64, 256] {
            // Gunther's law: what they share and what they agree upon.
            let load = f64::from(connections);
            let capacity = each * load / (1.0 + 0.02 * (load - 1.0) + 0.0004 * load * (load - 1.0));
            let capacity = if (mode, connections) == ("both", 1) { 10.0 } else { capacity };
            record.searches.push(search(mode, connections, capacity));
        }
    }
    record
}

/// A search whose generator can send 6,000 requests a second.
fn search(mode: &str, connections: u32, capacity: f64) -> Search {
    let mut bisection = Bisection::new(100.0, 20_000.0);
    while let Some(next) = bisection.next() {
        if next.rate > 6_000.0 {
            bisection.note(Outcome::Limited, Some("INVALID: the generator was late".to_owned()));
        } else if next.rate > capacity {
            let why = format!("FAIL: search.p99: asked <= 20 ms, observed {:.0} ms", 20.0 * next.rate / capacity);
            bisection.note(Outcome::Broken, Some(why));
        } else {
            bisection.note(Outcome::Held, None);
        }
    }
    Search {
        mode: mode.to_owned(),
        connections,
        spoken: String::new(),
        from: 100.0,
        to: 20_000.0,
        holds: vec!["p99 <= 20ms".to_owned(), "success >= 99%".to_owned()],
        highest: bisection.highest(),
        broken: bisection.broken(),
        confirmed: bisection.confirmed(),
        limited: bisection.is_limited(),
        steps: bisection.into_steps(),
    }
}

/// Text of every kind in every place that holds text.
pub(super) fn texts() -> Record {
    let nasty = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&amp;\"'`\u{7}\u{1b}[31mred\u{1b}[0m\u{202e}txet\u{0}";
    let wide = "時刻表と遅延🌩️ Überlänge ñandú العربية";
    let long = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft".repeat(2);
    let mut plan = ejection();
    plan.phases[2].0 = format!("failing {nasty}");
    wide.clone_into(&mut plan.phases[1].0);
    plan.streams[0].name = format!("{wide} {nasty}");
    plan.places[0].name = format!("cart-{long}/1");
    plan.places[1].name = format!("{wide}/2");
    plan.places[2].name = format!("{nasty}/3");
    let phase = plan.phases[2].0.clone();
    let asks = [success(&phase, 0.999), healed("ejected", &plan.places[0].name, 1.0)];
    let title = format!("{wide}: {nasty} {long}");
    let mut record = with_control("texts", &title, &plan, &asks);
    record.scenario.about = Some(format!("{nasty}\n{wide}\n{long}"));
    record.scenario.tags = vec![nasty.to_owned(), wide.to_owned()];
    record.scenario.file = format!("gallery/{long}/{nasty}.yaml");
    record.scenario.set = vec![format!("load.headers.x={nasty}")];
    record.scenario.unsupported = vec![format!("{long}.yaml:7: {nasty}")];
    let header = format!(
        "# {nasty} {long}
"
    );
    record.scenario.source += &header;
    record.scenario.policies.push(SourceFile { path: format!("{nasty}.yaml"), text: header });
    record.run.command.extend(["--set".to_owned(), format!("load.headers.x={nasty}")]);
    record.run.machine.cpu = format!("{nasty} {long}");
    record.run.machine.ci = Some(nasty.to_owned());
    wide.clone_into(&mut record.run.platform);
    record.dirty = vec![format!("{nasty} {long}")];
    for arm in &mut record.arms {
        let text = format!("{nasty} {long} {wide}");
        let event =
            Event { at: 6_000_000, kind: EventKind::Generator, subject: nasty.into(), witness: Witness::Proxy, text };
        arm.events.push(event);
        arm.events.sort_by_key(|event| event.at);
        arm.truth.disagreements.push(format!("{nasty} {wide}"));
        arm.said.iter_mut().for_each(|said| nasty.clone_into(&mut said.reason));
        arm.marks.push(Mark { at: 9_000_000, label: format!("{wide} {nasty}"), subject: nasty.to_owned() });
        arm.marks.sort_by_key(|mark| mark.at);
        arm.faults.iter_mut().for_each(|fault| fault.what += nasty);
    }
    record
}

/// Nobody asked for a control.
pub(super) fn control_missing() -> Record {
    let mut record =
        of_arms("control-missing", "a run without its control", vec![rehearse(&ejection())], &healing_asks());
    record.run.quick = true;
    record
}

/// The control passes as well.
pub(super) fn control_passed() -> Record {
    let mut plan = ejection();
    plan.breaks.clear();
    with_control("control-passed", "healing that nothing needs", &plan, &[success("failing", 0.999)])
}

/// The generator was late.
pub(super) fn generator_late() -> Record {
    let mut record = with_control(
        "generator-late",
        "the generator sends late",
        &Plan { late: 31_000, ..ejection() },
        &healing_asks(),
    );
    for arm in &mut record.arms {
        arm.generator.saturated = Some("generator".to_owned());
        arm.generator.steal_share = None;
        arm.generator.bare_timer_p99 = None;
    }
    let text = "INVALID: the generator sent up to 31 ms late, 15 ms is allowed; nothing below is evidence.";
    invalid(&mut record, "generator", text);
    record
}

/// The first try proved nothing, the second did.
pub(super) fn second_try() -> Record {
    let mut first = rehearse(&Plan { late: 31_000, ..ejection() });
    first.superseded = true;
    let mut second = rehearse(&Plan { seed: 8, ..ejection() });
    second.try_number = 2;
    let arms = vec![first, second, rehearse(&ejection().control())];
    let mut record = of_arms("second-try", "the first try proved nothing", arms, &healing_asks());
    let text = "INVALID: the generator sent up to 31 ms late, 15 ms is allowed.".to_owned();
    record.arms[0].verdict = Verdict::Invalid;
    record.arms[0].reasons = vec![Reason { verdict: Verdict::Invalid, code: "generator".to_owned(), text }];
    record
}

/// Too few requests to tell.
pub(super) fn inconclusive() -> Record {
    let asks = [success("failing", 0.9999), healed("ejected", "cart/1", 1.0)];
    with_control("inconclusive", "too few requests for so high a bar", &ejection(), &asks)
}

/// An expectation fails by a wide margin, another by a hair.
pub(super) fn not_healed() -> Record {
    let mut plan = Plan { eject_after: None, retries: false, ..ejection() };
    plan.breaks[0].harm = Harm::Hang;
    let mut asks = healing_asks();
    asks.push(Ask::Lost { phase: "baseline".to_owned(), at_most: 0 });
    asks.push(success("failing", 0.67));
    with_control("not-healed", "an instance that never answers is not ejected", &plan, &asks)
}

/// Three flows to two services.
pub(super) fn flows() -> Record {
    let mut plan = ejection();
    plan.places.extend(places("search", 2));
    plan.streams =
        vec![stream("steady", "cart", 300.0), stream("bursts", "cart", 120.0), stream("search", "search", 40.0)];
    let asks = [
        success("failing", 0.999).of("steady"),
        success("failing", 0.99).of("bursts"),
        p99("failing", 25.0).of("search"),
        healed("ejected", "cart/1", 2.0),
    ];
    with_control("flows", "three flows to two services", &plan, &asks)
}

/// A release that answers badly is taken back.
pub(super) fn release() -> Record {
    let version = |version: &str, number: usize| Place {
        name: format!("web@{version}/{number}"),
        service: "web".to_owned(),
        version: Some(version.to_owned()),
    };
    let mut plan = Plan { phases: phases([("warm-up", 1), ("baseline", 3), ("release", 8)]), ..main_plan() };
    plan.streams = vec![stream("load", "web", 500.0)];
    plan.places = ["v1", "v2"].into_iter().flat_map(|name| (1..=3).map(move |number| version(name, number))).collect();
    (plan.eject_after, plan.retries) = (None, false);
    plan.rollout = Some(Rollout { version: "v2", phase: 2, share: 0.1, bad: 0.6, back_after: Some(22) });
    let asks = [success("release", 0.99), healed("rolled-back", "web@v2", 3.0)];
    with_control("release", "a bad release is taken back", &plan, &asks)
}

/// Thirty instances, four of them broken.
pub(super) fn thirty() -> Record {
    let mut plan = Plan { places: places("cart", 30), ..main_plan() };
    plan.streams = vec![stream("load", "cart", 900.0)];
    let plan = plan.broken(Harm::Abort, 0, 2).broken(Harm::Abort, 11, 2).broken(Harm::Kill, 17, 2).broken(
        Harm::Latency(120_000),
        29,
        2,
    );
    with_control("thirty", "thirty instances, four of them broken", &plan, &healing_asks())
}

/// Faults that begin almost together, and marks that nearly coincide.
pub(super) fn crowded() -> Record {
    let mut plan = main_plan();
    plan.places = places("cart", 5);
    plan.phases = phases([("warm-up", 1), ("a", 1), ("b", 1), ("c", 1), ("d", 1), ("e", 1), ("recovery", 4)]);
    for (phase, instance) in [(1, 0), (2, 1), (2, 2), (3, 3), (4, 0), (5, 1), (5, 4)] {
        plan = plan.broken(Harm::Abort, instance, phase);
    }
    let asks = [success("b", 0.99), success("e", 0.99), healed("ejected", "cart/1", 1.0)];
    with_control("crowded", "seven faults in five seconds", &plan, &asks)
}

/// The proxy says that an instance is out, and it is asked all the same; a fault without effect.
pub(super) fn disagreement() -> Record {
    let mut record = healed_well();
    "disagreement".clone_into(&mut record.scenario.slug);
    "the proxy says other than what was seen".clone_into(&mut record.scenario.title);
    let arm = &mut record.arms[0];
    arm.said.push(Said { at: 14_000_000, instance: 1, what: SaidKind::Ejected, reason: "gateway-errors".to_owned() });
    arm.truth.unexplained = 3;
    let told = "cart/2 was said to be ejected at 14.00 s, and was offered 1,000 requests after it.";
    arm.truth.disagreements = vec![told.to_owned()];
    arm.faults.push(FaultSpan {
        kind: "latency".to_owned(),
        what: "latency 200ms on cart/3".to_owned(),
        instance: 2,
        phase: 2,
        asked: 5_002_000,
        effect: None,
        cleared: Some(13_000_400),
        harmed: 0,
        victims: Vec::new(),
    });
    let text =
        "INVALID: the fault latency 200ms on cart/3 had no effect; nothing below is evidence of healing from it.";
    invalid(&mut record, "fault-without-effect", text);
    record
}
