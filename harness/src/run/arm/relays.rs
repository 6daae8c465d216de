//! The harness's side of the relays: commands with their acknowledgements, and the heartbeat that keeps their lease.

use crate::clock::Nanos;
use crate::fault::spec::Fault;
use crate::shim::wire::{Command, HEARTBEAT};
use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};

/// How long an answer may take: a relay that is stopped must not keep a run from ending.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a relay did not do what it was told.
#[derive(Debug, Clone, thiserror::Error)]
pub(in crate::run) enum RelayError {
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
pub(super) struct Relays {
    commands: mpsc::UnboundedSender<Command>,
    waiting: Rc<RefCell<Waiting>>,
}

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    acks: HashMap<u64, oneshot::Sender<Result<Nanos, String>>>,
    /// An answer has not come: none is waited for any more.
    silent: bool,
}

impl Relays {
    /// Starts to write commands, and a heartbeat, to the relays' standard input.
    pub(super) fn new(input: impl AsyncWrite + Unpin + 'static) -> Self {
        let (commands, receiver) = mpsc::unbounded_channel();
        tokio::task::spawn_local(write(input, receiver));
        Self { commands, waiting: Rc::default() }
    }

    pub(super) async fn inject(&self, fault: u32, relay: usize, spec: Fault) -> Result<Nanos, RelayError> {
        let spec = Box::new(spec);
        self.command(|seq| Command::Inject { seq, fault, relay, spec }).await
    }

    pub(super) async fn clear(&self, fault: u32) -> Result<Nanos, RelayError> {
        self.command(|seq| Command::Clear { seq, fault }).await
    }

    pub(super) async fn down(&self, relay: usize) -> Result<Nanos, RelayError> {
        self.command(|seq| Command::Down { seq, relay }).await
    }

    pub(super) async fn up(&self, relay: usize, to: Vec<SocketAddr>) -> Result<Nanos, RelayError> {
        self.command(|seq| Command::Up { seq, relay, to }).await
    }

    /// Asks that everything be ended and told.
    pub(super) fn settle(&self) {
        // Relays that are gone need not be told.
        let _ = self.commands.send(Command::Settle);
    }

    /// Hands an acknowledgement to whoever waits for it.
    pub(super) fn acknowledged(&self, seq: u64, at: Nanos, error: Option<String>) {
        if let Some(waiting) = self.waiting.borrow_mut().acks.remove(&seq) {
            let _ = waiting.send(error.map_or(Ok(at), Err));
        }
    }

    /// Nobody will acknowledge anything any more.
    pub(super) fn gone(&self) {
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
pub(super) fn line(value: &impl serde::Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}
