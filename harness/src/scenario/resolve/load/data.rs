//! The table whose rows make requests differ.

use super::request::LARGEST_FILE;
use crate::load::wire::{Body, Table, names};
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{Header, HeaderValue};
use crate::scenario::written::{self, Placed};
use std::path::Path;

/// At most so many rows: each is a request that is written ahead.
const MOST_ROWS: usize = 100_000;

/// Reads the table, and holds every request that comes of it to what a request may be.
pub(super) fn table(
    request: &written::Request,
    folder: &Path,
    (path, headers, body): (&str, &[Header], &Body),
    problems: &mut Problems,
) -> Option<Table> {
    let Some(data) = &request.data else { return None };
    let file = folder.join(&data.value);
    let table = read_or_say(data, folder, problems)?;
    let literal = |header: &Header| match &header.value {
        HeaderValue::Literal(text) => Some(text.clone()),
        HeaderValue::FromEnv(_) => None,
    };
    let fields: Vec<String> = headers.iter().filter_map(literal).collect();
    let text = if let Body::Text(text) = body { text.as_str() } else { "" };
    let texts = || [path, text].into_iter().chain(fields.iter().map(String::as_str));
    let used: Vec<&str> = texts().flat_map(names).collect();
    // A body may hold what looks like a name and is none of ours.
    let unknown = [path].into_iter().chain(fields.iter().map(String::as_str)).flat_map(names);
    for name in unknown.filter(|name| !table.columns.iter().any(|column| column == name)) {
        problems
            .error(code::UNKNOWN_NAME, data.place, format!("no column `{name}` in {}", file.display()))
            .names(name, table.columns.iter().map(String::as_str));
    }
    if !used.iter().any(|name| table.columns.iter().any(|column| column == name)) {
        problems
            .error(code::SHAPE, data.place, "no column stands in the path, a field or the body")
            .help(format!("write `${{{}}}` where its value is to stand", table.columns[0]));
    }
    wrong(&table, path, &fields, (&file, data), problems);
    Some(table)
}

/// Reads a table, or says why it cannot be read.
pub(super) fn read_or_say(data: &Placed<String>, folder: &Path, problems: &mut Problems) -> Option<Table> {
    let file = folder.join(&data.value);
    read(&file)
        .map_err(|why| {
            problems.error(code::FILE, data.place, format!("cannot read {}: {why}", file.display())).expected(
                "a CSV file with a first line of names, and a line of values for each request that is to differ",
            );
        })
        .ok()
}

/// The first row of which no request can be made.
fn wrong(
    table: &Table,
    path: &str,
    fields: &[String],
    (file, data): (&Path, &Placed<String>),
    problems: &mut Problems,
) {
    let of = |row: &[String]| {
        let path = table.fill(path, row);
        if !path.starts_with('/') {
            return Some("a path begins with `/`");
        }
        if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Some("a path cannot hold spaces or letters beyond ASCII: encode them as `%20`");
        }
        let control = |field: &String| table.fill(field, row).bytes().any(|byte| byte.is_ascii_control());
        fields.iter().any(control).then_some("a field's value cannot hold control characters")
    };
    let found = table.rows.iter().enumerate().find_map(|(at, row)| Some((at, of(row)?)));
    if let Some((at, why)) = found {
        problems.error(code::RANGE, data.place, format!("{}: row {}: {why}", file.display(), at + 1));
    }
}

fn read(file: &Path) -> Result<Table, String> {
    let length = std::fs::metadata(file).map_err(|error| error.to_string())?;
    if !length.is_file() {
        return Err("it is no file".to_owned());
    }
    if length.len() > LARGEST_FILE {
        return Err(format!("it has {} bytes, more than {LARGEST_FILE}", length.len()));
    }
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(file).map_err(|error| error.to_string())?;
    let columns: Vec<String> =
        reader.headers().map_err(|error| error.to_string())?.iter().map(ToOwned::to_owned).collect();
    if let Some(at) = columns.iter().position(String::is_empty) {
        return Err(format!("column {} has no name", at + 1));
    }
    if let Some((_, doubled)) = columns.iter().enumerate().find(|(at, column)| columns[..*at].contains(column)) {
        return Err(format!("two columns are called `{doubled}`"));
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        rows.push(record.iter().map(ToOwned::to_owned).collect());
        if rows.len() > MOST_ROWS {
            return Err(format!("it has more than {MOST_ROWS} rows"));
        }
    }
    if columns.is_empty() || rows.is_empty() {
        return Err("it has no row of values".to_owned());
    }
    Ok(Table { columns, rows })
}
