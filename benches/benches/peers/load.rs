//! Load by `h2load`, and connections that only stay open.

use super::configuration::Protocol;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

/// How requests come.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// Each of so many connections asks again as soon as it is answered; 16 with 8 streams each in HTTP/2.
    Saturated(u32),
    /// So many a second over all connections.
    Rate(u32),
}

/// Asks so often; microseconds of each request that was answered well.
pub(crate) fn load(
    core: usize,
    to: SocketAddr,
    path: &str,
    protocol: Protocol,
    pace: Pace,
    requests: u32,
    folder: &Path,
) -> io::Result<Vec<u32>> {
    let log = folder.join("requests.log");
    let mut command = Command::new("timeout");
    command.args(["300", "taskset", "-c", &core.to_string(), "h2load", "-t1", "-n", &requests.to_string()]);
    let connections = match (protocol, pace) {
        (Protocol::Http1, Pace::Saturated(connections)) => connections,
        (Protocol::Http1, Pace::Rate(_)) => 64,
        (Protocol::Http2, _) => 16,
    };
    command.arg(format!("-c{connections}")).arg(if protocol == Protocol::Http1 { "--h1" } else { "-m8" });
    if let Pace::Rate(rate) = pace {
        command.arg(format!("--rps={}", f64::from(rate) / f64::from(connections)));
    }
    let output = command.arg("--log-file").arg(&log).arg(format!("http://{to}{path}")).output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("h2load: {}", String::from_utf8_lossy(&output.stderr))));
    }
    let text = std::fs::read_to_string(&log)?;
    std::fs::remove_file(&log)?;
    // When it began, its status, how long it took.
    let well = text.lines().filter_map(|line| {
        let mut columns = line.split('\t').skip(1);
        (columns.next()? == "200").then_some(columns.next()?.parse().ok()?)
    });
    let latencies: Vec<u32> = well.collect();
    if latencies.len() < requests as usize {
        return Err(io::Error::other(format!("{} of {requests} requests were answered well", latencies.len())));
    }
    Ok(latencies)
}

/// Connections that have asked once each, in HTTP/1.1.
pub(crate) fn connections(to: SocketAddr, number: usize) -> io::Result<Vec<TcpStream>> {
    let one = |_| {
        let mut stream = TcpStream::connect(to)?;
        stream.write_all(b"GET / HTTP/1.1\r\nhost: cart\r\n\r\n")?;
        let (mut answer, mut read) = ([0; 4096], 0);
        while !answer[..read].ends_with(b"xxxx") {
            let more = stream.read(&mut answer[read..])?;
            if more == 0 {
                return Err(io::Error::other("the connection was closed"));
            }
            read += more;
        }
        Ok(stream)
    };
    (0..number).map(one).collect()
}

/// The value below which this share of all lies.
pub(crate) fn percentile(latencies: &mut [u32], share: f64) -> f64 {
    latencies.sort_unstable();
    let at = ((latencies.len() as f64 * share).ceil() as usize).clamp(1, latencies.len());
    f64::from(latencies[at - 1])
}
