use super::*;
use crate::output::fixture;
use crate::output::lines::Lines;

fn tallies_of(steps: &[Step], name: &str) -> Vec<Tally> {
    let tally = |step: &Step| match &step.event {
        RunEvent::Arm { arm, what: ArmEvent::Progress(tally), .. } if arm.name == name => Some((**tally).clone()),
        _ => None,
    };
    steps.iter().filter_map(tally).collect()
}

#[test]
fn nothing_of_the_record_is_lost_on_the_way() {
    let record = fixture::record();
    let tallies = tallies_of(&steps(&record, Path::new("out")), "run");
    assert_eq!(tallies.len(), 15);
    assert_eq!(tallies.iter().map(|tally| tally.planned).sum::<u64>(), 4_500);
    assert_eq!(tallies.iter().map(Tally::lost).sum::<u64>(), 60);
    assert_eq!(tallies.iter().map(Tally::answered).sum::<u64>(), 4_440);
    let last = tallies.last().unwrap();
    assert_eq!(last.phases[2], PhaseCount { ended: 1_800, lost: 60, ..PhaseCount::default() });
    assert_eq!(last.phases.iter().map(|phase| phase.ended).sum::<u64>(), 4_500);
}

#[test]
fn what_timed_out_ends_a_time_out_later() {
    let record = fixture::record();
    let lost: Vec<u64> = tallies_of(&steps(&record, Path::new("out")), "run").iter().map(Tally::lost).collect();
    assert_eq!(lost, [0, 0, 0, 0, 0, 30, 0, 0, 30, 0, 0, 0, 0, 0, 0], "due at 4 and 7 s, with a time-out of 1 s");
}

#[test]
fn events_come_in_order_of_time_and_end_with_the_verdict() {
    let steps = steps(&fixture::record(), Path::new("out"));
    assert!(steps.is_sorted_by_key(|step| step.at));
    assert!(matches!(steps.first().unwrap().event, RunEvent::Begins { .. }));
    let last = steps.last().unwrap();
    assert!(last.last && matches!(last.event, RunEvent::Ends { .. }));
    assert_eq!(steps.iter().filter(|step| step.last).count(), 1);
}

#[test]
fn arms_are_side_by_side_as_they_ran_and_long_pauses_are_cut() {
    let mut record = fixture::record();
    assert_eq!(zeros(&record.arms), [Duration::ZERO; 2]);
    record.arms[1].started = Some("2026-11-21T07:30:00Z".to_owned());
    assert_eq!(zeros(&record.arms), [Duration::ZERO, Duration::from_secs(17)]);
    record.arms[1].started = None;
    assert_eq!(zeros(&record.arms), [Duration::ZERO; 2]);
}

#[test]
fn a_cut_record_is_played_as_far_as_it_goes() {
    let mut record = fixture::record();
    record.complete = false;
    for arm in &mut record.arms {
        arm.outcomes[0].planned.truncate(55);
        arm.outcomes[0].sent.truncate(55);
        arm.outcomes[0].by_outcome.values_mut().for_each(|counts| counts.truncate(55));
        arm.offers.iter_mut().for_each(|offers| offers.offered.truncate(55));
        (arm.events, arm.seconds, arm.totals, arm.started) = (Vec::new(), Vec::new(), Vec::new(), None);
    }
    let steps = steps(&record, Path::new("out"));
    let tallies = tallies_of(&steps, "run");
    assert_eq!((tallies.len(), tallies[5].to, tallies[5].p99), (6, 5_500_000, None));
    record.arms.clear();
    assert_eq!(super::steps(&record, Path::new("out")).len(), 3, "begin, verdict, end");
}

#[test]
fn a_record_reads_as_lines() {
    let mut lines = Lines::new(true);
    let steps = steps(&fixture::record(), Path::new("out/hang"));
    let text: Vec<String> = steps.iter().flat_map(|step| lines.take(step.at, &step.event)).collect();
    insta::assert_snapshot!(text.join("\n").replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}
