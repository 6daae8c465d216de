//! Reads a tree again and again, each time without the node that failed, until all errors are known.

use crate::de::{Context, Reader};
use crate::error::Error;
use crate::{Document, Finding, Node, Severity, Value};
use serde::de::DeserializeOwned;

/// More errors than this are not looked for.
const MOST_ERRORS: usize = 100;

/// A value, and what of it was read but will not be obeyed.
#[derive(Debug, Clone)]
pub struct Read<T> {
    /// The value.
    pub value: T,
    /// A finding for each [`Unsupported`](crate::Unsupported), with its path as the message.
    pub unsupported: Vec<Finding>,
}

impl Document {
    /// Reads the document as a `T`, or finds everything that is wrong with it.
    pub fn read<T: DeserializeOwned>(&self) -> Result<Read<T>, Vec<Finding>> {
        match self.read_most() {
            (Some(read), findings) if findings.is_empty() => Ok(read),
            (_, findings) => Err(findings),
        }
    }

    /// Reads as much of the document as makes a `T`: what is wrong is left out of the value, if there can be one without it.
    pub fn read_most<T: DeserializeOwned>(&self) -> (Option<Read<T>>, Vec<Finding>) {
        let mut context = Context::default();
        let mut findings: Vec<Finding> = Vec::new();
        let mut read = None;
        loop {
            context.unsupported.borrow_mut().clear();
            match T::deserialize(Reader { node: &self.root, key: None, context: &context }) {
                Ok(value) => {
                    let unsupported = context.unsupported.borrow();
                    let unsupported = unsupported
                        .iter()
                        .map(|node| self.finding(node, path(&self.root, node).unwrap_or_default()))
                        .collect();
                    read = Some(Read { value, unsupported });
                    break;
                }
                Err(error) => {
                    let failed = error.node.unwrap_or(&raw const self.root);
                    let node = find(&self.root, failed).unwrap_or(&self.root);
                    let again = !context.pruned.insert(failed);
                    if !error.silent {
                        let Error { message, expected, help, shown, .. } = error;
                        let shown = shown.and_then(|shown| find(&self.root, shown)).unwrap_or(node);
                        findings.push(Finding { expected, help, ..self.finding(shown, message) });
                    }
                    if again || std::ptr::eq(node, &raw const self.root) || findings.len() >= MOST_ERRORS {
                        break;
                    }
                }
            }
        }
        if !findings.is_empty() {
            let noted = context.unsupported.borrow();
            findings.extend(noted.iter().map(|node| {
                let path = path(&self.root, node).unwrap_or_default();
                let key = path.rsplit('.').next().unwrap_or_default();
                self.finding(node, format!("`{key}` is not obeyed yet"))
            }));
        }
        findings.sort_by_key(|finding| finding.place);
        (read, findings)
    }

    fn finding(&self, node: &Node, message: String) -> Finding {
        Finding {
            severity: Severity::Error,
            file: self.file.to_path_buf(),
            place: node.place,
            span_len: node.len,
            message,
            expected: None,
            help: None,
            code: None,
        }
    }
}

/// The node at that address.
fn find(node: &Node, wanted: *const Node) -> Option<&Node> {
    if std::ptr::eq(node, wanted) {
        return Some(node);
    }
    match &node.value {
        Value::List(entries) => entries.iter().find_map(|entry| find(entry, wanted)),
        Value::Map(entries) => {
            entries.iter().find_map(|(key, value)| find(key, wanted).or_else(|| find(value, wanted)))
        }
        _ => None,
    }
}

/// The path of a node: `spec.http[0].retries`.
fn path(node: &Node, wanted: &Node) -> Option<String> {
    if std::ptr::eq(node, wanted) {
        return Some(String::new());
    }
    let below = |step: String, rest: String| {
        let dot = if rest.is_empty() || rest.starts_with('[') { "" } else { "." };
        format!("{step}{dot}{rest}")
    };
    match &node.value {
        Value::List(entries) => entries
            .iter()
            .enumerate()
            .find_map(|(number, entry)| Some(below(format!("[{number}]"), path(entry, wanted)?))),
        Value::Map(entries) => {
            entries.iter().find_map(|(key, value)| Some(below(key.value.scalar()?.to_owned(), path(value, wanted)?)))
        }
        _ => None,
    }
}
