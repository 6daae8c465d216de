//! The programs that a run starts for itself; they speak on their standard input and output only.

use super::{Exit, complain};

/// `squall shim`.
pub(super) fn shim() -> Exit {
    ended("shim", crate::shim::run())
}

/// `squall load-worker`.
pub(super) fn load_worker() -> Exit {
    ended("load-worker", crate::load::run())
}

fn ended<E: std::fmt::Display>(program: &str, result: Result<(), E>) -> Exit {
    match result {
        Ok(()) => Exit::Success,
        Err(error) => {
            complain(&format_args!("{program}: {error}"));
            Exit::Error
        }
    }
}
