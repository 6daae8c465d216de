//! How often a flow asks.

use crate::load::schedule::{Gaps, Shape};
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{Pace, Place, Profile, Stretch};
use crate::scenario::written::{self, Placed};
use crate::units::{Rate, TimeSpan};
use std::path::Path;
use std::time::Duration;

/// Highest rate of a flow.
const MOST_RATE: f64 = 200_000.0;
/// Bursts, or seconds of a file, at most: a week of seconds.
const MOST_STRETCHES: usize = 7 * 24 * 3600;
/// Bursts are written out until then.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

pub(super) fn resolve(written: &written::Flow, folder: &Path, sweeps: bool, problems: &mut Problems) -> Pace {
    if let Some(closed) = &written.closed {
        closed_alone(written, closed.place, problems);
        return Pace::Closed;
    }
    let mut rates = Rates { folder, problems };
    let base = written.rate.map(|rate| (rates.rate(rate), rate.place));
    let profile = match &written.profile {
        Some(profile) => rates.profile(profile, base),
        None => match base {
            Some((rate, place)) => {
                if rate.0 == 0.0 {
                    rates.problems.error(code::RANGE, place, "a rate of 0 sends nothing");
                }
                Some(Profile::constant(rate))
            }
            None if sweeps => Some(Profile::constant(Rate(0.0))),
            None => {
                rates
                    .problems
                    .error(code::SHAPE, written.to.place, "a flow without a rate")
                    .expected("`rate: 500/s`, a `profile`, or `closed: {connections: 64}`");
                None
            }
        },
    };
    Pace::Open(profile.unwrap_or_else(|| Profile::constant(Rate(0.0))))
}

fn closed_alone(written: &written::Flow, place: Place, problems: &mut Problems) {
    let others = [
        ("rate", written.rate.map(|rate| rate.place)),
        ("profile", written.profile.as_ref().map(|profile| profile.place)),
        ("connections", written.connections.as_ref().map(|connections| connections.place)),
    ];
    for (key, _) in others.into_iter().filter_map(|(key, place)| Some((key, place?))) {
        problems
            .error(code::SHAPE, place, format!("both `closed` and `{key}`"))
            .help("a closed load asks as fast as it is answered, on the connections that it names itself");
    }
}

struct Rates<'a> {
    folder: &'a Path,
    problems: &'a mut Problems,
}

impl Rates<'_> {
    /// A rate that a generator can send.
    fn rate(&mut self, rate: Placed<Rate>) -> Rate {
        if rate.0 > MOST_RATE {
            self.problems
                .error(code::RANGE, rate.place, format!("{} is more than one generator sends", rate.value))
                .expected("at most 200000/s");
        }
        rate.value
    }

    /// A time that is one.
    fn time(&mut self, span: Placed<TimeSpan>, what: &str) -> Duration {
        if span.0.is_zero() {
            self.problems.error(code::RANGE, span.place, format!("{what} of no length"));
        }
        span.0
    }

    fn profile(&mut self, profile: &Placed<written::Profile>, base: Option<(Rate, Place)>) -> Option<Profile> {
        let nothing = Rate(0.0);
        let stays = |at, rate: Rate| Stretch { at, lasting: Duration::MAX, rate: Shape::Constant(rate.0) };
        // Only what comes and goes has something around it.
        let around = match profile.value {
            written::Profile::Step(_) | written::Profile::Burst(_) => base.map_or(nothing, |(rate, _)| rate),
            _ => {
                if base.is_some() {
                    let text = "both `rate` and a profile that says all rates itself";
                    self.problems.error(code::SHAPE, profile.place, text).help("leave one of them out");
                }
                nothing
            }
        };
        Some(match &profile.value {
            written::Profile::Constant(rate) => Profile::constant(self.rate(*rate)),
            written::Profile::Poisson(rate) => Profile { gaps: Gaps::Poisson, ..Profile::constant(self.rate(*rate)) },
            written::Profile::Step(step) => {
                let rate = Shape::Constant(self.rate(step.to).0);
                let lasting = self.time(step.r#for, "a step");
                Profile { stretches: vec![Stretch { at: step.at.0, lasting, rate }], ..Profile::constant(around) }
            }
            written::Profile::Ramp(ramp) => {
                let (from, to) = (self.rate(ramp.from), self.rate(ramp.to));
                let (at, lasting) = (ramp.at.map_or(Duration::ZERO, |at| at.0), self.time(ramp.over, "a ramp"));
                let rate = Shape::Ramp { from: from.0, to: to.0 };
                let after = stays(at.saturating_add(lasting), to);
                Profile { stretches: vec![Stretch { at, lasting, rate }, after], ..Profile::constant(from) }
            }
            written::Profile::Sine(sine) => {
                let (mean, amplitude) = (self.rate(sine.mean), self.rate(sine.amplitude));
                if amplitude.0 > mean.0 {
                    let text = format!("an amplitude of {amplitude} around {mean}: no rate is below 0");
                    self.problems.error(code::RANGE, sine.amplitude.place, text).expected(format!("at most {mean}"));
                }
                let period = self.time(sine.period, "a period").as_secs_f64();
                let rate = Shape::Sine { mean: mean.0, amplitude: amplitude.0, period, begun: 0.0 };
                let stretch = Stretch { at: Duration::ZERO, lasting: Duration::MAX, rate };
                Profile { stretches: vec![stretch], ..Profile::constant(mean) }
            }
            written::Profile::Burst(burst) => {
                let stretches = self.bursts(burst)?;
                Profile { stretches, ..Profile::constant(around) }
            }
            written::Profile::Replay(path) => {
                let rates = self.replayed(path)?;
                let second = |(second, rate): (usize, &f64)| Stretch {
                    at: Duration::from_secs(second as u64),
                    lasting: Duration::from_secs(1),
                    rate: Shape::Constant(*rate),
                };
                let mut stretches: Vec<_> = rates.iter().enumerate().map(second).collect();
                stretches.push(stays(Duration::from_secs(rates.len() as u64), nothing));
                Profile { stretches, ..Profile::constant(Rate(rates.first().copied().unwrap_or(0.0))) }
            }
        })
    }

    fn bursts(&mut self, burst: &written::Burst) -> Option<Vec<Stretch>> {
        let rate = Shape::Constant(self.rate(burst.to).0);
        let (lasting, every) = (self.time(burst.r#for, "a burst"), self.time(burst.every, "a distance"));
        if lasting >= every {
            let text = format!("bursts of {} each {} never end", burst.r#for.value, burst.every.value);
            self.problems.error(code::RANGE, burst.r#for.place, text).expected("shorter than `every`");
            return None;
        }
        let first = burst.at.map_or(Duration::ZERO, |at| at.0);
        let starts = (0..).map(|number| first.saturating_add(every.saturating_mul(number)));
        let stretches = starts.take_while(|at| *at < LONGEST).take(MOST_STRETCHES);
        Some(stretches.map(|at| Stretch { at, lasting, rate }).collect())
    }

    /// The rates of a file, by second.
    fn replayed(&mut self, path: &Placed<String>) -> Option<Vec<f64>> {
        let file = self.folder.join(&path.value);
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) => {
                self.problems.error(code::FILE, path.place, format!("cannot read {}: {error}", file.display()));
                return None;
            }
        };
        match series(&text) {
            Ok(rates) => Some(rates),
            Err(why) => {
                self.problems
                    .error(code::FILE, path.place, format!("{}: {why}", file.display()))
                    .expected("a line a second: its rate, or the second and its rate, such as `0,250`");
                None
            }
        }
    }
}

/// Reads rates by second; a first line of names is passed over.
fn series(text: &str) -> Result<Vec<f64>, String> {
    let mut rates: Vec<f64> = Vec::new();
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    for (at, (number, line)) in lines.enumerate() {
        let said = |what: &str| format!("line {}: {what}", number + 1);
        let (second, rate) = match line.split_once([',', ';']) {
            Some((second, rate)) => (second.trim().parse::<usize>().ok(), rate),
            None => (Some(rates.len()), line),
        };
        let rate = match second.zip(rate.trim().parse::<f64>().ok()) {
            Some((second, rate)) if second == rates.len() => rate,
            Some((second, _)) => return Err(said(&format!("second {second}, where {} is next", rates.len()))),
            None if at == 0 => continue,
            None => return Err(said(&format!("`{line}` is no rate"))),
        };
        if !(0.0..=MOST_RATE).contains(&rate) {
            return Err(said(&format!("a rate of {rate}")));
        }
        rates.push(rate);
    }
    match rates.len() {
        0 => Err("it holds no rate".to_owned()),
        many if many > MOST_STRETCHES => Err(format!("{many} seconds, more than a week")),
        _ if rates.iter().sum::<f64>() < 0.5 => Err("its rates send nothing".to_owned()),
        _ => Ok(rates),
    }
}

#[cfg(test)]
mod tests {
    use super::series;

    #[test]
    fn a_series_is_read_by_second() {
        assert_eq!(series("10\n20.5\n\n0\n"), Ok(vec![10.0, 20.5, 0.0]));
        assert_eq!(series("second,rate\n0,10\n1, 20\n"), Ok(vec![10.0, 20.0]));
        assert_eq!(series("# from production\n5\n"), Ok(vec![5.0]));
    }

    #[test]
    fn what_is_no_series_is_told_by_line() {
        for (text, why) in [
            ("", "it holds no rate"),
            ("0,1\n2,1\n", "line 2: second 2, where 1 is next"),
            ("1\nmuch\n", "line 2: `much` is no rate"),
            ("1\n-1\n", "line 2: a rate of -1"),
            ("1\nNaN\n", "line 2: a rate of NaN"),
            ("0\n0\n", "its rates send nothing"),
        ] {
            assert_eq!(series(text), Err(why.to_owned()), "{text}");
        }
    }
}
