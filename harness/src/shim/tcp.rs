//! A relay that passes bytes without reading them: a connection is the unit, offered at accept.

use super::link;
use super::relay::{Relay, reset};
use super::rules::{End, Subject};
use super::wire::Fate;
use crate::clock::now;
use crate::fault::spec::Direction;
use bytes::BytesMut;
use std::io;
use std::rc::Rc;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// Bytes read at once.
const READ: usize = 16 * 1024;

/// Serves one connection to its end.
pub(super) async fn relay(relay: Rc<Relay>, client: TcpStream) {
    let accepted = now();
    let verdict = relay.judge(Subject::Connection, accepted);
    let mut resets = relay.resets();
    let offer = |fate| relay.offer(accepted, None, 1, false, fate);
    for (fault, delay) in &verdict.delays {
        tokio::select! {
            () = relay.timer.sleep(*delay) => {}
            () = relay.cleared(*fault) => {}
        }
    }
    match verdict.end {
        Some((fault, End::Reset(0))) => {
            offer(Fate::Withheld(fault));
            return reset(client);
        }
        Some((fault, End::Hang | End::Blackhole(_))) => {
            offer(Fate::Withheld(fault));
            tokio::select! {
                () = relay.cleared(fault) => {}
                _ = resets.changed() => return reset(client),
            }
        }
        _ => {}
    }
    let Ok(instance) = TcpStream::connect(relay.to()).await else {
        offer(Fate::Unreachable);
        return reset(client);
    };
    if verdict.end.is_none() {
        offer(Fate::Relayed);
    }
    let (mut client, mut instance) = (client, instance);
    tokio::select! {
        _ = both_ways(&relay, &mut client, &mut instance, verdict.bandwidth) => {}
        _ = resets.changed() => reset(client),
    }
}

async fn both_ways(
    relay: &Relay,
    client: &mut TcpStream,
    instance: &mut TcpStream,
    bandwidth: Option<u64>,
) -> io::Result<Direction> {
    let (mut up, mut down) = (BytesMut::new(), BytesMut::new());
    loop {
        up.reserve(READ);
        down.reserve(READ);
        tokio::select! {
            read = client.read_buf(&mut up) => {
                if read? == 0 {
                    return Ok(Direction::ClientToServer);
                }
                link::send(instance, &up, bandwidth, &relay.timer).await?;
                up.clear();
            }
            read = instance.read_buf(&mut down) => {
                if read? == 0 {
                    return Ok(Direction::ServerToClient);
                }
                link::send(client, &down, bandwidth, &relay.timer).await?;
                down.clear();
            }
        }
    }
}
