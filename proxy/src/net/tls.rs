//! TLS on either side, by files that are read when a configuration is.

mod client;
mod files;
mod names;
mod selection;
mod server;
mod signed;

pub(crate) use client::{ClientTls, server_name};
pub(crate) use rustls::pki_types::ServerName;
pub(crate) use server::ServerTls;

use crate::policy::TlsVersions;
use std::path::PathBuf;

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// A file cannot be read, or does not hold what it should.
    #[error("{path}: {reason}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// What the files hold does not go together.
    #[error("{0}")]
    Setup(#[from] rustls::Error),
}

fn versions(policy: TlsVersions) -> Vec<&'static rustls::SupportedProtocolVersion> {
    let mut versions = Vec::new();
    versions.extend(policy.v1_3.then_some(&rustls::version::TLS13));
    versions.extend(policy.v1_2.then_some(&rustls::version::TLS12));
    versions
}
