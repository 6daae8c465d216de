//! The files that a proxy is given: copies of the policies, and the endpoints.

use serde_json::json;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// An endpoint as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Name of the instance.
    pub name: String,
    /// Its service.
    pub service: String,
    /// Its version, which becomes a label.
    pub version: Option<String>,
    /// Its zone.
    pub zone: Option<String>,
    /// Where it is reached, at each port of its service: the port's name, and the address. All addresses are of one host.
    pub doors: Vec<(String, SocketAddr)>,
    /// Ready for traffic.
    pub ready: bool,
    /// It is there at all.
    pub listed: bool,
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
        let addresses: Vec<String> = endpoint.doors.first().map(|(_, at)| at.ip().to_string()).into_iter().collect();
        let port = |(name, at): &(String, SocketAddr)| json!({"name": name, "port": at.port()});
        let mut reached = json!({"addresses": addresses, "conditions": {"ready": endpoint.ready}});
        if let Some(zone) = &endpoint.zone {
            reached["zone"] = json!(zone);
        }
        let slice = json!({
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": endpoint.name.replace(['/', '@'], "-"), "labels": labels},
            "addressType": "IPv4",
            "ports": endpoint.doors.iter().map(port).collect::<Vec<_>>(),
            "endpoints": if endpoint.listed { vec![reached] } else { Vec::new() },
        });
        // JSON is YAML; a document each.
        text.extend(["---\n", &slice.to_string(), "\n"]);
    }
    let fresh = file.with_extension("new");
    std::fs::write(&fresh, text)?;
    std::fs::rename(&fresh, file)
}

/// Writes a Kubernetes `Service` for each service that no policy declares: its name, and names and numbers of its ports.
pub fn write_services(file: &Path, services: &[(String, Vec<(String, u16)>)]) -> io::Result<()> {
    let mut text = String::new();
    for (name, ports) in services {
        let ports: Vec<_> = ports.iter().map(|(name, number)| json!({"name": name, "port": number})).collect();
        let service =
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"ports": ports}});
        text.extend(["---\n", &service.to_string(), "\n"]);
    }
    std::fs::write(file, text)
}

/// Copies policies into a folder, numbered so that their order stays, and gives the files; copies of others that were there before are gone.
pub fn copy_policies(folder: &Path, texts: &[String]) -> io::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder)?;
    let mut files = (0..).map(|number| folder.join(format!("{number:03}.yaml")));
    let copies: Vec<PathBuf> = files.by_ref().take(texts.len()).collect();
    copies.iter().zip(texts).try_for_each(|(file, text)| std::fs::write(file, text))?;
    files.take_while(|file| file.exists()).try_for_each(std::fs::remove_file)?;
    Ok(copies)
}
