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

/// Nanoseconds of processor time of all its threads, and its resident bytes.
pub fn usage(pid: u32) -> Option<(u64, u64)> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let of_task = |task: fs::DirEntry| -> Option<u64> {
        fs::read_to_string(task.path().join("schedstat")).ok()?.split_whitespace().next()?.parse().ok()
    };
    let cpu = tasks.flatten().filter_map(of_task).sum();
    let pages: u64 = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?.split_whitespace().nth(1)?.parse().ok()?;
    Some((cpu, pages * 4096))
}

/// Processes whose environment holds `NAME=value`, as number and command line.
pub fn with_environment(name: &str, value: &str) -> Vec<(u32, String)> {
    let wanted = format!("{name}={value}");
    let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let marked = numbers.filter(|pid| {
        fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|environment| environment.split(|byte| *byte == 0).any(|pair| pair == wanted.as_bytes()))
    });
    marked
        .map(|pid| {
            let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            (pid, String::from_utf8_lossy(&command).trim_end_matches('\0').replace('\0', " "))
        })
        .collect()
}

/// Processes of the session that this process leads, or led: what programs have started stays in it unless they take care to leave.
pub fn of_session(leader: u32) -> Vec<u32> {
    let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    numbers.filter(|pid| stat_field(*pid, 6).and_then(|session| session.parse().ok()) == Some(leader)).collect()
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
        assert!(usage(pid).is_some_and(|(_, memory)| memory > 100_000));
        assert_eq!(start_time(u32::MAX - 1), None);
    }
}
