//! What cargo knows about the workspace.

use std::path::Path;

use serde_json::Value;

use crate::step::{Result, cargo_command, output};

/// The workspace's root.
pub(crate) fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// One crate of the workspace.
pub(crate) struct Package {
    /// Its name.
    pub name: String,
    /// Its features, `default` aside.
    pub features: Vec<String>,
    /// The binaries it makes.
    pub binaries: Vec<String>,
}

/// All crates of the workspace.
pub(crate) fn packages() -> Result<Vec<Package>> {
    let mut command = cargo_command();
    command.args(["metadata", "--format-version=1", "--no-deps"]).current_dir(root());
    let text = output(&mut command)?;
    let metadata: Value = serde_json::from_str(&text)
        .map_err(|error| format!("cargo metadata did not print JSON: {error}"))?;
    Ok(list(&metadata["packages"]).map(package).collect())
}

fn package(value: &Value) -> Package {
    let features = value["features"].as_object().into_iter().flat_map(|features| features.keys());
    let is_binary =
        |target: &&Value| list(&target["kind"]).any(|kind| kind.as_str() == Some("bin"));
    Package {
        name: text(&value["name"]),
        features: features.filter(|name| *name != "default").cloned().collect(),
        binaries: list(&value["targets"])
            .filter(is_binary)
            .map(|target| text(&target["name"]))
            .collect(),
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
