//! What `/proc` says of processes.

use std::fs;

/// Start time of a process in clock ticks since boot: with its number it names a process for good. None: it is gone.
pub fn start_time(pid: u32) -> Option<u64> {
    stat_field(pid, 22)?.parse().ok()
}

/// State letter: `R`, `S`, `T` (stopped), `Z` (dead, not waited for).
pub fn state(pid: u32) -> Option<char> {
    stat_field(pid, 3)?.chars().next()
}

/// Processor time of the whole machine since it booted, in ticks: what the hypervisor took away, and all.
pub fn stolen() -> Option<(u64, u64)> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let fields = stat.lines().next()?.split_whitespace().skip(1).filter_map(|field| field.parse::<u64>().ok());
    // Guest time is contained in user time; steal is the eighth.
    let fields: Vec<u64> = fields.take(8).collect();
    Some((*fields.get(7)?, fields.iter().sum()))
}

/// What a process has taken so far, and holds now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Nanoseconds of processor time, of all threads that live.
    pub cpu: u64,
    /// Resident bytes.
    pub memory: u64,
    /// Open descriptors.
    pub descriptors: u64,
    /// Times that a thread gave up the processor or had it taken away.
    pub switches: u64,
    /// Nanoseconds of processor time by name of thread; threads of one name together.
    pub threads: Vec<(String, u64)>,
}

/// What a process has taken so far. None: it is gone.
pub fn usage(pid: u32) -> Option<Usage> {
    let mut usage = Usage::default();
    for task in fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten() {
        let read = |file: &str| fs::read_to_string(task.path().join(file)).unwrap_or_default();
        let schedstat = read("schedstat");
        let Some(cpu) = schedstat.split_whitespace().next().and_then(|nanos| nanos.parse::<u64>().ok()) else {
            continue;
        };
        usage.cpu += cpu;
        let switches = |line: &str| line.split_once("ctxt_switches:")?.1.trim().parse::<u64>().ok();
        usage.switches += read("status").lines().filter_map(switches).sum::<u64>();
        let name = read("comm").trim().to_owned();
        match usage.threads.iter_mut().find(|(known, _)| *known == name) {
            Some((_, all)) => *all += cpu,
            None => usage.threads.push((name, cpu)),
        }
    }
    let pages: u64 = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?.split_whitespace().nth(1)?.parse().ok()?;
    usage.memory = pages * 4096;
    usage.descriptors = fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, |open| open.count() as u64);
    Some(usage)
}

/// Processes whose environment holds `NAME=value`, as number and command line.
pub fn with_environment(name: &str, value: &str) -> Vec<(u32, String)> {
    all().filter(|pid| carries(*pid, name, value)).map(|pid| (pid, command(pid))).collect()
}

/// True if the environment of this process holds `NAME=value`.
pub fn carries(pid: u32, name: &str, value: &str) -> bool {
    variable(pid, name).is_some_and(|found| found == value.as_bytes())
}

/// What a variable is in the environment with which this process was started.
pub fn variable(pid: u32, name: &str) -> Option<Vec<u8>> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let mut pairs = environment.split(|byte| *byte == 0);
    pairs.find_map(|pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=").map(<[u8]>::to_vec))
}

/// Numbers of all processes.
pub fn all() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The command line, its words apart by blanks.
pub fn command(pid: u32) -> String {
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&command).trim_end_matches('\0').replace('\0', " ")
}

/// Processes of the session that this process leads, or led: what programs have started stays in it unless they take care to leave.
pub fn of_session(leader: u32) -> Vec<u32> {
    all().filter(|pid| stat_field(*pid, 6).and_then(|session| session.parse().ok()) == Some(leader)).collect()
}

/// The field of `/proc/PID/stat` by its number in the manual, from 3 on: those before hold the command, which may hold anything.
fn stat_field(pid: u32, number: usize) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after_command = &stat[stat.rfind(')')? + 1..];
    after_command.split_whitespace().nth(number - 3).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_known() {
        let pid = std::process::id();
        assert!(start_time(pid).is_some_and(|start| start > 0));
        assert!(matches!(state(pid), Some('R' | 'S')));
        let usage = usage(pid).expect("it lives");
        assert!(usage.memory > 100_000 && usage.descriptors > 2 && usage.switches > 0, "{usage:?}");
        assert_eq!(usage.threads.iter().map(|(_, cpu)| cpu).sum::<u64>(), usage.cpu);
        assert_eq!(start_time(u32::MAX - 1), None);
    }
}
