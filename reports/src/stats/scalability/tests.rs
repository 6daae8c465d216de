use super::*;
use proptest::prelude::*;

fn points(measured: &[(f64, f64)]) -> Vec<Point> {
    measured.iter().map(|&(load, throughput)| Point { load, throughput }).collect()
}

fn close(actual: f64, expected: f64, tolerance: f64) {
    assert!((actual - expected).abs() <= tolerance, "{actual} for {expected}");
}

/// The law itself at these loads.
fn law(alpha: f64, beta: f64, gamma: f64, loads: &[f64]) -> Vec<Point> {
    let law = Scalability { alpha, beta, gamma, r_squared: None, knee: Knee::Nowhere };
    loads.iter().map(|&load| Point { load, throughput: law.throughput(load) }).collect()
}

#[test]
fn the_benchmark_of_r_usl_has_its_coefficients() {
    // SPEC SDM91 on a SPARCcenter 2000, data set `specsdm91` of the R package `usl`; coefficients as its tests/usl-nlxb.Rout.save prints them, R-squared as
    // tests/summary.Rout.save does, the peak as tests/peak-scalability.Rout.save does (97, two digits).
    let measured =
        [(1.0, 64.9), (18.0, 995.9), (36.0, 1652.4), (72.0, 1853.2), (108.0, 1828.9), (144.0, 1775.0), (216.0, 1702.2)];
    let fitted = scalability(&points(&measured)).unwrap();
    close(fitted.alpha, 0.027_728_5, 5e-7);
    close(fitted.beta, 0.000_104_4, 5e-8);
    close(fitted.gamma, 89.995_233, 5e-5);
    close(fitted.r_squared.unwrap(), 0.9896, 5e-5);
    let Knee::Measured(peak) = fitted.knee else { panic!("{:?}", fitted.knee) };
    close(peak.load, 97.0, 0.5);
    close(peak.throughput, fitted.throughput(peak.load), 1e-9);
    // The residuals of the same page: -81.7 to 111.1.
    let residuals: Vec<f64> = measured.iter().map(|(load, x)| x - fitted.throughput(*load)).collect();
    close(residuals.iter().copied().fold(f64::INFINITY, f64::min), -81.66, 0.05);
    close(residuals.iter().copied().fold(0.0, f64::max), 111.09, 0.05);
}

#[test]
fn the_table_of_r_usl_has_its_coefficients() {
    // tests/coef.R of `usl`: alpha 0.02, beta 0.02, gamma 1.00.
    let measured = [(1.0, 1.0), (2.0, 1.8868), (4.0, 3.0769), (6.0, 3.5294), (8.0, 3.5398), (10.0, 3.3557)];
    let fitted = scalability(&points(&measured)).unwrap();
    close(fitted.alpha, 0.02, 5e-4);
    close(fitted.beta, 0.02, 5e-4);
    close(fitted.gamma, 1.0, 5e-3);
    // tests/peak-scalability.R: 0.001 and 0.00001 give 320, two digits.
    let Knee::Beyond(peak) = scalability(&law(0.001, 0.000_01, 5.0, &[1.0, 8.0, 64.0, 256.0])).unwrap().knee else {
        panic!("nothing was measured there")
    };
    close(peak.load, 316.07, 0.01);
}

#[test]
fn what_only_queues_has_no_knee() {
    // Amdahl's law, and what scales without any cost.
    for alpha in [0.3, 0.0] {
        let fitted = scalability(&law(alpha, 0.0, 7.0, &[1.0, 2.0, 4.0, 8.0, 16.0])).unwrap();
        close(fitted.alpha, alpha, 1e-6);
        assert!(fitted.beta < 1e-8, "{fitted:?}");
        assert!(matches!(fitted.knee, Knee::Nowhere | Knee::Beyond(_)), "{fitted:?}");
    }
    // More than linear would need coefficients below 0; the nearest that is allowed is the straight line.
    let fitted = scalability(&points(&[(1.0, 1.0), (2.0, 2.2), (4.0, 4.9), (8.0, 11.0)])).unwrap();
    assert_eq!((fitted.alpha, fitted.beta, fitted.knee), (0.0, 0.0, Knee::Nowhere));
}

#[test]
fn what_falls_from_the_first_load_on_has_its_knee_below() {
    let fitted = scalability(&law(0.1, 0.05, 9.0, &[8.0, 16.0, 32.0, 64.0])).unwrap();
    assert_eq!(fitted.knee, Knee::Below);
    let fitted = scalability(&points(&[(1.0, 100.0), (2.0, 60.0), (3.0, 45.0), (4.0, 35.0), (5.0, 28.0)])).unwrap();
    assert_eq!(fitted.knee, Knee::Below);
}

#[test]
fn what_cannot_be_fitted_says_why() {
    assert_eq!(scalability(&[]), Err(Unfit::TooFewLoads(0)));
    let thrice = points(&[(1.0, 1.0), (2.0, 1.9), (2.0, 1.8), (4.0, 3.0), (4.0, 3.1)]);
    assert_eq!(scalability(&thrice), Err(Unfit::TooFewLoads(3)));
    for broken in [(0.0, 1.0), (-1.0, 1.0), (f64::NAN, 1.0), (1.0, -1.0), (1.0, f64::INFINITY)] {
        let given = points(&[(1.0, 1.0), (2.0, 1.9), broken, (4.0, 3.0), (8.0, 5.0)]);
        assert_eq!(scalability(&given), Err(Unfit::NotMeasured(2)));
    }
    assert_eq!(scalability(&points(&[(1.0, 0.0), (2.0, 0.0), (4.0, 0.0), (8.0, 0.0)])), Err(Unfit::NoCurve));
    let one_dead = scalability(&points(&[(1.0, 10.0), (2.0, 19.0), (4.0, 33.0), (8.0, 0.0), (16.0, 40.0)]));
    assert!(one_dead.is_ok_and(|fitted| fitted.gamma > 0.0));
}

proptest! {
    #[test]
    fn exact_data_give_back_their_coefficients(alpha in 0.0..0.9_f64, beta in 1e-5..0.1_f64, gamma in 1e-3..1e6_f64) {
        let fitted = scalability(&law(alpha, beta, gamma, &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0])).unwrap();
        prop_assert!((fitted.alpha - alpha).abs() < 1e-5 * (1.0 + alpha), "{:?}", fitted);
        prop_assert!((fitted.beta / beta - 1.0).abs() < 1e-3, "{:?}", fitted);
        prop_assert!((fitted.gamma / gamma - 1.0).abs() < 1e-5, "{:?}", fitted);
        prop_assert!(fitted.r_squared.unwrap() > 0.999_999);
    }

    #[test]
    fn no_curve_nearby_leaves_less(alpha in 0.0..0.5_f64, beta in 0.0..0.01_f64, noise in prop::collection::vec(0.8..1.2_f64, 9)) {
        let mut given = law(alpha, beta, 100.0, &[1.0, 2.0, 4.0, 8.0, 12.0, 16.0, 24.0, 32.0, 64.0]);
        given.iter_mut().zip(noise).for_each(|(point, noise)| point.throughput *= noise);
        let left = |law: &Scalability| given.iter().map(|point| (point.throughput - law.throughput(point.load)).powi(2)).sum::<f64>();
        let fitted = scalability(&given).unwrap();
        let truth = Scalability { alpha, beta, gamma: 100.0, ..fitted };
        prop_assert!(left(&fitted) <= left(&truth) * (1.0 + 1e-9), "{:?}", fitted);
        for (a, b, g) in [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, -1.0, 0.0), (1.0, 0.0, 1.0), (0.0, 1.0, 1.0), (1.0, -1.0, 1.0)] {
            for step in [1e-3, -1e-3, 0.05, -0.05] {
                let other = Scalability {
                    alpha: (fitted.alpha + a * step * 0.1).max(0.0),
                    beta: (fitted.beta + b * step * 0.01).max(0.0),
                    gamma: fitted.gamma * (1.0 + g * step),
                    ..fitted
                };
                prop_assert!(left(&fitted) <= left(&other) * (1.0 + 1e-9), "{:?} {:?}", fitted, other);
            }
        }
    }

    #[test]
    fn a_load_in_another_unit_of_throughput_has_the_same_knee(scale in 1e-6..1e9_f64) {
        let here = law(0.03, 0.000_2, 90.0, &[1.0, 16.0, 32.0, 64.0, 128.0]);
        let there: Vec<Point> = here.iter().map(|point| Point { throughput: point.throughput * scale, ..*point }).collect();
        let (Knee::Measured(one), Knee::Measured(other)) = (scalability(&here).unwrap().knee, scalability(&there).unwrap().knee) else {
            return Err(TestCaseError::fail("measured"));
        };
        prop_assert!((one.load - other.load).abs() < 0.01);
    }

    #[test]
    fn no_points_panic_and_coefficients_are_never_below_zero(given in prop::collection::vec((any::<f64>(), any::<f64>()), 0..12), tame in prop::collection::vec((0.1..500.0_f64, 0.0..1e5_f64), 4..12)) {
        let _ = scalability(&points(&given));
        let positive: Vec<(f64, f64)> = given.iter().map(|(load, x)| (load.abs(), x.abs())).collect();
        let _ = scalability(&points(&positive));
        if let Ok(fitted) = scalability(&points(&tame)) {
            prop_assert!(fitted.alpha >= 0.0 && fitted.beta >= 0.0 && fitted.gamma > 0.0);
        }
    }
}
