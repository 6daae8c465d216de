//! Is an arm evidence at all?

use super::{reason, words};
use crate::scenario::resolved::{Limit, Metric, Scenario, Subject};
use squall_reports::record::{Arm, Expectation, LatencyKind, Outcome, Reason, Verdict};

/// A generator that is so late once was stopped, or robbed of its processor: whatever fell into that time was not measured. Microseconds.
const STOOD_STILL: u64 = 100_000;

/// Lag beyond which nothing a generator says is believed, microseconds.
const LAG_TOO_LARGE: u64 = 10_000;
/// Lag that matters to a comparison of two phases, microseconds.
const LAG_MATTERS: u64 = 1_000;
/// A fault must harm something within this time, microseconds.
const EFFECT_WITHIN: i64 = 1_000_000;
/// Share of a core beyond which the pacing thread is the bottleneck.
const CPU_TOO_BUSY: f64 = 0.8;

/// Everything that takes the proof out of an arm; empty: it is sound.
pub(super) fn reasons(scenario: &Scenario, arm: &Arm, expectations: &[Expectation]) -> Vec<Reason> {
    let mut reasons = Vec::new();
    reasons.extend(sums(arm));
    reasons.extend(generator(arm, expectations));
    reasons.extend(baseline(scenario, arm));
    reasons.extend(faults(arm));
    reasons.extend(truth(arm));
    reasons
}

fn invalid(code: &str, text: &str) -> Reason {
    reason(Verdict::Invalid, code, format!("INVALID: {text}"))
}

/// Planned is the sum of what became of it, always.
fn sums(arm: &Arm) -> Option<Reason> {
    let wrong = arm.totals.iter().find(|totals| totals.outcomes.values().sum::<u64>() != totals.planned)?;
    let text = format!(
        "ERROR: {} requests were planned in {}, but the outcomes sum up to {}: this is a mistake of Squall's.",
        wrong.planned,
        wrong.phase,
        wrong.outcomes.values().sum::<u64>()
    );
    Some(reason(Verdict::Error, "data", text))
}

/// Lag can only make latencies look worse, so it matters where it could have caused a verdict.
fn generator(arm: &Arm, expectations: &[Expectation]) -> Vec<Reason> {
    let health = &arm.generator;
    let mut reasons = Vec::new();
    let missing = health.planned.saturating_sub(health.offered);
    if missing > 3.max(health.planned / 1000) {
        reasons.push(invalid(
            "generator",
            &format!("{} of {} requests were never released.", words::count(missing), words::count(health.planned)),
        ));
    }
    if health.lag_p99 > LAG_TOO_LARGE {
        let text = format!(
            "the generator was up to {} late (p99 {}, 10 ms is allowed).",
            words::seconds(health.lag_max as f64 / 1e6),
            words::seconds(health.lag_p99 as f64 / 1e6)
        );
        reasons.push(invalid("generator", &text));
    } else if health.lag_max > STOOD_STILL {
        let text = format!("the generator stood still for {}.", words::seconds(health.lag_max as f64 / 1e6));
        reasons.push(invalid("generator", &text));
    } else if let Some(caused) = expectations.iter().find(|one| could_be_lag(arm, one)) {
        let text = format!(
            "{} could be the generator's own lag (p99 {}).",
            caused.id,
            words::seconds(health.lag_p99 as f64 / 1e6)
        );
        reasons.push(invalid("generator", &text));
    }
    if health.cpu_share > CPU_TOO_BUSY {
        let text = format!("the generator's thread used {} of its core.", words::percent(health.cpu_share));
        reasons.push(invalid("generator", &text));
    }
    reasons
}

/// A latency that was missed by less than the generator's lag, or one compared with a phase in which the generator was otherwise late.
fn could_be_lag(arm: &Arm, judged: &Expectation) -> bool {
    let (Some(value), Some(limit)) = (judged.observed.value, judged.limit) else { return false };
    let is_latency = ["p50", "p90", "p95", "p99", "max"].iter().any(|name| judged.id.contains(&format!(".{name}")));
    if !is_latency || !matches!(judged.verdict, Verdict::Fail | Verdict::Pass) {
        return false;
    }
    let phase = judged.phase.as_ref().and_then(|name| arm.phases.iter().position(|phase| phase.name == *name));
    let of_phase = |wanted: Option<usize>| {
        let lag = arm
            .latencies
            .iter()
            .find(|one| one.kind == LatencyKind::PacerLag && one.phase == wanted && one.flow.is_none());
        lag.and_then(|lag| lag.quantiles.get("p99").copied()).unwrap_or(0)
    };
    let own = of_phase(phase);
    let relative = judged.limit_text.contains("x ");
    let first = arm.phases.iter().position(|phase| phase.judged);
    let differs = relative && own.abs_diff(of_phase(first)) > LAG_MATTERS;
    differs || (judged.verdict == Verdict::Fail && value - own as f64 / 1e6 <= limit)
}

/// The baseline must be better than anything that is asked later, and must have had its load.
fn baseline(scenario: &Scenario, arm: &Arm) -> Option<Reason> {
    if scenario.sweep.is_some() {
        return None;
    }
    let first = arm.phases.iter().find(|phase| phase.judged)?;
    let totals = arm.totals_of(&first.name, None)?;
    let tightest = scenario.expectations.iter().filter_map(|one| match (&one.subject, one.limit) {
        (Subject::Phase { phase, metric: Metric::Success, .. }, Limit::AtLeast(limit)) if *phase != first.name => {
            Some(limit)
        }
        _ => None,
    });
    let tightest = tightest.fold(0.0, f64::max);
    let allowed = (totals.planned as f64 * (1.0 - tightest) + 1e-3).floor();
    if tightest > 0.0 && totals.lost as f64 > allowed {
        return Some(invalid(
            "baseline",
            &format!(
                "{} of {} requests were lost before anything was broken, {} are allowed later.",
                words::count(totals.lost),
                words::count(totals.planned),
                words::percent(1.0 - tightest)
            ),
        ));
    }
    let dropped = totals.outcomes.get(&Outcome::Dropped).copied().unwrap_or(0);
    (dropped > 3.max(totals.planned / 1000)).then(|| {
        invalid(
            "baseline",
            &format!("{} requests found no connection before anything was broken.", words::count(dropped)),
        )
    })
}

/// A fault that harmed nothing proves nothing; nor does one that found nothing to harm for a second of planned traffic.
fn faults(arm: &Arm) -> Vec<Reason> {
    let late = arm.faults.iter().filter_map(|fault| Some((fault, fault.effect? - fault.asked)));
    let late = late.filter(|(_, wait)| *wait > EFFECT_WITHIN).map(|(fault, wait)| {
        let text = format!(
            "{} harmed its first unit only {} after it was injected: too little traffic reaches it.",
            fault.what,
            words::seconds(wait as f64 / 1e6)
        );
        invalid("fault-without-effect", &text)
    });
    without_effect(arm).into_iter().chain(late).collect()
}

fn without_effect(arm: &Arm) -> Vec<Reason> {
    let without = arm.faults.iter().filter(|fault| fault.effect.is_none());
    without
        .map(|fault| {
            let offered = arm.totals_of(&arm.phases[fault.phase].name, None);
            let offered = offered.and_then(|totals| totals.arrivals.get(&arm.instances[fault.instance].name)).copied();
            let text = match offered {
                Some(0) | None => format!("{} had no effect: its instance was offered nothing.", fault.what),
                Some(offered) => format!(
                    "{} had no effect, although its instance was offered {} attempts.",
                    fault.what,
                    words::count(offered)
                ),
            };
            invalid("fault-without-effect", &text)
        })
        .collect()
}

fn truth(arm: &Arm) -> Vec<Reason> {
    arm.truth
        .disagreements
        .iter()
        .map(|text| invalid("data", &format!("counts do not explain each other: {text}.")))
        .collect()
}
