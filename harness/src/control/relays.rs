//! The side of the relays that commands them: commands with their acknowledgements, and the heartbeat that keeps their lease.

use crate::clock::Nanos;
use crate::fault::spec::Fault;
use crate::process::{NotReady, Process};
use crate::shim::wire::{Command, HEARTBEAT, Relay, Report, Start};
use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::{mpsc, oneshot};

/// How long an answer may take: a relay that is stopped must not keep a run from ending.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a relay did not do what it was told.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RelayError {
    /// It said why.
    #[error("the relay refused: {0}")]
    Refused(String),
    /// It has gone away.
    #[error("the relays have gone away")]
    Gone,
    /// It lives, and says nothing.
    #[error("the relays have not answered for {} s", PATIENCE.as_secs())]
    Silent,
}

/// Sends commands and waits for their acknowledgement.
#[derive(Debug, Clone)]
pub struct Relays {
    commands: mpsc::UnboundedSender<Command>,
    waiting: Rc<RefCell<Waiting>>,
}

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    acks: HashMap<u64, oneshot::Sender<Result<Nanos, String>>>,
    /// Relays that were added, by the number of the command.
    added: HashMap<u64, (usize, Vec<SocketAddr>)>,
    /// An answer has not come: none is waited for any more.
    silent: bool,
}

/// Tells the process its relays, and waits until they listen: gives where, in the order of the relays and of their doors. What they report
/// afterwards is told for as long as `tell` says that somebody listens.
pub fn begin<E: From<io::Error> + From<NotReady>>(
    shim: &mut Process,
    start: &Start,
    tell: impl FnMut(Report) -> bool + 'static,
) -> Result<(Relays, Vec<Vec<SocketAddr>>), E> {
    let piped = || io::Error::from(io::ErrorKind::BrokenPipe);
    let mut input = shim.stdin.take().ok_or_else(piped)?;
    input.write_all(&line(start)?)?;
    let Report::Ready { listen } = shim.ready()? else {
        return Err(io::Error::other("the relays did not begin with being ready").into());
    };
    let relays = Relays::new(ChildStdin::from_std(input)?);
    let output = shim.stdout.take().ok_or_else(piped)?;
    tokio::task::spawn_local(read(ChildStdout::from_std(output)?, relays.clone(), tell));
    Ok((relays, listen))
}

async fn read(output: ChildStdout, relays: Relays, mut tell: impl FnMut(Report) -> bool) {
    let mut lines = BufReader::with_capacity(1 << 16, output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str(&line) {
            Ok(Report::Ack { seq, at, error }) => relays.acknowledged(seq, Nanos(at), error),
            Ok(Report::Added { seq, relay, listen }) => {
                relays.waiting.borrow_mut().added.insert(seq, (relay, listen));
            }
            Ok(report) => {
                if !tell(report) {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    relays.gone();
}

impl Relays {
    /// Starts to write commands, and a heartbeat, to the relays' standard input.
    fn new(input: impl AsyncWrite + Unpin + 'static) -> Self {
        let (commands, receiver) = mpsc::unbounded_channel();
        tokio::task::spawn_local(write(input, receiver));
        Self { commands, waiting: Rc::default() }
    }

    /// Begins a fault.
    pub async fn inject(&self, fault: u32, relay: usize, spec: Fault) -> Result<Nanos, RelayError> {
        let spec = Box::new(spec);
        self.command(|seq| Command::Inject { seq, fault, relay, spec }).await
    }

    /// Ends a fault.
    pub async fn clear(&self, fault: u32) -> Result<Nanos, RelayError> {
        self.command(|seq| Command::Clear { seq, fault }).await
    }

    /// Lets a relay refuse: nobody is behind it.
    pub async fn down(&self, relay: usize) -> Result<Nanos, RelayError> {
        self.command(|seq| Command::Down { seq, relay }).await
    }

    /// Lets a relay lead there.
    pub async fn up(&self, relay: usize, to: Vec<SocketAddr>) -> Result<Nanos, RelayError> {
        self.command(|seq| Command::Up { seq, relay, to }).await
    }

    /// One more relay; gives its number, and where it listens.
    pub async fn add(&self, relay: Relay) -> Result<(usize, Vec<SocketAddr>), RelayError> {
        let mut number = 0;
        self.command(|seq| {
            number = seq;
            Command::Add { seq, relay }
        })
        .await?;
        self.waiting.borrow_mut().added.remove(&number).ok_or(RelayError::Gone)
    }

    /// Takes a relay away, with its faults and its connections.
    pub async fn remove(&self, relay: usize) -> Result<Nanos, RelayError> {
        self.command(|seq| Command::Remove { seq, relay }).await
    }

    /// Asks that everything be ended and told.
    pub fn settle(&self) {
        // Relays that are gone need not be told.
        let _ = self.commands.send(Command::Settle);
    }

    /// Hands an acknowledgement to whoever waits for it.
    fn acknowledged(&self, seq: u64, at: Nanos, error: Option<String>) {
        if let Some(waiting) = self.waiting.borrow_mut().acks.remove(&seq) {
            let _ = waiting.send(error.map_or(Ok(at), Err));
        }
    }

    /// Nobody will acknowledge anything any more.
    fn gone(&self) {
        self.waiting.borrow_mut().acks.clear();
    }

    async fn command(&self, command: impl FnOnce(u64) -> Command) -> Result<Nanos, RelayError> {
        let (sender, receiver) = oneshot::channel();
        let seq = {
            let mut waiting = self.waiting.borrow_mut();
            if waiting.silent {
                return Err(RelayError::Silent);
            }
            waiting.next += 1;
            let seq = waiting.next;
            waiting.acks.insert(seq, sender);
            seq
        };
        self.commands.send(command(seq)).map_err(|_| RelayError::Gone)?;
        let Ok(answer) = tokio::time::timeout(PATIENCE, receiver).await else {
            self.waiting.borrow_mut().silent = true;
            return Err(RelayError::Silent);
        };
        answer.map_err(|_| RelayError::Gone)?.map_err(RelayError::Refused)
    }
}

async fn write(mut input: impl AsyncWrite + Unpin, mut commands: mpsc::UnboundedReceiver<Command>) {
    let mut heartbeat = tokio::time::interval(HEARTBEAT);
    loop {
        let command = tokio::select! {
            command = commands.recv() => match command {
                Some(command) => command,
                None => return,
            },
            _ = heartbeat.tick() => Command::Heartbeat,
        };
        let Ok(line) = line(&command) else { return };
        if input.write_all(&line).await.is_err() || input.flush().await.is_err() {
            return;
        }
    }
}

/// One JSON line.
pub fn line(value: &impl serde::Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}
