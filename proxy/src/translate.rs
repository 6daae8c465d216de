//! Writes out what a proxy obeys, whatever dialect it was written in: for reading, and for comparing two of them.
//!
//! Everything has one order, and nothing says where it stands, so that two texts differ where behaviour does. It is not read back.

mod order;
mod yaml;

#[cfg(test)]
mod tests;

use crate::app::{Inputs, load};
use crate::policy::Config;
use order::ordered;
use serde::Serialize;
use squall_yaml::Finding;

/// What a proxy obeys.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Translation {
    /// Whose behaviour is followed.
    istio_version: String,
    /// Services that nothing lists, taken to be there since policies name them.
    assumed_services: Vec<String>,
    #[serde(flatten)]
    config: Config,
}

/// Reads policies, and makes of them what a proxy obeys; beside it what is likely not meant.
pub fn translate(inputs: &Inputs) -> Result<(Translation, Vec<Finding>), Vec<Finding>> {
    let read = load::read(inputs, false)?;
    let site = load::site(inputs, &read.objects);
    let config = ordered(load::resolve(inputs, &read.objects, &site));
    let translation = Translation { istio_version: site.version.to_string(), assumed_services: site.services, config };
    Ok((translation, read.warnings))
}

impl Translation {
    /// As JSON.
    pub fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    /// As YAML; what is not there is `none`, which is null in JSON.
    pub fn yaml(&self) -> Result<String, serde_json::Error> {
        self.json().map(|value| yaml::text(&value))
    }
}
