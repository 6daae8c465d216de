//! What asks: the load worker, and programs of the user's own that play journeys. All of them speak the load worker's language.

use super::pipes::read_frames;
use super::{Error, Input};
use crate::clock::Nanos;
use crate::control::relays::line;
use crate::load::wire::{FlowPlan, Go, Pace, Plan, Ready, STOP};
use crate::process::{Launch, Process, program_at};
use crate::run::arm::Setting;
use crate::scenario::resolved::Players;
use std::io::{self, Write};
use std::process::ChildStdin;
use tokio::process::ChildStdout;
use tokio::sync::mpsc::UnboundedSender;

/// All of them, the load worker first.
pub(super) struct Generators {
    all: Vec<Generator>,
    /// Those that have not said yet that they are done.
    working: usize,
}

struct Generator {
    process: Process,
    input: Option<ChildStdin>,
}

impl Generators {
    /// Starts all, and returns when each is ready; gives the load worker's word.
    pub(super) async fn start(
        setting: &Setting<'_>,
        plan: &Plan,
        sender: &UnboundedSender<Input>,
    ) -> Result<(Self, Ready), Error> {
        let flows = &setting.scenario.flows;
        let players = |at: usize| flows.get(at).and_then(|flow| flow.players.as_ref());
        // Each asks what is its own, and knows of the rest only that it is there.
        let ours = |at: usize| players(at).is_none();
        let launch = super::launch(setting, "load", vec!["load-worker".to_owned()], true);
        let (load, ready) = Generator::start(setting, &launch, &part(plan, ours), sender, true).await?;
        let mut all = vec![load];
        for (at, flow) in flows.iter().enumerate() {
            if let Some(players) = players(at) {
                let name = format!("players {}", flow.name);
                let launch = launched(setting, &name, players);
                all.push(Generator::start(setting, &launch, &part(plan, |other| other == at), sender, false).await?.0);
            }
        }
        let working = all.len();
        Ok((Self { all, working }, ready))
    }

    /// Lets all begin.
    pub(super) fn go(&mut self, at: Nanos) -> io::Result<()> {
        for generator in &mut self.all {
            let input = generator.input.as_mut().ok_or_else(|| io::Error::from(io::ErrorKind::BrokenPipe))?;
            input.write_all(&line(&Go { at: at.0 })?)?;
        }
        Ok(())
    }

    /// One has said that it is done; true once all have.
    pub(super) fn done(&mut self) -> bool {
        self.working = self.working.saturating_sub(1);
        self.working == 0
    }

    /// Ends the load; requests that are open are cut.
    pub(super) fn stop(&mut self) {
        for mut input in self.all.iter_mut().filter_map(|generator| generator.input.take()) {
            // One that has ended needs no word.
            let _ = writeln!(input, "{STOP}");
        }
    }

    /// Ends the processes.
    pub(super) fn kill(&mut self) {
        self.all.iter_mut().for_each(|generator| {
            generator.input = None;
            generator.process.kill();
        });
    }

    pub(super) fn processes(&self) -> impl Iterator<Item = &Process> {
        self.all.iter().map(|generator| &generator.process)
    }
}

impl Generator {
    async fn start(
        setting: &Setting<'_>,
        launch: &Launch,
        plan: &Plan,
        sender: &UnboundedSender<Input>,
        is_ours: bool,
    ) -> Result<(Self, Ready), Error> {
        let mut process = setting.spawn(launch)?.process;
        let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
        let mut input = process.stdin.take().ok_or_else(broken)?;
        let told = input.write_all(&line(plan)?);
        // A program of somebody else may take its time, and the arm goes on meanwhile: relays must hear of it.
        let waited = tokio::task::spawn_blocking(move || (process.ready(), process)).await;
        let (ready, mut process) = waited.map_err(io::Error::other)?;
        // One that has ended before it could be told is not ready, and that says more.
        let ready: Ready = ready?;
        told?;
        let output = ChildStdout::from_std(process.stdout.take().ok_or_else(broken)?)?;
        tokio::task::spawn_local(read_frames(output, sender.clone(), process.name.clone(), is_ours));
        Ok((Self { process, input: Some(input) }, ready))
    }
}

/// The plan with only these flows asking at their own pace.
fn part(plan: &Plan, own: impl Fn(usize) -> bool) -> Plan {
    let told = |(at, flow): (usize, &FlowPlan)| {
        let pace = if own(at) { flow.pace.clone() } else { Pace::Steps };
        FlowPlan { pace, ..flow.clone() }
    };
    Plan { flows: plan.flows.iter().enumerate().map(told).collect(), ..plan.clone() }
}

fn launched(setting: &Setting<'_>, name: &str, players: &Players) -> Launch {
    let mut words = players.run.iter().cloned();
    Launch {
        program: Some(program_at(&words.next().unwrap_or_default(), &players.folder)),
        folder: players.folder.clone(),
        log: setting.log(&name.replace([' ', '/'], "-")),
        ..super::launch(setting, name, words.collect(), true)
    }
}
