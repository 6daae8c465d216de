//! The life of a scenario: as written, its control beside it, a second try where the machine was at fault, judgement, record, report.

use super::arm::{self, ArmPlan};
use super::budget::Budget;
use super::events::{ArmEvent, ArmId, RunEvent};
use super::folder::RunFolder;
use super::resume::{self, Begun};
use super::safety::Safety;
use super::secrets;
use super::stop::Stop;
use super::{Error, Options};
use crate::clock::{self, Nanos};
use crate::process::Spawner;
use crate::scenario::resolved::{Combination, PolicySource, Scenario, Search, Service};
use crate::seed::Seed;
use crate::slo;
use rand::seq::SliceRandom;
use squall_proxy::config;
use squall_reports::record::{self, Arm, ArmKind, Machine, Reason, Record, Run, SourceFile, Verdict, stream::Writer};
use squall_reports::redact::Redactor;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Tries of an arm that proved nothing for the machine's sake, the first one included.
const TRIES: u32 = 3;

/// Where a scenario runs, as `--platform` says it.
fn platform(scenario: &Scenario) -> &'static str {
    if scenario.services.iter().any(Service::is_running) { "external" } else { "local" }
}

/// What every scenario of a run shares.
pub(super) struct Context<'a> {
    pub(super) options: &'a Options,
    pub(super) folder: &'a RunFolder,
    /// The folder of a run from which this one goes on.
    pub(super) earlier: Option<&'a Path>,
    pub(super) seed: u64,
    pub(super) budget: Budget,
    pub(super) machine: Machine,
    pub(super) spawner: &'a Spawner,
    pub(super) safety: &'a Safety,
    pub(super) stop: Stop,
    pub(super) say: &'a (dyn Fn(RunEvent) + Sync),
}

/// A scenario after its first try: judged and reported, or waiting for another try.
pub(super) struct Pending<'a> {
    /// Index of the scenario.
    pub(super) index: usize,
    /// Number of the repetition, from 1.
    pub(super) time: u32,
    scenario: &'a Scenario,
    folder: PathBuf,
    /// From when its first arm began until its last one ended: waiting for a place is no part of it.
    worked: Mutex<Option<Worked>>,
    arms: Vec<Arm>,
    errors: Vec<String>,
    stream: Option<Mutex<Writer>>,
    /// It was reported before its deployment was let go.
    looked: bool,
    redactor: Redactor,
}

/// A scenario with its verdict, recorded and reported.
pub(super) struct Settled {
    index: usize,
    redactor: Redactor,
    pub(super) record: Record,
    file: PathBuf,
    pub(super) folder: PathBuf,
}

impl Settled {
    /// Tells the verdict; what the run has left behind is added to the record first.
    pub(super) fn tell(&mut self, dirty: &[String], say: &(dyn Fn(RunEvent) + Sync)) -> std::io::Result<()> {
        if !dirty.is_empty() {
            self.record.dirty = dirty.iter().map(|what| secrets::shown(what, &self.redactor)).collect();
            record::write(&self.record, &self.file)?;
        }
        say(RunEvent::Judged {
            scenario: self.index,
            record: Box::new(self.record.clone()),
            record_file: self.file.clone(),
            report_file: self.folder.join("report.html"),
        });
        Ok(())
    }
}

/// When a scenario was at work.
#[derive(Debug, Clone, Copy)]
struct Worked {
    started: jiff::Timestamp,
    from: Nanos,
    to: Nanos,
}

fn joined(thread: std::thread::ScopedJoinHandle<'_, Result<Arm, String>>) -> Result<Arm, String> {
    thread.join().unwrap_or_else(|_| Err("an arm panicked".to_owned()))
}

/// Runs the scenario as written and its control, or the cells of a sweep.
pub(super) fn first_try<'a>(context: &Context<'_>, scenario: &'a Scenario, index: usize, time: u32) -> Pending<'a> {
    let mut pending = Pending::new(context, scenario, index, time);
    let begun = context.folder.scenario(&pending.slug()).and_then(|folder| {
        pending.folder = folder;
        Writer::create(
            &pending.folder.join("record.jsonl"),
            &pending.record(context, &[], &[]),
            secrets::cleaner(pending.redactor.clone()),
        )
    });
    match begun {
        Ok(stream) => pending.stream = Some(Mutex::new(stream)),
        Err(error) => {
            pending.errors.push(format!("{} could not be begun: {error}", pending.folder.display()));
            return pending;
        }
    }
    let plans = arm::plans(scenario, context.options.control);
    if scenario.sweep.is_some() {
        pending.one_by_one(context, plans);
    } else {
        pending.side_by_side(context, &plans);
    }
    pending
}

impl<'a> Pending<'a> {
    fn new(context: &Context<'_>, scenario: &'a Scenario, index: usize, time: u32) -> Self {
        let mut pending = Self {
            index,
            time,
            scenario,
            folder: PathBuf::new(),
            worked: Mutex::new(None),
            arms: Vec::new(),
            errors: Vec::new(),
            stream: None,
            looked: false,
            redactor: secrets::redactor(scenario),
        };
        pending.folder = context.folder.path.join(pending.slug());
        pending
    }

    /// A scenario whose thread has panicked: it has a verdict all the same.
    pub(super) fn panicked(context: &Context<'_>, scenario: &'a Scenario, index: usize, time: u32) -> Self {
        let mut pending = Self::new(context, scenario, index, time);
        pending.errors.push("its thread panicked: this is a mistake of Squall's".to_owned());
        pending
    }

    /// Name of its folder.
    fn slug(&self) -> String {
        if self.time == 1 { self.scenario.slug.clone() } else { format!("{}-{}", self.scenario.slug, self.time) }
    }

    /// Runs the cells of a sweep that no earlier run has measured, in a random order.
    fn one_by_one(&mut self, context: &Context<'_>, plans: Vec<ArmPlan>) {
        let begun = begun(self.scenario, context.options, context.seed);
        if let Err(error) = begun.write(&self.folder) {
            self.errors.push(format!("{}: {error}", self.folder.display()));
            return;
        }
        let mut order = Seed(context.seed).stream(&format!("{}/{}/order", self.scenario.slug, self.time));
        let mut results = Vec::new();
        for plan in arm::shuffled(plans, &mut order) {
            results.push(self.cell(context, &plan));
            // What was not begun has no error of its own.
            if context.stop.is_asked() {
                break;
            }
        }
        if let Some((sweep, search)) =
            self.scenario.sweep.as_ref().and_then(|sweep| Some((sweep, sweep.search.as_ref()?)))
        {
            let mut combinations = sweep.combinations();
            combinations.shuffle(&mut order);
            for combination in combinations {
                self.search(context, (combination, search), &mut results);
            }
        }
        self.take(results);
    }

    /// Seeks the highest rate that holds for one combination.
    fn search(
        &self,
        context: &Context<'_>,
        (combination, wanted): (Combination, &Search),
        results: &mut Vec<Result<Arm, String>>,
    ) {
        let mut search = slo::search::Bisection::new(combination.rate.0, wanted.to.0);
        while let Some(step) = search.next().filter(|_| !context.stop.is_asked()) {
            let result = self.cell(context, &ArmPlan::step(combination, step, wanted));
            let tried = result.as_ref().ok().map(slo::search::outcome);
            results.push(result);
            // A rate that could not be tried says nothing about the next.
            let Some((outcome, why)) = tried else { return };
            search.note(outcome, why);
        }
    }

    /// A cell, as an earlier run has measured it or as it is measured now.
    fn cell(&self, context: &Context<'_>, plan: &ArmPlan) -> Result<Arm, String> {
        let kept = context.earlier.and_then(|run| resume::kept(&run.join(self.slug()).join(plan.folder(1))));
        let arm = match kept {
            Some(arm) => arm,
            None => self.run(context, plan, 1, None)?,
        };
        let folder = self.folder.join(plan.folder(1));
        let mut shown = arm.clone();
        shown.change_texts(&mut secrets::cleaner(self.redactor.clone()));
        resume::keep(&folder, &shown).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(arm)
    }

    /// Arms as they were planned, whatever the order in which they were run.
    fn sort(&mut self) {
        let plans = arm::plans(self.scenario, true);
        let order: HashMap<String, usize> = plans.iter().enumerate().map(|(at, plan)| (plan.folder(1), at)).collect();
        let place = |arm: &Arm| arm.cell.as_ref().and_then(|cell| order.get(&cell.file_name()).copied());
        self.arms.sort_by_key(|arm| (place(arm), arm.try_number));
    }

    /// Runs all arms at once. One that is kept stays up until its report has been looked at.
    fn side_by_side(&mut self, context: &Context<'_>, plans: &[ArmPlan]) {
        let (keep, held) = if context.options.keep { Some(arm::keep::keep()).unzip() } else { (None, None) };
        let mut keep = keep;
        let (results, looked) = std::thread::scope(|scope| {
            let pending = &*self;
            let threads: Vec<_> = plans
                .iter()
                .map(|plan| {
                    let keep = if plan.kind == ArmKind::Main { keep.take() } else { None };
                    (plan.kind, scope.spawn(move || pending.run(context, plan, 1, keep)))
                })
                .collect();
            let (main, others): (Vec<_>, Vec<_>) = threads.into_iter().partition(|(kind, _)| *kind == ArmKind::Main);
            let mut results: Vec<_> = others.into_iter().map(|(_, thread)| joined(thread)).collect();
            let looked = held.is_some_and(|held| pending.look(context, held, &results));
            results.splice(0..0, main.into_iter().map(|(_, thread)| joined(thread)));
            (results, looked)
        });
        self.looked = looked;
        self.take(results);
    }

    /// Reports what is known, and waits until it has been looked at; false if there is nothing to look at.
    fn look(&self, context: &Context<'_>, held: arm::keep::Held, others: &[Result<Arm, String>]) -> bool {
        let Some(kept) = held.ended() else { return false };
        let arms: Vec<Arm> = [kept.arm].into_iter().chain(others.iter().flatten().cloned()).collect();
        let errors: Vec<String> = others.iter().filter_map(|other| other.as_ref().err().cloned()).collect();
        let record = self.record(context, &arms, &errors);
        let written = write(&record, &self.folder.join("record.json"), &self.folder, context.options.reports);
        // Whoever is told may stop it at once, and has looked then.
        let was_stopped = context.stop.is_asked();
        (context.say)(RunEvent::Kept {
            verdict: record.verdict,
            reason: record.reasons.first().map(|reason| reason.text.clone()),
            report_file: written.is_ok().then(|| self.folder.join("report.html")),
            addresses: kept.addresses,
        });
        held.until_enter(&context.stop);
        !was_stopped
    }

    fn take(&mut self, results: Vec<Result<Arm, String>>) {
        for result in results {
            match result {
                Ok(arm) => self.arms.push(arm),
                Err(error) => self.errors.push(error),
            }
        }
    }

    /// One try of one arm.
    fn run(
        &self,
        context: &Context<'_>,
        plan: &ArmPlan,
        try_number: u32,
        keep: Option<arm::keep::Keep>,
    ) -> Result<Arm, String> {
        let _share = context.budget.take(plan.peak_rate(self.scenario));
        if context.stop.is_asked() {
            return Err("stopped before it began".to_owned());
        }
        self.note_work();
        let id = ArmId { name: plan.name(), cell: plan.cell.clone(), try_number };
        let say = |what| (context.say)(RunEvent::Arm { scenario: self.index, arm: id.clone(), what });
        let stream = self.stream.as_ref().ok_or("there is no record to write to")?;
        let setting = arm::Setting {
            scenario: self.scenario,
            run: &context.safety.run,
            folder: self.folder.join(plan.folder(try_number)),
            seed: Seed(context.seed).child(&format!("{}/{}/{}", self.scenario.slug, self.time, plan.name())),
            spawner: context.spawner,
            journal: &context.safety.journal,
            stop: context.stop.clone(),
            stream,
            say: &say,
            try_number,
            keep,
        };
        let ran = arm::run(&setting, plan);
        self.note_work();
        let arm = ran.map_err(|error| format!("{}: {error}", plan.name()))?;
        let reason = arm.reasons.first().map(|reason| secrets::shown(&reason.text, &self.redactor));
        say(ArmEvent::Ended { verdict: arm.verdict, reason });
        Ok(arm)
    }

    /// Tries again, alone, what proved nothing for the machine's sake; then judges, records and reports.
    pub(super) fn settle(mut self, context: &Context<'_>) -> Settled {
        for try_number in 2..=TRIES {
            let again = context.options.rerun && !context.stop.is_asked();
            let plans: Vec<ArmPlan> = if again { self.to_repeat() } else { Vec::new() };
            for plan in plans {
                let before = self.arms.iter().position(|arm| !arm.superseded && plan.is_of(arm));
                let Some(before) = before else { continue };
                let reason = self.arms[before].reasons.first().map(|one| secrets::shown(&one.text, &self.redactor));
                (context.say)(RunEvent::Arm {
                    scenario: self.index,
                    arm: ArmId { name: plan.name(), cell: plan.cell.clone(), try_number: try_number - 1 },
                    what: ArmEvent::Again { reason: reason.unwrap_or_default() },
                });
                let result = self.run(context, &plan, try_number, None);
                self.arms[before].superseded = result.is_ok();
                self.take(vec![result]);
            }
        }
        if self.scenario.sweep.is_some() {
            self.sort();
        }
        self.stream = None;
        let mut record = self.record(context, &self.arms, &self.errors);
        let file = self.folder.join("record.json");
        if let Err(error) = write(&record, &file, &self.folder, context.options.reports) {
            // The verdict of a scenario without a record is not to be had later, so it is an error now.
            record.verdict = Verdict::Error;
            let text = format!("ERROR: the report could not be written: {error}");
            record.reasons.insert(0, Reason { verdict: Verdict::Error, code: "error".to_owned(), text });
        }
        Settled { index: self.index, redactor: self.redactor, record, file, folder: self.folder }
    }

    /// Plans of the arms whose last try was INVALID for the generator's or the machine's sake. Never for FAIL.
    fn to_repeat(&self) -> Vec<ArmPlan> {
        let last = self.arms.iter().filter(|arm| !arm.superseded);
        last.filter(|arm| slo::is_machines_fault(arm)).filter_map(|arm| ArmPlan::of(arm, self.scenario)).collect()
    }

    fn note_work(&self) {
        let mut worked = self.worked.lock().unwrap_or_else(PoisonError::into_inner);
        let now = clock::now();
        let fresh = Worked { started: jiff::Timestamp::now(), from: now, to: now };
        worked.get_or_insert(fresh).to = now;
    }

    fn record(&self, context: &Context<'_>, arms: &[Arm], errors: &[String]) -> Record {
        let worked = *self.worked.lock().unwrap_or_else(PoisonError::into_inner);
        // Ctrl-C that ends a look does not cut the run: it was over.
        let stopped = context.stop.why().filter(|_| !self.looked);
        let judged = slo::judge(self.scenario, arms, errors, context.options.control, stopped.as_deref());
        let mut record = Record {
            format: record::FORMAT.to_owned(),
            version: record::VERSION.to_owned(),
            complete: stopped.is_none(),
            verdict: judged.verdict,
            reasons: judged.reasons,
            control: judged.control,
            dirty: Vec::new(),
            expectations: judged.expectations,
            scenario: described(self.scenario, context.options),
            run: Run {
                id: context.folder.id.clone(),
                started: worked.map_or_else(jiff::Timestamp::now, |worked| worked.started).to_string(),
                seconds: worked.map_or(0.0, |worked| worked.to.since(worked.from).as_secs_f64()),
                seed: context.seed,
                command: std::env::args().collect(),
                squall: concat!("squall ", env!("CARGO_PKG_VERSION")).to_owned(),
                platform: platform(self.scenario).to_owned(),
                quick: context.options.quick,
                repetition: (self.time, context.options.repeat),
                machine: context.machine.clone(),
            },
            arms: arms.to_vec(),
            searches: judged.searches,
        };
        secrets::clean(&mut record, &self.redactor);
        record
    }
}

fn write(record: &Record, file: &Path, folder: &Path, reports: bool) -> Result<(), Error> {
    record::write(record, file)?;
    if reports {
        squall_reports::artifacts::write_scenario(record, folder)?;
    }
    Ok(())
}

/// What a sweep is begun with.
pub(super) fn begun(scenario: &Scenario, options: &Options, seed: u64) -> Begun {
    Begun::new(seed, &described(scenario, options))
}

/// The scenario as the record keeps it.
fn described(scenario: &Scenario, options: &Options) -> record::Scenario {
    let others = scenario.control.iter().filter_map(|control| control.policies.as_ref());
    record::Scenario {
        title: scenario.title.clone(),
        slug: scenario.slug.clone(),
        file: scenario.file.display().to_string(),
        line: scenario.place.line,
        about: scenario.about.clone(),
        tags: scenario.tags.clone(),
        source: scenario.source.clone(),
        set: options.set.clone(),
        policies: scenario
            .policies
            .iter()
            .chain(others.flat_map(|other| &other.sources))
            .flat_map(source_files)
            .collect(),
        unsupported: scenario.accept_unsupported.clone(),
    }
}

fn source_files(source: &PolicySource) -> Vec<SourceFile> {
    match source {
        PolicySource::Inline(text) => vec![SourceFile { path: "(in the scenario)".to_owned(), text: text.clone() }],
        PolicySource::Path(path) => config::files_of(path).iter().map(|path| source_file(path)).collect(),
    }
}

fn source_file(path: &Path) -> SourceFile {
    // It was read when the scenario was resolved; should it be gone by now, the record says so by its emptiness.
    SourceFile { path: path.display().to_string(), text: std::fs::read_to_string(path).unwrap_or_default() }
}
