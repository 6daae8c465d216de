//! The terminal of standard error: taken once, given back once, whoever gives it back.

use crate::clock::now;
use ratatui_core::backend::Backend;
use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_crossterm::CrosstermBackend;
use ratatui_crossterm::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui_crossterm::crossterm::terminal::{self, BeginSynchronizedUpdate, EndSynchronizedUpdate};
use ratatui_crossterm::crossterm::{cursor, execute, queue, style};
use std::io::{self, BufWriter, Stderr};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once};
use std::time::Duration;

/// The terminal is ours.
static OURS: AtomicBool = AtomicBool::new(false);
/// Held while something is drawn, so that nothing is written after the terminal was given back.
static DRAWING: Mutex<()> = Mutex::new(());
/// How long giving back waits for a picture that is being drawn: it may be by the very thread that panics.
const PATIENCE: Duration = Duration::from_millis(200);
/// How often the reader of keys looks whether it is still wanted.
const GLANCE: Duration = Duration::from_millis(100);

/// Something that a person did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::output) enum Input {
    /// A key.
    Key(Key),
    /// The terminal has another size.
    Resized,
}

/// The keys that mean something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::output) enum Key {
    Interrupt,
    Next,
    Previous,
    Letter(char),
}

/// The terminal while it is ours.
pub(super) struct Screen {
    backend: CrosstermBackend<BufWriter<Stderr>>,
    shown: Buffer,
}

impl Screen {
    /// Takes the terminal. `inputs` takes what a person does, and says whether it wants more.
    pub(super) fn enter(inputs: impl Fn(Input) -> bool + Send + 'static) -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let previous = panic::take_hook();
            panic::set_hook(Box::new(move |panic| {
                leave();
                previous(panic);
            }));
        });
        let mut backend = CrosstermBackend::new(BufWriter::with_capacity(1 << 16, io::stderr()));
        let size = backend.size()?;
        terminal::enable_raw_mode()?;
        OURS.store(true, Ordering::SeqCst);
        let entered = execute!(backend, terminal::EnterAlternateScreen, cursor::Hide);
        if let Err(error) = entered.and_then(|()| backend.clear()) {
            leave();
            return Err(error);
        }
        // Whether there is colour is decided by us, and drawn into the picture.
        style::force_color_output(true);
        let reader = std::thread::Builder::new().name("keys".to_owned());
        // Without keys the picture is still worth seeing.
        let _ = reader.spawn(move || read(inputs));
        Ok(Self { backend, shown: Buffer::empty(Rect::new(0, 0, size.width, size.height)) })
    }

    /// Draws what has changed. False if the terminal is not ours any more.
    pub(super) fn show(&mut self, draw: impl FnOnce(&mut Buffer)) -> io::Result<bool> {
        let size = self.backend.size()?;
        let mut picture = Buffer::empty(Rect::new(0, 0, size.width, size.height));
        draw(&mut picture);
        let _drawing = DRAWING.lock();
        if !OURS.load(Ordering::SeqCst) {
            return Ok(false);
        }
        queue!(self.backend, BeginSynchronizedUpdate)?;
        if picture.area != self.shown.area {
            self.backend.clear()?;
            self.shown = Buffer::empty(picture.area);
        }
        self.backend.draw(self.shown.diff(&picture).into_iter())?;
        queue!(self.backend, EndSynchronizedUpdate)?;
        Backend::flush(&mut self.backend)?;
        self.shown = picture;
        Ok(true)
    }
}

/// Gives the terminal back, if it is ours: from any thread, any number of times.
pub(in crate::output) fn leave() {
    if !OURS.swap(false, Ordering::SeqCst) {
        return;
    }
    let until = now().after(PATIENCE);
    let mut drawing = DRAWING.try_lock();
    while drawing.is_err() && now() < until {
        std::thread::sleep(Duration::from_millis(2));
        drawing = DRAWING.try_lock();
    }
    // A terminal that is gone needs nothing back.
    let _ = execute!(io::stderr(), EndSynchronizedUpdate, cursor::Show, terminal::LeaveAlternateScreen);
    let _ = terminal::disable_raw_mode();
}

/// Reads keys until the terminal is given back.
fn read(inputs: impl Fn(Input) -> bool) {
    while OURS.load(Ordering::SeqCst) {
        match event::poll(GLANCE) {
            Ok(false) => continue,
            Ok(true) => {}
            Err(_) => return,
        }
        let Ok(event) = event::read() else { return };
        if let Some(input) = meaning(&event)
            && !inputs(input)
        {
            return;
        }
    }
}

fn meaning(event: &Event) -> Option<Input> {
    let key = match event {
        Event::Resize(..) => return Some(Input::Resized),
        Event::Key(key) if key.kind != KeyEventKind::Release => key,
        _ => return None,
    };
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    Some(Input::Key(match key.code {
        KeyCode::Char('c') if control => Key::Interrupt,
        KeyCode::Tab | KeyCode::Down => Key::Next,
        KeyCode::BackTab | KeyCode::Up => Key::Previous,
        KeyCode::Char(letter) if !control => Key::Letter(letter.to_ascii_lowercase()),
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui_crossterm::crossterm::event::KeyEvent;

    #[test]
    fn ctrl_c_is_a_key_and_other_controls_are_none() {
        let key = |code, modifiers| meaning(&Event::Key(KeyEvent::new(code, modifiers)));
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Input::Key(Key::Interrupt)));
        assert_eq!(key(KeyCode::Char('z'), KeyModifiers::CONTROL), None);
        assert_eq!(key(KeyCode::Char('D'), KeyModifiers::SHIFT), Some(Input::Key(Key::Letter('d'))));
        assert_eq!(key(KeyCode::Tab, KeyModifiers::NONE), Some(Input::Key(Key::Next)));
        assert_eq!(meaning(&Event::Resize(3, 4)), Some(Input::Resized));
    }

    #[test]
    fn a_terminal_that_was_never_taken_is_not_given_back() {
        leave();
        assert!(!OURS.load(Ordering::SeqCst));
    }
}
