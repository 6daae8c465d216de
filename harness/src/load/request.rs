//! A flow's request: its head, written once and patched where requests differ, and its body.

use super::wire::{Body, FlowPlan, Protocol};
use crate::distribution::Distribution;
use crate::seed::Seed;
use crate::shim::wire::REQUEST_NUMBER;
use bytes::{Bytes, BytesMut};
use rand_chacha::ChaCha12Rng;
use squall_http1::{Framing, Request, write};
use std::cell::RefCell;
use std::rc::Rc;

/// Largest body that is drawn: what a distribution's tail would have beyond it is an accident.
const LARGEST: u64 = 64 << 20;

/// Digits of a request's number in its `x-request-id`.
const NUMBER_DIGITS: usize = 12;
/// Digits of the trace id and of the span id in `traceparent`.
const TRACE_DIGITS: usize = 32;
const SPAN_DIGITS: usize = 16;

/// What all requests of a flow have in common.
#[derive(Debug)]
pub(super) struct Template {
    /// Which of a flow's requests it is.
    row: usize,
    /// The head without what frames the body.
    pub(super) head: Request,
    body: Bytes,
    sizes: Option<Rc<(Distribution, RefCell<ChaCha12Rng>)>>,
    /// A body is a message of gRPC.
    message: bool,
    numbered: bool,
    seed: u64,
}

impl Template {
    /// The request of a flow, for a row of its table; `seed` makes trace ids differ between runs.
    pub(super) fn new(flow: &FlowPlan, seed: u64, row: usize) -> Self {
        let mut head = Request::new(&flow.method, &flow.path);
        head.headers.add("host", flow.authority.as_bytes());
        head.headers.add("user-agent", concat!("squall-load/", env!("CARGO_PKG_VERSION")).as_bytes());
        if matches!(flow.protocol, Protocol::Grpc { .. }) {
            head.headers.add("content-type", b"application/grpc");
            head.headers.add("te", b"trailers");
        }
        for (name, value) in &flow.headers {
            head.headers.set(&name.to_ascii_lowercase(), value.as_bytes());
        }
        if flow.numbered {
            head.headers.set("x-request-id", format!("{REQUEST_NUMBER}{:0NUMBER_DIGITS$}", 0).as_bytes());
            let trace = format!("00-{:0TRACE_DIGITS$}-{:0SPAN_DIGITS$}-01", 0, 0);
            head.headers.set("traceparent", trace.as_bytes());
        }
        let filled = |bytes: u64| Bytes::from(vec![b'x'; bytes.min(LARGEST) as usize]);
        let (body, sizes) = match &flow.body {
            Body::Text(text) => (Bytes::copy_from_slice(text.as_bytes()), None),
            Body::Fixed(bytes) => (Bytes::from(vec![b'x'; *bytes as usize]), None),
            Body::Lognormal { p50, p99 } => {
                // One in a million is larger than so.
                let largest = p99.saturating_mul(*p99 / (*p50).max(1));
                (filled(largest.max(*p99)), Some(Distribution::lognormal(*p50 as f64, *p99 as f64)))
            }
            Body::Uniform { min, max } => (filled(*max), Some(Distribution::uniform(*min as f64, *max as f64))),
        };
        let of_grpc = matches!(flow.protocol, Protocol::Grpc { .. });
        // What is always the same is framed once.
        let body = if of_grpc && sizes.is_none() { message(&body) } else { body };
        let rng = Seed(seed).stream(&format!("load/bodies/{}", flow.name));
        Self {
            row,
            head,
            body,
            sizes: sizes.map(|sizes| Rc::new((sizes, RefCell::new(rng)))),
            message: of_grpc,
            numbered: flow.numbered,
            seed,
        }
    }

    /// The same with the bodies of another, which are then drawn in turn and held once.
    pub(super) fn with_body_of(self, other: &Self) -> Self {
        Self { body: other.body.clone(), sizes: other.sizes.clone(), ..self }
    }

    /// The body of the next request.
    pub(super) fn body(&self) -> Bytes {
        let Some((sizes, rng)) = self.sizes.as_deref() else { return self.body.clone() };
        let drawn = sizes.draw(&mut *rng.borrow_mut()).round() as usize;
        let body = self.body.slice(..drawn.min(self.body.len()));
        if self.message { message(&body) } else { body }
    }

    /// The values of `x-request-id` and `traceparent` of request number `id`.
    pub(super) fn names(&self, id: u64) -> Option<(Vec<u8>, Vec<u8>)> {
        let value = |name: &str| self.head.headers.get(name).map(<[u8]>::to_vec);
        let (mut number, mut trace) = value("x-request-id").zip(value("traceparent")).filter(|_| self.numbered)?;
        write_number(&mut number[REQUEST_NUMBER.len()..], id);
        write_trace(&mut trace[3..], self.seed, id);
        Some((number, trace))
    }
}

/// A message of gRPC: not compressed, its length, itself.
fn message(body: &Bytes) -> Bytes {
    let mut framed = Vec::with_capacity(body.len() + 5);
    framed.push(0);
    framed.extend_from_slice(&(body.len() as u32).to_be_bytes());
    framed.extend_from_slice(body);
    framed.into()
}

/// The head of a request as HTTP/1 has it on the wire, for one connection.
#[derive(Debug, Default)]
pub(super) struct Head {
    bytes: BytesMut,
    /// Of which request it is, and of the body that it announces.
    of: Option<(usize, usize)>,
    number_at: usize,
    trace_at: usize,
}

impl Head {
    /// The head of request number `id`, before a body of `length` bytes.
    pub(super) fn of(&mut self, template: &Template, id: u64, length: usize) -> &[u8] {
        if self.of != Some((template.row, length)) {
            self.of = Some((template.row, length));
            self.write(template, length);
        }
        if template.numbered {
            write_number(&mut self.bytes[self.number_at..][..NUMBER_DIGITS], id);
            write_trace(&mut self.bytes[self.trace_at..], template.seed, id);
        }
        &self.bytes
    }

    fn write(&mut self, template: &Template, length: usize) {
        self.bytes.clear();
        let framing = if length == 0 { Framing::Empty } else { Framing::Length(length as u64) };
        write::request(&mut self.bytes, &template.head, framing);
        let find = |field: &str| {
            let name = format!("\r\n{field}: ");
            let at = self.bytes.windows(name.len()).position(|window| window == name.as_bytes());
            at.map_or(0, |at| at + name.len())
        };
        (self.number_at, self.trace_at) = (find("x-request-id") + REQUEST_NUMBER.len(), find("traceparent") + 3);
    }
}

fn write_number(out: &mut [u8], id: u64) {
    hex(&mut out[..NUMBER_DIGITS], id);
}

fn write_trace(out: &mut [u8], seed: u64, id: u64) {
    let (trace, span) = out[..TRACE_DIGITS + 1 + SPAN_DIGITS].split_at_mut(TRACE_DIGITS);
    hex(&mut trace[..16], seed | 1);
    hex(&mut trace[16..], id);
    hex(&mut span[1..], id + 1);
}

fn hex(out: &mut [u8], value: u64) {
    let digits = out.len();
    for (place, digit) in out.iter_mut().enumerate() {
        let shift = 4 * (digits - 1 - place);
        let nibble = if shift < 64 { (value >> shift) & 15 } else { 0 };
        *digit = b"0123456789abcdef"[nibble as usize];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow() -> FlowPlan {
        FlowPlan {
            method: "POST".to_owned(),
            path: "/add?x=1".to_owned(),
            headers: vec![("X-User".to_owned(), "alice".to_owned())],
            body: Body::Fixed(3),
            ..FlowPlan::new("load", Vec::new(), "cart")
        }
    }

    fn text(template: &Template, head: &mut Head, id: u64) -> String {
        let body = template.body();
        let mut bytes = head.of(template, id, body.len()).to_vec();
        bytes.extend_from_slice(&body);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn each_request_carries_its_own_number_and_trace() {
        let (template, mut head) = (Template::new(&flow(), 0xabc, 0), Head::default());
        let request = text(&template, &mut head, 0x1f);
        assert!(request.starts_with("POST /add?x=1 HTTP/1.1\r\nhost: cart\r\n"), "{request}");
        assert!(
            request.contains("x-user: alice\r\n") && request.ends_with("content-length: 3\r\n\r\nxxx"),
            "{request}"
        );
        assert!(request.contains("x-request-id: 53715541-4c4c-4000-8000-00000000001f\r\n"), "{request}");
        let trace = "00-0000000000000abd000000000000001f-0000000000000020-01";
        assert!(request.contains(&format!("traceparent: {trace}\r\n")), "{request}");
        assert_ne!(text(&template, &mut head, 0x20), request);
        let (number, same) = template.names(0x1f).unwrap();
        assert_eq!(number, b"53715541-4c4c-4000-8000-00000000001f");
        assert_eq!(same, trace.as_bytes());
    }

    #[test]
    fn what_is_not_numbered_is_always_the_same() {
        let template = Template::new(&FlowPlan { numbered: false, ..flow() }, 1, 0);
        let mut head = Head::default();
        let request = text(&template, &mut head, 1);
        assert!(!request.contains("x-request-id") && !request.contains("traceparent"), "{request}");
        assert_eq!(text(&template, &mut head, 2), request);
        assert_eq!(template.names(1), None);
    }

    #[test]
    fn the_head_announces_each_drawn_body() {
        let template = Template::new(&FlowPlan { body: Body::Uniform { min: 10, max: 20 }, ..flow() }, 1, 0);
        let mut head = Head::default();
        let mut lengths = Vec::new();
        for id in 0..200 {
            let request = text(&template, &mut head, id);
            let (head, body) = request.split_once("\r\n\r\n").unwrap();
            assert!(head.contains(&format!("content-length: {}", body.len())), "{request}");
            assert!(head.contains(&format!("8000-{id:012x}")), "{request}");
            lengths.push(body.len());
        }
        assert_eq!((lengths.iter().min(), lengths.iter().max()), (Some(&10), Some(&20)));
    }

    #[test]
    fn a_call_is_one_message() {
        let flow = FlowPlan { protocol: Protocol::Grpc { streams: 1 }, body: Body::Text("hi".to_owned()), ..flow() };
        let template = Template::new(&flow, 1, 0);
        assert_eq!(&template.body()[..], b"\0\0\0\0\x02hi");
        assert_eq!(template.head.headers.get("te"), Some(&b"trailers"[..]));
    }
}
