//! What this machine is, and what it can do.

use crate::clock;
use crate::process::proc;
use squall_reports::record::Machine;
use std::net::TcpListener;
use std::time::Duration;

/// What this machine is, as far as it bears on figures.
pub fn describe() -> Machine {
    let cpu_info = read("/proc/cpuinfo");
    let cpu = cpu_info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name));
    Machine {
        cores: cores(),
        cpu: cpu.unwrap_or("unknown").to_owned(),
        kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        memory: memory(),
        ci: ci(),
    }
}

/// Processors that this process may use.
pub fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32)
}

fn memory() -> u64 {
    let info = read("/proc/meminfo");
    let kilobytes =
        info.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse().ok());
    kilobytes.unwrap_or(0_u64) * 1024
}

/// The CI service that this runs in, if it says so.
pub fn ci() -> Option<String> {
    let known = [
        ("GITHUB_ACTIONS", "GitHub Actions"),
        ("GITLAB_CI", "GitLab CI"),
        ("JENKINS_URL", "Jenkins"),
        ("BUILDKITE", "Buildkite"),
        ("CIRCLECI", "CircleCI"),
        ("TF_BUILD", "Azure Pipelines"),
        ("TEAMCITY_VERSION", "TeamCity"),
    ];
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "false");
    let named = known.iter().find(|(variable, _)| set(variable)).map(|(_, name)| (*name).to_owned());
    named.or_else(|| set("CI").then(|| "CI".to_owned()))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// How good something is for our ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grade {
    /// As it should be.
    Good,
    /// Works, with a limit that is worth knowing.
    Limited,
    /// Scenarios cannot run.
    Missing,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub what: &'static str,
    /// How good it is.
    pub grade: Grade,
    /// The figure, and what follows from it.
    pub text: String,
}

/// Raises the number of files that this process, and those it starts, may have open to what the system allows.
pub fn raise_descriptors() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // It was allowed to begin with: `doctor` tells what there is.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

/// Looks at everything a run depends on.
pub fn examine() -> Vec<Finding> {
    vec![processors(), steal(), timers(), ports(), descriptors(), processes(), namespaces(), delay_in_kernel()]
}

fn finding(what: &'static str, grade: Grade, text: impl Into<String>) -> Finding {
    Finding { what, grade, text: text.into() }
}

fn processors() -> Finding {
    match cores() {
        1 => finding("processors", Grade::Limited, "1: load and mesh share it, so many runs will be INVALID"),
        cores => finding("processors", Grade::Good, format!("{cores}")),
    }
}

/// Time that the hypervisor took away, since the machine booted.
fn steal() -> Finding {
    match proc::stolen() {
        Some((stolen, total)) if total > 0 => {
            let share = 100.0 * stolen as f64 / total as f64;
            let grade = if share < 1.0 { Grade::Good } else { Grade::Limited };
            finding("steal", grade, format!("{share:.2} % of processor time since boot"))
        }
        _ => finding("steal", Grade::Limited, "not told by this kernel"),
    }
}

fn timers() -> Finding {
    match clock::bare_timer_lag(1_000, Duration::from_micros(500)) {
        Ok(lag) => {
            let grade = if lag.p99 < Duration::from_millis(1) { Grade::Good } else { Grade::Limited };
            let text = format!("a bare timer loop wakes {:?} late at p50, {:?} at p99", lag.p50, lag.p99);
            finding("timers", grade, text)
        }
        Err(error) => finding("timers", Grade::Missing, format!("timerfd: {error}")),
    }
}

fn ports() -> Finding {
    match TcpListener::bind(("127.0.0.1", 0)) {
        Ok(_) => {
            let range = read("/proc/sys/net/ipv4/ip_local_port_range");
            finding(
                "ports",
                Grade::Good,
                format!("loopback listens; kernel gives {}", range.trim().replace('\t', " to ")),
            )
        }
        Err(error) => finding("ports", Grade::Missing, format!("cannot listen on 127.0.0.1: {error}")),
    }
}

fn descriptors() -> Finding {
    match nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE) {
        Ok((soft, hard)) => {
            let grade = if hard >= 4096 { Grade::Good } else { Grade::Limited };
            let text = format!("{soft} open files, raised to {hard} in a run: about {} connections", hard / 2);
            finding("descriptors", grade, text)
        }
        Err(error) => finding("descriptors", Grade::Limited, format!("unknown: {error}")),
    }
}

fn processes() -> Finding {
    match rustix::process::pidfd_open(rustix::process::getpid(), rustix::process::PidfdFlags::empty()) {
        Ok(_) => finding("processes", Grade::Good, "signalled by handle (pidfd), never by number"),
        Err(error) => finding("processes", Grade::Missing, format!("no pidfd: {error}; Linux 5.3 or later is needed")),
    }
}

/// Bits of the capabilities that make network namespaces and change what is in them.
const CAP_NET_ADMIN: u32 = 12;
const CAP_SYS_ADMIN: u32 = 21;

fn namespaces() -> Finding {
    let has_them = std::path::Path::new("/proc/self/ns/net").exists();
    let text = match effective_capabilities() {
        None => "unknown: the kernel does not tell what we may do",
        Some(_) if !has_them => "none: the kernel has no network namespaces",
        Some(may) if may >> CAP_SYS_ADMIN & 1 == 0 => "none: CAP_SYS_ADMIN is missing",
        Some(may) if may >> CAP_NET_ADMIN & 1 == 0 => "none: CAP_NET_ADMIN is missing",
        Some(_) => "network namespaces can be made",
    };
    finding("namespaces", Grade::Good, format!("{text}; no scenario needs them yet"))
}

fn effective_capabilities() -> Option<u64> {
    let status = read("/proc/self/status");
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

fn delay_in_kernel() -> Finding {
    let modules = format!("/lib/modules/{}/kernel/net/sched/sch_netem.ko", read("/proc/sys/kernel/osrelease").trim());
    let loaded = read("/proc/modules").lines().any(|line| line.starts_with("sch_netem "));
    let there =
        loaded || [".xz", ".zst", ""].iter().any(|end| std::path::Path::new(&format!("{modules}{end}")).exists());
    let text = if there { "there" } else { "not found; latency is injected by the relay" };
    finding("netem", Grade::Good, text)
}
