//! Codes of findings about scenarios, so that they can be searched for and never change their meaning.

/// A key or value of the language that is not obeyed yet.
pub(super) const RESERVED: &str = "SQ1001";
/// A name that nothing has.
pub(super) const UNKNOWN_NAME: &str = "SQ1002";
/// Parts that do not go together, are missing, or stand there twice.
pub(super) const SHAPE: &str = "SQ1003";
/// A value outside its range.
pub(super) const RANGE: &str = "SQ1004";
/// Something that does not fit into its phase or the timeline.
pub(super) const TIME: &str = "SQ1005";
/// An expectation that can never be decided with the requests planned.
pub(super) const UNDECIDABLE: &str = "SQ1006";
/// Faults that undo one another.
pub(super) const CONTRADICTION: &str = "SQ1007";
/// More instances are hit at once than the scenario allows.
pub(super) const BLAST_RADIUS: &str = "SQ1008";
/// A variable of the environment that is not there.
pub(super) const ENVIRONMENT: &str = "SQ1009";
/// A control that takes nothing out, or can miss nothing.
pub(super) const CONTROL: &str = "SQ1010";
/// A limit in the wrong unit.
pub(super) const UNIT: &str = "SQ1011";
/// The client gives up before the proxy does, and would hide the proxy's answer.
pub(super) const TIME_OUT: &str = "SQ1012";
/// A file that cannot be read or found.
pub(super) const FILE: &str = "SQ1013";
/// A target outside of this machine that nobody has allowed.
pub(super) const NOT_ALLOWED: &str = "SQ1014";
/// Something that the platform does not give.
pub(super) const PLATFORM: &str = "SQ1015";
/// Fixed connections that a fault can hold all at once.
pub(super) const STARVING: &str = "SQ1101";
/// A fault or an expected healing without a control.
pub(super) const NO_CONTROL: &str = "SQ1102";
/// Advice that is accepted, and not given.
pub(super) const NOTHING_ACCEPTED: &str = "SQ1104";
/// A policy that concerns no service of the topology.
pub(super) const UNUSED_POLICY: &str = "SQ1103";
