//! What a backend does, one request after another.

use crate::http::{Answer, Backend, Hanging, Message, Refusing};
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};

/// A backend of a case.
pub(super) struct Actor {
    pub(super) name: String,
    kind: Kind,
    script: Arc<Script>,
}

enum Kind {
    Plays(Backend),
    Refuses(Refusing),
    Hangs(Hanging),
}

/// The answers of a backend.
struct Script {
    name: String,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    written: Vec<String>,
    plays: Vec<String>,
    next: usize,
    open: bool,
}

/// A backend as a case describes it.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) plays: Vec<String>,
    pub(super) how: How,
}

/// What a backend does with a connection.
#[derive(Debug, Clone, Copy)]
pub(super) enum How {
    /// It speaks HTTP/1.
    Http1,
    /// It speaks HTTP/2.
    Http2,
    /// It refuses it.
    Refuses,
    /// It does not answer, so that none is made.
    Hangs,
}

impl Actor {
    pub(super) fn start(part: &Part) -> Self {
        let state = State { written: part.plays.clone(), plays: part.plays.clone(), next: 0, open: false };
        let script = Arc::new(Script { name: part.name.clone(), state: Mutex::new(state), changed: Condvar::new() });
        let handler = {
            let script = Arc::clone(&script);
            move |request: &Message| script.answer(request)
        };
        let kind = match part.how {
            How::Http1 => Kind::Plays(Backend::start(handler)),
            How::Http2 => Kind::Plays(Backend::http2(handler)),
            How::Refuses => Kind::Refuses(Refusing::start()),
            How::Hangs => Kind::Hangs(Hanging::start()),
        };
        Self { name: part.name.clone(), kind, script }
    }

    pub(super) fn address(&self) -> SocketAddr {
        match &self.kind {
            Kind::Plays(backend) => backend.address,
            Kind::Refuses(refusing) => refusing.address,
            Kind::Hangs(hanging) => hanging.address,
        }
    }

    /// The requests so far, without those that only brought the rotation to a known place.
    pub(super) fn asked(&self) -> Vec<Message> {
        let Kind::Plays(backend) = &self.kind else { return Vec::new() };
        backend.asked().into_iter().filter(|asked| !asked.target().starts_with("/align")).collect()
    }

    /// The connections so far.
    pub(super) fn connections(&self) -> usize {
        if let Kind::Plays(backend) = &self.kind { backend.connections() } else { 0 }
    }

    /// Begins anew.
    pub(super) fn reset(&self) {
        if let Kind::Plays(backend) = &self.kind {
            backend.forget();
        }
        let mut state = self.script.state.lock().expect("no panic in a handler");
        *state = State { written: state.written.clone(), plays: state.written.clone(), ..State::default() };
    }

    /// Answers so from now on.
    pub(super) fn play(&self, plays: &[&str]) {
        let mut state = self.script.state.lock().expect("no panic in a handler");
        state.next = 0;
        state.plays = plays.iter().map(|play| (*play).to_owned()).collect();
    }

    /// Lets all go on that wait.
    pub(super) fn release(&self) {
        self.script.state.lock().expect("no panic in a handler").open = true;
        self.script.changed.notify_all();
    }
}

impl Script {
    fn answer(&self, request: &Message) -> Answer {
        if request.target().starts_with("/align") {
            return Answer::Status(200, "", self.name.clone().into_bytes());
        }
        let mut state = self.state.lock().expect("no panic in a handler");
        let at = state.next.min(state.plays.len().saturating_sub(1));
        state.next += 1;
        let mut play = state.plays.get(at).cloned().unwrap_or_else(|| "200".to_owned());
        if let Some(rest) = play.strip_prefix("held ") {
            play = rest.to_owned();
            while !state.open {
                state = self.changed.wait(state).expect("no panic in a handler");
            }
        }
        drop(state);
        self.perform(&play)
    }

    fn perform(&self, play: &str) -> Answer {
        match play {
            "close" => return Answer::Close,
            "silence" => return Answer::Silence,
            "reset" => return Answer::Reset,
            "echo" => return Answer::Echo,
            "refuse" => return Answer::GiveUp(h2::Reason::REFUSED_STREAM),
            "cancel" => return Answer::GiveUp(h2::Reason::CANCEL),
            "goodbye" => return Answer::Goodbye(self.name.clone()),
            _ => {}
        }
        if let Some(bytes) = play.strip_prefix("raw ") {
            return Answer::Raw(kept(bytes).as_bytes());
        }
        if let Some(bytes) = play.strip_prefix("stall ") {
            return Answer::Stall(kept(bytes).as_bytes());
        }
        let (head, trailers) = play.split_once(" ++ ").map_or((play, None), |(head, trailers)| (head, Some(trailers)));
        let (head, body) = head.split_once(" << ").map_or((head, self.name.as_str()), |(head, body)| (head, body));
        let (status, fields) = head.split_once(' ').unwrap_or((head, ""));
        let status = status.parse().expect("a status");
        let body = if body == "-" { Vec::new() } else { body.as_bytes().to_vec() };
        match trailers {
            None => Answer::Status(status, lines(fields), body),
            Some(trailers) => Answer::Trailers(status, lines(fields), body, lines(trailers)),
        }
    }
}

/// `a: b; c: d` as lines of a head.
fn lines(fields: &str) -> &'static str {
    let lines = fields.split("; ").filter(|field| !field.is_empty()).map(|field| format!("{field}\r\n"));
    kept(&lines.collect::<String>())
}

/// Answers hold texts for as long as the test runs.
fn kept(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}
