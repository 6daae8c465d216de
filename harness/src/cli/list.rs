//! `squall list`.

use super::{Exit, complain, tell};
use crate::scenario::resolved::{Phase, Scenario};
use crate::scenario::{self, LoadOptions, finding};
use crate::units::TimeSpan;
use std::path::PathBuf;
use std::time::Duration;

/// Arguments of `squall list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  squall list scenarios/\n  squall list scenarios/ --filter ejection")]
pub(super) struct Args {
    /// Scenario files, or folders of them
    #[arg(required = true, value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,

    /// Only scenarios with this text in their title or path, or with this tag
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
}

/// Lists titles with place, tags, arms and rough duration.
pub(super) fn main(args: &Args) -> Exit {
    let mut scenarios = match scenario::load(&args.paths, &LoadOptions::default()) {
        Ok(loaded) => loaded.scenarios,
        Err(findings) => {
            finding::print(&findings);
            return Exit::BadInput;
        }
    };
    if let Some(text) = &args.filter {
        scenarios.retain(|scenario| scenario.matches(text));
    }
    if scenarios.is_empty() {
        complain(&super::nothing_selected(&args.paths, args.filter.as_deref()));
        return Exit::NothingSelected;
    }
    let entries: Vec<String> = scenarios.iter().map(entry).collect();
    tell(&entries.concat().trim_end_matches('\n'))
}

fn entry(scenario: &Scenario) -> String {
    let tags: Vec<String> = scenario.tags.iter().map(|tag| format!("  #{tag}")).collect();
    let seconds = duration(scenario).as_secs_f64().ceil() as u64;
    format!(
        "{}\n    {}:{}  {}  about {}{}\n",
        scenario.title,
        scenario.file.display(),
        scenario.place.line,
        arms(scenario),
        TimeSpan(Duration::from_secs(seconds)),
        tags.concat()
    )
}

fn arms(scenario: &Scenario) -> String {
    match (&scenario.sweep, &scenario.control) {
        (Some(sweep), _) => {
            format!("sweep of {} cells", sweep.cells())
        }
        (None, Some(_)) => "with control".to_owned(),
        (None, None) => "no control".to_owned(),
    }
}

/// Time of both arms one after the other, without starting and stopping.
fn duration(scenario: &Scenario) -> Duration {
    if let Some(sweep) = &scenario.sweep {
        return (sweep.warm_up + sweep.measure).saturating_mul(u32::try_from(sweep.cells()).unwrap_or(u32::MAX));
    }
    let whole: Duration = scenario.timeline.iter().map(|phase| phase.lasting).sum();
    let control = match &scenario.control {
        None => Duration::ZERO,
        Some(control) if control.whole_timeline => whole,
        Some(_) => {
            let eventful = |phase: &Phase| !phase.faults.is_empty() || !phase.actions.is_empty();
            let last = scenario.timeline.iter().rposition(eventful).map_or(0, |last| last + 1);
            scenario.timeline[..last].iter().map(|phase| phase.lasting).sum()
        }
    };
    whole + control
}
