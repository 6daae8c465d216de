//! Where proxies stand.

use super::topology::is_place;
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{MeshMode, Place};
use crate::scenario::written::{Mesh, Mode, Placed};
use squall_proxy::policy::Beyond;

/// Resolves `mesh`: the mode, and where it stands if it is written.
pub(super) fn resolve(written: Option<&Mesh>, problems: &mut Problems) -> (MeshMode, Option<Place>) {
    let Some(mesh) = written else { return (MeshMode::Client, None) };
    if let Some(proxy) = mesh.proxy.as_ref().filter(|proxy| proxy.value != "squall") {
        problems
            .error(code::RESERVED, proxy.place, format!("`proxy: {}` is not obeyed yet", proxy.value))
            .expected("`squall`");
    }
    mesh.mode.as_ref().map_or((MeshMode::Client, None), |mode| (self::mode(mode), Some(mode.place)))
}

/// Zone of the proxy that clients ask.
pub(super) fn zone(written: Option<&Mesh>, problems: &mut Problems) -> Option<String> {
    let zone = written?.zone.as_ref()?;
    if !is_place(zone) {
        problems.error(code::RANGE, zone.place, "a zone without a name").expected("`mesh: {zone: a}`");
    }
    Some(zone.value.clone())
}

/// What the proxies do better than Envoy.
pub(super) fn beyond_envoy(written: Option<&Mesh>, problems: &mut Problems) -> Beyond {
    let words = written.into_iter().flat_map(|mesh| &mesh.beyond_envoy);
    let read = words.filter_map(|word| {
        let known = word.value.parse();
        if known.is_err() {
            problems
                .error(code::UNKNOWN_NAME, word.place, format!("`{}` is nothing that goes beyond Envoy", word.value))
                .names(&word.value, Beyond::WORDS);
        }
        known.ok()
    });
    read.collect()
}

/// The mode that a word stands for.
pub(super) fn mode(written: &Placed<Mode>) -> MeshMode {
    match written.value {
        Mode::None => MeshMode::None,
        Mode::Client => MeshMode::Client,
        Mode::Server => MeshMode::Server,
        Mode::Both => MeshMode::Both,
        Mode::Gateway => MeshMode::Gateway,
    }
}
