//! A setting, its value, and whose word that is.

use super::told::place;
use crate::config::mesh::IstioVersion;
use crate::policy::{Healing, Origin};
use serde::Serialize;

/// A setting, its value, and whose word that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Setting {
    /// What is set.
    pub name: &'static str,
    /// To what, with its unit.
    pub value: String,
    /// `file:line:column` of the field, whose default it is, or what else has set it.
    pub from: String,
}

/// Whose defaults hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// Istio's, of a version.
    Istio(IstioVersion),
    /// Envoy's.
    Envoy,
}

/// The paths of a field: within a rule or traffic policy of Istio, a rule of the Gateway API, and a route or cluster of Envoy. Empty: it
/// has no word for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) istio: &'static str,
    pub(super) gateway_api: &'static str,
    pub(super) envoy: &'static str,
}

/// A field that Istio and Envoy have.
pub(super) const fn field(istio: &'static str, envoy: &'static str) -> Field {
    Field { istio, gateway_api: "", envoy }
}

/// How something was written: with which fields, and where they stand.
#[derive(Debug, Clone)]
pub(super) struct Words<'a> {
    owner: Owner,
    is_api: bool,
    origin: &'a Origin,
    /// Paths of the places that may hold a block of a cluster's policy; of a route none.
    bases: Option<Vec<String>>,
    taken_out: Option<Healing>,
}

/// A setting before it is known whose word it is.
pub(super) type Value = (&'static str, Field, String);

impl<'a> Words<'a> {
    pub(super) fn of_route(owner: Owner, is_api: bool, origin: &'a Origin) -> Self {
        Self { owner, is_api, origin, bases: None, taken_out: None }
    }

    pub(super) fn of_cluster(owner: Owner, origin: &'a Origin, bases: Vec<String>) -> Self {
        Self { owner, is_api: false, origin, bases: Some(bases), taken_out: None }
    }

    /// The same for settings of a healing, if that was taken out.
    pub(super) fn without(&self, healing: Healing, taken_out: bool) -> Self {
        Self { taken_out: taken_out.then_some(healing), ..self.clone() }
    }

    /// A setting that is some field's word, or else a default. `default` is what the owner has where nothing is written; a value that is
    /// neither written nor the default is that of whatever stands around.
    pub(super) fn setting(&self, name: &'static str, at: Field, value: String, default: &str) -> Setting {
        let from = match (self.taken_out, self.written(at)) {
            (Some(healing), _) => format!("--disarm {healing}"),
            (None, Some(place)) => place,
            (None, None) if value == default => self.default(),
            (None, None) => self.around(),
        };
        Setting { name, value, from }
    }

    /// Several, with the owner's defaults for each of them.
    pub(super) fn settings(&self, values: Vec<Value>, defaults: Vec<Value>) -> Vec<Setting> {
        let each = values.into_iter().zip(defaults);
        each.map(|((name, at, value), (_, _, default))| self.setting(name, at, value, &default)).collect()
    }

    /// A setting whose default hangs on other settings, so that it is never inherited.
    pub(super) fn plain(&self, name: &'static str, at: Field, value: String) -> Setting {
        let default = value.clone();
        self.setting(name, at, value, &default)
    }

    /// True if the field was written.
    pub(super) fn has(&self, at: Field) -> bool {
        self.written(at).is_some()
    }

    /// Where a field was written: in the first place that has its block.
    fn written(&self, at: Field) -> Option<String> {
        let path = match self.owner {
            Owner::Envoy => at.envoy,
            Owner::Istio(_) if self.is_api => at.gateway_api,
            Owner::Istio(_) => at.istio,
        };
        if path.is_empty() {
            return None;
        }
        let block = path.split('.').next().unwrap_or(path);
        let below =
            |base: &str, inner: &str| if base.is_empty() { inner.to_owned() } else { format!("{base}.{inner}") };
        let own = [String::new()];
        let bases = self.bases.as_deref().unwrap_or(&own);
        let base = bases.iter().find(|base| self.origin.fields.has(&below(base, block)))?;
        let whole = below(base, path);
        if !self.origin.fields.has(&whole) {
            return None;
        }
        let spot = self.origin.fields.nearest(&whole)?;
        Some(format!("{}:{}:{}", self.origin.file.display(), spot.line, spot.column))
    }

    fn default(&self) -> String {
        match self.owner {
            Owner::Istio(version) => format!("default of Istio {version}"),
            Owner::Envoy => "default of Envoy".to_owned(),
        }
    }

    fn around(&self) -> String {
        let what = match (self.owner, &self.bases) {
            (Owner::Envoy, None) => "what stands around",
            (Owner::Envoy, Some(_)) => "another field of",
            (Owner::Istio(_), None) => "the rule that delegates to",
            // Nothing but its own fields and the release says anything of a cluster.
            (Owner::Istio(_), Some(_)) => return self.default(),
        };
        format!("{what} {}", place(self.origin))
    }
}
