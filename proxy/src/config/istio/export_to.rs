//! `exportTo`: the namespaces that see an object.

use crate::config::names::is_label;
use crate::config::problems::Problems;
use squall_yaml::Spanned;
use std::collections::HashSet;

/// Namespaces as written: names, `.` for the object's own, `*` for all; of service entries also `~` for none.
pub(super) fn export_to(
    written: &[Spanned<String>],
    namespace: &str,
    may_be_nobody: bool,
    problems: &mut Problems<'_>,
) -> Vec<String> {
    let mut seen = HashSet::new();
    for one in written {
        let name = if one.value == "." { namespace } else { &one.value };
        if !seen.insert(name) {
            problems.error(
                one.place,
                format!("`{}` stands in `exportTo` twice", one.value),
                "`.` is the own namespace",
            );
        }
        let alone = name == "*" || (may_be_nobody && name == "~");
        if alone && written.len() > 1 {
            problems.error(one.place, format!("`{name}` stands alone in `exportTo`"), "take the others out");
        }
        if !alone && !is_label(name) {
            problems.error(one.place, format!("`{name}` is no namespace"), "a name, `.` or `*`");
        }
    }
    written.iter().map(|one| one.value.clone()).collect()
}
