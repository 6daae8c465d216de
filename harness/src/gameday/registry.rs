//! What is broken by hand on this machine just now: a note in the folder of each game day, found by the list of runs.

use crate::process::proc;
use crate::recover::{self, Living};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Its name.
const FILE: &str = "fault.json";
/// How long those that were told to end may take, and how often it is looked.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);

/// What one game day breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Note {
    /// For people: `latency 200ms`.
    pub what: String,
    /// Where whoever is to meet it connects; no two have the same, so it names the game day.
    pub listen: SocketAddr,
    /// Whom it is in front of, where that is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<SocketAddr>,
    /// From when on.
    pub since: Timestamp,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
}

impl Note {
    /// Puts it where it is found, whole or not at all.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let fresh = folder.join(".fault.json");
        fs::write(&fresh, serde_json::to_vec(self)?)?;
        fs::rename(fresh, folder.join(FILE))
    }

    fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(folder.join(FILE)).ok()?).ok()
    }
}

/// A game day that goes on.
#[derive(Debug)]
pub struct Broken {
    /// What it breaks.
    pub note: Note,
    run: Living,
}

/// All of this machine's that are this user's, the oldest first.
pub fn list() -> Result<Vec<Broken>, recover::Error> {
    let of = |run: Living| Some(Broken { note: Note::read(run.folder())?, run });
    let mut all: Vec<Broken> = recover::living()?.into_iter().filter_map(of).collect();
    all.sort_by_key(|broken| broken.note.since);
    Ok(all)
}

/// Ends these, and returns once they have undone what they did; those that have not comes back.
pub fn clear(broken: Vec<Broken>) -> io::Result<Vec<Broken>> {
    broken.iter().try_for_each(|broken| broken.run.tell_to_end())?;
    let begin = crate::clock::now();
    let mut left = broken;
    loop {
        left.retain(|broken| broken.run.is_alive());
        if left.is_empty() || crate::clock::now().since(begin) > PATIENCE {
            return Ok(left);
        }
        std::thread::sleep(PAUSE);
    }
}

/// A folder for this process's game day, readable by its owner only.
pub(super) fn folder() -> io::Result<PathBuf> {
    let all = all();
    fs::create_dir_all(&all)?;
    let pid = std::process::id();
    let folder = all.canonicalize()?.join(format!("{pid}-{}", proc::start_time(pid).unwrap_or(0)));
    fs::DirBuilder::new().mode(0o700).create(&folder)?;
    Ok(folder)
}

/// Removes the folders of those that are dead and undone.
pub fn sweep() -> io::Result<()> {
    let listed = recover::listed().map_err(io::Error::other)?;
    let folders = match fs::read_dir(all()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        folders => folders?,
    };
    for folder in folders.flatten().map(|entry| entry.path()) {
        let canonical = folder.canonicalize().unwrap_or_else(|_| folder.clone());
        if !listed.contains(&canonical) && !is_of_somebody(&folder) {
            // Somebody else may be sweeping as well.
            let _ = fs::remove_dir_all(folder);
        }
    }
    Ok(())
}

/// The process for which it was made lives; it may be about to enter itself into the list.
fn is_of_somebody(folder: &Path) -> bool {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let named = name.split_once('-').and_then(|(pid, start)| Some((pid.parse().ok()?, start.parse::<u64>().ok()?)));
    named.is_some_and(|(pid, start)| proc::start_time(pid) == Some(start))
}

fn all() -> PathBuf {
    recover::state_folder().join("faults")
}
