//! Messages that say their type themselves, by `@type`.

use super::message::Message;
use super::reading::Said;
use super::schema::{ALL, Schema};
use super::written::Written;
use squall_yaml::suggest;

/// What may stand at a place for extensions.
pub(super) struct Extensions {
    /// Messages that are obeyed there.
    pub(super) known: &'static [&'static Schema],
    /// The package of all of this kind: `envoy.extensions.filters.http.`.
    pub(super) package: &'static str,
    /// Those of them that Envoy knows beside, by the next part of the package.
    pub(super) others: &'static str,
}

impl Extensions {
    fn knows_beside(&self, name: &str) -> bool {
        let rest = if self.package.is_empty() { None } else { name.strip_prefix(self.package) };
        let part = rest.and_then(|rest| rest.split('.').next());
        part.is_some_and(|part| self.others.split_whitespace().any(|other| other == part))
    }
}

impl<'a> Written<'a> {
    /// Opens a message by its `@type`; tells if it is none of those that are obeyed here.
    pub(super) fn any(&self, extensions: &Extensions) -> Option<Message<'a>> {
        // As a message without fields would be opened, to tell if this is no map.
        let Some(url) = self.node.get("@type") else {
            let names: Vec<_> = extensions.known.iter().map(|schema| schema.message).collect();
            let such = names.first().copied().unwrap_or_default();
            let said = Said::from("`@type` is missing").expected(format!("`type.googleapis.com/{such}` or the like"));
            self.error(said);
            return None;
        };
        let url = self.below(url, "@type");
        let written = url.text()?;
        let name = written.rsplit_once('/').map_or("", |(_, name)| name);
        if let Some(schema) = extensions.known.iter().find(|schema| schema.message == name) {
            return Some(Message::open(self.clone(), schema, true));
        }
        let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
        if extensions.knows_beside(name) {
            self.refuse_part(&last(name));
            return None;
        }
        let named: Vec<&'static str> = extensions.known.iter().map(|schema| schema.message).collect();
        let same = |schema: &&&Schema| schema.short_name() == last(name);
        let said = if is_v2(name) {
            let said = Said::from(format!("`{name}` is of Envoy's v2 API, which Envoy has ceased to read"));
            match extensions.known.iter().find(same).or_else(|| ALL.iter().find(same)) {
                Some(schema) => said.help(format!("write `type.googleapis.com/{}`", schema.message)),
                None => said.help("write the type of the v3 API"),
            }
        } else if name.ends_with("TypedStruct") {
            Said::from("a `TypedStruct` is not read").help("write the `@type` of the message itself, and its fields")
        } else if name.is_empty() {
            Said::from(format!("`{written}` is no type")).expected("`type.googleapis.com/` and the name of a message")
        } else if ALL.iter().any(|schema| schema.message == name) {
            let expected = super::written::among(&named);
            Said::from(format!("a message of type `{name}` has no place here")).expected(expected)
        } else {
            let said = Said::from(format!("there is no type `{name}`"));
            let near = suggest(name, &named);
            Said { help: near.map(|near| format!("did you mean `type.googleapis.com/{near}`?")), ..said }
        };
        url.error(said);
        None
    }
}

fn is_v2(name: &str) -> bool {
    name.split('.').any(|part| part == "v2" || part.starts_with("v2alpha"))
}
