//! Is an arm evidence at all?

use super::{reason, words};
use crate::scenario::resolved::{Limit, Metric, Scenario, Subject};
use squall_reports::record::{Arm, Expectation, Latency, LatencyKind, Outcome, Reason, Verdict};

/// A generator that is so late once was stopped, or robbed of its processor: whatever fell into that time was not measured. Microseconds.
const STOOD_STILL: u64 = 100_000;

/// Lag beyond which nothing a generator says is believed, microseconds.
const LAG_TOO_LARGE: u64 = 10_000;
/// A fault must harm something within this time, microseconds.
const EFFECT_WITHIN: i64 = 1_000_000;
/// Share of a core beyond which the pacing thread is the bottleneck.
const CPU_TOO_BUSY: f64 = 0.8;

/// Everything that takes the proof out of an arm; empty: it is sound.
pub(super) fn reasons(scenario: &Scenario, arm: &Arm, expectations: &[Expectation]) -> Vec<Reason> {
    let mut reasons = Vec::new();
    reasons.extend(sums(arm));
    reasons.extend(generator(scenario, arm, expectations));
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
fn generator(scenario: &Scenario, arm: &Arm, expectations: &[Expectation]) -> Vec<Reason> {
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
    } else if let Some(caused) = expectations.iter().find(|one| could_be_lag(scenario, arm, one)) {
        let text = format!(
            "{} could be the generator's own lag (p99 {}).",
            caused.id,
            words::seconds(health.lag_p99 as f64 / 1e6)
        );
        reasons.push(invalid("generator", &text));
    }
    // A load that asks as fast as it can takes all that there is; how much was served is a floor then.
    let paced = scenario.flows.iter().any(|flow| flow.pace.profile().is_some());
    if paced && health.cpu_share > CPU_TOO_BUSY {
        let text = format!("the generator's thread used {} of its core.", words::percent(health.cpu_share));
        reasons.push(invalid("generator", &text));
    }
    reasons
}

fn could_be_lag(scenario: &Scenario, arm: &Arm, judged: &Expectation) -> bool {
    let (Some(value), Some(limit)) = (judged.observed.value, judged.limit) else { return false };
    let is_latency = ["p50", "p90", "p95", "p99", "max"].iter().any(|name| judged.id.contains(&format!(".{name}")));
    if !is_latency {
        return false;
    }
    let lag =
        |phase: Option<&str>| lag_of(arm, phase.and_then(|name| arm.phases.iter().position(|one| one.name == name)));
    let own = lag(judged.phase.as_deref());
    let asked = scenario.expectations.iter().find(|one| one.id == judged.id).map(|one| one.limit);
    let generous = match asked {
        Some(Limit::AtMostTimes(times)) if scenario.sweep.is_none() => {
            times * lag_of(arm, arm.phases.iter().position(|phase| phase.judged))
        }
        _ => 0.0,
    };
    hangs_on_lag(judged.verdict, value, limit, own, generous)
}

/// How late the generator was in 99 of 100 requests of a phase, or of all of them, in seconds.
fn lag_of(arm: &Arm, phase: Option<usize>) -> f64 {
    let wanted = |one: &&Latency| one.kind == LatencyKind::PacerLag && one.phase == phase && one.flow.is_none();
    let lag = arm.latencies.iter().find(wanted).and_then(|lag| lag.quantiles.get("p99").copied());
    lag.unwrap_or(0) as f64 / 1e6
}

/// True if a verdict on how much slower a cell is than the one beside it could come from the lag of either.
pub(super) fn lag_decides(verdict: Verdict, more: f64, limit: f64, cell: &Arm, beside: Option<&Arm>) -> bool {
    let lag = |arm: &Arm| lag_of(arm, arm.phases.iter().position(|phase| phase.judged));
    hangs_on_lag(verdict, more, limit, lag(cell), beside.map_or(0.0, lag))
}

/// Lag makes a latency look worse, and a limit that is a multiple of the baseline more `generous`, all in seconds: what is missed by less than
/// its `own` lag, or kept by less than what the baseline's lag adds to the limit, proves nothing.
fn hangs_on_lag(verdict: Verdict, value: f64, limit: f64, own: f64, generous: f64) -> bool {
    match verdict {
        Verdict::Fail => value - own <= limit,
        Verdict::Pass => value > limit - generous,
        _ => false,
    }
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
    // A process that is told to end may take its time, and so may a change that is withheld.
    let prompt = arm.faults.iter().filter(|fault| !matches!(fault.kind.as_str(), "terminate" | "stale"));
    let late = prompt.filter_map(|fault| Some((fault, fault.effect? - fault.asked)));
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
    let without = arm.faults.iter().filter(|fault| fault.effect.is_none() && !arm.had_nothing_to_withhold(fault));
    without
        .map(|fault| {
            let offered = arm.totals_of(&arm.phases[fault.phase].name, None);
            let offered = offered.and_then(|totals| totals.arrivals.get(&arm.instances[fault.instance].name)).copied();
            let text = match offered {
                _ if fault.kind == "stale" => {
                    format!("{} had no effect: nothing became of its instance that proxies would be told.", fault.what)
                }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_takes_the_proof_out_of_a_verdict_that_it_could_have_caused_and_of_no_other() {
        for (verdict, value, limit, own, generous, hangs) in [
            (Verdict::Fail, 0.030, 0.020, 0.002, 0.0, false),
            (Verdict::Fail, 0.021, 0.020, 0.002, 0.0, true),
            (Verdict::Pass, 0.010, 0.020, 0.015, 0.0, false),
            (Verdict::Pass, 0.016, 0.0286, 0.0036, 0.0069, false),
            (Verdict::Pass, 0.016, 0.020, 0.0, 0.005, true),
            (Verdict::Fail, 0.030, 0.020, 0.0, 0.005, false),
        ] {
            assert_eq!(hangs_on_lag(verdict, value, limit, own, generous), hangs, "{verdict:?} {value} of {limit}");
        }
    }
}
