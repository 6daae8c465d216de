//! Shoppers: they look at what there is, put something into their cart, and check out. `scenarios/shoppers.yaml` beside this crate runs them
//! against three services.
//!
//! `cargo build --release --example shoppers && squall run scenarios/shoppers.yaml`, in this folder

use goose::prelude::*;
use squall_journeys::{Request, ask, play, think};
use std::time::Duration;

#[tokio::main]
async fn main() -> Result<(), squall_journeys::Error> {
    play(|journey| {
        journey
            .register_transaction(transaction!(browse))
            .register_transaction(transaction!(add))
            .register_transaction(transaction!(pay))
    })
    .await
}

/// What a shopper has seen.
#[derive(Clone)]
struct Seen(String);

async fn browse(user: &mut GooseUser) -> TransactionResult {
    let answer = ask(user, "browse", Request::get("/items")).await?;
    let page = answer.headers.get("x-squall-instance").and_then(|name| name.to_str().ok()).unwrap_or("nothing");
    user.set_session_data(Seen(page.to_owned()));
    Ok(())
}

async fn add(user: &mut GooseUser) -> TransactionResult {
    think(user, Duration::from_millis(100)).await;
    let seen = user.get_session_data::<Seen>().map_or("nothing", |seen| seen.0.as_str()).to_owned();
    ask(user, "add", Request::post("/cart", format!("{{\"seen\": \"{seen}\"}}"))).await?;
    Ok(())
}

async fn pay(user: &mut GooseUser) -> TransactionResult {
    think(user, Duration::from_millis(200)).await;
    ask(user, "pay", Request::post("/orders", "{}")).await?;
    Ok(())
}
