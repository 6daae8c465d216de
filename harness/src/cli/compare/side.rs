//! What A and B may be: a target that runs already, or a scenario.

use crate::cli::load::scenario::{How, read};
use crate::cli::{Exit, complain};
use crate::scenario::{self, LoadOptions, resolved::Scenario};
use http::Uri;
use squall_yaml::Finding;
use std::path::{Path, PathBuf};

/// One of the two.
#[derive(Debug)]
pub(super) struct Side {
    /// What it is, for people.
    pub(super) title: String,
    /// Where its scenario stands.
    pub(super) file: PathBuf,
    from: From,
}

/// Where a side's scenario is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    /// Made of a URL and the command line.
    Url,
    /// A file of the user's.
    File,
}

/// Why a side is none.
pub(super) enum Wrong {
    /// The command line.
    Usage(String),
    /// What is asked.
    Asked(Vec<String>),
    /// The scenario file.
    Scenario(Vec<Finding>),
}

impl Wrong {
    /// Says all of it.
    pub(super) fn complain(self) -> Exit {
        match self {
            Self::Usage(why) => {
                complain(&why);
                return Exit::Usage;
            }
            Self::Asked(errors) => errors.iter().for_each(|error| complain(error)),
            Self::Scenario(findings) => scenario::finding::print(&findings),
        }
        Exit::BadInput
    }
}

impl Side {
    /// What `text` names; the scenario of a URL is written below `folder`.
    pub(super) fn of(name: &str, text: &str, how: &How, folder: &Path) -> Result<Self, Wrong> {
        let url = text.parse::<Uri>().ok().filter(|url| url.scheme().is_some());
        match url {
            Some(url) => Self::of_url(name, &url, how, folder),
            None => Self::of_file(Path::new(text)),
        }
    }

    fn of_url(name: &str, url: &Uri, how: &How, folder: &Path) -> Result<Self, Wrong> {
        let text = how.scenario(url, &[]).map_err(Wrong::Usage)?;
        let _: Scenario = read(&text).map_err(Wrong::Asked)?;
        let file = folder.join(format!("{name}.yaml"));
        std::fs::write(&file, &text).map_err(|error| Wrong::Usage(format!("{}: {error}", file.display())))?;
        Ok(Self { title: url.to_string(), file, from: From::Url })
    }

    fn of_file(file: &Path) -> Result<Self, Wrong> {
        let scenario = one(file)?;
        Ok(Self { title: format!("{} ({})", scenario.title, file.display()), file: file.to_owned(), from: From::File })
    }

    /// True if it runs already.
    pub(super) fn is_url(&self) -> bool {
        self.from == From::Url
    }
}

/// The one scenario of a file.
pub(super) fn one(file: &Path) -> Result<Scenario, Wrong> {
    let loaded = scenario::load(&[file.to_owned()], &LoadOptions::default()).map_err(Wrong::Scenario)?;
    let count = loaded.scenarios.len();
    let mut scenarios = loaded.scenarios.into_iter();
    match (scenarios.next(), scenarios.next()) {
        (Some(scenario), None) if scenario.sweep.is_none() => Ok(scenario),
        (Some(_), None) => Err(Wrong::Usage(format!("{} is a sweep, which is many measurements", file.display()))),
        _ => Err(Wrong::Usage(format!("{} holds {count} scenarios: one is compared with one", file.display()))),
    }
}
