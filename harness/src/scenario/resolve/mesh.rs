//! How the proxy stands to the services.

use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::MeshMode;
use crate::scenario::written::{Mesh, Mode, Placed};

/// Resolves `mesh`.
pub(super) fn resolve(written: Option<&Mesh>, problems: &mut Problems) -> MeshMode {
    let Some(mesh) = written else { return MeshMode::Client };
    if let Some(proxy) = mesh.proxy.as_ref().filter(|proxy| proxy.value != "squall") {
        problems
            .error(code::RESERVED, proxy.place, format!("`proxy: {}` is not obeyed yet", proxy.value))
            .expected("`squall`");
    }
    mesh.mode.as_ref().and_then(|mode| self::mode(mode, problems)).unwrap_or(MeshMode::Client)
}

/// The mode; none, and an error, if it is not obeyed yet.
pub(super) fn mode(written: &Placed<Mode>, problems: &mut Problems) -> Option<MeshMode> {
    let word = match written.value {
        Mode::None => return Some(MeshMode::None),
        Mode::Client => return Some(MeshMode::Client),
        Mode::Server => "server",
        Mode::Both => "both",
        Mode::Gateway => "gateway",
    };
    problems
        .error(code::RESERVED, written.place, format!("mode `{word}` is not obeyed yet"))
        .expected("`none` or `client`");
    None
}

/// The word for a mode.
pub(super) fn word(mode: MeshMode) -> &'static str {
    match mode {
        MeshMode::None => "none",
        MeshMode::Client => "client",
    }
}
