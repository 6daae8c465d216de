//! An upstream's answer, from a connection on which nothing of it has come to its end.

use crate::clock::now;
use crate::cluster::{Active, Channel, Slot};
use crate::wire::{Asked, Broken, Head, Source};
use squall_http1::{Framing, Refusal, Response};
use std::time::{Duration, Instant};

/// A connection on which a request has begun.
pub(in crate::serve) struct Opened {
    pub(in crate::serve) channel: Channel,
    /// When its stream is too old.
    pub(in crate::serve) until: Option<Instant>,
    /// When its try began.
    pub(super) begun: Instant,
    pub(super) active: Active,
    pub(super) slot: Slot,
}

impl Opened {
    /// Its answer, as long as nothing of it has come.
    pub(super) fn waiting(self) -> Box<Answer> {
        Box::new(Answer {
            response: Response::default(),
            framing: Framing::Empty,
            tunnel: false,
            began: self.begun,
            channel: self.channel,
            until: self.until,
            idle: None,
            closes: true,
            active: self.active,
            _request: self.slot,
        })
    }

    /// The head of the answer has come.
    pub(in crate::serve) fn answered(self, response: Response, head: Head) -> Box<Answer> {
        let mut answer = self.waiting();
        answer.response = response;
        answer.begin(head);
        answer
    }
}

/// Answers ahead of the answer that anybody in earnest sends, at most.
const MOST_INTERIM: u32 = 100;

/// The heads of one answer: that of the answer itself, and those ahead of it.
#[derive(Default)]
pub(in crate::serve) struct Heads {
    interim: u32,
}

impl Heads {
    /// Waits for the next one. May be dropped and begun again.
    pub(in crate::serve) async fn next(
        &mut self,
        source: &mut Source,
        response: &mut Response,
        asked: Asked<'_>,
    ) -> Result<Head, Broken> {
        let head = source.head(response, asked).await?;
        self.interim += u32::from(head == Head::Interim);
        // Whoever never comes to the answer does not speak HTTP.
        if self.interim > MOST_INTERIM { Err(Broken::Malformed(Refusal::Syntax)) } else { Ok(head) }
    }

    /// What an upstream that takes no more of the request had said before; nothing if it has said nothing.
    pub(super) async fn at_hand(
        &mut self,
        source: &mut Source,
        response: &mut Response,
        asked: Asked<'_>,
    ) -> Option<Result<Head, Broken>> {
        // What has arrived is known after a turn of the event loop.
        tokio::task::yield_now().await;
        tokio::select! {
            biased;
            // Of a stream that was reset its answer knows why; who sends learns only that there is no room any more.
            head = self.next(source, response, asked) => {
                (!matches!(head, Err(Broken::Lost | Broken::Malformed(_)))).then_some(head)
            }
            () = std::future::ready(()) => None,
        }
    }
}

/// The head of an answer, its body still to come.
pub(in crate::serve) struct Answer {
    pub(in crate::serve) response: Response,
    pub(in crate::serve) framing: Framing,
    /// The connection is a tunnel from here on.
    pub(in crate::serve) tunnel: bool,
    /// When its head was there.
    pub(in crate::serve) began: Instant,
    pub(in crate::serve) channel: Channel,
    /// When its stream is too old.
    pub(in crate::serve) until: Option<Instant>,
    /// Between bytes of the upstream, once the whole request is there.
    pub(in crate::serve) idle: Option<Duration>,
    /// Said by fields that are not passed on: the connection serves no other request.
    closes: bool,
    active: Active,
    _request: Slot,
}

impl Answer {
    /// What its head says of the rest.
    pub(super) fn begin(&mut self, head: Head) {
        self.active.answered();
        self.began = now();
        (self.framing, self.tunnel) = match head {
            Head::Last(framing) => (framing, false),
            Head::Tunnel | Head::Interim => (Framing::UntilClose, true),
        };
        self.closes = !self.response.keep_alive();
    }

    /// Its head says that nothing more comes on this connection.
    pub(super) fn says_close(&self) -> bool {
        self.closes && !self.tunnel
    }

    /// The answer is over: its connection serves the next request if it can.
    pub(in crate::serve) fn finish(self: Box<Self>) {
        let stays = !self.closes && self.framing != Framing::UntilClose && !self.tunnel;
        self.channel.finish(stays);
    }

    /// The answer is thrown away for another try; a short body that is there already keeps the connection.
    pub(in crate::serve) fn discard(mut self: Box<Self>) {
        if self.channel.ends.source.take(|_| {}).is_ok() {
            self.finish();
        }
    }
}
