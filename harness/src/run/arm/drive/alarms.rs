//! Conditions of a scenario under which the run is cut short: what clients see, an address that is asked, a program that is started.

use crate::clock::{Nanos, now};
use crate::control::alarms::Alarms;
use crate::deploy::ready;
use crate::load::wire::{End, Sample};
use crate::process::{Launch, Process, SpawnError, program_at};
use crate::run::arm::Setting;
use crate::run::arm::deployment::Input;
use crate::run::arm::plan::ArmPlan;
use crate::scenario::resolved::{AbortWhen, Alarm};
use crate::units::TimeSpan;
use squall_reports::record::ArmKind;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;

/// How often clients' requests are looked at, and an address is asked.
const LOOK: Duration = Duration::from_millis(100);
/// How often a program is begun anew.
const ANEW: Duration = Duration::from_secs(1);
/// How an end is called that is none of a failure.
const WELL: &str = "exit code 0";

/// All conditions of an arm.
pub(super) struct Watch {
    requests: Alarms,
    start: Nanos,
    next_look: Nanos,
    commands: Vec<Command>,
}

/// A program that is begun again and again.
struct Command {
    what: Vec<String>,
    folder: std::path::PathBuf,
    over: Duration,
    running: Option<(Process, u64)>,
    next: Nanos,
    /// Since when it has not ended well.
    failing: Option<Nanos>,
}

impl Watch {
    /// Begins to look. A control is to lose requests: that is no reason to cut it short.
    pub(super) fn begin(setting: &Setting<'_>, plan: &ArmPlan, start: Nanos, sender: &UnboundedSender<Input>) -> Self {
        let all: &[AbortWhen] = &setting.scenario.abort_when;
        let mut commands = Vec::new();
        for AbortWhen { alarm, over } in all {
            match alarm {
                Alarm::Probe { at, path } => {
                    tokio::task::spawn_local(probe(*at, path.clone(), *over, sender.clone()));
                }
                Alarm::Command { command, folder } => {
                    let (what, folder) = (command.clone(), folder.clone());
                    commands.push(Command { what, folder, over: *over, running: None, next: start, failing: None });
                }
                Alarm::Success { .. } | Alarm::P99 { .. } => {}
            }
        }
        let of_requests = if plan.kind == ArmKind::Control { &[] } else { all };
        Self { requests: Alarms::new(of_requests), start, next_look: start, commands }
    }

    /// A request has ended.
    pub(super) fn sample(&mut self, sample: &Sample) {
        let good = matches!(sample.end, End::Acceptable | End::Degraded);
        let took = Duration::from_nanos(sample.done.saturating_sub(sample.due));
        self.requests.ended(self.start.after(Duration::from_nanos(sample.done)), good, took);
    }

    /// Why the run is to be cut short, if it is.
    pub(super) fn tick(&mut self, setting: &Setting<'_>) -> Result<Option<String>, SpawnError> {
        let now = now();
        if now < self.next_look {
            return Ok(None);
        }
        self.next_look = now.after(LOOK);
        for command in &mut self.commands {
            if let Some(why) = command.tick(setting, now)? {
                return Ok(Some(why));
            }
        }
        Ok(self.requests.rings(now, self.start))
    }
}

impl Command {
    fn tick(&mut self, setting: &Setting<'_>, now: Nanos) -> Result<Option<String>, SpawnError> {
        let failed = match &self.running {
            None if now >= self.next => {
                self.next = now.after(ANEW);
                let noted = setting.spawn(&self.launch(setting))?;
                self.running = Some((noted.process, noted.journal_id));
                return Ok(None);
            }
            None => return Ok(None),
            Some((process, _)) => match process.how_it_ended() {
                Some(how) => (how != WELL).then_some(how),
                // One that has not ended has not ended well.
                None if now >= self.next => Some("no end".to_owned()),
                None => return Ok(None),
            },
        };
        if let Some((process, journal_id)) = self.running.take() {
            process.kill();
            setting.gone(journal_id);
        }
        let Some(how) = failed else {
            self.failing = None;
            return Ok(None);
        };
        let since = *self.failing.get_or_insert(now);
        let over = now.since(since) >= self.over || self.over <= ANEW;
        Ok(over
            .then(|| format!("abort-when: `{}` has come to {how}, for {}", self.what.join(" "), TimeSpan(self.over))))
    }

    fn launch(&self, setting: &Setting<'_>) -> Launch {
        let folder = if self.folder == Path::new("") { Path::new(".") } else { &self.folder };
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let (program, arguments) =
            self.what.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
        Launch {
            name: format!("the condition `{program}`"),
            program: Some(program_at(program, &folder)),
            arguments: arguments.to_vec(),
            folder,
            environment: Vec::new(),
            log: setting.log("abort when"),
            piped: false,
            survives: false,
            run: setting.run.to_owned(),
        }
    }
}

/// Asks an address until it has not answered well for so long.
async fn probe(at: SocketAddr, path: String, over: Duration, sender: UnboundedSender<Input>) {
    let mut failing: Option<Nanos> = None;
    loop {
        let asked = now();
        let answer = ready::get(at, &path, over.min(ANEW)).await;
        let wrong = match answer {
            Ok((200..=399, _)) => None,
            Ok((status, _)) => Some(format!("answers {status}")),
            Err(error) => Some(format!("does not answer: {error}")),
        };
        match wrong {
            None => failing = None,
            Some(wrong) => {
                let since = *failing.get_or_insert(asked);
                if now().since(since) >= over {
                    let why = format!("abort-when: http://{at}{path} {wrong}, for {}", TimeSpan(over));
                    // An arm that has ended needs no alarm.
                    let _ = sender.send(Input::Alarm(why));
                    return;
                }
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}
