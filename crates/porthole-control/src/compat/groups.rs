//! Groups: `get_groups`, `get_group`, `create_group`, `update_group`, `delete_group`, their
//! settings, members and images.
//!
//! Values of settings are texts here, `True` and `False` for switches. A setting's id is a UUID made
//! of its name, the same on every server.

use super::{
    Call, on_every_prefix,
    values::{id, null_as_default},
};
use crate::{AppError, Control, RequestContext, app::groups::GroupInput, http::Json};
use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use porthole_model::{
    ids::{GroupId, WorkspaceId},
    permission::Permission,
    policy::{Declaration, SETTINGS},
};
use porthole_store::{PageRequest, groups::Group};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{collections::BTreeSet, fmt::Write as _};

#[derive(Default, Deserialize)]
#[serde(default)]
struct OfGroup {
    #[serde(rename = "target_group", deserialize_with = "null_as_default")]
    group: TargetGroup,
    #[serde(rename = "target_setting", deserialize_with = "null_as_default")]
    setting: TargetSetting,
    #[serde(rename = "target_image", deserialize_with = "null_as_default")]
    image: TargetImage,
    // One client names the group's id a user's.
    #[serde(rename = "target_user", deserialize_with = "null_as_default")]
    user: TargetUser,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TargetGroup {
    group_id: Option<String>,
    name: Option<String>,
    description: Option<String>,
    priority: Option<i32>,
    permissions: Option<BTreeSet<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TargetSetting {
    group_setting_id: Option<String>,
    name: Option<String>,
    value: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TargetImage {
    image_id: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TargetUser {
    group_id: Option<String>,
    user_id: Option<String>,
}

impl OfGroup {
    fn group_id(&self) -> Result<GroupId, AppError> {
        id("group_id", self.group.group_id.as_deref())
    }

    fn input(&self) -> Result<GroupInput, AppError> {
        let target = &self.group;
        let permissions = target.permissions.as_ref().map(|names| {
            names
                .iter()
                .map(|name| name.parse::<Permission>())
                .collect::<Result<BTreeSet<_>, _>>()
        });
        Ok(GroupInput {
            name: target.name.clone(),
            description: target.description.clone(),
            priority: target.priority,
            permissions: permissions
                .transpose()
                .map_err(|e| AppError::invalid("permissions", e.to_string()))?,
        })
    }

    fn setting(&self) -> Result<&'static Declaration, AppError> {
        let target = &self.setting;
        let wanted_id = target
            .group_setting_id
            .as_ref()
            .map(|id| id.replace('-', "").to_lowercase());
        SETTINGS
            .into_iter()
            .find(|declared| {
                target.name.as_deref() == Some(declared.name)
                    || wanted_id.as_deref() == Some(setting_id(declared).as_str())
            })
            .ok_or(AppError::not_found("group setting"))
    }
}

/// 32 hexadecimal digits that are always the same for a name, in the form of a UUID of version 8
/// (RFC 9562, section 5.8).
fn setting_id(declared: &Declaration) -> String {
    let hash = Sha256::digest(declared.name.as_bytes());
    let mut text = String::with_capacity(32);
    for byte in &hash[..16] {
        // Writing to a String can not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text.replace_range(12..13, "8");
    text.replace_range(16..17, "8");
    text
}

fn show(group: &Group) -> Value {
    json!({
        "group_id": group.id.simple(),
        "name": group.name,
        "description": group.description,
        "priority": group.priority,
        "is_system": group.system,
        "permissions": group.permissions,
        "group_metadata": {},
        "group_mappings": [],
    })
}

async fn get_groups(
    State(control): State<Control>,
    Call { context, .. }: Call<Value>,
) -> Result<Json<Value>, AppError> {
    let groups = control.groups(&context).await?;
    let groups: Vec<Value> = groups.iter().map(show).collect();
    Ok(Json(json!({ "groups": groups })))
}

async fn get_group(
    State(control): State<Control>,
    Call { context, arguments }: Call<OfGroup>,
) -> Result<Json<Value>, AppError> {
    let group = control.group(&context, arguments.group_id()?).await?;
    Ok(Json(json!({ "group": show(&group) })))
}

async fn create_group(
    State(control): State<Control>,
    Call { context, arguments }: Call<OfGroup>,
) -> Result<Json<Value>, AppError> {
    let group = control.create_group(&context, arguments.input()?).await?;
    Ok(Json(json!({ "group": show(&group) })))
}

async fn update_group(
    State(control): State<Control>,
    Call { context, arguments }: Call<OfGroup>,
) -> Result<Json<Value>, AppError> {
    let group = control
        .update_group(&context, arguments.group_id()?, arguments.input()?)
        .await?;
    Ok(Json(json!({ "group": show(&group) })))
}

async fn delete_group(
    State(control): State<Control>,
    Call { context, arguments }: Call<OfGroup>,
) -> Result<Json<Value>, AppError> {
    control
        .delete_group(&context, arguments.group_id()?)
        .await?;
    Ok(Json(json!({})))
}

async fn get_settings_group(
    State(control): State<Control>,
    Call { context, arguments }: Call<OfGroup>,
) -> Result<Json<Value>, AppError> {
    let id = arguments.group_id()?;
    let values = control.group_settings(&context, id).await?;
    let settings: Vec<Value> = SETTINGS
        .into_iter()
        .filter_map(|declared| {
            let value = values.get(declared.name)?;
            Some(json!({
                "group_setting_id": setting_id(declared),
                "group_id": id.simple(),
                "name": declared.name,
                "value": declared.write(value),
                "value_type": value_type(value),
                "description": declared.description,
            }))
        })
        .collect();
    Ok(Json(json!({ "settings": settings })))
}

fn value_type(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "bool",
        Value::Number(_) => "int",
        Value::String(_) => "string",
        _ => "json",
    }
}

async fn set_setting(
    State(control): State<Control>,
    Call { context, arguments }: Call<OfGroup>,
) -> Result<Json<Value>, AppError> {
    let declared = arguments.setting()?;
    let value = match &arguments.setting.value {
        Some(Value::String(text)) => declared.read(text),
        Some(value) => declared.check(value),
        None => Err("it is missing".into()),
    };
    let value = value.map_err(|message| AppError::invalid("value", message))?;
    control
        .set_group_setting(&context, arguments.group_id()?, declared.name, Some(&value))
        .await?;
    Ok(Json(json!({})))
}

async fn remove_setting(
    State(control): State<Control>,
    Call { context, arguments }: Call<OfGroup>,
) -> Result<Json<Value>, AppError> {
    let declared = arguments.setting()?;
    control
        .set_group_setting(&context, arguments.group_id()?, declared.name, None)
        .await?;
    Ok(Json(json!({})))
}

async fn get_users_group(
    State(control): State<Control>,
    Call { context, arguments }: Call<OfGroup>,
) -> Result<Json<Value>, AppError> {
    let target = &arguments.user;
    let given = arguments
        .group
        .group_id
        .as_ref()
        .or(target.group_id.as_ref())
        .or(target.user_id.as_ref());
    let group: GroupId = id("group_id", given.map(String::as_str))?;
    let every = PageRequest {
        limit: 10_000,
        ..PageRequest::default()
    };
    let users: Vec<Value> = control
        .group_members(&context, group, &every)
        .await?
        .items
        .into_iter()
        .map(|user| {
            json!({
                "user_id": user.id.simple(),
                "username": user.username,
                "first_name": user.first_name,
                "last_name": user.last_name,
                "organization": user.organization,
            })
        })
        .collect();
    Ok(Json(json!({ "users": users })))
}

async fn images(
    control: &Control,
    context: &RequestContext,
    group_id: GroupId,
) -> Result<Json<Value>, AppError> {
    let group = control.group(context, group_id).await?;
    let images: Vec<Value> = control
        .group_workspaces(context, group_id)
        .await?
        .into_iter()
        .map(|workspace| {
            json!({
                // A right has no id of its own here; the image's is as good within a group.
                "group_image_id": workspace.id.simple(),
                "group_id": group.id.simple(),
                "group_name": group.name,
                "image_id": workspace.id.simple(),
                "image_name": workspace.image,
                "image_friendly_name": workspace.name,
                "image_src": workspace.icon,
            })
        })
        .collect();
    Ok(Json(json!({ "images": images })))
}

async fn get_images_group(
    State(control): State<Control>,
    Call { context, arguments }: Call<OfGroup>,
) -> Result<Json<Value>, AppError> {
    images(&control, &context, arguments.group_id()?).await
}

async fn set_image(
    control: &Control,
    context: &RequestContext,
    arguments: &OfGroup,
    launchable: bool,
) -> Result<Json<Value>, AppError> {
    let image: WorkspaceId = id("image_id", arguments.image.image_id.as_deref())?;
    let group = arguments.group_id()?;
    control
        .set_group_workspace(context, group, image, launchable)
        .await?;
    images(control, context, group).await
}

async fn add_images_group(
    State(control): State<Control>,
    Call { context, arguments }: Call<OfGroup>,
) -> Result<Json<Value>, AppError> {
    set_image(&control, &context, &arguments, true).await
}

async fn remove_images_group(
    State(control): State<Control>,
    Call { context, arguments }: Call<OfGroup>,
) -> Result<Json<Value>, AppError> {
    set_image(&control, &context, &arguments, false).await
}

pub(super) fn routes() -> Router<Control> {
    on_every_prefix([
        ("get_groups", get(get_groups).post(get_groups)),
        ("get_group", get(get_group).post(get_group)),
        ("create_group", post(create_group)),
        ("update_group", post(update_group)),
        ("delete_group", post(delete_group)),
        (
            "get_settings_group",
            get(get_settings_group).post(get_settings_group),
        ),
        ("add_settings_group", post(set_setting)),
        ("set_settings_group", post(set_setting)),
        ("remove_settings_group", post(remove_setting)),
        (
            "get_users_group",
            get(get_users_group).post(get_users_group),
        ),
        (
            "get_images_group",
            get(get_images_group).post(get_images_group),
        ),
        ("add_images_group", post(add_images_group)),
        ("remove_images_group", post(remove_images_group)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_settings_are_uuids_and_differ() {
        let ids: BTreeSet<String> = SETTINGS.into_iter().map(setting_id).collect();
        assert_eq!(ids.len(), SETTINGS.len());
        for id in ids {
            let id: uuid::Uuid = id.parse().unwrap();
            assert_eq!(id.get_version_num(), 8);
        }
    }
}
