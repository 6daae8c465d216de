//! Certificates, keys and authorities, from PEM files.

use super::TlsError;
use crate::policy::Certificate;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;

/// Why a file is of no use.
pub(super) fn broken(path: &Path, reason: &impl std::fmt::Display) -> TlsError {
    TlsError::File { path: path.to_owned(), reason: reason.to_string() }
}

/// A chain, the owner's certificate first, and its key.
pub(super) fn pair(
    certificate: &Certificate,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    let chain = certificates(&certificate.chain)?;
    let key = PrivateKeyDer::from_pem_file(&certificate.key).map_err(|error| broken(&certificate.key, &error))?;
    Ok((chain, key))
}

/// The authorities of a file.
pub(super) fn roots(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| broken(path, &error))?;
    }
    Ok(roots)
}

/// Those of the system; what cannot be read is left out, as elsewhere.
pub(super) fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    roots
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(path).map_err(|error| broken(path, &error))?;
    let certificates = read.collect::<Result<Vec<_>, _>>().map_err(|error| broken(path, &error))?;
    if certificates.is_empty() { Err(broken(path, &"no certificate in it")) } else { Ok(certificates) }
}
