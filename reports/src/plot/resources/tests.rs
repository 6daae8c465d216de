//! Strips of a small run, and of what is missing in it.

use super::{resources, rows, slice_seconds};
use crate::plot::{Width, fixture, overlap, tests::lines};
use crate::record::{Arm, ArmKind, Event, EventKind, Process, SECOND, Witness};

fn process(name: &str, cpu: &[u64]) -> Process {
    Process {
        name: name.to_owned(),
        from: 0,
        cpu: cpu.to_vec(),
        memory: vec![8 << 20; cpu.len()],
        cpu_by_phase: vec![0; 3],
        ..Process::default()
    }
}

fn event(kind: EventKind, at: i64) -> Event {
    Event { at, kind, subject: "cart/1".to_owned(), witness: Witness::Supervisor, text: String::new() }
}

/// The small run: the load ends with an outlier, cart/1 is away from 2.5 to 4.5 s, cart/2 was sampled from 1 to 4 s only.
fn arm() -> Arm {
    let mut arm = fixture::arm(ArmKind::Main, 1);
    let mut late = process("cart/2", &[9_000; 3]);
    late.from = SECOND;
    arm.processes = vec![
        process("load", &[25_000, 25_000, 26_000, 25_000, 25_000, 400_000]),
        process("proxy", &[45_000, 47_000, 46_000, 44_000, 45_000, 46_000]),
        process("cart/1", &[9_000, 9_500, 4_000, 2_000, 3_000, 9_000]),
        late,
    ];
    arm.events.push(event(EventKind::Gone, 2_500_000));
    arm.events.push(event(EventKind::Restarted, 4_500_000));
    arm
}

#[test]
fn pictures_stay_as_they_were_looked_at() {
    for width in [Width::Wide, Width::Narrow] {
        let (name, svg) = (format!("resources-{}", width.letter()), resources(&arm(), width).unwrap());
        overlap::none(&name, &svg);
        insta::assert_snapshot!(name, lines(&svg));
    }
}

#[test]
fn seconds_without_samples_and_of_the_dead_are_gaps() {
    let arm = arm();
    let rows = rows(&arm, Width::Wide);
    let cpu = |name: &str| -> Vec<bool> {
        rows.iter().find(|row| row.name == name).unwrap().slices.iter().map(|slice| slice.cpu.is_some()).collect()
    };
    assert_eq!(cpu("cart/1"), [true, true, true, false, true, true]);
    assert_eq!(cpu("cart/2"), [false, true, true, true, false, false]);
    let svg = resources(&arm, Width::Wide).unwrap();
    assert!(svg.contains(">gone<") && svg.contains(">no data<"));
}

#[test]
fn a_short_absence_can_be_seen_and_one_without_end_lasts() {
    let mut arm = arm();
    arm.events.last_mut().unwrap().at = 2_504_000;
    assert!(resources(&arm, Width::Wide).unwrap().contains(">restarted<"));
    arm.events.pop();
    let rows = rows(&arm, Width::Wide);
    let row = rows.iter().find(|row| row.name == "cart/1").unwrap();
    assert_eq!(row.away, [(2_500_000, 6 * SECOND)]);
    assert!(row.slices[3..].iter().all(|slice| slice.cpu.is_none() && slice.memory.is_none()));
}

#[test]
fn an_instance_without_a_process_was_not_measured_and_no_process_is_no_picture() {
    let mut arm = arm();
    arm.processes.retain(|process| process.name != "cart/2");
    assert!(resources(&arm, Width::Wide).unwrap().contains(">not measured<"));
    arm.processes.clear();
    assert!(resources(&arm, Width::Wide).is_none());
}

#[test]
fn an_hour_is_thinned() {
    let mut arm = arm();
    arm.phases[2].to = 3_600 * SECOND;
    arm.processes[0] = process("load", &vec![25_000; 3_600]);
    assert_eq!(slice_seconds(&arm, Width::Wide), 20);
    for width in [Width::Wide, Width::Narrow] {
        assert!(resources(&arm, width).unwrap().len() < 60_000);
    }
}
