//! Where everything is while a journey is played: the plan, who is under way, and where samples go. There is one for the whole program, because
//! goose's transactions are plain functions.

use crate::Error;
use crate::arrivals::Doorman;
use crate::output::Output;
use goose::prelude::*;
use squall::clock::{Nanos, now};
use squall::load::cookies::Cookies;
use squall::load::schedule::{Arrival, Arrivals, Schedule};
use squall::load::wire::{Connections, End, FlowPlan, Frame, Plan, Ready, Sample};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::{oneshot, watch};

static STAGE: OnceLock<Stage> = OnceLock::new();

/// Bits of the numbers that requests of a flow have, as in squall's own load worker.
const OWN_RANGE: u32 = 40;
/// Users under way at once, at most.
const MOST_USERS: u32 = 4_000;

/// The plan, and what has become of it so far.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) plan: Plan,
    /// The flow that counts users.
    journey: usize,
    client: reqwest::Client,
    output: Output,
    /// When it began; known once users may come.
    start: watch::Sender<Option<Nanos>>,
    scene: Mutex<Scene>,
}

#[derive(Debug, Default)]
struct Scene {
    /// Users of goose that have come to the door.
    present: HashSet<usize>,
    doorman: Option<Doorman>,
    /// Those under way, by the number that goose gave them.
    visits: HashMap<usize, Visit>,
    /// Everybody has come who will.
    full: bool,
    asked: u64,
    done: Option<oneshot::Sender<()>>,
}

/// A user under way.
#[derive(Debug)]
struct Visit {
    arrival: Arrival,
    /// None: he is not due yet.
    released: Option<u64>,
    /// When the next step is due, nanoseconds from the start.
    due: u64,
    cookies: Cookies,
    /// How it stands, by the last step.
    end: End,
    status: u16,
}

/// What a user's next request needs to know of him.
#[derive(Debug)]
pub(crate) struct Turn {
    /// When it is due, nanoseconds from the start.
    pub(crate) due: u64,
    /// Its number.
    pub(crate) id: u64,
    pub(crate) cookies: Option<String>,
}

impl Visit {
    /// A step has failed: nothing more is asked.
    fn has_left(&self) -> bool {
        !matches!(self.end, End::Acceptable | End::Degraded)
    }
}

impl Stage {
    /// Sets the stage; what is given tells when the last user has left.
    pub(crate) fn set(plan: Plan, output: Output) -> Result<(&'static Self, oneshot::Receiver<()>), Error> {
        let own = |flow: &FlowPlan| flow.journey.is_some() && flow.pace.schedule().is_some();
        let journey = plan.flows.iter().position(own).ok_or_else(|| Error::Plan("no journey is planned".to_owned()))?;
        // A redirect is an answer like any other, and cookies are those of each user.
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
        let (tell, done) = oneshot::channel();
        let scene = Mutex::new(Scene { done: Some(tell), ..Scene::default() });
        let stage = Self { plan, journey, client, output, start: watch::Sender::new(None), scene };
        Ok((STAGE.get_or_init(|| stage), done))
    }

    /// Users that may be under way at once.
    pub(crate) fn users(&self) -> u32 {
        let (Connections::Fixed(number) | Connections::UpTo(number)) = self.plan.flows[self.journey].connections else {
            return MOST_USERS;
        };
        number.clamp(1, MOST_USERS)
    }

    /// The start is known: users come.
    pub(crate) fn open(&self, at: u64) {
        let arrivals = Arrivals::new(&self.plan.flows, self.plan.seed);
        self.scene().doorman = Some(Doorman::new(arrivals, Nanos(at)));
        self.start.send_replace(Some(Nanos(at)));
    }

    /// The load is told to end: whoever is under way is cut.
    pub(crate) fn close(&self) {
        let mut scene = self.scene();
        scene.full = true;
        for visit in std::mem::take(&mut scene.visits).into_values() {
            self.left(&visit, if visit.has_left() { visit.end } else { End::Cut });
        }
        self.finish(&mut scene);
    }

    fn scene(&self) -> MutexGuard<'_, Scene> {
        self.scene.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn began(&self) -> Nanos {
        self.start.borrow().unwrap_or(Nanos(0))
    }

    pub(crate) fn since_start(&self, at: Nanos) -> u64 {
        at.0.saturating_sub(self.began().0)
    }

    /// How long it is until a moment of the plan.
    pub(crate) fn until(&self, at: u64) -> Duration {
        Nanos(self.began().0 + at).since(now())
    }

    /// The flow of a step.
    pub(crate) fn step(&self, name: &str) -> Option<(usize, &FlowPlan)> {
        let journey = &self.plan.flows[self.journey];
        let steps = journey.journey.iter().flat_map(|journey| &journey.steps).map(|step| step.flow);
        let own = |flow: &FlowPlan| flow.name.strip_prefix(&journey.name)?.strip_prefix('/').map(|own| own == name);
        steps.filter_map(|at| Some((at, self.plan.flows.get(at)?))).find(|(_, flow)| own(flow) == Some(true))
    }

    /// What a user is about to ask of a host; None if he has left.
    pub(crate) fn turn(&self, user: usize, host: &str) -> Option<Turn> {
        let mut scene = self.scene();
        scene.asked += 1;
        let id = ((self.journey as u64 + 1) << OWN_RANGE) + scene.asked;
        let visit = scene.visits.get(&user).filter(|visit| !visit.has_left())?;
        Some(Turn { due: visit.due, id, cookies: visit.cookies.of(host) })
    }

    /// A step has been answered by a host, or has failed.
    pub(crate) fn answered(&self, user: usize, sample: &Sample, (host, cookies): (&str, &[String])) {
        let mut scene = self.scene();
        // Whoever was cut has been told of.
        let Some(visit) = scene.visits.get_mut(&user) else { return };
        visit.due = sample.done;
        cookies.iter().for_each(|cookie| visit.cookies.set(host, cookie));
        if !(visit.end == End::Degraded && sample.end == End::Acceptable) {
            (visit.end, visit.status) = (sample.end, sample.status);
        }
        self.output.frame(&Frame::Sample(*sample));
    }

    /// The user thinks before the next step; what is given tells when he has.
    pub(crate) fn thinks(&self, user: usize, nanos: u64) -> Option<oneshot::Receiver<()>> {
        let mut scene = self.scene();
        let visit = scene.visits.get_mut(&user).filter(|visit| !visit.has_left())?;
        visit.due += nanos;
        let due = visit.due;
        scene.doorman.as_ref().map(|doorman| doorman.at(due))
    }

    /// Tells of a user who is gone.
    fn left(&self, visit: &Visit, end: End) {
        // He who was not due yet has not been here.
        let Some(released) = visit.released else { return };
        self.output.frame(&Frame::Sample(Sample {
            id: visit.arrival.id,
            flow: self.journey as u16,
            end,
            status: visit.status,
            instance: None,
            due: visit.arrival.due,
            released,
            sent: None,
            first_byte: None,
            done: self.since_start(now()),
        }));
    }

    fn finish(&self, scene: &mut Scene) {
        if let Some(done) = scene.done.take() {
            self.output.frame(&Frame::Done);
            // Whoever waited may have ended.
            let _ = done.send(());
        }
    }

    /// A user of goose is at the door; when all are, everything is ready.
    fn at_the_door(&self, user: usize) -> Result<(), Error> {
        let mut scene = self.scene();
        if scene.present.insert(user) && scene.present.len() == self.users() as usize {
            let planned = self.plan.flows[self.journey].pace.schedule().map_or(0, Schedule::planned);
            self.output.line(&Ready { ready: true, connections: 0, planned, bare_timer_p99: 0 })?;
        }
        Ok(())
    }

    /// The next user to be; None if all have come.
    fn next(&self, user: usize) -> Option<oneshot::Receiver<()>> {
        let mut scene = self.scene();
        let full = scene.full;
        let next = scene.doorman.as_mut().filter(|_| !full).and_then(Doorman::next);
        let Some((arrival, due)) = next else {
            scene.full = true;
            if scene.visits.is_empty() {
                self.finish(&mut scene);
            }
            return None;
        };
        let visit = Visit {
            arrival,
            released: None,
            due: arrival.due,
            cookies: Cookies::default(),
            end: End::Acceptable,
            status: 0,
        };
        scene.visits.insert(user, visit);
        Some(due)
    }

    fn released(&self, user: usize) {
        if let Some(visit) = self.scene().visits.get_mut(&user) {
            visit.released = Some(self.since_start(now()));
        }
    }
}

/// The stage, once it is set.
pub(crate) fn stage() -> Option<&'static Stage> {
    STAGE.get()
}

/// Waits for the next user; for ever if all have come.
pub(crate) async fn arrive(user: &mut GooseUser) -> TransactionResult {
    let (Some(stage), number) = (stage(), user.weighted_users_index) else { return Err("the stage is not set".into()) };
    user.client = stage.client.clone();
    stage.at_the_door(number).map_err(|error| error.to_string())?;
    // The stage is there as long as the program.
    let _ = stage.start.subscribe().wait_for(Option::is_some).await;
    let Some(due) = stage.next(number) else { return std::future::pending().await };
    let _ = due.await;
    stage.released(number);
    Ok(())
}

/// A user has come to the end, or has left before.
pub(crate) fn leave(user: &GooseUser) {
    let Some(stage) = stage() else { return };
    let mut scene = stage.scene();
    if let Some(visit) = scene.visits.remove(&user.weighted_users_index) {
        stage.left(&visit, visit.end);
    }
    if scene.full && scene.visits.is_empty() {
        stage.finish(&mut scene);
    }
}
