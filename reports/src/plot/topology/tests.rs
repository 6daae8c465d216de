//! Spans and nodes of a small run.

use super::spans::outs;
use super::{spans, topology};
use crate::plot::{Width, fixture, overlap, tests::lines};
use crate::record::{Arm, ArmKind, Event, EventKind, Instance, Process, SECOND, Witness};

fn arm() -> Arm {
    fixture::arm(ArmKind::Main, 1)
}

fn titles(arm: &Arm) -> Vec<String> {
    spans(arm).iter().map(super::title).collect()
}

fn process(name: &str) -> Process {
    Process { name: name.to_owned(), ..Process::default() }
}

#[test]
fn pictures_stay_as_they_were_looked_at() {
    for width in [Width::Wide, Width::Narrow] {
        let (name, svg) = (format!("topology-{}", width.letter()), topology(&arm(), width).unwrap());
        overlap::none(&name, &svg);
        insta::assert_snapshot!(name, lines(&svg));
    }
}

#[test]
fn spans_tell_before_out_still_out_and_back() {
    let expected = [
        "baseline",
        "failing: before cart/1 is out",
        "failing: cart/1 out",
        "recovery: cart/1 still out",
        "recovery: cart/1 back",
    ];
    assert_eq!(titles(&arm()), expected);
    let spans = spans(&arm());
    assert_eq!((spans[2].from, spans[2].to), (2_400_000, 4 * SECOND));
}

#[test]
fn the_heading_says_what_became_of_the_requests() {
    let mut arm = arm();
    // The small run loses a request in the slot in which the instance falls out.
    arm.outcomes[0].by_outcome.values_mut().for_each(|series| series[24] = 0);
    assert_eq!(super::finding(&arm), "While cart/1 was out, the others got its requests");
    *arm.outcomes[0].by_outcome.get_mut(&crate::record::Outcome::Status(503)).unwrap().get_mut(30).unwrap() = 2;
    assert_eq!(super::finding(&arm), "While cart/1 was out, 2 of 32 requests were lost");
    arm.figures.healing.clear();
    assert_eq!(super::finding(&arm), "cart/1 kept getting requests through the fault");
}

#[test]
fn an_instance_that_gets_its_share_again_while_it_is_faulty_was_let_back_in() {
    let mut arm = arm();
    // From 3.2 s on, it is offered as much as the other.
    arm.offers[0].offered[32..].fill(2);
    assert_eq!(outs(&arm, 0), [(2_400_000, 3_200_000)]);
    assert!(titles(&arm).contains(&"failing: cart/1 let back in, still faulty".to_owned()), "{:?}", titles(&arm));
}

#[test]
fn a_fault_that_nobody_fell_out_of_says_so() {
    let mut arm = arm();
    arm.figures.healing.clear();
    assert_eq!(titles(&arm), ["baseline", "failing: fault on, none out", "recovery"]);
}

#[test]
fn a_process_that_was_started_again_is_no_longer_faulty() {
    let mut arm = arm();
    arm.figures.healing.clear();
    arm.faults[0].kind = "kill".to_owned();
    arm.events.push(Event {
        at: 2_050_000,
        kind: EventKind::Restarted,
        subject: "cart/1".to_owned(),
        witness: Witness::Supervisor,
        text: String::new(),
    });
    assert_eq!(titles(&arm), ["baseline", "failing: cart/1 restarted", "recovery"]);
}

#[test]
fn unknown_rates_are_dotted_and_absent_parts_are_dashed() {
    let mut arm = arm();
    arm.offers.remove(1);
    let svg = topology(&arm, Width::Wide).unwrap();
    assert!(svg.contains(">?</text>") && svg.contains("no counts") && svg.contains("stroke-dasharray=\"1.6 3.4\""));
    assert!(!svg.contains("stroke-dasharray=\"3 3\""));
    arm.processes = vec![process("load"), process("cart/1")];
    assert_eq!(
        topology(&arm, Width::Wide).unwrap().matches("stroke-dasharray=\"3 3\"").count(),
        2 * spans(&arm).len(),
        "neither proxy nor relays"
    );
}

#[test]
fn too_few_slots_are_counted_one_by_one_or_not_at_all() {
    let mut arm = arm();
    arm.outcomes.clear();
    let span = &spans(&arm)[1];
    assert_eq!(super::counts::asked(&arm, span).map(|count| (count.all, count.bad)), Some((15, 5)));
    arm.singles.left_out = 1;
    assert_eq!(super::counts::asked(&arm, span), None, "some were not kept");
}

#[test]
fn what_was_not_kept_or_only_inferred_is_unknown_and_never_zero() {
    let mut arm = arm();
    let all = spans(&arm);
    // The small run keeps requests about its first marks only; its slots hold eight that were due here.
    assert_eq!(super::counts::asked(&arm, &all[3]), None);
    assert_eq!(super::counts::offered(&arm, &all[3], 1), None);
    assert!(super::counts::offered(&arm, &all[1], 0).is_some());
    arm.offers[0].inferred[21] = 3;
    assert_eq!(super::counts::offered(&arm, &all[1], 0), None, "refused by the kernel, so not among the kept");
}

#[test]
fn many_instances_are_drawn_together_and_no_faulty_one_is_hidden() {
    let mut arm = arm();
    for number in 3..=20 {
        arm.instances.push(Instance { name: format!("cart/{number}"), faulty: false, ..arm.instances[1].clone() });
    }
    arm.instances[19].faulty = true;
    for width in [Width::Wide, Width::Narrow] {
        let svg = topology(&arm, width).unwrap();
        overlap::none("many", &svg);
        assert!(svg.contains("8 more") && svg.contains("/20"));
    }
}

#[test]
fn versions_have_headings_of_their_own() {
    let mut arm = arm();
    arm.instances[0].version = Some("v1".to_owned());
    arm.instances[1].version = Some("v2".to_owned());
    let svg = topology(&arm, Width::Narrow).unwrap();
    overlap::none("versions", &svg);
    assert!(svg.contains(">cart@v1<") && svg.contains(">cart@v2<"));
}

#[test]
fn nothing_to_draw_is_no_picture() {
    assert!(topology(&Arm::empty(ArmKind::Main), Width::Wide).is_none());
}

#[test]
fn proxies_beside_instances_stand_in_front_of_them_and_a_gateway_has_its_name() {
    let mut arm = arm();
    let per_span = arm.instances.len();
    for (mode, running, beside, name) in [
        ("both", &["proxy", "shim", "proxy cart/1", "proxy cart/2"][..], true, ">proxy<"),
        ("server", &["shim", "proxy cart/1", "proxy cart/2"], true, ">proxy<"),
        ("gateway", &["proxy", "shim"], false, ">gateway<"),
        ("client", &["proxy", "shim", "cart/1"], false, ">proxy<"),
    ] {
        arm.mode = Some(mode.to_owned());
        arm.processes = running.iter().map(|name| process(name)).collect();
        for width in [Width::Wide, Width::Narrow] {
            let svg = topology(&arm, width).unwrap();
            overlap::none(mode, &svg);
            let expected = if beside { spans(&arm).len() * per_span } else { 0 };
            assert_eq!(svg.matches(">P<").count(), expected, "{mode}");
            assert!(svg.contains(name), "{mode}");
        }
    }
}
