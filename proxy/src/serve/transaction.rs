//! A request and its answer, which is what HTTP calls a transaction: who serves it, who asks, and what is known of it so far.

use super::changes::append_via;
use super::client::{Client, Gone};
use super::notes::Notes;
use super::respond::{Failure, OVERLOADED, Reply};
use super::snapshot::HttpService;
use super::worker::Worker;
use crate::telemetry::{HttpCounter, StreamInfo, is_grpc};
use squall_http1::{Request, Response};
use std::borrow::Cow;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// An answer of ours on its way. Boxed, so that a request that is passed on carries nothing of it.
pub(super) type Sending<'a> = Pin<Box<dyn Future<Output = Result<(), Gone>> + 'a>>;

/// One request on its way to its answer.
pub(super) struct Transaction<'a> {
    pub(super) worker: &'a Rc<Worker>,
    pub(super) service: &'a Arc<HttpService>,
    pub(super) client: &'a mut Client,
    pub(super) request: &'a mut Request,
    pub(super) notes: Notes,
}

impl<'a> Transaction<'a> {
    /// One that begins now.
    pub(super) fn new(
        worker: &'a Rc<Worker>,
        service: &'a Arc<HttpService>,
        client: &'a mut Client,
        request: &'a mut Request,
    ) -> Self {
        Self { worker, service, client, request, notes: Notes::new() }
    }

    /// Counts it among those of its listener.
    pub(super) fn count(&self, counter: HttpCounter) {
        self.service.stats.count(self.worker.shard, counter);
    }

    /// True if its caller speaks gRPC.
    pub(super) fn is_grpc(&self) -> bool {
        is_grpc(&self.request.headers)
    }

    /// As telemetry tells of it, if this is its end.
    pub(super) fn info(&self, ended: Instant) -> StreamInfo<'_> {
        self.notes.info(self.client, self.request, ended)
    }

    /// An answer of ours that is no failure.
    pub(super) fn answer(&mut self, response: Response, body: Vec<u8>, details: &'static str) -> Sending<'_> {
        self.notes.details = Cow::Borrowed(details);
        Box::pin(self.send(Reply { response, body, flag: None, details: Cow::Borrowed(details) }))
    }

    /// An answer of ours to a failure.
    pub(super) fn refuse(&mut self, failure: &Failure) -> Sending<'_> {
        let Self { service, client, notes, .. } = self;
        let mut reply = Reply::to(failure, notes.attempts > 1, is_grpc(&self.request.headers));
        if service.manager.router.suppress_envoy_headers {
            reply.response.headers.remove(OVERLOADED);
        }
        notes.details.clone_from(&reply.details);
        notes.unread = failure.is_unread() && !client.is_http2();
        reply.flag.into_iter().for_each(|flag| notes.flags.raise(flag));
        if failure.ends_connection() && !service.manager.keep_connection_on_bad_message {
            client.peer.closing.set(true);
        }
        Box::pin(self.send(reply))
    }

    async fn send(&mut self, mut reply: Reply) -> Result<(), Gone> {
        let Self { worker, service, client, request, notes } = self;
        reply.response.headers.add("date", &worker.http_date());
        reply.response.headers.add("server", service.manager.server_header.name.as_bytes());
        for (name, value) in notes.fields.drain(..) {
            reply.response.headers.set(&name, &value);
        }
        if let Some(via) = &service.manager.via {
            append_via(&mut reply.response.headers, via);
        }
        // What follows a CONNECT is no HTTP, and an answer ahead of the whole request ends a connection of HTTP/1.
        if !client.is_http2() && (request.method() == "CONNECT" || !client.source.is_done()) {
            client.peer.closing.set(true);
        }
        notes.response = Some(reply.response.clone());
        client.reply(request, reply).await
    }
}
