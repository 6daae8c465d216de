//! The worker's one thread: wakes when requests are due and releases them.

use super::flow::Flow;
use super::journey::Journey;
use super::output::{Output, Writer};
use super::schedule::{Arrivals, Schedule};
use super::wire::{Frame, Go, Health, Plan, Ready, STOP};
use crate::clock::{self, Nanos, Timer, now};
use std::io::{self, Write};
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Lines};

/// Most requests released at one wake-up, so that answers are read in between.
const BATCH: usize = 256;

/// Longest sleep: late requests are dropped, and samples handed over, at least this often.
const TICK: Duration = Duration::from_millis(20);

/// Bits of the numbers that a flow gives its requests by itself.
const OWN_RANGE: u32 = 40;

/// Rounds and period of the bare timer loop that the pacer's lag is compared with.
const BARE_ROUNDS: u32 = 200;
const BARE_PERIOD: Duration = Duration::from_micros(500);

/// Why the worker gave up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The plan or the start did not come, or was no JSON.
    #[error("standard input: {0}")]
    Input(io::Error),
    /// Samples could not be written, or a timer not be had.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// Runs the plan that comes on `input`, and writes samples to `output`; gives the writer, which ends when the last connection has
/// been dropped.
pub(super) async fn work(input: impl AsyncRead + Unpin, output: impl Write + Send + 'static) -> Result<Writer, Error> {
    clock::precise_thread()?;
    // Where the kernel won't, the pacer is late more often, and says so.
    let _ = clock::shortest_slices();
    let mut input = BufReader::new(input).lines();
    let plan: Plan = json_line(&mut input).await?;
    let bare = clock::bare_timer_lag(BARE_ROUNDS, BARE_PERIOD)?;

    let (output, writer) = Output::start(&plan, output);
    let output = Rc::new(output);
    let instances: Rc<[String]> = plan.instances.clone().into();
    let flow = |(index, flow)| Flow::new(flow, index, plan.seed, Rc::clone(&instances), Rc::clone(&output));
    let flows: Vec<_> = plan.flows.iter().enumerate().map(flow).collect::<Result<_, _>>()?;
    let mut connections = 0;
    for flow in &flows {
        connections += flow.warm().await;
    }
    let planned = plan.flows.iter().filter_map(|flow| flow.pace.schedule()).map(Schedule::planned).sum();
    let ready = Ready { ready: true, connections, planned, bare_timer_p99: bare.p99.as_micros() as u64 };
    let mut line = serde_json::to_vec(&ready).map_err(io::Error::from)?;
    line.push(b'\n');
    output.line(line);

    let go: Go = json_line(&mut input).await?;
    let start = Nanos(go.at);
    for (index, flow) in flows.iter().enumerate() {
        // Flows that count their requests by themselves do so in ranges of their own.
        flow.begin(start, planned + ((index as u64) << OWN_RANGE));
    }
    let closed = plan.flows.iter().filter_map(|flow| flow.pace.closed()).max().unwrap_or(0);
    let timer = Timer::new()?;
    let journeys = flows.iter().map(|flow| Journey::of(flow, &flows, plan.seed, &timer)).collect();
    let arrivals = Arrivals::new(&plan.flows, plan.seed);
    let pacer = Pacer { flows: &flows, journeys, arrivals, start, closed, output: &output };
    tokio::select! {
        () = pacer.run(timer) => {}
        () = told_to_stop(&mut input) => {}
    }
    flows.iter().for_each(|flow| flow.stop());
    // Requests that are open, and connections being opened, see the stop at their next wake-up, which is now.
    while flows.iter().any(|flow| flow.is_busy()) {
        tokio::task::yield_now().await;
    }
    output.sums();
    output.frame(&Frame::Done);
    output.flush();
    Ok(writer)
}

/// Releases each request when it is due.
struct Pacer<'a> {
    flows: &'a [Rc<Flow>],
    /// That of each flow that has one.
    journeys: Vec<Option<Rc<Journey>>>,
    arrivals: Arrivals,
    start: Nanos,
    /// When those that count by themselves end, nanoseconds from the start.
    closed: u64,
    output: &'a Output,
}

impl Pacer<'_> {
    /// Returns when all requests have ended, or none can any more.
    async fn run(mut self, timer: Timer) {
        let mut watch = Watch::new();
        let tick = self.flows.iter().map(|flow| flow.plan.time_out).min().unwrap_or(TICK).min(TICK);
        loop {
            let wake = self.next(tick);
            timer.sleep_until(wake).await;
            watch.woken(wake, self.start, self.output);
            self.release();
            self.flows.iter().for_each(|flow| flow.expire());
            if self.is_over() {
                return;
            }
            // Requests that were released are sent before the next ones are.
            tokio::task::yield_now().await;
        }
    }

    /// When there is something to do next.
    fn next(&self, tick: Duration) -> Nanos {
        let due = self.arrivals.peek().map(|due| self.at(due));
        let begin = Some(self.start).filter(|start| self.closed > 0 && now() < *start);
        let given_up = self.flows.iter().map(|flow| flow.wakes()).min();
        [due, begin, given_up].into_iter().flatten().fold(now().after(tick), Nanos::min)
    }

    fn at(&self, due: u64) -> Nanos {
        self.start.after(Duration::from_nanos(due))
    }

    fn release(&mut self) {
        for _ in 0..BATCH {
            if self.arrivals.peek().is_none_or(|due| self.at(due) > now()) {
                break;
            }
            let Some(arrival) = self.arrivals.next() else { break };
            match &self.journeys[arrival.flow] {
                Some(journey) => journey.begin(arrival),
                None => self.flows[arrival.flow].release(arrival),
            }
        }
        if now() >= self.start {
            self.flows.iter().for_each(|flow| flow.unleash());
        }
    }

    fn is_over(&self) -> bool {
        self.arrivals.peek().is_none() && now() >= self.at(self.closed) && self.flows.iter().all(|flow| !flow.is_busy())
    }
}

/// What the worker says of itself.
struct Watch {
    cpu_at_start: u64,
    worst_gap: u64,
    next_report: Nanos,
    next_flush: Nanos,
}

impl Watch {
    fn new() -> Self {
        Self { cpu_at_start: thread_cpu(), worst_gap: 0, next_report: Nanos(0), next_flush: Nanos(0) }
    }

    fn woken(&mut self, asked: Nanos, start: Nanos, output: &Output) {
        let now = now();
        self.worst_gap = self.worst_gap.max(now.0.saturating_sub(asked.0));
        if now >= self.next_report && now >= start {
            let cpu = thread_cpu().saturating_sub(self.cpu_at_start);
            output.frame(&Frame::Health(Health { at: now.0 - start.0, cpu, worst_gap: self.worst_gap }));
            output.sums();
            self.worst_gap = 0;
            self.next_report = now.after(Duration::from_secs(1));
        }
        if now >= self.next_flush {
            output.flush();
            self.next_flush = now.after(TICK * 2);
        }
    }
}

fn thread_cpu() -> u64 {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID);
    time.map_or(0, |time| time.tv_sec() as u64 * 1_000_000_000 + time.tv_nsec() as u64)
}

async fn json_line<T: serde::de::DeserializeOwned>(
    input: &mut Lines<BufReader<impl AsyncRead + Unpin>>,
) -> Result<T, Error> {
    let line = input.next_line().await.map_err(Error::Input)?;
    let line = line.ok_or_else(|| Error::Input(io::ErrorKind::UnexpectedEof.into()))?;
    serde_json::from_str(&line).map_err(|error| Error::Input(error.into()))
}

/// Returns when told to, or when whoever could tell has gone.
async fn told_to_stop(input: &mut Lines<BufReader<impl AsyncRead + Unpin>>) {
    while let Ok(Some(line)) = input.next_line().await {
        if line == STOP {
            return;
        }
    }
}
