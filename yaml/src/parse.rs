//! From text to trees.

use crate::plain_file::MOST_BYTES;
use crate::{Document, Finding, Node, Place, Severity, Source, Value};
use granit_parser::{Event, Parser, ScalarStyle, Span};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

/// Deepest nesting.
const MOST_DEPTH: usize = 128;
/// Most nodes of a file, aliases expanded.
const MOST_NODES: usize = 300_000;

/// All documents of a text; empty ones are left out.
pub fn parse(source: &Source) -> Result<Vec<Document>, Vec<Finding>> {
    let fail = |place, message: String| {
        vec![Finding {
            severity: Severity::Error,
            file: source.path.clone(),
            place,
            span_len: 0,
            message,
            expected: None,
            help: None,
            code: None,
        }]
    };
    let trees = trees(&source.text).map_err(|(place, message)| fail(place, message))?;
    let full = trees.into_iter().filter(|root| !matches!(root.value, Value::Null));
    let file: Arc<Path> = source.path.as_path().into();
    Ok(full.map(|root| Document { file: Arc::clone(&file), root }).collect())
}

/// A single value, such as one given on a command line.
pub fn parse_value(text: &str) -> Result<Value, String> {
    let mut trees = trees(text).map_err(|(_, message)| message)?;
    match (trees.pop(), trees.is_empty()) {
        (Some(root), true) => Ok(root.value),
        (None, _) => Ok(Value::Null),
        (Some(_), false) => Err("more than one document".to_owned()),
    }
}

type Fault = (Place, String);

fn trees(text: &str) -> Result<Vec<Node>, Fault> {
    if text.len() > MOST_BYTES {
        return Err((Place::default(), format!("the file is larger than {MOST_BYTES} bytes")));
    }
    let mut builder = Builder { anchors: HashMap::new(), open: Vec::new(), roots: Vec::new(), nodes: 0 };
    for event in Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        let (event, span) = event.map_err(|error| {
            let marker = error.marker();
            let place = Place { line: marker.line(), column: marker.col() + 1 };
            // The parser has a limit of its own, beyond ours.
            let too_deep = error.info().contains("recursion limit");
            (place, if too_deep { format!("nested deeper than {MOST_DEPTH}") } else { error.info() })
        })?;
        builder.event(event, &span)?;
    }
    Ok(builder.roots)
}

/// A collection that is not closed yet.
struct Open {
    place: Place,
    anchor: usize,
    kind: Kind,
}

enum Kind {
    List(Vec<Node>),
    /// Its entries, the key that waits for its value, and all keys.
    Map(Vec<(Node, Node)>, Option<Node>, HashSet<String>),
}

struct Builder {
    anchors: HashMap<usize, (Node, usize)>,
    open: Vec<Open>,
    roots: Vec<Node>,
    nodes: usize,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, span: &Span) -> Result<(), Fault> {
        let place = Place { line: span.start.line(), column: span.start.col() + 1 };
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = match (style, tag) {
                    (_, Some(_)) => return Err((place, "tags are not read".to_owned())),
                    (ScalarStyle::Plain, None) => Value::plain(&text),
                    (_, None) => Value::Text(text.into_owned()),
                };
                let one_line = span.start.line() == span.end.line();
                let len = if one_line { span.end.col().saturating_sub(span.start.col()) } else { 1 };
                self.add(Node { place, len, value }, anchor, 1)
            }
            Event::SequenceStart(_, anchor, _) => self.enter(place, anchor, Kind::List(Vec::new())),
            Event::MappingStart(_, anchor, _) => self.enter(place, anchor, Kind::Map(Vec::new(), None, HashSet::new())),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let value = match open.kind {
                    Kind::List(entries) => Value::List(entries),
                    Kind::Map(entries, ..) => Value::Map(entries),
                };
                self.add(Node { place: open.place, len: 1, value }, open.anchor, 1)
            }
            Event::Alias(anchor) => {
                let Some((node, size)) = self.anchors.get(&anchor).cloned() else {
                    return Err((place, "an alias within its own anchor".to_owned()));
                };
                // What it repeats is said of it where it stands.
                let len = span.end.col().saturating_sub(span.start.col());
                self.add(Node { place, len, ..node }, 0, size)
            }
            Event::DocumentEnd => {
                self.anchors.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn enter(&mut self, place: Place, anchor: usize, kind: Kind) -> Result<(), Fault> {
        if self.open.len() >= MOST_DEPTH {
            return Err((place, format!("nested deeper than {MOST_DEPTH}")));
        }
        self.open.push(Open { place, anchor, kind });
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize, size: usize) -> Result<(), Fault> {
        // An anchor keeps a copy, which counts like any other: nested ones would multiply.
        let copied = if anchor == 0 { 0 } else { count(&node) };
        self.nodes = self.nodes.saturating_add(size).saturating_add(copied);
        if self.nodes > MOST_NODES {
            return Err((node.place, format!("more than {MOST_NODES} values, anchors and aliases expanded")));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), copied));
        }
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.roots.push(node),
            Some(Kind::List(entries)) => entries.push(node),
            Some(Kind::Map(entries, waiting, keys)) => {
                if let Some(key) = waiting.take() {
                    entries.push((key, node));
                } else {
                    check_key(&node, keys)?;
                    *waiting = Some(node);
                }
            }
        }
        Ok(())
    }
}

/// A key is a scalar that stands there once, and merges nothing.
fn check_key(key: &Node, keys: &mut HashSet<String>) -> Result<(), Fault> {
    let Some(text) = key.value.scalar() else {
        return Err((key.place, "a key that is no scalar".to_owned()));
    };
    if text == "<<" {
        return Err((key.place, "merge keys are not read".to_owned()));
    }
    if !keys.insert(text.to_owned()) {
        return Err((key.place, format!("the key `{text}` stands here twice")));
    }
    Ok(())
}

fn count(node: &Node) -> usize {
    match &node.value {
        Value::List(entries) => 1 + entries.iter().map(count).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|(_, value)| 1 + count(value)).sum::<usize>(),
        _ => 1,
    }
}
