//! A `squall shim` under test: relays in front of backends, and faults injected by its own commands.

use crate::http::{Backend, Connection};
use crate::{binary, until};
use squall::fault::spec::{Direction, Fault, Kind, Match, Pick, Rhythm, Unit};
use squall::shim::wire::{Command as Do, Door, Offer, Relay as Wire, Report, Start};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Relays in a process of their own; killed when dropped.
#[derive(Debug)]
pub struct Relays {
    child: Child,
    input: Option<ChildStdin>,
    /// Where each listens.
    pub listen: Vec<SocketAddr>,
    reports: Arc<Mutex<Vec<Report>>>,
    seq: u64,
    heart: Option<std::sync::mpsc::Sender<()>>,
}

/// A fault on all requests of a relay.
#[must_use]
pub fn on_requests(kind: Kind) -> Fault {
    Fault {
        kind,
        unit: Unit::Request,
        pick: Pick::All,
        matching: Match::default(),
        direction: Direction::Both,
        existing: true,
        rhythm: Rhythm::default(),
    }
}

/// A fault on all connections of a relay, those that are open included.
#[must_use]
pub fn on_connections(kind: Kind) -> Fault {
    Fault { unit: Unit::Connection, ..on_requests(kind) }
}

impl Relays {
    /// One in front of each backend.
    #[must_use]
    pub fn start(backends: &[&Backend]) -> Self {
        let addresses: Vec<_> = backends.iter().map(|backend| backend.address).collect();
        Self::to(&addresses, false, 7)
    }

    /// One in front of each address; plain TCP if `tcp`.
    #[must_use]
    pub fn to(addresses: &[SocketAddr], tcp: bool, seed: u64) -> Self {
        let door = |to: &SocketAddr| Door { listen: None, to: Some(*to), tcp };
        let relay = |to: &SocketAddr| Wire { name: to.to_string(), doors: vec![door(to)], sidecar: false };
        Self::with(&Start { relays: addresses.iter().map(relay).collect(), seed })
    }

    /// These.
    #[must_use]
    pub fn with(start: &Start) -> Self {
        let mut child = Command::new(binary())
            .arg("shim")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the relays start");
        let mut input = child.stdin.take().expect("a pipe");
        writeln!(input, "{}", serde_json::to_string(start).expect("JSON")).expect("written");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let first = lines.next().expect("a line").expect("text");
        let Ok(Report::Ready { listen }) = serde_json::from_str(&first) else { panic!("not ready: {first}") };
        let listen = listen.concat();
        let reports = Arc::new(Mutex::new(Vec::new()));
        let collected = Arc::clone(&reports);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                collected.lock().expect("no panic").push(serde_json::from_str(&line).expect("a report"));
            }
        });
        Self { child, input: Some(input), listen, reports, seq: 0, heart: None }
    }

    /// A connection to the first relay.
    #[must_use]
    pub fn connect(&self) -> Connection {
        Connection::to(self.listen[0]).expect("a connection")
    }

    /// Injects a fault into the first relay, and waits until it is on.
    pub fn inject(&mut self, fault: u32, spec: &Fault) {
        assert_eq!(self.try_inject(fault, spec), None);
    }

    /// The same; gives why it could not be done.
    pub fn try_inject(&mut self, fault: u32, spec: &Fault) -> Option<String> {
        let seq = self.next();
        self.obey(seq, &Do::Inject { seq, fault, relay: 0, spec: Box::new(spec.clone()) })
    }

    /// Ends a fault, and waits until it is over.
    pub fn clear(&mut self, fault: u32) {
        let seq = self.next();
        assert_eq!(self.obey(seq, &Do::Clear { seq, fault }), None);
    }

    /// The first instance is gone.
    pub fn down(&mut self) {
        let seq = self.next();
        assert_eq!(self.obey(seq, &Do::Down { seq, relay: 0 }), None);
    }

    /// The first instance is there again.
    pub fn up(&mut self, to: SocketAddr) {
        self.up_at(&[to]);
    }

    /// The same, door by door.
    pub fn up_at(&mut self, to: &[SocketAddr]) {
        let seq = self.next();
        assert_eq!(self.obey(seq, &Do::Up { seq, relay: 0, to: to.to_vec() }), None);
    }

    /// One more relay of plain TCP; gives its number, and where it listens.
    pub fn add(&mut self, to: SocketAddr) -> (usize, SocketAddr) {
        let seq = self.next();
        let door = Door { listen: None, to: Some(to), tcp: true };
        let relay = Wire { name: to.to_string(), doors: vec![door], sidecar: false };
        assert_eq!(self.obey(seq, &Do::Add { seq, relay }), None);
        self.wait_for("it is added", |report| match report {
            Report::Added { seq: of, relay, listen } if *of == seq => Some((*relay, listen[0])),
            _ => None,
        })
    }

    /// A relay goes.
    pub fn remove(&mut self, relay: usize) {
        let seq = self.next();
        assert_eq!(self.obey(seq, &Do::Remove { seq, relay }), None);
    }

    /// Waits until a fault has harmed somebody.
    pub fn effect(&self, fault: u32) {
        self.wait_for("it has an effect", |report| {
            matches!(report, Report::Effect { fault: of, .. } if *of == fault).then_some(())
        });
    }

    fn next(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    fn obey(&mut self, seq: u64, command: &Do) -> Option<String> {
        let input = self.input.as_mut().expect("its input is open");
        writeln!(input, "{}", serde_json::to_string(command).expect("JSON")).expect("written");
        let ack = |report: &Report| match report {
            Report::Ack { seq: of, error, .. } if *of == seq => Some(error.clone()),
            _ => None,
        };
        self.wait_for("the command is acknowledged", ack)
    }

    /// Waits for a report.
    pub fn wait_for<T>(&self, what: &str, wanted: impl Fn(&Report) -> Option<T>) -> T {
        let mut found = None;
        until(what, || {
            found = self.reports.lock().expect("no panic").iter().find_map(&wanted);
            found.is_some()
        });
        found.expect("just found")
    }

    /// Attempts offered so far, once there are `number`.
    #[must_use]
    pub fn offers(&self, number: usize) -> Vec<Offer> {
        let all = || {
            let reports = self.reports.lock().expect("no panic");
            let offers = reports.iter().filter_map(|report| match report {
                Report::Offers { offers, .. } => Some(offers.clone()),
                _ => None,
            });
            offers.flatten().collect::<Vec<_>>()
        };
        until(&format!("{number} attempts are offered"), || all().len() >= number);
        all()
    }

    /// Keeps the lease alive until dropped: faults that last longer than it need that.
    pub fn keep_alive(&mut self) {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let mut input = self.input.as_ref().expect("its input is open").try_clone_writer();
        std::thread::spawn(move || {
            let beat = serde_json::to_string(&Do::Heartbeat).expect("JSON");
            while stopped.recv_timeout(Duration::from_millis(250)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                if writeln!(input, "{beat}").is_err() {
                    return;
                }
            }
        });
        self.heart = Some(stop);
    }

    /// Closes its input, as the end of the harness would.
    pub fn close_input(&mut self) {
        self.heart = None;
        self.input = None;
    }

    /// Id of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end.
    #[must_use]
    pub fn ended(&mut self) -> ExitStatus {
        self.child.wait().expect("it was started here")
    }
}

/// A second handle of a pipe.
trait CloneWriter {
    fn try_clone_writer(&self) -> std::fs::File;
}

impl CloneWriter for ChildStdin {
    fn try_clone_writer(&self) -> std::fs::File {
        use std::os::fd::AsFd;
        std::fs::File::from(self.as_fd().try_clone_to_owned().expect("a second descriptor"))
    }
}

impl Drop for Relays {
    fn drop(&mut self) {
        self.close_input();
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
