//! The files that a proxy is given: copies of the policies, and the endpoints.

use serde_json::json;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

/// An endpoint as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Name of the instance.
    pub name: String,
    /// Its service.
    pub service: String,
    /// Its version, which becomes a label.
    pub version: Option<String>,
    /// Where it is reached.
    pub address: SocketAddr,
    /// Ready for traffic.
    pub ready: bool,
}

/// Writes all endpoints as `EndpointSlice`s, one an instance so that each has its own labels; a reader sees the old file or the new one.
pub fn write_endpoints(file: &Path, endpoints: &[Endpoint]) -> io::Result<()> {
    let mut text = String::new();
    for endpoint in endpoints {
        let mut labels = serde_json::Map::new();
        labels.insert("kubernetes.io/service-name".to_owned(), json!(endpoint.service));
        if let Some(version) = &endpoint.version {
            labels.insert("version".to_owned(), json!(version));
        }
        let slice = json!({
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": endpoint.name.replace(['/', '@'], "-"), "labels": labels},
            "addressType": "IPv4",
            "ports": [{"port": endpoint.address.port()}],
            "endpoints": [{"addresses": [endpoint.address.ip().to_string()], "conditions": {"ready": endpoint.ready}}],
        });
        // JSON is YAML; a document each.
        text.extend(["---\n", &slice.to_string(), "\n"]);
    }
    let fresh = file.with_extension("new");
    std::fs::write(&fresh, text)?;
    std::fs::rename(&fresh, file)
}

/// Copies policies into a folder, numbered so that their order stays.
pub fn copy_policies(folder: &Path, texts: &[String]) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (number, text) in texts.iter().enumerate() {
        std::fs::write(folder.join(format!("{number:03}.yaml")), text)?;
    }
    Ok(())
}
