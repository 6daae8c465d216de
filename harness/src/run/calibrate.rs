//! How much of this machine a request takes, so that no more arms run side by side than it carries.

use nix::time::{ClockId, clock_gettime};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// How long is measured, in processor time.
const LASTING: Duration = Duration::from_millis(300);

/// Bytes of a round trip: about those of a request and its answer.
const BYTES: usize = 1_200;

/// Processor time of a round trip on loopback, both ends together, on the machine on which [`COST`] was measured.
const ROUND_TRIP: Duration = Duration::from_micros(41);

/// Processor time of a request there: load, proxy, relay and service together, with their records.
const COST: Duration = Duration::from_micros(300);

/// Processor time of a request here, by what a round trip costs: most of a request is the kernel's work on sockets.
pub(super) fn cost_of_a_request() -> Duration {
    let factor = round_trip().map_or(1.0, |here| here.as_secs_f64() / ROUND_TRIP.as_secs_f64());
    // What is far off was a disturbance.
    COST.mul_f64(factor.clamp(0.5, 4.0))
}

fn round_trip() -> io::Result<Duration> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let (mut server, _) = listener.accept()?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let echo = std::thread::Builder::new().name("calibrate".to_owned()).spawn(move || -> io::Result<()> {
        let mut buf = [0; BYTES];
        while server.read_exact(&mut buf).is_ok() {
            server.write_all(&buf)?;
        }
        Ok(())
    })?;
    let (begin, mut trips) = (processor_time(), 0_u32);
    let mut buf = [0; BYTES];
    while processor_time().saturating_sub(begin) < LASTING {
        client.write_all(&buf)?;
        client.read_exact(&mut buf)?;
        trips += 1;
    }
    let spent = processor_time().saturating_sub(begin);
    drop(client);
    // It has ended with its peer.
    let _ = echo.join();
    Ok(spent / trips.max(1))
}

/// Of all threads of this process.
fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map_or(Duration::MAX, Duration::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_stays_within_what_machines_differ() {
        let cost = cost_of_a_request();
        assert!((COST / 2..=COST * 4).contains(&cost), "{cost:?}");
    }
}
