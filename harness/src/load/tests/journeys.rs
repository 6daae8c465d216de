//! Users who ask one thing after another.

use super::*;
use std::io::BufRead;

/// A shop: its list names an item, a cart takes it from whoever brings the cookie of the list, and a check-out wants the number that the
/// cart gave. Whatever is asked otherwise is answered with 400; the check-out of every tenth cart with 503.
fn shop() -> SocketAddr {
    let carts = Arc::new(Mutex::new(0));
    server(move |stream| {
        let mut lines = std::io::BufReader::new(stream.try_clone().unwrap()).lines();
        let mut stream = stream;
        while let Some(Ok(first)) = lines.next() {
            let fields: Vec<String> =
                lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            let field = |name: &str| fields.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            let (status, more, body) = match first.split(' ').nth(1).unwrap() {
                "/items" => {
                    ("200 OK", "set-cookie: visitor=v1; Path=/\r\n".to_owned(), r#"{"items": [{"id": "a b"}]}"#)
                }
                "/cart/a%20b" if field("cookie") == Some("visitor=v1") => {
                    let mut carts = carts.lock().unwrap();
                    *carts += 1;
                    ("201 Created", format!("location: /orders/{carts}\r\n"), "")
                }
                path if path.starts_with("/orders/") && field("x-item") == Some("a b") => {
                    if path.ends_with('9') {
                        ("503 No", String::new(), "")
                    } else {
                        ("200 OK", String::new(), "paid")
                    }
                }
                _ => ("400 What", String::new(), ""),
            };
            let answer = format!("HTTP/1.1 {status}\r\n{more}content-length: {}\r\n\r\n{body}", body.len());
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    })
}

fn step(name: &str, to: SocketAddr, path: &str) -> FlowPlan {
    FlowPlan {
        path: path.to_owned(),
        time_out: Duration::from_millis(500),
        pace: Pace::Steps,
        ..FlowPlan::new(name, vec![to], "shop")
    }
}

/// A step, the time to think before it, and what is captured from its answer.
type Taken = (FlowPlan, Think, Option<(&'static str, Source)>);

/// A journey of these steps, each with the time to think before it and what is captured from its answer.
fn journey(rate: f64, millis: u64, steps: Vec<Taken>) -> Load {
    let to = steps[0].0.to[0];
    let mut load = load(to, rate, millis);
    let of = |(at, (_, think, captured)): (usize, &Taken)| Step {
        flow: at + 1,
        think: *think,
        captures: captured
            .iter()
            .map(|(name, from)| Capture { name: (*name).to_owned(), from: from.clone() })
            .collect(),
    };
    load.flow.journey = Some(Journey { steps: steps.iter().enumerate().map(of).collect() });
    load.flow.time_out = Duration::from_secs(3);
    load.steps = steps.into_iter().map(|(flow, ..)| flow).collect();
    load
}

const AT_ONCE: Think = Think::Fixed(Duration::ZERO);

fn shopping(to: SocketAddr, think: Think) -> Vec<Taken> {
    let pay = FlowPlan { headers: vec![("x-item".to_owned(), "${item}".to_owned())], ..step("pay", to, "${order}") };
    vec![
        (step("browse", to, "/items"), AT_ONCE, Some(("item", Source::Json("/items/0/id".to_owned())))),
        (step("add", to, "/cart/${item}"), think, Some(("order", Source::Header("Location".to_owned())))),
        (pay, think, None),
    ]
}

fn of(samples: &[Sample], flow: u16) -> Vec<Sample> {
    let mut samples: Vec<_> = samples.iter().filter(|sample| sample.flow == flow).copied().collect();
    samples.sort_by_key(|sample| sample.id);
    samples
}

#[test]
fn each_user_takes_the_steps_in_turn_and_carries_what_was_captured() {
    let (ready, samples) = journey(100.0, 400, shopping(shop(), AT_ONCE)).run();
    assert_eq!(ready.planned, 40, "users, of whom each asks three times");
    let flows: Vec<_> = (0..4).map(|flow| of(&samples, flow)).collect();
    assert_eq!(flows.iter().map(Vec::len).collect::<Vec<_>>(), [40, 40, 40, 40]);
    // Carts 9, 19, 29 and 39 are not paid for.
    for (flow, failed) in [(1, 0), (2, 0), (3, 4), (0, 4)] {
        let lost: Vec<_> = flows[flow].iter().filter(|sample| sample.end != End::Acceptable).collect();
        assert_eq!(lost.len(), failed, "{flow}: {lost:?}");
        assert!(lost.iter().all(|sample| (sample.end, sample.status) == (End::Status, 503)), "{lost:?}");
    }
    let mut ids: Vec<_> = samples.iter().map(|sample| sample.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), samples.len(), "every request has a number of its own");
    for user in &flows[0] {
        assert_eq!((user.sent, user.first_byte, user.instance), (None, None, None), "a user sends nothing itself");
    }
}

#[test]
fn a_step_is_due_when_the_one_before_was_answered_and_the_user_has_thought() {
    let think = Duration::from_millis(40);
    let (_, samples) = journey(20.0, 250, shopping(shop(), Think::Fixed(think))).run();
    let (users, browsed, added, paid) = (of(&samples, 0), of(&samples, 1), of(&samples, 2), of(&samples, 3));
    assert_eq!([users.len(), browsed.len(), added.len(), paid.len()], [5; 4]);
    for at in 0..5 {
        assert_eq!(browsed[at].due, users[at].due, "the first step is due with its user");
        assert_eq!(added[at].due, browsed[at].done + think.as_nanos() as u64);
        assert_eq!(paid[at].due, added[at].done + think.as_nanos() as u64);
        assert!(added[at].released >= added[at].due && paid[at].released >= paid[at].due, "nothing is asked early");
        assert!(users[at].done >= paid[at].done && users[at].done - users[at].due >= 2 * think.as_nanos() as u64);
    }
}

#[test]
fn a_user_whose_step_fails_leaves_and_asks_nothing_more() {
    let to = shop();
    let mut steps = shopping(to, AT_ONCE);
    steps[0].2 = Some(("item", Source::Json("/nothing".to_owned())));
    let (_, samples) = journey(100.0, 100, steps).run();
    // The status was accepted, but what the next step needs was not there.
    assert!(of(&samples, 1).iter().all(|sample| (sample.end, sample.status) == (End::Unexpected, 200)));
    assert_eq!([of(&samples, 0).len(), of(&samples, 1).len(), of(&samples, 2).len()], [10, 10, 0]);
    assert!(of(&samples, 0).iter().all(|sample| sample.end == End::Unexpected));
}

#[test]
fn users_bring_rows_of_a_table_along() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let listens = Arc::clone(&seen);
    let to = server(move |stream| {
        let mut lines = std::io::BufReader::new(stream.try_clone().unwrap()).lines();
        let mut stream = stream;
        while let Some(Ok(first)) = lines.next() {
            lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).for_each(drop);
            listens.lock().unwrap().push(first.split(' ').nth(1).unwrap().to_owned());
            if stream.write_all(OK.as_bytes()).is_err() {
                return;
            }
        }
    });
    let steps = vec![(step("in", to, "/in/${user}"), AT_ONCE, None), (step("out", to, "/out/${user}"), AT_ONCE, None)];
    let mut load = journey(50.0, 100, steps);
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    load.flow.data = Some(Table { columns: words(&["user"]), rows: vec![words(&["ann"]), words(&["bob"])] });
    let (_, samples) = load.run();
    assert!(samples.iter().all(|sample| sample.end == End::Acceptable), "{samples:?}");
    let mut seen = seen.lock().unwrap().clone();
    seen.sort();
    assert_eq!(
        seen,
        [
            "/in/ann", "/in/ann", "/in/ann", "/in/bob", "/in/bob", "/out/ann", "/out/ann", "/out/ann", "/out/bob",
            "/out/bob"
        ]
    );
}

#[test]
fn bodies_that_are_drawn_differ_from_user_to_user() {
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let listens = Arc::clone(&sizes);
    let to = server(move |mut stream| {
        let mut lines = std::io::BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        let mut length = 0;
        while lines.read_line(&mut line).is_ok_and(|read| read > 0) {
            if let Some(text) = line.strip_prefix("content-length: ") {
                length = text.trim().parse().unwrap();
            }
            if line == "\r\n" {
                std::io::copy(&mut lines.by_ref().take(length), &mut std::io::sink()).unwrap();
                listens.lock().unwrap().push(length);
                if stream.write_all(OK.as_bytes()).is_err() {
                    return;
                }
            }
            line.clear();
        }
    });
    let send = FlowPlan {
        method: "POST".to_owned(),
        body: Body::Uniform { min: 10, max: 10_000 },
        headers: vec![("x-user".to_owned(), "${user}".to_owned())],
        ..step("send", to, "/")
    };
    let mut load = journey(100.0, 200, vec![(send, AT_ONCE, None)]);
    load.flow.data = Some(Table { columns: vec!["user".to_owned()], rows: vec![vec!["ann".to_owned()]] });
    let (_, samples) = load.run();
    assert!(samples.iter().all(|sample| sample.end == End::Acceptable), "{samples:?}");
    let mut sizes = sizes.lock().unwrap().clone();
    assert_eq!(sizes.len(), 20);
    sizes.sort_unstable();
    sizes.dedup();
    assert!(sizes.len() > 15, "{sizes:?}");
}
