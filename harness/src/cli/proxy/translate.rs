//! `squall proxy translate`.

use super::inputs::Inputs;
use crate::cli::{Exit, complain, print};
use crate::scenario::finding;
use clap::ValueEnum;
use squall_proxy::translate::translate;
use squall_reports::redact::Redactor;

/// Arguments of `squall proxy translate`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "docs/native.md tells of the shape.\n\nExamples:\n  squall proxy translate --policies scenarios/ejection/policies/slow.yaml\n  squall proxy translate --policies scenarios/release/policies --format json"
)]
pub(super) struct Args {
    #[command(flatten)]
    inputs: Inputs,

    /// Who reads it
    #[arg(long, value_enum, default_value_t = Format::Yaml)]
    format: Format,
}

/// Who reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// People, and whoever compares two of them
    Yaml,
    /// Programs
    Json,
}

/// Prints what a proxy would obey; starts nothing.
pub(super) fn main(args: Args) -> Exit {
    let translation = match translate(&args.inputs.resolve_listening()) {
        Ok((translation, warnings)) => {
            finding::print(&warnings);
            translation
        }
        Err(findings) => {
            finding::print(&findings);
            return Exit::BadInput;
        }
    };
    let text = match args.format {
        Format::Yaml => translation.yaml(),
        Format::Json => {
            translation.json().and_then(|value| serde_json::to_string_pretty(&value)).map(|text| text + "\n")
        }
    };
    match text {
        Ok(text) => print(Redactor::default().text(&text).as_bytes()),
        Err(error) => {
            complain(&error);
            Exit::Error
        }
    }
}
