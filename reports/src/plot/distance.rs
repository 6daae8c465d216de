//! How far an observation is from its limit: the limit is a line, right of it is worse, a hundredth to a hundredfold.

use super::svg::{Paint, Path, Svg};
use super::theme::Token;
use crate::record::{Expectation, Verdict};

/// Pixels.
const SIZE: (f64, f64) = (150.0, 24.0);
/// Pixels of ten times.
const DECADE: f64 = 36.0;

/// How many times a limit was reached; above 1 is worse.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Reached {
    Times(f64),
    /// Nothing where nothing was allowed, or better than can be drawn.
    Nothing,
    /// Something where nothing was allowed.
    Beyond,
}

fn reached(value: f64, limit: f64, at_least: bool, share: bool) -> Reached {
    // A share that must be high is judged by what is missing to all.
    let (value, limit) = match (at_least, share) {
        (true, true) => (1.0 - value, 1.0 - limit),
        (true, false) => (limit, value),
        (false, _) => (value, limit),
    };
    match (value <= 1e-12, limit <= 1e-12) {
        (true, _) => Reached::Nothing,
        (false, true) => Reached::Beyond,
        (false, false) => Reached::Times(value / limit),
    }
}

/// Draws the bar, with `which` in its id; None if there is nothing to compare.
pub fn distance(which: &str, expectation: &Expectation) -> Option<String> {
    let limit = expectation.limit?;
    let value = expectation.observed.value?;
    let at_least = expectation.limit_text.trim_start().starts_with('>');
    let share = expectation.limit_text.contains('%');
    let times = |value: f64| reached(value, limit, at_least, share);
    let ends = expectation
        .observed
        .interval
        .filter(|_| limit > 1e-12)
        .map(|interval| (times(interval.low), times(interval.high)));
    Some(draw(&format!("distance-{which}"), times(value), ends, expectation.verdict))
}

fn draw(id: &str, at: Reached, ends: Option<(Reached, Reached)>, verdict: Verdict) -> String {
    let middle = SIZE.0 / 2.0;
    let x = |reached: Reached| match reached {
        Reached::Times(times) => middle + times.log10().clamp(-2.0, 2.0) * DECADE,
        Reached::Nothing => middle - 2.0 * DECADE,
        Reached::Beyond => middle + 2.0 * DECADE,
    };
    let about = match at {
        Reached::Times(times) => format!("{} times the limit", super::number::three(times)),
        Reached::Nothing => "nothing of what the limit is on".to_owned(),
        Reached::Beyond => "some where none is allowed".to_owned(),
    };
    let mut svg = Svg::new(id, SIZE, "Distance to the limit", &about);
    let token = match verdict {
        Verdict::Pass => Token::Heal,
        Verdict::Inconclusive => Token::Warn,
        Verdict::Invalid => Token::Said,
        _ => Token::Lost,
    };
    svg.rect(middle, 3.0, (2.0 * DECADE, 18.0), Paint::fill(Token::Lost).opacity(0.09));
    svg.line((middle, 1.0), (middle, 23.0), Paint::stroke(Token::Ink3, 1.0));
    for decade in [-2.0, -1.0, 1.0, 2.0] {
        let x = middle + decade * DECADE;
        svg.line((x, 10.0), (x, 14.0), Paint::stroke(Token::Line, 1.0));
    }
    if let Some((low, high)) = ends {
        let (from, to) = (x(low).min(x(high)), x(low).max(x(high)));
        let mut path = Path::default();
        path.go(from, 12.0);
        path.across(to);
        for end in [from, to] {
            path.go(end, 8.0);
            path.up(16.0);
        }
        svg.path(&path, Paint::stroke(token, 1.6));
    }
    let at_edge = |svg: &mut Svg, tip: f64, back: f64| {
        let mut arrow = Path::default();
        arrow.go(back, 6.0);
        arrow.to(tip, 12.0);
        arrow.to(back, 18.0);
        arrow.close();
        svg.path(&arrow, Paint::fill(token));
    };
    let place = x(at);
    match at {
        Reached::Nothing => at_edge(&mut svg, 1.0, 9.0),
        Reached::Beyond => at_edge(&mut svg, SIZE.0 - 1.0, SIZE.0 - 9.0),
        // Further than can be drawn.
        Reached::Times(times) if times > 100.0 => at_edge(&mut svg, SIZE.0 - 1.0, SIZE.0 - 9.0),
        Reached::Times(times) if times < 0.01 => at_edge(&mut svg, 1.0, 9.0),
        Reached::Times(_) if verdict == Verdict::Pass => svg.circle((place, 12.0), 4.8, Paint::fill(token)),
        Reached::Times(_) if verdict == Verdict::Inconclusive => {
            svg.circle((place, 12.0), 4.0, Paint::fill(Token::Bg).outline(token, 1.8));
        }
        Reached::Times(_) => svg.rect(place - 4.5, 7.5, (9.0, 9.0), Paint::fill(token)),
    }
    svg.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_judged_by_what_is_missing_and_zero_has_its_own_marks() {
        let Reached::Times(times) = reached(0.9573, 0.999, true, true) else { panic!() };
        assert!((times - 42.7).abs() < 0.01, "{times}");
        assert_eq!(reached(1.0, 0.999, true, true), Reached::Nothing);
        assert_eq!(reached(3.0, 0.0, false, false), Reached::Beyond);
        assert_eq!(reached(0.0, 0.0, false, false), Reached::Nothing);
        assert_eq!(reached(0.15, 0.3, false, false), Reached::Times(0.5));
        assert_eq!(
            reached(50.0, 100.0, true, false),
            Reached::Times(2.0),
            "half of what was asked for is twice as bad"
        );
    }
}
