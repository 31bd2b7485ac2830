//! Workspaces, which these calls name images: `get_images`, `get_image`.

use super::{
    Call, on_every_prefix,
    values::{date, id, null_as_default},
};
use crate::{AppError, Control, http::Json};
use axum::{Router, extract::State, routing::get};
use porthole_model::{ids::WorkspaceId, permission::Permission};
use porthole_store::{PageRequest, workspaces::Workspace};
use serde::Deserialize;
use serde_json::{Value, json};

/// More workspaces than one answer should hold; those clients know no pages.
const EVERY: PageRequest = PageRequest {
    limit: 10_000,
    offset: 0,
    search: None,
};

/// All workspaces for administrators and API keys, else those that the user may launch.
async fn get_images(
    State(control): State<Control>,
    Call { context, .. }: Call<Value>,
) -> Result<Json<Value>, AppError> {
    let page = control
        .workspaces(&context, context.may(Permission::ImagesView), &EVERY)
        .await?;
    let reasons = control.why_unavailable(&page.items).await?;
    let images: Vec<Value> = page
        .items
        .iter()
        .zip(reasons)
        .map(|(workspace, reason)| {
            show(
                workspace,
                reason.is_none(),
                context.may(Permission::ImagesView),
            )
        })
        .collect();
    Ok(Json(json!({ "images": images })))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OfImage {
    image_id: Option<String>,
    #[serde(deserialize_with = "null_as_default")]
    target_image: TargetImage,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TargetImage {
    image_id: Option<String>,
}

async fn get_image(
    State(control): State<Control>,
    Call { context, arguments }: Call<OfImage>,
) -> Result<Json<Value>, AppError> {
    let given = arguments.target_image.image_id.or(arguments.image_id);
    let workspace_id: WorkspaceId = id("image_id", given.as_deref())?;
    let workspace = control.workspace(&context, workspace_id).await?;
    let reasons = control
        .why_unavailable(std::slice::from_ref(&workspace))
        .await?;
    let available = reasons.iter().all(Option::is_none);
    Ok(Json(
        json!({ "image": show(&workspace, available, context.may(Permission::ImagesView)) }),
    ))
}

fn show(workspace: &Workspace, available: bool, admin: bool) -> Value {
    let settings = &workspace.settings;
    // The variables may hold secrets of the applications.
    let run_config = if admin && !settings.environment.is_empty() {
        json!({ "environment": settings.environment })
    } else {
        json!({})
    };
    json!({
        "image_id": workspace.id.simple(),
        "name": settings.image.as_str(),
        "friendly_name": settings.name,
        "description": settings.description,
        "image_type": "Container",
        "image_src": settings.icon,
        "hash": null,
        "docker_registry": null,
        "docker_user": null,
        "docker_token": null,
        "uncompressed_size_mb": 0,
        "x_res": 1280,
        "y_res": 720,
        "hidden": settings.hidden,
        "enabled": settings.enabled,
        "available": available,
        "cores": settings.cores.cores(),
        "memory": settings.memory.0,
        "cpu_allocation_method": "Inherit",
        "require_gpu": false,
        "gpu_count": 0,
        "zone_id": null,
        "zone_name": null,
        "restrict_to_zone": false,
        "server_id": null,
        "restrict_to_server": false,
        "server_pool_id": null,
        "restrict_to_network": false,
        "restrict_network_names": [],
        "allow_network_selection": false,
        "override_egress_gateways": false,
        "session_time_limit": null,
        "session_banner": null,
        "session_banner_id": null,
        "session_banner_force_disabled": false,
        "persistent_profile_path": null,
        "persistent_profile_config": {},
        "enforce_workspace_persistence": false,
        "is_remote_app": false,
        "remote_app_name": null,
        "remote_app_args": null,
        "remote_app_icon": null,
        "remote_app_program": null,
        "link_url": null,
        "categories": settings.categories,
        "default_category": settings.categories.first(),
        "include_labels": [],
        "exclude_labels": [],
        "filter_policy_id": null,
        "filter_policy_name": null,
        "filter_policy_force_disabled": false,
        "notes": null,
        "volume_mappings": {},
        "launch_config": {},
        "run_config": run_config,
        "exec_config": {},
        "server": {},
        "server_pool": {},
        "imageAttributes": [],
        "created_at": date(workspace.created_at),
        "updated_at": date(workspace.updated_at),
    })
}

pub(super) fn routes() -> Router<Control> {
    on_every_prefix([
        ("get_images", get(get_images).post(get_images)),
        ("get_image", get(get_image).post(get_image)),
    ])
}
