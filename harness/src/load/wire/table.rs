//! Values that requests differ by: `${name}` stands for that of a column.

use serde::{Deserialize, Serialize};

/// Values by row, each row those of one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Table {
    /// Their names.
    pub columns: Vec<String>,
    /// As many in each row as there are columns.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// A text with the values of a row in the place of the names of their columns.
    pub fn fill(&self, text: &str, row: &[String]) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, behind) = rest.split_at(at);
            filled.push_str(before);
            let name = behind[2..].split_once('}');
            let value = name.and_then(|(name, after)| {
                let column = self.columns.iter().position(|column| column == name)?;
                Some((row.get(column)?, after))
            });
            let (text, after) = value.map_or(("${", &behind[2..]), |(value, after)| (value.as_str(), after));
            filled.push_str(text);
            rest = after;
        }
        filled.push_str(rest);
        filled
    }
}

/// The names in the place of which values are to come.
pub fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split("${").skip(1).filter_map(|behind| behind.split_once('}').map(|(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn values_stand_in_the_place_of_their_names_and_nothing_else_changes() {
        let table = Table { columns: words(&["id", "name"]), rows: Vec::new() };
        let row = words(&["7", "${id}"]);
        for (text, expected) in [
            ("/users/${id}?n=${name}", "/users/7?n=${id}"),
            ("${id}${id}", "77"),
            ("{\"a\": {\"b\": ${id}}}", "{\"a\": {\"b\": 7}}"),
            ("${other} ${ $ {id} ${id", "${other} ${ $ {id} ${id"),
            ("", ""),
        ] {
            assert_eq!(table.fill(text, &row), expected);
        }
        assert_eq!(names("/${id}/${name}/${").collect::<Vec<_>>(), ["id", "name"]);
    }
}
