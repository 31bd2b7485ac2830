//! Workspaces: what there is to launch, for whom, and who may change it.

use super::validate::{self, Faults};
use crate::{AppError, Control, Event, FieldError, RequestContext};
use porthole_model::{
    ids::{GroupId, WorkspaceId},
    permission::Permission,
    placement::{Need, place},
    protection::Protection,
    resources::{Bytes, MilliCores, Resources},
};
use porthole_store::{
    Page, PageRequest, StoreError,
    groups::ALL_USERS,
    workspaces::{Workspace, WorkspaceSettings},
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

const CORES: f64 = 2.0;
const MEMORY: Bytes = Bytes::mib(2768);
const SHM_SIZE: Bytes = Bytes::mib(512);
/// Below this no desktop starts.
const MIN_MEMORY: Bytes = Bytes::mib(64);
const MAX_MEMORY: Bytes = Bytes::mib(4 * 1024 * 1024);
const MIN_SHM_SIZE: Bytes = Bytes::mib(64);
const MAX_SHM_SIZE: Bytes = Bytes::mib(64 * 1024);
const MIN_CORES: f64 = 0.1;
const MAX_CORES: f64 = 1024.0;

/// All that can be set of a workspace; what is left out stays, or gets its default when it is new.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WorkspacePatch)]
pub struct WorkspaceInput {
    /// The name that people see; unique.
    #[schema(max_length = 128)]
    pub name: Option<String>,
    /// What it is for.
    #[schema(max_length = 2000)]
    pub description: Option<String>,
    /// The container image with its tag or digest, such as `porthole/terminal:1.0`.
    pub image: Option<String>,
    /// A path on this server such as `/icons/desktop.svg`, or the picture as a `data:image/…` URI.
    pub icon: Option<String>,
    /// Where it is listed.
    pub categories: Option<Vec<String>>,
    /// Cores for each session, 0.1 to 1024; new ones have 2.
    pub cores: Option<f64>,
    /// Memory for each session in bytes, 64 MiB to 4 TiB; new ones have 2768 MiB.
    pub memory_bytes: Option<u64>,
    /// Shared memory (`/dev/shm`) for each session in bytes, 64 MiB to 64 GiB; new ones have 512 MiB.
    pub shm_size_bytes: Option<u64>,
    /// Whether it can be launched.
    pub enabled: Option<bool>,
    /// Whether it is left out of the dashboard.
    pub hidden: Option<bool>,
    /// Environment variables for its containers.
    pub environment: Option<BTreeMap<String, String>>,
    /// What is burnt into the pixels of its sessions, all of it anew; `{}` for nothing. Sessions
    /// that run keep theirs.
    pub protection: Option<Protection>,
    /// The groups whose members may launch it; new ones have *All Users*.
    pub group_ids: Option<BTreeSet<GroupId>>,
}

impl Control {
    /// Workspaces by name: those that the user may launch, or all.
    ///
    /// # Errors
    /// All of them without the permission.
    pub async fn workspaces(
        &self,
        context: &RequestContext,
        all: bool,
        page: &PageRequest,
    ) -> Result<Page<Workspace>, AppError> {
        context.require_somebody()?;
        if all {
            context.require(Permission::ImagesView)?;
        }
        // An API key has no dashboard of its own.
        let user = context.user_id().filter(|_| !all);
        Ok(self.store.workspaces().list(user, page).await?)
    }

    /// One workspace.
    ///
    /// # Errors
    /// [`AppError::NotFound`] also when the user may not launch it.
    pub async fn workspace(
        &self,
        context: &RequestContext,
        id: WorkspaceId,
    ) -> Result<Workspace, AppError> {
        context.require_somebody()?;
        let workspace = self.store.workspaces().find(id).await?;
        if !context.may(Permission::ImagesView) {
            let user = context.require_user()?;
            let allowed =
                workspace.settings.enabled && self.store.workspaces().may_launch(user, id).await?;
            if !allowed {
                return Err(AppError::not_found("workspace"));
            }
        }
        Ok(workspace)
    }

    /// For each workspace why it can not be launched, or `None` when it can.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn why_unavailable(
        &self,
        workspaces: &[Workspace],
    ) -> Result<Vec<Option<String>>, AppError> {
        let loads = self.store.agents().loads().await?;
        Ok(workspaces
            .iter()
            .map(|Workspace { settings, .. }| {
                if !settings.enabled {
                    return Some("it is switched off".to_owned());
                }
                let resources = Resources {
                    cores: settings.cores,
                    memory: settings.memory,
                };
                let need = Need {
                    resources,
                    image: settings.image.clone(),
                };
                let mut candidates = self.manager.candidates(&need, &loads);
                // Whether an agent could ever run it; what is free now decides at launch.
                for candidate in &mut candidates {
                    candidate.reserved = Resources::default();
                }
                place(&need, &candidates)
                    .err()
                    .map(|refusal| refusal.to_string())
            })
            .collect())
    }

    /// Adds a workspace.
    ///
    /// # Errors
    /// Without the permission; [`AppError::Invalid`], [`AppError::Conflict`] when the name is taken.
    pub async fn create_workspace(
        &self,
        context: &RequestContext,
        input: WorkspaceInput,
    ) -> Result<Workspace, AppError> {
        context.require(Permission::ImagesCreate)?;
        let settings = apply(None, input)?;
        let workspace = self
            .store
            .workspaces()
            .create(settings)
            .await
            .map_err(group_field)?;
        self.events.send(Event::Workspaces);
        tracing::info!(workspace = %workspace.settings.name, by = ?context.actor, "workspace created");
        Ok(workspace)
    }

    /// Changes a workspace; sessions that run keep what they started with.
    ///
    /// # Errors
    /// Without the permission; [`AppError::Invalid`], [`AppError::Conflict`] when the name is taken.
    pub async fn update_workspace(
        &self,
        context: &RequestContext,
        id: WorkspaceId,
        input: WorkspaceInput,
    ) -> Result<Workspace, AppError> {
        context.require(Permission::ImagesModify)?;
        let changed = self
            .store
            .workspaces()
            .update(id, |before| apply(Some(before), input))
            .await;
        let workspace = changed.map_err(|error| match error {
            AppError::NotFound { what: "group" } => {
                AppError::invalid("group_ids", "there is no such group")
            }
            other => other,
        })?;
        self.events.send(Event::Workspaces);
        tracing::info!(workspace = %workspace.settings.name, by = ?context.actor, "workspace changed");
        Ok(workspace)
    }

    /// Deletes a workspace; sessions that run go on.
    ///
    /// # Errors
    /// Without the permission; [`AppError::NotFound`].
    pub async fn delete_workspace(
        &self,
        context: &RequestContext,
        id: WorkspaceId,
    ) -> Result<(), AppError> {
        context.require(Permission::ImagesDelete)?;
        self.store.workspaces().delete(id).await?;
        self.events.send(Event::Workspaces);
        tracing::info!(workspace = %id, by = ?context.actor, "workspace deleted");
        Ok(())
    }
}

fn group_field(error: StoreError) -> AppError {
    match error {
        StoreError::NotFound { what: "group" } => {
            AppError::invalid("group_ids", "there is no such group")
        }
        other => other.into(),
    }
}

/// What was there with what is wanted, checked.
fn apply(
    before: Option<WorkspaceSettings>,
    input: WorkspaceInput,
) -> Result<WorkspaceSettings, AppError> {
    let mut faults = Faults::default();
    let is_new = before.is_none();
    let required = |faults: &mut Faults, field, given: bool| {
        if is_new && !given {
            faults.add(field, "it is missing");
        }
    };
    required(&mut faults, "name", input.name.is_some());
    required(&mut faults, "image", input.image.is_some());
    let name = input
        .name
        .and_then(|name| faults.take("name", validate::name(&name, 128)));
    let image = input
        .image
        .and_then(|image| faults.take("image", image.parse().map_err(|e| format!("{e}"))));
    faults.text("description", input.description.as_ref(), 2000);
    if let Some(icon) = &input.icon {
        faults.take("icon", validate::icon(icon));
    }
    let categories = input.categories.map(|categories| {
        if categories.len() > 10 {
            faults.add("categories", "there are more than 10");
        }
        let mut names: Vec<String> = Vec::new();
        for (index, category) in categories.iter().take(10).enumerate() {
            let checked = validate::name(category, 64);
            if let Some(name) = faults.take(&format!("categories[{index}]"), checked)
                && !names.contains(&name)
            {
                names.push(name);
            }
        }
        names
    });
    let cores = input.cores.and_then(|cores| {
        let checked = Some(cores)
            .filter(|cores| (MIN_CORES..=MAX_CORES).contains(cores))
            .and_then(MilliCores::from_cores);
        faults.take(
            "cores",
            checked.ok_or(format!("it is not between {MIN_CORES} and {MAX_CORES}")),
        )
    });
    let mut size = |field, bytes: Option<u64>, min: Bytes, max: Bytes| {
        bytes.map(Bytes).filter(|bytes| {
            let good = (min..=max).contains(bytes);
            if !good {
                faults.add(
                    field,
                    format!("it is not between {min} ({} bytes) and {max}", min.0),
                );
            }
            good
        })
    };
    let memory = size("memory_bytes", input.memory_bytes, MIN_MEMORY, MAX_MEMORY);
    let shm_size = size(
        "shm_size_bytes",
        input.shm_size_bytes,
        MIN_SHM_SIZE,
        MAX_SHM_SIZE,
    );
    if let Some(environment) = &input.environment {
        validate::environment("environment", environment, &mut faults);
    }
    for fault in input.protection.iter().flat_map(Protection::faults) {
        faults.add(&format!("protection.{}", fault.field), fault.message);
    }
    faults.finish()?;

    let settings = match before {
        Some(before) => WorkspaceSettings {
            name: name.unwrap_or(before.name),
            image: image.unwrap_or(before.image),
            description: input.description.unwrap_or(before.description),
            icon: input.icon.unwrap_or(before.icon),
            categories: categories.unwrap_or(before.categories),
            cores: cores.unwrap_or(before.cores),
            memory: memory.unwrap_or(before.memory),
            shm_size: shm_size.unwrap_or(before.shm_size),
            enabled: input.enabled.unwrap_or(before.enabled),
            hidden: input.hidden.unwrap_or(before.hidden),
            environment: input.environment.unwrap_or(before.environment),
            protection: input.protection.unwrap_or(before.protection),
            groups: input.group_ids.unwrap_or(before.groups),
        },
        None => match (name, image) {
            (Some(name), Some(image)) => WorkspaceSettings {
                name,
                image,
                description: input.description.unwrap_or_default(),
                icon: input.icon.unwrap_or_default(),
                categories: categories.unwrap_or_default(),
                cores: cores
                    .or_else(|| MilliCores::from_cores(CORES))
                    .unwrap_or_default(),
                memory: memory.unwrap_or(MEMORY),
                shm_size: shm_size.unwrap_or(SHM_SIZE),
                enabled: input.enabled.unwrap_or(true),
                hidden: input.hidden.unwrap_or(false),
                environment: input.environment.unwrap_or_default(),
                protection: input.protection.unwrap_or_default(),
                groups: input
                    .group_ids
                    .unwrap_or_else(|| BTreeSet::from([ALL_USERS])),
            },
            _ => {
                return Err(AppError::Invalid(vec![FieldError {
                    field: "name".into(),
                    message: "name and image are needed".into(),
                }]));
            }
        },
    };
    Ok(settings)
}
