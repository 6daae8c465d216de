//! Sweeps made up by hand: of which every figure is known.

use super::{Sweep, heat, lines};
use crate::plot::{Width, fixture, overlap, tests::lines as by_line};
use crate::record::{Arm, ArmKind, Cell, Expectation, Phase, PhaseTotals, Process, Record, SECOND, Verdict};

const WIDTHS: [Width; 2] = [Width::Wide, Width::Narrow];

/// A cell of 2 s that answers up to `most` requests a second, and waits the longer the more it is asked.
fn cell(mode: &str, rate: f64, connections: u32, most: f64) -> Arm {
    let planned = (rate * 2.0) as u64;
    let lost = ((rate - most).max(0.0) * 2.0) as u64;
    let p99 = if mode == "none" { 1.0 } else { 1.5 } + (rate / most - 1.0).max(0.0) * 100.0;
    Arm {
        cell: Some(Cell::new(mode, rate, connections)),
        phases: vec![Phase { name: "measure".to_owned(), from: SECOND, to: 3 * SECOND, judged: true, moved_in: 0 }],
        processes: vec![Process {
            name: if mode == "none" { "load" } else { "proxy" }.to_owned(),
            from: 0,
            cpu: vec![0; 3],
            memory: vec![1; 3],
            cpu_by_phase: vec![planned * 50],
            ..Process::default()
        }],
        totals: vec![PhaseTotals {
            phase: "measure".to_owned(),
            planned,
            lost,
            rate,
            response: [("p50", p99 / 2.0), ("p90", p99 * 0.8), ("p99", p99)]
                .map(|(name, value)| (name.to_owned(), value))
                .into(),
            ..PhaseTotals::default()
        }],
        ..Arm::empty(ArmKind::Cell)
    }
}

fn limit(id: &str, written: &str, text: &str, seconds: f64) -> Expectation {
    Expectation {
        id: id.to_owned(),
        written: written.to_owned(),
        limit: Some(seconds),
        limit_text: text.to_owned(),
        ..fixture::expectation(id, Verdict::Fail, 0.5, seconds)
    }
}

fn record(arms: Vec<Arm>) -> Record {
    let mut record = fixture::record();
    record.expectations = vec![limit("sweep.p99(client)", "p99 <= 20ms", "<= 20 ms", 0.02)];
    record.arms = arms;
    record
}

/// Two modes, three rates, two connections; the proxy breaks at 4,000/s over 16 connections, one cell was not run.
fn small() -> Record {
    let mut arms = Vec::new();
    for mode in ["none", "client"] {
        for rate in [1_000.0, 2_000.0, 4_000.0] {
            for connections in [16, 64] {
                let most = if mode == "client" && connections == 16 { 3_000.0 } else { 9_000.0 };
                arms.push(cell(mode, rate, connections, most));
            }
        }
    }
    arms.retain(|arm| arm.cell != Some(Cell::new("client", 2_000.0, 64)));
    record(arms)
}

fn drawn(record: &Record) -> Vec<(String, String)> {
    let sweep = Sweep::of(record).unwrap();
    let mut all = Vec::new();
    for width in WIDTHS {
        all.push((format!("sweep-{}", width.letter()), lines(&sweep, width)));
        all.push((format!("heat-{}", width.letter()), heat(&sweep, width)));
    }
    all
}

#[test]
fn pictures_stay_as_they_were_looked_at() {
    for (name, svg) in drawn(&small()) {
        overlap::none(&name, &svg);
        insta::assert_snapshot!(name, by_line(&svg));
    }
}

#[test]
fn the_knee_is_the_first_rate_that_was_not_achieved_or_misses_a_limit() {
    let mut record = small();
    let sweep = Sweep::of(&record).unwrap();
    assert_eq!([sweep.knee(1, 0), sweep.knee(1, 1), sweep.knee(0, 0)], [Some(2), None, None]);
    assert!(sweep.missed(1, 2, 0) && !sweep.missed(0, 2, 0));
    record.expectations = vec![limit("sweep.p99(1000/s, client)", "p99 <= 1ms", "<= 1.00 ms", 0.001)];
    let sweep = Sweep::of(&record).unwrap();
    assert_eq!(sweep.knee(1, 1), Some(0), "achieved, but too slow");
    record.expectations = vec![limit("sweep.p50(client)", "p50 <= 100us over none", "<= 100 us more", 0.0001)];
    assert!(Sweep::of(&record).unwrap().missed(1, 0, 0), "250 us more than direct");
    record.expectations = vec![limit("sweep.p50(client)", "p50 <= 1.2x over none", "<= 1.2x", 1.2)];
    assert!(!Sweep::of(&record).unwrap().missed(1, 0, 0), "a factor is no length of time");
}

#[test]
fn what_the_proxy_adds_is_told_beside_the_same_cell_without_it() {
    let sweep = Sweep::of(&small()).unwrap();
    let added = sweep.added(1, 0, 0).map(|millis| (millis.unwrap() * 1e3).round() as i64);
    assert_eq!(added, [250, 400, 500]);
    assert_eq!(sweep.added(0, 0, 0), [None; 3], "direct is beside nothing");
    assert_eq!(sweep.added(1, 1, 1), [None; 3], "not run");
    let of_proxy = |mode| sweep.at(mode, 0, 0).map(|point| (point.cpu, point.memory));
    assert_eq!(of_proxy(1), Some((Some(50.0), Some(1))));
    assert_eq!(of_proxy(0), Some((None, None)), "no proxy");
}

#[test]
fn cells_that_were_not_run_say_so_and_earlier_tries_count_for_nothing() {
    let mut record = small();
    let mut earlier = cell("client", 1_000.0, 16, 10.0);
    earlier.superseded = true;
    record.arms.push(earlier);
    assert_eq!(drawn(&record), drawn(&small()));
    let sweep = Sweep::of(&record).unwrap();
    assert_eq!(sweep.at(1, 1, 1), None);
    assert!(heat(&sweep, Width::Wide).contains(">not run<"));
    record.arms.last_mut().unwrap().superseded = false;
    record.arms[0].totals.clear();
    assert_eq!(heat(&Sweep::of(&record).unwrap(), Width::Wide).matches(">not run<").count(), 2);
}

#[test]
fn two_rates_are_dots_and_one_cell_is_no_sweep() {
    let two = record(vec![cell("none", 500.0, 16, 9e3), cell("none", 1_000.0, 16, 9e3)]);
    let svg = lines(&Sweep::of(&two).unwrap(), Width::Wide);
    assert!(svg.contains("<circle") && !svg.contains("stroke-width=\"2\""), "{svg}");
    assert!(Sweep::of(&record(vec![cell("none", 500.0, 16, 9e3)])).is_none());
    assert!(Sweep::of(&record(Vec::new())).is_none());
}

#[test]
fn two_hundred_cells_fit_on_both_pages() {
    let mut arms = Vec::new();
    for mode in ["none", "client"] {
        for rate in 1..=10 {
            for connections in 1..=10 {
                arms.push(cell(mode, f64::from(rate) * 500.0, connections * 16, 3_200.0));
            }
        }
    }
    let record = record(arms);
    let all = drawn(&record);
    for (name, svg) in &all {
        overlap::none(name, svg);
    }
    assert!(all.iter().map(|(_, svg)| svg.len()).sum::<usize>() < 400_000);
    assert!(crate::html::report(&record).unwrap().len() < 2_000_000);
}

#[test]
fn too_many_lines_to_be_told_apart_are_left_to_the_map() {
    let many = |count: u32| {
        let cells =
            (1..=count).flat_map(|at| [500.0, 1_000.0, 2_000.0].map(|rate| cell("client", rate, at * 8, 9_000.0)));
        record(cells.collect())
    };
    let lines_of = |record: &Record| lines(&Sweep::of(record).unwrap(), Width::Wide).matches("class=\"s-q").count();
    assert_eq!((lines_of(&many(8)), lines_of(&many(9))), (16, 2), "a line for rates and one for latencies");
    let page = crate::html::report(&many(9)).unwrap();
    assert!(page.contains("with 72 connections, the most of all") && !page.contains("64 connections</span>"));
}

#[test]
fn many_rates_stay_legible_on_a_phone() {
    for rates in [8, 12, 25, 40] {
        let arms = (1..=rates).map(|rate| cell("client", f64::from(rate) * 200.0, 16, 3_000.0)).collect();
        for (name, svg) in drawn(&record(arms)) {
            overlap::none(&format!("{name} of {rates}"), &svg);
        }
    }
}

#[test]
fn all_lost_and_nothing_measured_can_be_drawn() {
    let mut lost = record(vec![cell("client", 500.0, 16, 1e-9), cell("client", 1_000.0, 16, 1e-9)]);
    for (_, svg) in drawn(&lost) {
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }
    lost.arms.iter_mut().for_each(|arm| arm.totals[0].response.clear());
    for (_, svg) in drawn(&lost) {
        assert!(svg.contains("no data"));
    }
}
