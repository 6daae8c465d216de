//! Reading a file that may be anything: never waiting for it, never more of it than is of use.

use crate::Source;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Longest file that is read, bytes; also the longest text that is parsed.
pub(crate) const MOST_BYTES: usize = 8 << 20;

/// What a plain file of a sensible size holds. Pipes, devices and folders are errors at once.
pub fn read_plain(path: &Path) -> io::Result<Vec<u8>> {
    // Opening a pipe would wait for its other end.
    let mut file = OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path)?;
    let kind = file.metadata()?.file_type();
    if !kind.is_file() {
        let what = if kind.is_dir() { "a folder" } else { "a pipe, a socket or a device" };
        return Err(io::Error::other(format!("it is {what}, not a plain file")));
    }
    let mut bytes = Vec::new();
    // Its size is what it was a moment ago; what is read is what counts.
    if (&mut file).take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes)? > MOST_BYTES {
        return Err(io::Error::other(format!("it is longer than {MOST_BYTES} bytes")));
    }
    Ok(bytes)
}

impl Source {
    /// The text of a plain file in UTF-8.
    pub fn read(path: &Path) -> io::Result<Self> {
        let text = String::from_utf8(read_plain(path)?).map_err(|error| {
            let before = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
            let line = before.split(|byte| *byte == b'\n').count();
            let hint = match error.as_bytes() {
                [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => " (it looks like UTF-16)",
                _ => "",
            };
            io::Error::other(format!("it is not UTF-8 from line {line} on{hint}"))
        })?;
        Ok(Self { path: path.to_owned(), text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(path: &Path) -> Result<String, String> {
        Source::read(path).map(|source| source.text).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_no_plain_file_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe.yaml");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let loops = folder.path().join("loop.yaml");
        std::os::unix::fs::symlink(&loops, &loops).unwrap();
        for (path, why) in [
            (pipe.as_path(), "a pipe"),
            (Path::new("/dev/zero"), "a device"),
            (folder.path(), "a folder"),
            (loops.as_path(), "symbolic links"),
            (Path::new("/proc/self/mem"), "os error"),
            (Path::new("/nowhere"), "No such file"),
        ] {
            let error = said(path).unwrap_err();
            assert!(error.contains(why), "{}: {error}", path.display());
        }
    }

    #[test]
    fn what_is_too_long_or_not_utf_8_is_refused_with_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.yaml");
        let said = |bytes: &[u8]| {
            std::fs::write(&file, bytes).unwrap();
            said(&file)
        };
        assert_eq!(said("\u{feff}a: 1\r\n".as_bytes()), Ok("\u{feff}a: 1\r\n".to_owned()));
        assert_eq!(said(b"a: 1\nb: \xff\n"), Err("it is not UTF-8 from line 2 on".to_owned()));
        assert_eq!(said(b"\xff\xfea\0"), Err("it is not UTF-8 from line 1 on (it looks like UTF-16)".to_owned()));
        assert_eq!(said(&vec![b'#'; MOST_BYTES]).map(|text| text.len()), Ok(MOST_BYTES));
        assert_eq!(said(&vec![b'#'; MOST_BYTES + 1]), Err("it is longer than 8388608 bytes".to_owned()));
    }
}
