//! Who sees an object of another namespace.

/// How far an object is seen from one namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::config) enum Seen {
    /// By its own namespace alone, which is the one that looks.
    Private,
    /// By name of the namespace that looks.
    Exported,
    /// By all.
    Public,
}

/// How an object with this `exportTo` is seen from a namespace; none if it is not. Nothing written is seen by all.
pub(in crate::config) fn seen(export_to: &[String], owner: &str, from: &str) -> Option<Seen> {
    let names = |name: &str| export_to.iter().any(|export| export == name);
    if export_to.is_empty() || names("*") {
        Some(Seen::Public)
    } else if owner == from && (names(".") || names(owner)) {
        Some(Seen::Private)
    } else {
        names(from).then_some(Seen::Exported)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_seen_by_all_by_those_named_or_by_its_own_namespace() {
        for (export_to, owner, from, expected) in [
            (&[][..], "a", "b", Some(Seen::Public)),
            (&["*"][..], "a", "b", Some(Seen::Public)),
            (&["."][..], "a", "a", Some(Seen::Private)),
            (&["a"][..], "a", "a", Some(Seen::Private)),
            (&["."][..], "a", "b", None),
            (&["b"][..], "a", "b", Some(Seen::Exported)),
            (&["b"][..], "a", "a", None),
            (&["~"][..], "a", "a", None),
            (&[".", "*"][..], "a", "b", Some(Seen::Public)),
        ] {
            let export_to: Vec<_> = export_to.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(seen(&export_to, owner, from), expected, "{export_to:?} of {owner} from {from}");
        }
    }
}
