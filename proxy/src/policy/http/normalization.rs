//! What is done to paths, authorities and names of fields before anything is matched.

use serde::Serialize;

/// What is done to a path before it is matched; what is matched is what is sent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PathRules {
    /// Resolve `.` and `..`, decode what needs no escape; true in Istio.
    pub normalize: bool,
    /// `//` becomes `/`.
    pub merge_slashes: bool,
    /// `%2F` and `%5C`.
    pub escaped_slashes: EscapedSlashes,
    /// Fields whose names have underscores.
    pub underscores: Underscores,
}

/// What becomes of escaped slashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EscapedSlashes {
    /// They stay.
    #[default]
    Keep,
    /// 400.
    Reject,
    /// Decoded, and the client is sent there.
    Redirect,
    /// Decoded.
    Forward,
}

/// What becomes of fields whose names have underscores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Underscores {
    /// They stay.
    #[default]
    Allow,
    /// They are dropped.
    Drop,
    /// 400.
    Reject,
}

/// What is done to the authority before it is matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AuthorityRules {
    /// Which port is taken away.
    pub strip_port: StripPort,
    /// A dot at the end is taken away.
    pub strip_trailing_dot: bool,
}

/// Which port of an authority is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StripPort {
    /// None.
    #[default]
    Never,
    /// The listener's own.
    Matching,
    /// Any.
    Any,
}
