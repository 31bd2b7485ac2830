//! Which crate may depend on what.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// The workspace's crates, each with its direct dependencies (not those of its tests).
pub type Workspace = BTreeMap<String, BTreeSet<String>>;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

/// Only `users` may depend on `dependency`.
struct Reserved {
    dependency: &'static str,
    users: &'static [&'static str],
    reason: &'static str,
}

/// `crates` must not depend on any of `dependencies`, directly or through crates of ours.
struct Forbidden {
    crates: &'static [&'static str],
    dependencies: &'static [&'static str],
    reason: &'static str,
}

const RESERVED: &[Reserved] = &[
    Reserved {
        dependency: "sea-orm",
        users: &["porthole-store"],
        reason: "the store's repositories are the only place that knows tables, so that a schema \
                 can change in one crate",
    },
    Reserved {
        dependency: "sea-orm-migration",
        users: &["porthole-store"],
        reason: "migrations belong to the tables, and those to porthole-store",
    },
    Reserved {
        dependency: "bollard",
        users: &["porthole-agent"],
        reason: "the container engine is exchangeable behind the agent; nobody else talks to it \
                 (tests may, as dev-dependencies)",
    },
    Reserved {
        dependency: "x11rb",
        users: &["porthole-display", "porthole-scenes"],
        reason: "only the display container has an X server (and what a bench draws on it)",
    },
];

const FORBIDDEN: &[Forbidden] = &[
    Forbidden {
        crates: &[
            "porthole-model",
            "porthole-rfb",
            "porthole-viewer-wasm",
            "porthole-wire",
        ],
        dependencies: &[
            "tokio",
            "tokio-util",
            "axum",
            "hyper",
            "reqwest",
            "sea-orm",
            "bollard",
            "porthole-store",
            "porthole-control",
            "porthole-agent",
            "porthole-gateway",
            "porthole-display",
        ],
        reason: "pure crates do no I/O: they are fuzzed, property-tested and compiled to \
                 WebAssembly",
    },
    Forbidden {
        crates: &["porthole-files"],
        dependencies: &["tokio", "axum", "hyper", "tracing", "porthole-model"],
        reason: "the helper is copied into every session that uses files: small, static, and \
                 nothing in it but what it does",
    },
    Forbidden {
        crates: &["porthole-encode"],
        dependencies: &[
            "tokio",
            "axum",
            "hyper",
            "porthole-store",
            "porthole-control",
        ],
        reason: "encoding is computation; who runs it decides about threads and I/O",
    },
    Forbidden {
        crates: &["porthole-agent", "porthole-gateway", "porthole-display"],
        dependencies: &["porthole-store", "porthole-control"],
        reason: "these run where no database can be reached: the agent trusts its link, the \
                 gateway signed tickets, the display nobody",
    },
    Forbidden {
        crates: &["porthole-store"],
        dependencies: &[
            "axum",
            "porthole-control",
            "porthole-agent",
            "porthole-gateway",
        ],
        reason: "the store serves the services and knows none of them",
    },
];

/// Reads the workspace as cargo sees it.
///
/// # Errors
/// When cargo cannot be run or says something else than its metadata.
pub fn workspace(root: &Path) -> Result<Workspace> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .current_dir(root)
        .output()
        .context("cargo metadata")?;
    ensure!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Metadata = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    Ok(metadata
        .packages
        .into_iter()
        .map(|package| {
            let dependencies = package
                .dependencies
                .into_iter()
                .filter(|dependency| dependency.kind.as_deref() != Some("dev"))
                .map(|dependency| dependency.name)
                .collect();
            (package.name, dependencies)
        })
        .collect())
}

/// One message per broken rule.
pub fn check(workspace: &Workspace) -> Vec<String> {
    let mut broken = Vec::new();
    for rule in RESERVED {
        for (name, dependencies) in workspace {
            if dependencies.contains(rule.dependency)
                && !rule.users.contains(&name.as_str())
                && name != "porthole-testkit"
            {
                broken.push(format!(
                    "{name} depends on {}, which only {} may: {}",
                    rule.dependency,
                    rule.users.join(", "),
                    rule.reason
                ));
            }
        }
    }
    for rule in FORBIDDEN {
        for name in rule.crates {
            let reached = reach(workspace, name);
            for (dependency, path) in &reached {
                if rule.dependencies.contains(&dependency.as_str()) {
                    broken.push(format!(
                        "{name} must not depend on {dependency} (through {path}): {}",
                        rule.reason
                    ));
                }
            }
        }
    }
    broken
}

/// Everything that `name` depends on, through crates of the workspace; with the path to it.
fn reach(workspace: &Workspace, name: &str) -> BTreeMap<String, String> {
    let mut reached = BTreeMap::new();
    let mut open = vec![(name.to_owned(), name.to_owned())];
    while let Some((current, path)) = open.pop() {
        for dependency in workspace.get(&current).into_iter().flatten() {
            let longer = format!("{path} → {dependency}");
            if reached.insert(dependency.clone(), longer.clone()).is_none() {
                open.push((dependency.clone(), longer));
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace_of(crates: &[(&str, &[&str])]) -> Workspace {
        crates
            .iter()
            .map(|(name, dependencies)| {
                (
                    (*name).to_owned(),
                    dependencies.iter().map(|name| (*name).to_owned()).collect(),
                )
            })
            .collect()
    }

    #[test]
    fn accepts_the_layers_as_designed() {
        let workspace = workspace_of(&[
            ("porthole-model", &["serde"]),
            ("porthole-store", &["porthole-model", "sea-orm", "tokio"]),
            ("porthole-agent", &["bollard", "porthole-wire", "tokio"]),
            ("porthole-control", &["porthole-store", "axum"]),
        ]);
        assert_eq!(check(&workspace), Vec::<String>::new());
    }

    #[test]
    fn a_reserved_dependency_elsewhere_is_told_with_its_reason() {
        let broken = check(&workspace_of(&[("porthole-control", &["sea-orm"])]));
        assert_eq!(broken.len(), 1, "{broken:?}");
        assert!(broken[0].contains("porthole-control"), "{}", broken[0]);
        assert!(broken[0].contains("schema"), "{}", broken[0]);
    }

    #[test]
    fn a_forbidden_dependency_is_found_through_other_crates() {
        let broken = check(&workspace_of(&[
            ("porthole-gateway", &["porthole-helper"]),
            ("porthole-helper", &["porthole-store"]),
        ]));
        assert_eq!(broken.len(), 1, "{broken:?}");
        assert!(
            broken[0].contains("porthole-gateway → porthole-helper → porthole-store"),
            "{}",
            broken[0]
        );
    }

    #[test]
    fn pure_crates_stay_without_a_runtime() {
        let broken = check(&workspace_of(&[("porthole-rfb", &["tokio"])]));
        assert_eq!(broken.len(), 1, "{broken:?}");
    }
}
