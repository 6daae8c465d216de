//! Requests that differ by the rows of a table: `${name}` in path, fields and body stands for a value.

use super::request::Template;
use super::wire::{Body, FlowPlan, Table};

/// The requests of a flow: one, or one for each row.
#[derive(Debug)]
pub(super) struct Templates(Vec<Template>);

impl Templates {
    /// Of a flow; `seed` makes trace ids differ between runs.
    pub(super) fn new(flow: &FlowPlan, seed: u64) -> Self {
        let own = flow.data.as_ref().filter(|table| !table.rows.is_empty() && flow.journey.is_none());
        let Some(table) = own else {
            return Self(vec![Template::new(flow, seed, 0)]);
        };
        // Without the table: it would be copied for each of its rows.
        let bare = FlowPlan { data: None, ..flow.clone() };
        let mut templates: Vec<Template> = Vec::with_capacity(table.rows.len());
        for (number, row) in table.rows.iter().enumerate() {
            templates.push(match templates.first() {
                Some(first) if !matches!(flow.body, Body::Text(_)) => {
                    let bodiless = FlowPlan { body: Body::Fixed(0), ..filled(&bare, table, row) };
                    Template::new(&bodiless, seed, number).with_body_of(first)
                }
                _ => Template::new(&filled(&bare, table, row), seed, number),
            });
        }
        Self(templates)
    }

    /// That of request number `id`: rows follow each other, and after the last comes the first.
    pub(super) fn of(&self, id: u64) -> &Template {
        &self.0[(id % self.0.len() as u64) as usize]
    }
}

/// A flow whose request has the values of a row.
fn filled(flow: &FlowPlan, table: &Table, row: &[String]) -> FlowPlan {
    let fill = |text: &str| table.fill(text, row);
    let body = match &flow.body {
        Body::Text(text) => Body::Text(fill(text)),
        other => other.clone(),
    };
    FlowPlan {
        path: fill(&flow.path),
        headers: flow.headers.iter().map(|(name, value)| (name.clone(), fill(value))).collect(),
        body,
        ..flow.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn rows_follow_each_other_and_after_the_last_comes_the_first() {
        let table = Table { columns: words(&["id"]), rows: vec![words(&["a"]), words(&["b"]), words(&["c"])] };
        let flow =
            FlowPlan { path: "/${id}".to_owned(), data: Some(table), ..FlowPlan::new("load", Vec::new(), "cart") };
        let templates = Templates::new(&flow, 1);
        let paths: Vec<&str> = (0..5).map(|id| templates.of(id).head.target()).collect();
        assert_eq!(paths, ["/a", "/b", "/c", "/a", "/b"]);
    }

    #[test]
    fn requests_of_all_rows_share_one_body_and_one_draw_of_its_size() {
        let table = Table { columns: words(&["id"]), rows: (0..1_000).map(|row| vec![row.to_string()]).collect() };
        let flow = |body| FlowPlan { body, data: Some(table.clone()), ..FlowPlan::new("load", Vec::new(), "cart") };
        let fixed = Templates::new(&flow(Body::Fixed(1 << 20)), 1);
        let held = |id: u64| fixed.of(id).body().as_ptr();
        assert!((1..1_000).all(|id| held(id) == held(0)), "a body for each row would be a gigabyte");
        let drawn = Templates::new(&flow(Body::Uniform { min: 1, max: 100_000 }), 1);
        let mut sizes: Vec<usize> = (0..100).map(|id| drawn.of(id).body().len()).collect();
        sizes.sort_unstable();
        sizes.dedup();
        assert!(sizes.len() > 90, "rows do not draw the same: {sizes:?}");
    }
}
