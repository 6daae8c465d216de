//! The live view on a real terminal: a pseudo-terminal, and an emulator that reads what is written to it.

use nix::pty::{Winsize, openpty};
use rustix::termios::{LocalModes, Termios, tcgetattr, tcsetwinsize};
use squall_tests::{Project, binary, ejection, until};
use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, MutexGuard};

fn cells(number: u16) -> NonZero<u16> {
    NonZero::new(number).expect("a terminal has a size")
}

/// A program on a terminal of its own.
struct Terminal {
    master: File,
    slave: OwnedFd,
    child: Child,
    screen: Arc<Mutex<vt100::Parser>>,
    before: Termios,
}

impl Terminal {
    /// Starts the binary, in the folder of a project, on a terminal with so many columns and rows.
    fn of(project: &Project, arguments: &[&str], (columns, rows): (u16, u16)) -> Self {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let pair = openpty(Some(&size), None).expect("a pseudo-terminal");
        let end = || pair.slave.try_clone().expect("a descriptor");
        let before = tcgetattr(&pair.slave).expect("the modes of a terminal");
        // The terminal is the program's own, not the one that the tests run on.
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait"]).arg(binary()).args(arguments).current_dir(project.path());
        command.env("SQUALL_STATE_DIR", project.path().join("state")).env("TERM", "xterm-256color");
        command.env_remove("CI").env_remove("GITHUB_ACTIONS").env_remove("NO_COLOR");
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().expect("the binary starts");
        let screen = Arc::new(Mutex::new(vt100::Parser::new(cells(rows), cells(columns), 0)));
        let master = File::from(pair.master);
        let (mut written, shown) = (master.try_clone().expect("a descriptor"), Arc::clone(&screen));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count) = written.read(&mut buffer) {
                shown.lock().expect("the emulator").process(&buffer[..count]);
            }
        });
        Self { master, slave: pair.slave, child, screen, before }
    }

    fn screen(&self) -> MutexGuard<'_, vt100::Parser> {
        self.screen.lock().expect("the emulator")
    }

    fn text(&self) -> String {
        self.screen().screen().contents()
    }

    /// Waits until a text stands on the screen.
    fn shows(&self, text: &str) {
        until(&format!("{text:?} is shown"), || self.text().contains(text));
    }

    fn types(&mut self, keys: &[u8]) {
        self.master.write_all(keys).expect("keys are typed");
    }

    fn resize(&self, columns: u16, rows: u16) {
        self.screen().screen_mut().set_size(cells(rows), cells(columns));
        let size = rustix::termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(self.slave.as_fd(), size).expect("the terminal has another size");
    }

    /// Waits for its end; everything must be as it was.
    fn ends(mut self, code: i32) -> String {
        let status = self.child.wait().expect("the binary ends");
        assert_eq!(status.code(), Some(code), "{}", self.text());
        until("the terminal has its own screen back", || !self.screen().screen().alternate_screen());
        assert!(!self.screen().screen().hide_cursor(), "the cursor is back");
        let after = tcgetattr(&self.slave).expect("the modes of a terminal");
        let modes = |of: &Termios| of.local_modes & (LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG);
        assert_eq!(modes(&after), modes(&self.before), "the terminal takes lines again");
        self.text()
    }
}

#[test]
fn the_view_follows_the_run_and_its_terminal_and_ctrl_c_undoes_everything() {
    let project = ejection();
    let mut terminal = Terminal::of(&project, &["run", "eject.yaml", "--live", "always"], (80, 24));
    terminal.shows("one failing instance is ejected");
    terminal.shows("fault on     abort");
    assert!(terminal.screen().screen().alternate_screen() && terminal.screen().screen().hide_cursor());
    let narrow = terminal.text();
    assert!(narrow.lines().count() <= 24 && narrow.lines().all(|line| line.chars().count() <= 80), "{narrow}");
    terminal.resize(140, 40);
    until("the view is as wide as its terminal", || terminal.text().lines().any(|line| line.chars().count() > 100));
    terminal.types(b"e");
    terminal.types(&[3]);
    terminal.shows("undo");
    let told = terminal.ends(105);
    assert!(told.contains("ABORTED") && told.contains("everything was undone"), "{told}");
}

#[test]
fn a_replay_on_a_terminal_ends_where_its_record_ends() {
    let project = ejection();
    let _ = project.run(&["run", "eject.yaml", "--no-control"]).expect_code(0);
    let folder = "squall-out/latest/one-failing-instance-is-ejected";
    let mut terminal = Terminal::of(&project, &["replay", folder, "--speed", "20"], (80, 24));
    terminal.shows("squall replay");
    terminal.shows("the record ends here");
    terminal.types(b"q");
    let _ = terminal.ends(0);
}
