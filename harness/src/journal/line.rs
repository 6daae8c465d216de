//! A line of the journal: `VERSION SEQUENCE LENGTH CHECKSUM ENTRY`, the last a JSON object.
//!
//! The checksum (`XXH64`) is of everything else in the line. Whatever a later version puts into an entry, its lines begin like this, so that every
//! version can tell a line of another one from a damaged line.

use super::Entry;
use std::io;
use twox_hash::XxHash64;

/// The version that is written, and the latest that is read.
pub(super) const VERSION: u32 = 1;

/// What stands at the beginning of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A line that is as it was written.
    Sound {
        sequence: u64,
        /// None: it says nothing that this version understands.
        entry: Option<Entry>,
        /// Bytes of it.
        length: usize,
        /// It ends as a line does, or with the file.
        ended: bool,
    },
    /// A line that a later version has written.
    Newer(u32),
    /// Something else, as far as the next line.
    Damaged { length: usize },
    /// The end of a file whose last write did not come to its end.
    Torn,
}

/// Writes a line.
pub(super) fn write(sequence: u64, entry: &Entry) -> io::Result<String> {
    let text = serde_json::to_string(entry)?;
    let sum = checksum(VERSION, sequence, text.as_bytes());
    Ok(format!("{VERSION} {sequence} {} {sum:016x} {text}\n", text.len()))
}

/// Reads the line at the beginning of `bytes`, which are not empty.
pub(super) fn read(bytes: &[u8]) -> Step {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let Some(head) = Head::read(bytes) else {
        return end.map_or(Step::Torn, |end| Step::Damaged { length: end + 1 });
    };
    if head.version != VERSION {
        return Step::Newer(head.version);
    }
    // The length says where the line ends, whatever has become of the line break.
    let length = head.begin + head.text.len();
    Step::Sound {
        sequence: head.sequence,
        entry: serde_json::from_slice(head.text).ok(),
        length: (length + 1).min(bytes.len()),
        ended: bytes.get(length).is_none_or(|byte| *byte == b'\n'),
    }
}

/// A line whose checksum is right.
struct Head<'a> {
    version: u32,
    sequence: u64,
    text: &'a [u8],
    /// Where the text begins.
    begin: usize,
}

impl<'a> Head<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut begin = 0;
        let mut field = || {
            let rest = bytes.get(begin..)?;
            let end = rest.iter().position(|byte| *byte == b' ')?;
            begin += end + 1;
            std::str::from_utf8(&rest[..end]).ok()
        };
        let version: u32 = number(field()?)?;
        let sequence: u64 = number(field()?)?;
        let length: usize = number(field()?)?;
        let sum = field()?;
        let text = bytes.get(begin..begin.checked_add(length)?)?;
        let sound = version >= VERSION && sum == format!("{:016x}", checksum(version, sequence, text));
        sound.then_some(Self { version, sequence, text, begin })
    }
}

/// A number as it is written: one spelling each, since the checksum is of the number.
fn number<T: std::str::FromStr + ToString>(text: &str) -> Option<T> {
    text.parse().ok().filter(|number: &T| number.to_string() == text)
}

fn checksum(version: u32, sequence: u64, text: &[u8]) -> u64 {
    let mut all = format!("{version} {sequence} {} ", text.len()).into_bytes();
    all.extend(text);
    XxHash64::oneshot(0, &all)
}

/// A line as the version after this one may write it.
#[cfg(test)]
pub(super) fn newer(sequence: u64) -> String {
    let (version, text) = (VERSION + 1, "{\"entry\":\"unheard-of\"}");
    let sum = checksum(version, sequence, text.as_bytes());
    format!("{version} {sequence} {} {sum:016x} {text}\n", text.len())
}
