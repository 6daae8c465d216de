//! A flow's request, written once; for each request only the digits that differ are put in.

use super::wire::FlowPlan;
use crate::shim::wire::REQUEST_NUMBER;
use bytes::BytesMut;
use squall_http1::{Framing, Request, write};

/// Digits of a request's number in its `x-request-id`.
const NUMBER_DIGITS: usize = 12;
/// Digits of the trace id and of the span id in `traceparent`.
const TRACE_DIGITS: usize = 32;
const SPAN_DIGITS: usize = 16;

/// The bytes of a request, and where in them its number stands.
#[derive(Debug, Clone)]
pub(super) struct Template {
    bytes: Vec<u8>,
    number_at: usize,
    trace_at: usize,
    seed: u64,
}

impl Template {
    /// The request of a flow; `seed` makes trace ids differ between runs.
    pub(super) fn new(flow: &FlowPlan, seed: u64) -> Self {
        let mut request = Request::new(&flow.method, &flow.path);
        request.headers.add("host", flow.authority.as_bytes());
        request.headers.add("user-agent", concat!("squall-load/", env!("CARGO_PKG_VERSION")).as_bytes());
        for (name, value) in &flow.headers {
            request.headers.set(&name.to_ascii_lowercase(), value.as_bytes());
        }
        let number = format!("{REQUEST_NUMBER}{:0NUMBER_DIGITS$}", 0);
        request.headers.set("x-request-id", number.as_bytes());
        let trace = format!("00-{:0TRACE_DIGITS$}-{:0SPAN_DIGITS$}-01", 0, 0);
        request.headers.set("traceparent", trace.as_bytes());
        let framing = if flow.body_bytes == 0 { Framing::Empty } else { Framing::Length(flow.body_bytes) };
        let mut bytes = BytesMut::new();
        write::request(&mut bytes, &request, framing);
        let find = |text: &str| bytes.windows(text.len()).position(|window| window == text.as_bytes()).unwrap_or(0);
        let (number_at, trace_at) = (find(&number) + REQUEST_NUMBER.len(), find(&trace) + 3);
        let mut bytes = bytes.to_vec();
        bytes.resize(bytes.len() + usize::try_from(flow.body_bytes).unwrap_or(0), b'x');
        Self { bytes, number_at, trace_at, seed }
    }

    /// The bytes of request number `id`.
    pub(super) fn request(&mut self, id: u64) -> &[u8] {
        hex(&mut self.bytes[self.number_at..][..NUMBER_DIGITS], id);
        let (trace, span) = self.bytes[self.trace_at..][..TRACE_DIGITS + 1 + SPAN_DIGITS].split_at_mut(TRACE_DIGITS);
        hex(&mut trace[..16], self.seed | 1);
        hex(&mut trace[16..], id);
        hex(&mut span[1..], id + 1);
        &self.bytes
    }
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
    use crate::load::wire::Connections;
    use std::time::Duration;

    #[test]
    fn each_request_carries_its_own_number_and_trace() {
        let flow = FlowPlan {
            name: "load".to_owned(),
            to: Vec::new(),
            authority: "cart".to_owned(),
            method: "POST".to_owned(),
            path: "/add?x=1".to_owned(),
            headers: vec![("X-User".to_owned(), "alice".to_owned())],
            body_bytes: 3,
            accept: vec![(200, 399)],
            time_out: Duration::from_secs(5),
            connections: Connections::Each,
            drop_after: Duration::from_millis(100),
            schedule: Vec::new(),
        };
        let mut template = Template::new(&flow, 0xabc);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let request = text(template.request(0x1f));
        assert!(request.starts_with("POST /add?x=1 HTTP/1.1\r\nhost: cart\r\n"), "{request}");
        assert!(
            request.contains("x-user: alice\r\n") && request.ends_with("content-length: 3\r\n\r\nxxx"),
            "{request}"
        );
        assert!(request.contains("x-request-id: 53715541-4c4c-4000-8000-00000000001f\r\n"), "{request}");
        let trace = "traceparent: 00-0000000000000abd000000000000001f-0000000000000020-01\r\n";
        assert!(request.contains(trace), "{request}");
        assert_ne!(text(template.request(0x20)), request);
    }
}
