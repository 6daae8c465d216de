//! `squall proxy explain`.

use super::inputs::{Inputs, label};
use crate::cli::{Exit, complain, print};
use crate::scenario::finding;
use clap::ValueEnum;
use squall_proxy::explain::{BadQuestion, Question, explain};
use squall_reports::redact::Redactor;
use std::net::IpAddr;

/// Arguments of `squall proxy explain`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  squall proxy explain --policies scenarios/ejection/policies/slow.yaml --url http://search/\n  squall proxy explain --policies scenarios/release/policies --url http://web/ --format json"
)]
pub(super) struct Args {
    #[command(flatten)]
    inputs: Inputs,

    /// The request: a URL such as `http://cart:8080/items?id=7`, or a path alone with --header host:NAME
    #[arg(long, value_name = "URL")]
    url: String,

    /// Its method
    #[arg(long, value_name = "METHOD", default_value = "GET")]
    method: String,

    /// A field of it; may be repeated
    #[arg(long, value_name = "NAME:VALUE", value_parser = header)]
    header: Vec<(String, String)>,

    /// Port that it is sent to, where that is not the URL's
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,

    /// Labels of the workload that sends it, as in app=web,version=v1; besides --labels
    #[arg(long, value_delimiter = ',', value_name = "KEY=VALUE", value_parser = label)]
    source_labels: Vec<(String, String)>,

    /// Address of the client that sends it
    #[arg(long, value_name = "ADDRESS")]
    from: Option<IpAddr>,

    /// Who reads it
    #[arg(long, value_enum, default_value_t = Format::Prose)]
    format: Format,
}

/// Who reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// People
    Prose,
    /// Programs
    Json,
}

/// Says what becomes of a request; sends nothing.
pub(super) fn main(args: Args) -> Exit {
    if !args.source_labels.is_empty() && !args.inputs.is_of_caller() {
        complain(
            &"--source-labels are the caller's, which routes look at on the caller's side alone: with --mode outbound",
        );
        return Exit::Usage;
    }
    let format = args.format;
    let question = match question(&args) {
        Ok(question) if question.names_a_host() => question,
        Ok(_) => {
            complain(&"the request names no host: write it in --url, or add --header host:NAME");
            return Exit::Usage;
        }
        Err(bad) => {
            complain(&bad);
            return Exit::Usage;
        }
    };
    let explanation = match explain(&args.inputs.resolve(), &question) {
        Ok((explanation, warnings)) => {
            finding::print(&warnings);
            explanation
        }
        Err(findings) => {
            finding::print(&findings);
            return Exit::BadInput;
        }
    };
    let text = match format {
        Format::Prose => explanation.prose().to_string(),
        Format::Json => match serde_json::to_string_pretty(&explanation) {
            Ok(text) => text + "\n",
            Err(error) => {
                complain(&error);
                return Exit::Error;
            }
        },
    };
    print(Redactor::default().text(&text).as_bytes())
}

fn question(args: &Args) -> Result<Question, BadQuestion> {
    let mut question = Question::new(&args.method, &args.url)?;
    for (name, value) in &args.header {
        question = question.header(name, value)?;
    }
    if let Some(port) = args.port {
        question = question.at_port(port);
    }
    if let Some(from) = args.from {
        question = question.from_address(from);
    }
    Ok(question.from_labels(args.source_labels.iter().cloned().collect()))
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or_else(|| format!("`{text}` is no field: expected NAME:VALUE"))?;
    Ok((name.to_owned(), value.to_owned()))
}
