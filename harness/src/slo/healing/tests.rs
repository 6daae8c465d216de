use super::*;

const SECOND: Micros = 1_000_000;

/// Three instances of one service at 100/s each: baseline 0 to 5 s, fault on the first from 5 to 15 s, recovery to 25 s.
struct Arm {
    evidence: Evidence,
}

fn phase(name: &str, from: i64, to: i64) -> Phase {
    Phase { name: name.to_owned(), from: from * SECOND, to: to * SECOND, judged: true, moved_in: 0 }
}

fn arm() -> Arm {
    let steady = || (0..2500).map(|number| (number * 10_000, 1)).collect::<Vec<_>>();
    let fault = FaultSpan {
        kind: "abort".to_owned(),
        what: "abort 503 on cart/1".to_owned(),
        instance: 0,
        phase: 1,
        asked: 5 * SECOND,
        effect: Some(5 * SECOND),
        cleared: Some(15 * SECOND),
        harmed: 1,
        victims: Vec::new(),
    };
    Arm {
        evidence: Evidence {
            phases: vec![phase("baseline", 0, 5), phase("fault", 5, 15), phase("recovery", 15, 25)],
            faults: vec![fault],
            instances: (1..=3).map(|number| (format!("cart/{number}"), "cart".to_owned(), None)).collect(),
            offers: vec![steady(), steady(), steady()],
            slots: vec![(30, 0); 250],
            slots_of: [("cart".to_owned(), vec![(30, 0); 250])].into(),
            success: [("cart".to_owned(), 0.999)].into(),
            ..Evidence::default()
        },
    }
}

impl Arm {
    /// No offers to an instance in between; the others take its share.
    fn silent(mut self, instance: usize, from: f64, to: f64) -> Self {
        let (from, to) = ((from * 1e6) as Micros, (to * 1e6) as Micros);
        let moved: Vec<_> =
            self.evidence.offers[instance].iter().filter(|(at, _)| (from..to).contains(at)).copied().collect();
        self.evidence.offers[instance].retain(|(at, _)| !(from..to).contains(at));
        let other = (instance + 1) % 3;
        self.evidence.offers[other].extend(moved);
        self.evidence.offers[other].sort_unstable();
        self
    }

    /// The load itself stalls.
    fn stalled(mut self, from: i64, to: i64) -> Self {
        self.evidence
            .offers
            .iter_mut()
            .for_each(|offers| offers.retain(|(at, _)| !(from * SECOND..to * SECOND).contains(at)));
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Evidence)) -> Self {
        change(&mut self.evidence);
        self
    }

    fn seconds(&self, kind: &str) -> Option<f64> {
        self.figure(kind).seconds
    }

    fn figure(&self, kind: &str) -> Figure {
        figures(&self.evidence).healing.into_iter().find(|figure| figure.kind == kind).unwrap()
    }
}

#[test]
fn an_instance_is_out_from_its_last_offer_before_the_silence() {
    let out = arm().silent(0, 5.3, 9.0).seconds("ejected").unwrap();
    assert!((out - 0.29).abs() < 1e-9, "{out}");
    assert_eq!(arm().seconds("ejected"), None);
}

#[test]
fn a_short_gap_is_no_ejection() {
    assert_eq!(arm().silent(0, 6.0, 6.9).seconds("ejected"), None);
}

#[test]
fn a_stalled_load_ejects_nobody() {
    assert_eq!(arm().stalled(7, 10).seconds("ejected"), None);
    assert!(figures(&arm().stalled(7, 10).evidence).false_ejections.is_empty());
}

#[test]
fn at_low_rates_a_longer_silence_is_needed() {
    let slow = arm().with(|evidence| {
        evidence.offers.iter_mut().for_each(|offers| offers.retain(|(at, _)| at % 200_000 == 0));
    });
    assert_eq!(slow.evidence.silence(0), 4 * SECOND);
}

#[test]
fn refused_attempts_are_over_when_nothing_is_lost_or_tried_again() {
    let killed = arm().silent(0, 5.0, 15.0).with(|evidence| {
        evidence.faults[0].kind = "kill".to_owned();
        for at in [5_010_000, 5_400_000, 8_000_000] {
            evidence.offers[1].push((at, 2));
        }
        evidence.offers[1].sort_unstable();
        evidence.lost = vec![5_500_000];
    });
    assert_eq!(killed.seconds("ejected"), Some(0.5));
}

#[test]
fn back_is_the_offer_that_begins_a_second_of_half_the_share_and_a_trial_is_not_enough() {
    let back = arm().silent(0, 5.3, 19.0).with(|evidence| {
        evidence.offers[0].push((16 * SECOND, 1));
        evidence.offers[0].sort_unstable();
    });
    assert_eq!(back.seconds("readmitted"), Some(4.0));
}

#[test]
fn an_instance_that_was_not_out_is_not_readmitted() {
    let figure = arm().figure("readmitted");
    assert_eq!((figure.seconds, figure.note.as_deref()), (None, Some("was not out")));
    let back_in_the_fault = arm().silent(0, 5.3, 9.0).figure("readmitted");
    assert_eq!(back_in_the_fault.note.as_deref(), Some("was not out"));
}

#[test]
fn where_all_are_out_at_once_each_healthy_one_is_a_false_ejection() {
    let all_out = arm().stalled(7, 10);
    assert!(figures(&all_out.evidence).false_ejections.is_empty(), "nobody was asked");
    let answered = all_out.with(|evidence| evidence.answered = [("cart".to_owned(), vec![30; 250])].into());
    let figures = figures(&answered.evidence);
    let subjects: Vec<_> = figures.false_ejections.iter().map(|figure| figure.subject.as_str()).collect();
    assert_eq!(subjects, ["cart/2", "cart/3"], "clients were answered by nobody");
}

#[test]
fn a_healthy_instance_that_falls_silent_is_a_false_ejection() {
    let figures = figures(&arm().silent(2, 8.0, 12.0).evidence);
    let subjects: Vec<_> = figures.false_ejections.iter().map(|figure| figure.subject.as_str()).collect();
    assert_eq!(subjects, ["cart/3"]);
}

#[test]
fn recovered_is_the_first_five_seconds_that_hold() {
    assert_eq!(arm().figure("recovered").note.as_deref(), Some("never missed"));
    let lost = arm().with(|evidence| {
        let slots = evidence.slots_of.get_mut("cart").unwrap();
        slots[50..62].iter_mut().for_each(|slot| slot.1 = 10);
    });
    assert_eq!(lost.seconds("recovered"), Some(1.2));
}

#[test]
fn recovered_waits_for_latency_limits_too() {
    let slow = arm().with(|evidence| {
        let mut slots = vec![(30, 0); 250];
        // 16 slow ones in 1,500 are more than one in a hundred.
        slots[50..66].iter_mut().for_each(|slot| slot.1 = 1);
        evidence.ceilings = vec![Ceiling { service: "cart".to_owned(), quantile: 0.99, slots }];
    });
    assert_eq!(slow.seconds("recovered"), Some(0.1));
    let of_another = arm().with(|evidence| {
        evidence.ceilings = vec![Ceiling { service: "web".to_owned(), quantile: 0.99, slots: vec![(30, 30); 250] }];
    });
    assert_eq!(of_another.figure("recovered").note.as_deref(), Some("never missed"));
}

#[test]
fn restarted_counts_from_the_hit_to_the_replacement() {
    let restarted = arm().with(|evidence| {
        evidence.faults[0].kind = "pause".to_owned();
        let about = "cart/1".to_owned();
        evidence.events = vec![(9 * SECOND, EventKind::Gone, about.clone()), (9_200_000, EventKind::Restarted, about)];
    });
    assert_eq!(restarted.seconds("restarted"), Some(4.2));
}

#[test]
fn policies_are_refused_from_when_they_were_written_to_the_last_word_of_a_proxy() {
    let mut arm = arm();
    let event = |at: i64, kind| (at * SECOND, kind, "fault".to_owned());
    arm.evidence.events = vec![event(6, EventKind::Pushed), event(7, EventKind::Refused)];
    let refused = |evidence: &Evidence| {
        let figure = figures(evidence).healing.into_iter().find(|figure| figure.kind == "refused")?;
        Some((figure.subject, figure.seconds))
    };
    assert_eq!(refused(&arm.evidence), Some(("fault".to_owned(), Some(1.0))));
    // Every proxy has loaded them.
    arm.evidence.events[1].1 = EventKind::Policy;
    assert_eq!(refused(&arm.evidence), Some(("fault".to_owned(), None)));
    arm.evidence.events.clear();
    assert_eq!(refused(&arm.evidence), None);
}

#[test]
fn what_is_withheld_from_proxies_ejects_nobody_by_itself() {
    let mut arm = arm().silent(0, 5.0, 15.0);
    arm.evidence.faults[0].kind = "stale".to_owned();
    assert!(figures(&arm.evidence).healing.iter().all(|figure| figure.kind != "ejected"));
}
