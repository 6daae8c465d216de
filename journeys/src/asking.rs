//! A request of a step, stamped as squall stamps its own.

use crate::stage::{Stage, stage};
use bytes::Bytes;
use goose::prelude::*;
use http::{HeaderMap, Method};
use squall::clock::now;
use squall::load::wire::{End, FlowPlan, Sample};
use std::time::Duration;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Request {
    /// A request for a path, without a body.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// A `GET`.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// A `POST` with a body.
    pub fn post(path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..Self::new(Method::POST, path) }
    }

    /// The same with further fields.
    #[must_use]
    pub fn with(mut self, headers: HeaderMap) -> Self {
        self.headers.extend(headers);
        self
    }
}

/// A complete answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its fields.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<serde_json::Value, Box<TransactionError>> {
        serde_json::from_slice(&self.body).map_err(|error| error.to_string().into())
    }
}

/// Asks in a step of the scenario. An answer that the step does not accept is an error, by which the user leaves; so is none.
pub async fn ask(user: &mut GooseUser, step: &str, request: Request) -> Result<Answer, Box<TransactionError>> {
    let Some(stage) = stage() else { return Err("the plan has not begun".into()) };
    let number = user.weighted_users_index;
    let (flow, plan) = stage.step(step).ok_or_else(|| format!("the scenario names no step `{step}`"))?;
    let turn = stage.turn(number, &plan.authority).ok_or("the user has left")?;
    let released = stage.since_start(now());
    let to = plan.to[turn.id as usize % plan.to.len().max(1)];
    let url = format!("http://{to}{}", request.path);
    let mut builder = user.client.request(request.method, &url).headers(request.headers).body(request.body);
    for (name, value) in &plan.headers {
        builder = builder.header(name, value);
    }
    builder = builder.header("host", &plan.authority);
    if let Some(cookies) = &turn.cookies {
        builder = builder.header("cookie", cookies);
    }
    if plan.numbered {
        builder = numbered(builder, stage, turn.id);
    }
    let asked = GooseRequest::builder().path(&*url).name(step).set_request_builder(builder).build();
    let sent = stage.since_start(now());
    let mut first_byte = None;
    let time_out = tokio::time::sleep(stage.until(turn.due + plan.time_out.as_nanos() as u64));
    let answered = tokio::select! {
        answered = exchange(user, asked, stage, &mut first_byte) => answered,
        () = time_out => Err((End::TimeOut, "it took too long".into())),
    };
    let (end, status) = match &answered {
        Ok(answer) => (judged(plan, answer), answer.status),
        Err((end, _)) => (*end, 0),
    };
    let instance = answered.as_ref().ok().and_then(|answer| instance(stage, answer));
    let done = stage.since_start(now());
    let sample = Sample {
        id: turn.id,
        flow: flow as u16,
        end,
        status,
        instance,
        due: turn.due,
        released,
        sent: Some(sent),
        first_byte,
        done,
    };
    let cookies = answered.as_ref().map(cookies).unwrap_or_default();
    stage.answered(number, &sample, (&plan.authority, &cookies));
    let answer = answered.map_err(|(_, error)| error)?;
    if matches!(end, End::Acceptable | End::Degraded) {
        Ok(answer)
    } else {
        Err(format!("{step} was answered {status}").into())
    }
}

/// The user thinks: the next step is due so much later.
pub async fn think(user: &GooseUser, span: Duration) {
    if let Some(due) = stage().and_then(|stage| stage.thinks(user.weighted_users_index, span.as_nanos() as u64)) {
        // It comes, or the program ends.
        let _ = due.await;
    }
}

async fn exchange(
    user: &mut GooseUser,
    asked: GooseRequest<'_>,
    stage: &Stage,
    first_byte: &mut Option<u64>,
) -> Result<Answer, (End, Box<TransactionError>)> {
    let failed = |error: reqwest::Error| {
        let end = if error.is_connect() {
            End::Refused
        } else if error.is_body() || error.is_decode() {
            End::Closed
        } else {
            End::Reset
        };
        (end, Box::new(TransactionError::Reqwest(error)))
    };
    let response = user.request(asked).await.map_err(|error| (End::Reset, error))?.response.map_err(failed)?;
    *first_byte = Some(stage.since_start(now()));
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Answer { status, headers, body: response.bytes().await.map_err(failed)? })
}

/// As squall's own load worker judges it.
fn judged(plan: &FlowPlan, answer: &Answer) -> End {
    let accepted = plan.accept.status.iter().any(|(from, to)| (*from..=*to).contains(&answer.status));
    let holds = plan.accept.body_contains.as_ref().is_none_or(|wanted| answer.text().contains(wanted.as_str()));
    let json = || answer.json().unwrap_or_default();
    let says = plan.accept.json.is_empty()
        || plan.accept.json.iter().all(|(place, value)| json().pointer(place) == Some(value));
    match (accepted, holds && says, answer.headers.contains_key("x-squall-degraded")) {
        (false, _, _) => End::Status,
        (true, false, _) => End::Unexpected,
        (true, true, true) => End::Degraded,
        (true, true, false) => End::Acceptable,
    }
}

fn cookies(answer: &Answer) -> Vec<String> {
    let set = answer.headers.get_all("set-cookie").iter();
    set.filter_map(|value| value.to_str().ok().map(ToOwned::to_owned)).collect()
}

fn instance(stage: &Stage, answer: &Answer) -> Option<u16> {
    let name = answer.headers.get("x-squall-instance")?.to_str().ok()?;
    stage.plan.instances.iter().position(|known| known == name).and_then(|at| u16::try_from(at).ok())
}

/// With the number and the trace by which relays tell requests apart.
fn numbered(builder: reqwest::RequestBuilder, stage: &Stage, id: u64) -> reqwest::RequestBuilder {
    let number = format!("{}{id:012x}", squall::shim::wire::REQUEST_NUMBER);
    let trace = format!("00-{:016x}{id:016x}-{:016x}-01", stage.plan.seed | 1, id + 1);
    builder.header("x-request-id", number).header("traceparent", trace)
}
