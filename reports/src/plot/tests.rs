//! Every picture of a small run, held as it is; looked at in a browser before it was held.

use super::fixture::{arm, record};
use super::{Side, Width, beside, distance, healing, lag, latency, moment, moments, outcomes, phases, png, standalone};
use crate::record::{Arm, ArmKind, Outcome};

const WIDTHS: [Width; 2] = [Width::Wide, Width::Narrow];

/// An element a line, so that a change can be seen.
pub(super) fn lines(svg: &str) -> String {
    svg.replace('<', "\n<").replace("\n</", "</").trim_start().to_owned()
}

/// The run beside its control.
fn both(main: &Arm, control: &Arm, width: Width) -> String {
    let side = |arm, name, note| Side { arm, name, note };
    let sides = [side(main, "as written", ""), side(control, "control", "healing removed")];
    beside("control", "The same run with healing and without, at the same scales", sides, width)
}

/// Every picture over an arm, and over both.
fn all(main: &Arm, other: &Arm) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for width in WIDTHS {
        let mut add = |name: &str, svg: String| all.push((format!("{name}-{}", width.letter()), svg));
        add("healing", healing(main, width));
        add("outcomes", outcomes(main, width));
        add("latency", latency(main, width));
        add("control", both(main, other, width));
        if let Some(svg) = phases(main, Some(("control's", other)), width) {
            add("phases", svg);
        }
        if let Some(svg) = lag(main, width) {
            add("lag", svg);
        }
        for (number, one) in moments(main).0.iter().enumerate() {
            add(&format!("moment-{number}"), moment(main, one, number + 1, width));
        }
    }
    all.extend(main.expectations.iter().filter_map(|one| distance("0", one)).map(|svg| ("distance".to_owned(), svg)));
    all
}

fn pictures() -> Vec<(String, String)> {
    all(&arm(ArmKind::Main, 1), &arm(ArmKind::Control, 2))
}

#[test]
fn pictures_stay_as_they_were_looked_at() {
    for (name, svg) in pictures() {
        insta::assert_snapshot!(name, lines(&svg));
    }
}

#[test]
fn the_same_record_gives_the_same_bytes() {
    assert_eq!(pictures(), pictures());
    assert_eq!(crate::html::report(&record()).unwrap(), crate::html::report(&record()).unwrap());
}

#[test]
fn pictures_need_no_style_and_name_themselves_once() {
    for (name, svg) in pictures() {
        assert!(!svg.contains("style") && !svg.contains("<script"), "{name}");
        assert!(svg.contains("role=\"img\"") && svg.contains("<title id="), "{name}");
        assert!(png(&svg).is_ok_and(|png| png.len() > 300), "{name}");
        assert!(standalone(&svg).contains("<style>:root{"), "{name}");
    }
}

#[test]
fn what_is_not_known_is_never_drawn_as_zero() {
    let empty = Arm::empty(ArmKind::Main);
    for (name, svg) in all(&empty, &empty) {
        assert!(svg.ends_with("</svg>"), "{name}");
    }
    let mut arm = arm(ArmKind::Main, 0);
    arm.offers.remove(0);
    let svg = healing(&arm, Width::Wide);
    assert!(svg.contains("no counts") && svg.contains("hatch-ink"));
    assert!(!svg.contains(">0</text><text x=\"1022\""));
    arm.seconds.clear();
    assert!(latency(&arm, Width::Wide).contains("no data"));
    arm.latencies.clear();
    assert!(phases(&arm, None, Width::Wide).is_none());
}

#[test]
fn a_cut_run_says_where_its_data_ends() {
    let mut arm = arm(ArmKind::Main, 0);
    arm.outcomes[0].planned.truncate(30);
    arm.outcomes[0].sent.truncate(30);
    arm.outcomes[0].by_outcome.values_mut().for_each(|series| series.truncate(30));
    assert!(outcomes(&arm, Width::Wide).contains("no data"));
    arm.outcomes.clear();
    assert!(healing(&arm, Width::Wide).contains("no data"));
}

#[test]
fn an_hour_at_five_thousand_a_second_keeps_to_its_points() {
    let mut arm = arm(ArmKind::Main, 0);
    let slots = 36_000;
    let long = |series: &mut Vec<u32>, count: u32| *series = (0..slots).map(|slot| count + (slot % 7) as u32).collect();
    long(&mut arm.outcomes[0].planned, 500);
    long(&mut arm.outcomes[0].sent, 500);
    arm.outcomes[0].by_outcome.values_mut().for_each(|series| long(series, 250));
    for offers in &mut arm.offers {
        long(&mut offers.offered, 250);
        offers.withheld.values_mut().for_each(|series| long(series, 10));
        offers.cut = vec![0; slots];
        offers.inferred = vec![0; slots];
    }
    arm.phases[2].to = 3_600 * crate::record::SECOND;
    let second = arm.seconds[0].clone();
    arm.seconds = (0..3_600)
        .map(|at| crate::record::SecondLatency { at: at * crate::record::SECOND, ..second.clone() })
        .collect();
    for (name, svg) in all(&arm, &arm) {
        for path in svg.split(" d=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let points = path.matches(|letter: char| letter.is_ascii_uppercase() && letter != 'Z').count();
            assert!(points <= 1_202, "{name}: {points}");
        }
        assert!(svg.len() < 150_000, "{name}: {}", svg.len());
    }
}

#[test]
fn the_sum_of_a_spell_that_fills_the_strip_keeps_clear_of_the_line_above_it() {
    let mut arm = arm(ArmKind::Main, 2);
    for outcomes in &mut arm.outcomes {
        let slots = outcomes.planned.len();
        let last = |slot: usize| u32::from(slot + 10 >= slots) * 2;
        outcomes.by_outcome.insert(Outcome::Acceptable, (0..slots).map(|slot| 2 - last(slot)).collect());
        outcomes.by_outcome.insert(Outcome::Status(503), (0..slots).map(last).collect());
    }
    for width in WIDTHS {
        let svg = healing(&arm, width);
        assert!(svg.contains(">20</text>"), "the spell has its sum");
        super::overlap::none(width.letter(), &svg);
    }
}

#[test]
fn the_labels_of_the_gridlines_keep_clear_of_the_names_at_every_rate() {
    for times in [1, 3, 7, 12, 20, 25, 49, 50, 73, 99, 100, 101, 120, 210, 260, 400, 1_000, 2_600, 20_000, 250_000] {
        let mut arm = arm(ArmKind::Main, 2);
        for offers in &mut arm.offers {
            offers.offered.iter_mut().for_each(|count| *count *= times);
        }
        for outcomes in &mut arm.outcomes {
            outcomes.planned.iter_mut().for_each(|count| *count *= times);
            outcomes.by_outcome.values_mut().flatten().for_each(|count| *count *= times);
        }
        for width in WIDTHS {
            super::overlap::none(&format!("{} times {times}", width.letter()), &healing(&arm, width));
        }
    }
}

/// A run that might have been: other rates, other latencies, losses and marks elsewhere.
fn any_arm(seed: u64) -> Arm {
    let mut draws = crate::stats::draws::Draws::new(seed);
    let mut arm = arm(ArmKind::Main, 2);
    let times = 10_f64.powf(draws.uniform() * 5.0) as u32 + 1;
    for offers in &mut arm.offers {
        offers.offered.iter_mut().for_each(|count| *count *= times);
    }
    let slots = arm.outcomes[0].planned.len();
    let mut lost = vec![0; slots];
    for _ in 0..(draws.uniform() * 6.0) as usize {
        let (from, count) =
            ((draws.uniform() * slots as f64) as usize, (draws.uniform() * 2.0 * f64::from(times)) as u32);
        lost.iter_mut().skip(from).take(1 + (draws.uniform() * 8.0) as usize).for_each(|slot| *slot = count);
    }
    for outcomes in &mut arm.outcomes {
        outcomes.planned.iter_mut().for_each(|count| *count *= times);
        let kept = outcomes.planned.iter().zip(&lost).map(|(planned, lost)| planned - lost).collect();
        outcomes.by_outcome.insert(Outcome::Acceptable, kept);
        outcomes.by_outcome.insert(Outcome::Status(503), lost.clone());
    }
    let slower = 10_f64.powf(draws.uniform() * 5.0 - 2.0);
    for second in &mut arm.seconds {
        let slow = |micros: u64| (micros as f64 * slower) as u64 + 1;
        (second.p50, second.p90, second.max) = (slow(second.p50), slow(second.p90), slow(second.max));
        second.p99 = second.p99.map(slow);
    }
    let length = arm.phases.last().map_or(0, |phase| phase.to) as f64;
    for mark in &mut arm.marks {
        mark.at = (draws.uniform() * length) as i64;
    }
    arm.marks.sort_by_key(|mark| mark.at);
    for second in &mut arm.generator.seconds {
        second.lag_max = (draws.exponential(1.0) * 4_000.0) as u64;
        second.lag_p99 = second.lag_max / 3;
    }
    arm
}

#[test]
fn texts_keep_clear_of_each_other_whatever_was_measured() {
    for seed in 0..120 {
        let (main, other) = (any_arm(seed), any_arm(seed + 1_000));
        for (name, svg) in all(&main, &other) {
            super::overlap::none(&format!("{name} of seed {seed}"), &svg);
        }
    }
}

#[test]
fn faults_over_each_other_are_one_veil() {
    let mut arm = record().arms.remove(0);
    let one = |arm: &Arm| healing(arm, Width::Wide).matches("class=\"f-fault\"").count();
    let before = one(&arm);
    let mut second = arm.faults[0].clone();
    second.kind = "delay".to_owned();
    arm.faults.push(second);
    assert_eq!(one(&arm), before);
}

#[test]
fn names_are_spelt_out_and_fit_their_pictures() {
    let mut record = record();
    for arm in &mut record.arms {
        arm.instances[0].name = format!("cart\u{202e}\u{7}{}", "x".repeat(160));
    }
    let svg = both(&record.arms[0], &record.arms[1], Width::Wide);
    assert!(svg.contains("attempts at cart\\u{202e}\\x07xx") && !svg.contains(&"x".repeat(120)), "{svg}");
}
