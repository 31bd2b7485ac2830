//! Whether the server can work, for proxies and probes.

use crate::{AppError, Control};
use axum::{Json, extract::State};
use serde_json::{Value, json};

/// 200 when the database answers, else 503.
pub(super) async fn healthcheck(State(control): State<Control>) -> Result<Json<Value>, AppError> {
    control.store.ping().await?;
    Ok(Json(json!({ "ok": true })))
}
