//! What is no HTTP, or too much of it.

use squall_tests::envoy::{Case, case, hold_all};

#[test]
fn as_envoy_does() {
    hold_all(&cases());
}

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    [framing(), heads()].into_iter().flatten().collect()
}

fn raw(name: &'static str, bytes: &str) -> Case {
    case(name).backend("one", &["200"]).raw(bytes)
}

fn framing() -> Vec<Case> {
    vec![
        raw(
            "a_length_beside_chunks",
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        raw("a_coding_that_is_not_chunked", "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\n\r\n"),
        raw("chunked_twice", "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
        raw("two_lengths", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc"),
        raw("a_length_that_is_no_number", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n"),
        raw("a_negative_length", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n"),
        raw(
            "a_chunk_whose_size_is_no_number",
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        )
        .answers_only(),
    ]
}

fn heads() -> Vec<Case> {
    let long = "x".repeat(70_000);
    let many = (0..110).map(|number| format!("x-{number}: y\r\n")).collect::<Vec<_>>().concat();
    vec![
        raw("no_host", "GET / HTTP/1.1\r\n\r\n"),
        raw("two_hosts", "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n").differs("one-host"),
        raw("an_empty_host", "GET / HTTP/1.1\r\nhost: \r\n\r\n").differs("one-host"),
        raw("http10", "GET / HTTP/1.0\r\nhost: a\r\n\r\n"),
        raw("garbage", "garbage\r\n\r\n"),
        raw("a_method_that_is_none", "G@T / HTTP/1.1\r\nhost: a\r\n\r\n"),
        raw("a_method_that_is_unknown", "FOO / HTTP/1.1\r\nhost: a\r\n\r\n"),
        raw("a_name_with_a_space", "GET / HTTP/1.1\r\nhost: a\r\nx y: z\r\n\r\n"),
        raw("a_space_before_the_colon", "GET / HTTP/1.1\r\nhost: a\r\nx : z\r\n\r\n"),
        raw("a_folded_line", "GET / HTTP/1.1\r\nhost: a\r\nx: 1\r\n 2\r\n\r\n").differs("folded-lines"),
        raw("a_nul_in_a_value", "GET / HTTP/1.1\r\nhost: a\r\nx: a\0b\r\n\r\n"),
        raw("a_version_to_come", "GET / HTTP/1.2\r\nhost: a\r\n\r\n"),
        raw("a_version_of_another_kind", "GET / HTTP/2.0\r\nhost: a\r\n\r\n"),
        raw("a_version_with_something_behind", "GET / HTTP/1.1x\r\nhost: a\r\n\r\n"),
        raw("a_control_byte_in_a_value", "GET / HTTP/1.1\r\nhost: a\r\nx: a\x01b\r\n\r\n"),
        raw("a_version_that_is_none", "GET / HTTP/9.9\r\nhost: a\r\n\r\n"),
        raw("a_path_that_is_none", "GET foo HTTP/1.1\r\nhost: a\r\n\r\n"),
        raw("a_star", "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n"),
        raw("a_whole_url", "GET http://b/x?y HTTP/1.1\r\nhost: a\r\n\r\n"),
        raw("a_fragment", "GET /x#y HTTP/1.1\r\nhost: a\r\n\r\n"),
        raw("an_authority_that_is_none", "GET / HTTP/1.1\r\nhost: a@b c\r\n\r\n"),
        raw("a_head_of_70_kb", &format!("GET / HTTP/1.1\r\nhost: a\r\nx: {long}\r\n\r\n")),
        raw("more_than_100_fields", &format!("GET / HTTP/1.1\r\nhost: a\r\n{many}\r\n")),
        case("a_head_limit_of_its_own")
            .manager("max_request_headers_kb: 96")
            .backend("one", &["200"])
            .raw(format!("GET / HTTP/1.1\r\nhost: a\r\nx: {long}\r\n\r\n")),
        case("a_field_limit_of_its_own")
            .manager("common_http_protocol_options: {max_headers_count: 5}")
            .backend("one", &["200"])
            .raw("GET / HTTP/1.1\r\nhost: a\r\na: 1\r\nb: 1\r\nc: 1\r\nd: 1\r\ne: 1\r\n\r\n"),
        case("underscores_may_be_refused")
            .manager("common_http_protocol_options: {headers_with_underscores_action: REJECT_REQUEST}")
            .backend("one", &["200"])
            .raw("GET / HTTP/1.1\r\nhost: a\r\nx_y: 1\r\n\r\n"),
        case("underscores_may_be_dropped")
            .manager("common_http_protocol_options: {headers_with_underscores_action: DROP_HEADER}")
            .backend("one", &["200"])
            .raw("GET / HTTP/1.1\r\nhost: a\r\nx_y: 1\r\n\r\n"),
        case("a_connection_outlives_a_refusal_if_told")
            .manager("stream_error_on_invalid_http_message: true")
            .backend("one", &["200"])
            .raw("GET / HTTP/1.1\r\n\r\n"),
        raw("a_lone_line_feed_ends_lines_too", "GET / HTTP/1.1\nhost: a\n\n"),
        raw("empty_lines_ahead", "\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n"),
        raw("several_at_once", "GET /1 HTTP/1.1\r\nhost: a\r\n\r\nGET /2 HTTP/1.1\r\nhost: a\r\n\r\n").answers_only(),
    ]
}
