//! `squall lint`: policies alone, without a scenario.

mod annotations;
mod document;
mod sarif;

use super::{Exit, color, complain, print, tell};
use crate::scenario::finding;
use clap::ValueEnum;
use squall_proxy::config::advice::{self, Advice, Instances};
use squall_proxy::config::mesh::IstioVersion;
use squall_proxy::config::{self, LoadOptions, analyze};
use squall_yaml::{Finding, Severity, Source};
use std::path::{Path, PathBuf};

/// Arguments of `squall lint`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "docs/findings.md and docs/advice.md tell of every code.\n\nExamples:\n  squall lint scenarios/textbook/policies --instances cart=3\n  squall lint scenarios/textbook/policies --format sarif > lint.sarif"
)]
pub(super) struct Args {
    /// Policies: Istio, Kubernetes and Gateway API YAML, Envoy bootstraps; files, folders of them, or `-` for standard input
    #[arg(required = true, value_name = "FILE|DIR")]
    policies: Vec<PathBuf>,

    /// How many instances services have, where no Deployment among the policies says it: cart=3,web=2
    #[arg(long, value_delimiter = ',', value_name = "SERVICE=NUMBER", value_parser = instances)]
    instances: Vec<(String, u32)>,

    /// Kinds, and fields such as DestinationRule.spec.trafficPolicy.tunnel, that may stay without effect; may be repeated
    #[arg(long, value_name = "NAME")]
    accept_unsupported: Vec<String>,

    /// Whose fields and behaviour are meant, as in 1.23
    #[arg(long, value_name = "VERSION", default_value = "latest")]
    istio_version: IstioVersion,

    /// Who reads it
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// Who reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// People
    Human,
    /// Programs
    Json,
    /// Code scanning: SARIF 2.1.0
    Sarif,
    /// GitHub's log, as annotations
    Github,
}

/// Tells everything that can be said of policies by themselves. Warnings alone are a success.
pub(super) fn main(args: &Args, color: color::When) -> Exit {
    let loaded = match load(args) {
        Ok(loaded) => loaded,
        Err(error) => {
            complain(&format_args!("standard input: {error}"));
            return Exit::BadInput;
        }
    };
    let mut known = Instances::default();
    args.instances.iter().for_each(|(service, number)| known.add(service, *number, None));
    let findings = match loaded {
        Ok(loaded) if loaded.sources.is_empty() => {
            complain(&"no policy found: policies are YAML or JSON files");
            return Exit::BadInput;
        }
        Ok(loaded) => {
            let strangers = advice::strangers(&loaded.objects, &known);
            if !strangers.is_empty() {
                strangers.iter().for_each(|(name, near)| complain(&stranger(name, near.as_deref())));
                return Exit::Usage;
            }
            of_policies(loaded, &known, args.istio_version)
        }
        Err(findings) => findings,
    };
    let workspace = std::env::var_os("GITHUB_WORKSPACE").map(PathBuf::from);
    let shown = match args.format {
        Format::Human if findings.is_empty() => tell(&"nothing to say of these policies"),
        Format::Human => print(finding::render(&findings, color::stdout(color)).as_bytes()),
        Format::Json => tell(&document::json(&findings)),
        Format::Sarif => tell(&sarif::sarif(&findings, workspace.as_deref())),
        Format::Github => print(annotations::github(&findings, workspace.as_deref()).as_bytes()),
    };
    let refused = findings.iter().any(|finding| finding.severity == Severity::Error);
    if refused { Exit::BadInput } else { shown }
}

/// The policies of the arguments, those of standard input first.
fn load(args: &Args) -> std::io::Result<Result<config::Loaded, Vec<Finding>>> {
    let options = LoadOptions {
        accept_unsupported: args.accept_unsupported.clone(),
        forget_fields: false,
        version: args.istio_version,
    };
    let (standard, files): (Vec<_>, Vec<_>) = args.policies.iter().cloned().partition(|path| path == Path::new("-"));
    let mut texts = Vec::new();
    if !standard.is_empty() {
        texts.push(Source { path: "<stdin>".into(), text: std::io::read_to_string(std::io::stdin())? });
    }
    Ok(config::load_with(&files, texts, &options))
}

fn stranger(name: &str, near: Option<&str>) -> String {
    let near = near.map(|near| format!(": did you mean `{near}`?")).unwrap_or_default();
    format!("--instances: no policy speaks of a service `{name}`{near}")
}

/// What was said while they were read, what they do together that cannot be meant, and what they do not do; in the order of the files.
fn of_policies(loaded: config::Loaded, known: &Instances, istio: IstioVersion) -> Vec<Finding> {
    let mut findings = loaded.warnings;
    findings.extend(analyze::analyze(&loaded.objects, &advice::unlisted_hosts(&loaded.objects, known)));
    findings.extend(advice::everywhere(&loaded.objects, known, istio).into_iter().map(Advice::finding));
    findings.sort_by(|one, other| (&one.file, one.place, one.code).cmp(&(&other.file, other.place, other.code)));
    findings.dedup();
    findings
}

fn instances(text: &str) -> Result<(String, u32), String> {
    let expected = || format!("`{text}` is not of the form SERVICE=NUMBER, as cart=3");
    let (service, number) = text.split_once('=').filter(|(service, _)| !service.is_empty()).ok_or_else(expected)?;
    let number: u32 = number.parse().map_err(|_| expected())?;
    if number == 0 {
        return Err(format!("`{text}`: nothing can be said of a service without instances"));
    }
    Ok((service.to_owned(), number))
}

/// Why a finding matters, if its code is one that has a reason.
fn why(finding: &Finding) -> Option<&'static str> {
    let code = finding.code?;
    let of_objects = || analyze::CODES.iter().find(|(known, _)| *known == code).map(|(_, why)| *why);
    advice::why(code).or_else(of_objects)
}

#[cfg(test)]
mod tests {
    use super::*;
    use squall_yaml::Place;

    /// One of each: advice with all that it has, and an error of a text that is no YAML.
    pub(super) fn findings() -> Vec<Finding> {
        let advice = Finding {
            severity: Severity::Warning,
            file: "./policies/cart 1.yaml".into(),
            place: Place { line: 7, column: 5 },
            span_len: 16,
            message: "no instance of cart: 10 %, is ever ejected".to_owned(),
            expected: None,
            help: Some("outlierDetection:\n  maxEjectionPercent: 34".to_owned()),
            code: Some("SQ0501"),
        };
        let error = Finding {
            severity: Severity::Error,
            place: Place::default(),
            span_len: 0,
            message: "found the number 10".to_owned(),
            expected: Some("a text".to_owned()),
            help: None,
            code: None,
            ..advice.clone()
        };
        vec![advice, error]
    }

    #[test]
    fn instances_are_names_with_numbers() {
        assert_eq!(instances("cart=3"), Ok(("cart".to_owned(), 3)));
        for wrong in ["cart", "=3", "cart=", "cart=x", "cart=-1", "cart=0"] {
            assert!(instances(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn findings_of_all_kinds_stand_in_the_order_of_the_file() {
        let text = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: cart}\nspec:\n  host: cart\n  trafficPolicy:\n    outlierDetection: {consecutiveErrors: 3}\n---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: cart}\nspec:\n  hosts: [cart]\n  http:\n    - route: [{destination: {host: cart, subset: v9}}]\n      retries: {attempts: 3}\n";
        let source = Source { path: "mesh.yaml".into(), text: text.to_owned() };
        let loaded = config::read(&[source], &LoadOptions::default()).unwrap();
        let codes = |instances: &[(String, u32)]| -> Vec<_> {
            let mut known = Instances::default();
            instances.iter().for_each(|(service, number)| known.add(service, *number, None));
            of_policies(loaded.clone(), &known, IstioVersion::LATEST)
                .iter()
                .map(|finding| (finding.place.line, finding.code))
                .collect()
        };
        let of_reading_objects_and_advice = [(7, Some("SQ0303")), (15, Some("SQ0402")), (16, Some("SQ0514"))];
        assert_eq!(codes(&[]), of_reading_objects_and_advice);
        assert_eq!(codes(&[("cart".to_owned(), 3)]), of_reading_objects_and_advice);
    }

    #[test]
    fn every_code_of_advice_and_of_objects_has_a_reason() {
        let reason = |code| why(&Finding { code: Some(code), ..findings().remove(0) });
        assert!(analyze::CODES.iter().all(|(code, _)| reason(code).is_some()));
        assert!(advice::CODES.iter().all(|known| reason(known.code).is_some()));
        assert_eq!(reason("SQ0303"), None);
    }
}
