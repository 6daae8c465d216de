//! What the HTTP/1.1 codec costs, without sockets: a head in, a head out.

use bytes::BytesMut;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use squall_http1::{BodyReader, Framing, HeadReader, Request, Response, write};
use std::hint::black_box;

const REQUEST: &[u8] = b"GET /cart/items?page=2 HTTP/1.1\r\nhost: cart\r\nuser-agent: squall\r\naccept: */*\r\n\
x-request-id: 53715541-4c4c-4000-8000-00000000002a\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\r\n";
const RESPONSE: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\nx-squall-instance: cart/1\r\n\r\n";

fn heads(c: &mut Criterion) {
    let mut group = c.benchmark_group("head");
    group.throughput(Throughput::Elements(1));
    group.bench_function("request read", |bencher| {
        let mut request = Request::default();
        bencher.iter(|| {
            let mut reader = HeadReader::default();
            black_box(reader.request_at(black_box(REQUEST), &mut request))
        });
    });
    group.bench_function("response read", |bencher| {
        let mut response = Response::default();
        bencher.iter(|| {
            let mut reader = HeadReader::default();
            black_box(reader.response_at(black_box(RESPONSE), &mut response))
        });
    });
    group.bench_function("request written", |bencher| {
        let mut request = Request::default();
        // The constant is a whole head.
        let _ = HeadReader::default().request_at(REQUEST, &mut request);
        let mut out = BytesMut::with_capacity(1024);
        bencher.iter(|| {
            out.clear();
            write::request(&mut out, black_box(&request), Framing::Empty);
        });
    });
    group.finish();
}

fn bodies(c: &mut Criterion) {
    let mut chunked = Vec::new();
    for _ in 0..64 {
        chunked.extend_from_slice(b"400\r\n");
        chunked.extend_from_slice(&[b'x'; 1024]);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let mut group = c.benchmark_group("body");
    group.throughput(Throughput::Bytes(64 * 1024));
    group.bench_function("64 chunks of 1 KiB", |bencher| {
        bencher.iter(|| {
            let (mut body, mut at) = (BodyReader::new(Framing::Chunked), 0);
            while let Ok(step) = body.step(black_box(&chunked[at..])) {
                at += step.consumed;
                if body.is_done() {
                    break;
                }
            }
            at
        });
    });
    group.finish();
}

criterion_group!(benches, heads, bodies);
criterion_main!(benches);
