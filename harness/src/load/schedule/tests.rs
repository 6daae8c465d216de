use super::*;
use crate::load::wire::Pace;
use proptest::prelude::*;

const SECONDS: u64 = 1_000_000_000;

fn schedule(pieces: &[(u64, Shape)], gaps: Gaps) -> Schedule {
    let mut from = 0;
    let piece = |(millis, rate): &(u64, Shape)| {
        let piece = Piece { from, to: from + millis * 1_000_000, rate: *rate };
        from = piece.to;
        piece
    };
    Schedule { pieces: pieces.iter().map(piece).collect(), gaps }
}

fn dues(schedule: &Schedule, seed: u64) -> Vec<u64> {
    let mut dues = Dues::new(schedule, Seed(seed).stream("gaps"));
    std::iter::from_fn(|| {
        let due = dues.next?;
        dues.advance();
        Some(due)
    })
    .collect()
}

fn count(dues: &[u64], from: f64, to: f64) -> usize {
    let nanos = |seconds: f64| (seconds * SECOND) as u64;
    dues.iter().filter(|due| (nanos(from)..nanos(to)).contains(due)).count()
}

#[test]
fn whole_numbers_are_exact() {
    for (rate, seconds, expected) in [(500.0, 3, 1500), (1.0, 1, 1), (333.0, 7, 2331), (0.0, 5, 0), (0.4, 1, 0)] {
        let schedule = Schedule::constant(rate, seconds * SECONDS);
        assert_eq!(schedule.planned(), expected, "{rate}/s for {seconds} s");
        assert_eq!(dues(&schedule, 0).len() as u64, expected);
    }
    assert_eq!(Schedule::constant(5000.0, 60 * SECONDS).planned(), 300_000);
}

#[test]
fn a_rate_below_one_in_each_second_loses_nothing_over_many() {
    let replay = schedule(&[(1000, Shape::Constant(0.4)); 10], Gaps::Even);
    assert_eq!(dues(&replay, 0).len(), 4);
}

#[test]
fn a_ramp_sends_its_mean() {
    let ramp = schedule(&[(10_000, Shape::Ramp { from: 100.0, to: 900.0 })], Gaps::Even);
    let dues = dues(&ramp, 0);
    assert_eq!(dues.len(), 5_000);
    // At 500/s in the middle; the areas of both halves are 1,500 and 3,500.
    assert_eq!((count(&dues, 0.0, 5.0), count(&dues, 5.0, 10.0)), (1_500, 3_500));
    let down = schedule(&[(10_000, Shape::Ramp { from: 900.0, to: 0.0 })], Gaps::Even);
    assert_eq!(down.planned(), 4_500);
}

#[test]
fn a_sine_sends_its_mean_over_each_period_and_its_height_in_between() {
    let rate = Shape::Sine { mean: 200.0, amplitude: 200.0, period: 4.0, begun: 0.0 };
    let dues = dues(&schedule(&[(8_000, rate)], Gaps::Even), 0);
    assert_eq!(dues.len(), 1_600);
    assert_eq!(count(&dues, 0.0, 4.0), 800);
    // The integral of 200 + 200 sin over the upper half.
    let upper = 400.0 + 200.0 * 4.0 / std::f64::consts::PI;
    assert!((count(&dues, 0.0, 2.0) as f64 - upper).abs() <= 1.0);
}

#[test]
fn poisson_draws_the_planned_number_and_the_same_for_a_seed() {
    let random = schedule(&[(10_000, Shape::Constant(2_000.0))], Gaps::Poisson);
    let drawn = dues(&random, 7);
    assert_eq!(drawn.len(), 20_000);
    assert_eq!(drawn, dues(&random, 7));
    assert_ne!(drawn, dues(&random, 8));
    let gaps: Vec<f64> = drawn.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
    // Exponential: the deviation is the mean, and e^-1 of all gaps are longer than it.
    assert!((variance.sqrt() / mean - 1.0).abs() < 0.05, "{} of {mean}", variance.sqrt());
    let longer = gaps.iter().filter(|gap| **gap > mean).count() as f64 / gaps.len() as f64;
    assert!((longer - (-1.0_f64).exp()).abs() < 0.02, "{longer}");
}

#[test]
fn flows_are_merged_by_due_time() {
    let flow = |rate| FlowPlan {
        pace: Pace::Open(Schedule::constant(rate, SECONDS)),
        ..FlowPlan::new("load", Vec::new(), "cart")
    };
    let arrivals: Vec<_> = Arrivals::new(&[flow(2.0), flow(3.0)], 0).collect();
    let order: Vec<_> = arrivals.iter().map(|arrival| arrival.flow).collect();
    assert_eq!(order, [1, 0, 1, 0, 1]);
    assert!(arrivals.iter().enumerate().all(|(number, arrival)| arrival.id == number as u64));
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        (0.0_f64..20_000.0).prop_map(Shape::Constant),
        (0.0_f64..5_000.0, 0.0_f64..5_000.0).prop_map(|(from, to)| Shape::Ramp { from, to }),
        (1.0_f64..2_000.0, 0.0_f64..=1.0, 0.1_f64..5.0, 0.0_f64..5.0)
            .prop_map(|(mean, share, period, begun)| Shape::Sine { mean, amplitude: mean * share, period, begun }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_schedule_sends_what_it_plans_in_order_and_without_drift(
        pieces in proptest::collection::vec((1_u64..1_500, shape()), 0..6), poisson: bool, seed: u64,
    ) {
        let schedule = schedule(&pieces, if poisson { Gaps::Poisson } else { Gaps::Even });
        let dues = dues(&schedule, seed);
        prop_assert_eq!(dues.len() as u64, schedule.planned());
        prop_assert!(dues.is_sorted());
        prop_assert!(dues.last().is_none_or(|last| *last < schedule.end()));
        if !poisson {
            // Up to any edge so many are due as the rates up to there amount to.
            let mut due = 0.0;
            for piece in &schedule.pieces {
                due += piece.requests();
                let sent = dues.iter().filter(|at| **at < piece.to).count() as f64;
                prop_assert!((sent - due).abs() <= 0.5 + 1e-3, "{sent} of {due} by {}", piece.to);
            }
        }
    }

    #[test]
    fn a_moment_is_the_inverse_of_what_is_due(rate in shape(), length in 0.01_f64..100.0, share in 0.0_f64..1.0) {
        let all = rate.due_by(length, length);
        prop_assume!(all > 1e-6);
        let moment = rate.moment_of(all * share, length);
        prop_assert!((0.0..=length).contains(&moment));
        prop_assert!((rate.due_by(moment, length) - all * share).abs() <= all * 1e-6 + 1e-9);
    }
}
