//! Requests at evenly spaced instants, whatever becomes of those before: the load of `squall run` itself.

use bytes::BytesMut;
use squall::clock;
use squall::load::schedule::{Gaps, Schedule};
use squall::load::wire::{Accept, Connections, End, FlowPlan, Frame, Go, Pace, Plan, Ready, Tells};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// Longer than any time-out of the proxies that are compared: they end a request, not the client.
const PATIENCE: Duration = Duration::from_secs(10);

/// Load whose connections are open.
pub(crate) struct Paced {
    worker: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Paced {
    /// Opens the connections for `GET /` at this rate, over so long a time: at even instants, or at random ones that this seed gives.
    pub(crate) fn warm(to: SocketAddr, rate: u32, lasts: Duration, random: Option<u64>) -> io::Result<Self> {
        let mut command = Command::new(squall_tests::binary());
        let mut worker = command.arg("load-worker").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let missing = || io::Error::other("a pipe is missing");
        let mut input = worker.stdin.take().ok_or_else(missing)?;
        let mut output = BufReader::new(worker.stdout.take().ok_or_else(missing)?);
        writeln!(input, "{}", serde_json::to_string(&plan(to, rate, lasts, random))?)?;
        let mut line = String::new();
        output.read_line(&mut line)?;
        serde_json::from_str::<Ready>(&line)?;
        Ok(Self { worker, input, output })
    }

    /// Asks from now on.
    pub(crate) fn begin(&mut self) -> io::Result<()> {
        writeln!(self.input, "{}", serde_json::to_string(&Go { at: clock::now().0 })?)
    }

    /// Waits for all answers; how many requests were not answered well.
    pub(crate) fn lost(mut self) -> io::Result<usize> {
        let (mut buffer, mut piece) = (BytesMut::new(), [0; 16 * 1024]);
        let (mut well, mut lost) = (0, 0);
        loop {
            while let Some(frame) = Frame::decode(&mut buffer).map_err(io::Error::other)? {
                match frame {
                    Frame::Sample(sample) if sample.end == End::Acceptable => well += 1,
                    Frame::Sample(_) => lost += 1,
                    Frame::Health(_) | Frame::Sums(_) => {}
                    Frame::Done if well == 0 => return Err(io::Error::other("no request was answered well")),
                    Frame::Done => return Ok(lost),
                }
            }
            let read = self.output.read(&mut piece)?;
            if read == 0 {
                return Err(io::Error::other("the load has ended too early"));
            }
            buffer.extend_from_slice(&piece[..read]);
        }
    }
}

impl Drop for Paced {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.worker.kill();
        let _ = self.worker.wait();
    }
}

fn plan(to: SocketAddr, rate: u32, lasts: Duration, random: Option<u64>) -> Plan {
    let even = Schedule::constant(rate.into(), lasts.as_nanos() as u64);
    let gaps = if random.is_some() { Gaps::Poisson } else { Gaps::Even };
    let flow = FlowPlan {
        accept: Accept { status: vec![(200, 200)], ..Accept::default() },
        time_out: PATIENCE,
        connections: Connections::UpTo(1_000),
        drop_after: PATIENCE,
        pace: Pace::Open(Schedule { gaps, ..even }),
        ..FlowPlan::new("paced", vec![to], "cart")
    };
    Plan { flows: vec![flow], instances: Vec::new(), seed: random.unwrap_or(1), tells: Tells::Samples }
}
