//! TLS of a flow.

use crate::load::wire::{Tls, Trust};
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::written::{self, Placed};
use std::path::{Path, PathBuf};

pub(super) fn resolve(written: &written::Flow, host: &str, folder: &Path, problems: &mut Problems) -> Option<Tls> {
    let tls = written.tls.as_ref()?;
    let mut file = |path: &Placed<String>| {
        let path_there = folder.join(&path.value);
        if !path_there.is_file() {
            problems.error(code::FILE, path.place, format!("there is no file {}", path_there.display()));
        }
        std::path::absolute(&path_there).unwrap_or(path_there)
    };
    let trust = match (&tls.ca, tls.insecure) {
        (Some(ca), false) => Trust::File(file(ca)),
        (None, false) => Trust::System,
        (_, true) => Trust::Anybody,
    };
    let identity: Option<(PathBuf, PathBuf)> =
        tls.cert.as_ref().zip(tls.key.as_ref()).map(|(cert, key)| (file(cert), file(key)));
    if let (Some(ca), true) = (&tls.ca, tls.insecure) {
        problems.error(code::SHAPE, ca.place, "both `ca` and `insecure`: who trusts anybody asks no authority");
    }
    if let (Some(one), None) | (None, Some(one)) = (&tls.cert, &tls.key) {
        problems.error(code::SHAPE, one.place, "`cert` and `key` go together");
    }
    let server_name = tls.server_name.clone().unwrap_or_else(|| host.to_owned());
    Some(Tls { server_name, trust, identity })
}
