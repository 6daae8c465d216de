//! The same bootstrap under Envoy and under Squall: one file, the same backends, the same requests, one after the other; then
//! everything that was seen is laid side by side.
//!
//! [`case`](fn@case) begins a case, [`hold_all`] runs a table of them. Whatever differs is a failure, unless
//! `docs/differences.md` lists it.

mod bootstrap;
mod case;
mod chance;
mod compare;
mod differences;
mod observe;
mod request;
mod run;
mod script;
mod seen;
mod side;

pub use case::{Case, case};
pub use chance::alike;
pub use differences::listed;
pub use run::hold_all;
pub use side::Side;

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// Envoy's binary, as `tests/envoy/setup` installed it.
///
/// Without it nothing is compared, and one line says so; where it is required, by `CI` or by `SQUALL_ENVOY=required`, it is
/// installed, and a failure to do so is one of the test.
pub fn binary() -> Option<PathBuf> {
    static BINARY: OnceLock<Option<PathBuf>> = OnceLock::new();
    BINARY.get_or_init(find).clone()
}

fn find() -> Option<PathBuf> {
    let setup = crate::repository().join("tests/envoy/setup");
    let required =
        std::env::var_os("CI").is_some() || std::env::var_os("SQUALL_ENVOY").is_some_and(|word| word == "required");
    let installed = crate::repository().join("target/envoy").exists();
    if required || installed {
        let output = Command::new("bash").arg(&setup).output().expect("bash runs");
        if output.status.success() {
            return Some(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
        }
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!required, "Envoy is required here and cannot be had:\n{error}");
    }
    say("SKIPPED: nothing is compared with Envoy, since it is not installed: run tests/envoy/setup");
    None
}

/// A line that is seen though the test passes; `eprintln!` would keep it back.
pub fn say(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).expect("standard error");
}
