//! How connections of HTTP/2 end, frame by frame.

use squall_tests::envoy::{Case, Side, case, hold_all};
use squall_tests::frames::{END_STREAM, Frame, Frames, kind, request};

#[test]
fn as_envoy_does() {
    hold_all(&cases());
}

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    [drains(), malformed()].into_iter().flatten().collect()
}

/// A frame that ends something, in words.
fn end(frame: &Frame) -> Option<String> {
    let number = |at: usize| Some(u32::from_be_bytes(frame.payload.get(at..at + 4)?.try_into().ok()?));
    match frame.kind {
        kind::GO_AWAY => Some(format!("goodbye after {} for {}", number(0)?, number(4)?)),
        kind::RESET => Some(format!("reset of {} for {}", frame.stream, number(0)?)),
        _ => Some(format!("{} on {}", frame.status()?, frame.stream)),
    }
}

/// What ends after these streams, up to the end of the connection or to the answer to the last stream. Pings are not answered.
fn ends(side: &Side, streams: &[(u32, Vec<u8>)], waits: bool) -> String {
    let mut connection = Frames::to(side.listen);
    for (stream, head) in streams {
        // Whoever says goodbye may have closed.
        let _ = connection.ask(*stream, END_STREAM, head);
    }
    let last = streams.last().map_or(0, |(stream, _)| *stream);
    let mut ends = Vec::new();
    while let Some(frame) = connection.read() {
        ends.extend(end(&frame));
        if !waits && frame.stream == last && frame.status().is_some() {
            return ends.join("\n");
        }
    }
    // An answer and a goodbye pass each other.
    ends.sort_by_key(|end| end.starts_with("goodbye"));
    format!("{}\nclosed", ends.join("\n"))
}

fn drains() -> Vec<Case> {
    let drained = |name| {
        case(name)
            .backend("one", &["200"])
            .manager("drain_timeout: 0.2s")
            .answers_only()
            .then("ends", |side| ends(side, &[(1, request("GET", "/", &[]))], true))
    };
    vec![
        drained("who_answers_no_ping_hears_the_last_goodbye_after_the_drain_timeout")
            .manager("common_http_protocol_options: {max_requests_per_connection: 1}"),
        drained("a_connection_that_idles_hears_two_goodbyes")
            .manager("common_http_protocol_options: {idle_timeout: 0.2s}"),
        drained("a_connection_that_is_old_hears_two_goodbyes")
            .manager("common_http_protocol_options: {max_connection_duration: 0.2s}"),
    ]
}

fn malformed() -> Vec<Case> {
    let malformed = |name| {
        case(name).backend("one", &["200"]).answers_only().then("ends", |side| {
            let bad = request("GET", "/", &[(b"connection", b"close")]);
            ends(side, &[(1, bad), (3, request("GET", "/", &[]))], false)
        })
    };
    vec![
        malformed("a_malformed_message_ends_its_stream_alone_if_that_is_asked_for")
            .manager("http2_protocol_options: {override_stream_error_on_invalid_http_message: true}"),
        malformed("a_malformed_message_ends_its_stream_alone_if_all_are_to")
            .manager("stream_error_on_invalid_http_message: true"),
        malformed("a_malformed_message_ends_its_connection").differs("malformed-streams"),
    ]
}
