//! What the display answers on its unix socket.

use crate::{
    desktop::{Desktop, ProtectError, ResizeResult},
    geometry::Size,
    screenshot::{self, ScreenshotError},
    viewer::{Access, Services, serve},
};
use axum::{
    Json, Router,
    extract::{
        DefaultBodyLimit, Query, State, WebSocketUpgrade, rejection::JsonRejection,
        rejection::QueryRejection,
    },
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, put},
};
use porthole_model::protection::Protection;
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// The longest that a status may wait.
const MAX_WAIT: Duration = Duration::from_mins(2);
/// The most bytes of a desktop's name.
const MAX_NAME: usize = 256;
/// The most bytes of a request: a watermark's picture is the largest thing in one.
const MAX_BODY: usize = 256 << 10;
/// Viewers at once.
const MAX_VIEWERS: usize = 64;
/// The most bytes of one message of a viewer; each is handed on as it comes.
const MAX_MESSAGE: usize = 4 << 20;

/// The routes.
pub fn router(services: Services) -> Router {
    Router::new()
        .route("/rfb", get(rfb))
        .route("/status", get(status))
        .route("/screenshot", get(take_screenshot))
        .route("/session", put(session))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(services)
}

/// An answer that tells what is wrong.
struct Refusal(StatusCode, String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(serde_json::json!({ "error": self.1 }))).into_response()
    }
}

impl From<QueryRejection> for Refusal {
    fn from(rejection: QueryRejection) -> Self {
        Self(StatusCode::BAD_REQUEST, rejection.body_text())
    }
}

impl From<JsonRejection> for Refusal {
    fn from(rejection: JsonRejection) -> Self {
        Self(rejection.status(), rejection.body_text())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum AccessName {
    Control,
    View,
}

#[derive(Deserialize)]
struct RfbQuery {
    access: Option<AccessName>,
}

async fn rfb(
    State(services): State<Services>,
    query: Result<Query<RfbQuery>, QueryRejection>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Refusal> {
    // Nobody may do more than was said.
    let access = match query?.0.access {
        Some(AccessName::Control) => Access::Control,
        Some(AccessName::View) | None => Access::View,
    };
    if services.desktop.viewers() >= MAX_VIEWERS {
        let text = format!("{MAX_VIEWERS} viewers are connected; no more can be served");
        return Err(Refusal(StatusCode::SERVICE_UNAVAILABLE, text));
    }
    Ok(upgrade
        .protocols(["binary"])
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE)
        .on_upgrade(move |socket| serve(socket, services, access)))
}

/// What the display is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The screen's width in pixels.
    pub width: u16,
    /// Its height.
    pub height: u16,
    /// Viewers connected.
    pub viewers: usize,
    /// Windows that can be seen.
    pub windows: usize,
    /// Whether anything was drawn since the first window came.
    pub painted: bool,
    /// Milliseconds since the start.
    pub uptime_ms: u64,
    /// The X display, such as `:1`.
    pub display: String,
}

impl Status {
    fn of(desktop: &Desktop) -> Self {
        let size = desktop.size();
        Self {
            width: size.width,
            height: size.height,
            viewers: desktop.viewers(),
            windows: *desktop.windows().borrow(),
            painted: desktop.painted(),
            uptime_ms: desktop.started.elapsed().as_millis() as u64,
            display: format!(":{}", desktop.number),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum WaitFor {
    Window,
}

#[derive(Deserialize)]
struct StatusQuery {
    wait: Option<WaitFor>,
    timeout_ms: Option<u64>,
}

async fn status(
    State(services): State<Services>,
    query: Result<Query<StatusQuery>, QueryRejection>,
) -> Result<Json<Status>, Refusal> {
    let query = query?.0;
    if let Some(WaitFor::Window) = query.wait {
        let timeout = query
            .timeout_ms
            .map_or(MAX_WAIT, Duration::from_millis)
            .min(MAX_WAIT);
        let mut windows = services.desktop.windows();
        let first = windows.wait_for(|count| *count > 0);
        // At the time-out the answer says that there is none.
        let _ = tokio::time::timeout(timeout, first).await;
    }
    Ok(Json(Status::of(&services.desktop)))
}

#[derive(Deserialize)]
struct ScreenshotQuery {
    width: Option<u16>,
    height: Option<u16>,
    quality: Option<u8>,
}

async fn take_screenshot(
    State(services): State<Services>,
    query: Result<Query<ScreenshotQuery>, QueryRejection>,
) -> Result<Response, Refusal> {
    let query = query?.0;
    let max = services.desktop.max;
    let within = Size::new(
        query.width.unwrap_or(max.width),
        query.height.unwrap_or(max.height),
    );
    let quality = query.quality.unwrap_or(80);
    if within.width == 0 || within.height == 0 || !(1..=100).contains(&quality) {
        let text = "width and height must be at least 1, quality from 1 to 100";
        return Err(Refusal(StatusCode::BAD_REQUEST, text.to_owned()));
    }
    services.desktop.refresh().await;
    let desktop: Arc<Desktop> = services.desktop;
    let made = tokio::task::spawn_blocking(move || screenshot::take(&desktop, within, quality));
    let failed = |error: String| Refusal(StatusCode::INTERNAL_SERVER_ERROR, error);
    let jpeg = made
        .await
        .map_err(|error| failed(format!("the screenshot's thread ended: {error}")))?
        .map_err(|error: ScreenshotError| failed(error.to_string()))?;
    let headers = [
        (header::CONTENT_TYPE, "image/jpeg"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, jpeg).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SessionBody {
    name: Option<String>,
    width: Option<u16>,
    height: Option<u16>,
    /// What is burnt into every picture from now on; it stays as it is when left out.
    protection: Option<Protection>,
}

async fn session(
    State(services): State<Services>,
    body: Result<Json<SessionBody>, JsonRejection>,
) -> Result<Json<Status>, Refusal> {
    let body = body?.0;
    let bad = |text: String| Refusal(StatusCode::UNPROCESSABLE_ENTITY, text);
    let size = match (body.width, body.height) {
        (None, None) => None,
        (Some(width), Some(height)) => Some(Size::new(width, height)),
        _ => return Err(bad("width and height go together".to_owned())),
    };
    if body.name.as_ref().is_some_and(|name| name.len() > MAX_NAME) {
        return Err(bad(format!("the name is longer than {MAX_NAME} bytes")));
    }
    // First of all: no picture of this session's leaves without it.
    if let Some(protection) = body.protection {
        let done = services.desktop.protect(protection).await;
        done.map_err(|error| match error {
            ProtectError::Overlay(error) => bad(error.to_string()),
            error @ ProtectError::Ended => {
                Refusal(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
            }
        })?;
    }
    if let Some(size) = size
        && services.desktop.resize(size, None).await == ResizeResult::Refused
    {
        let max = services.desktop.max;
        return Err(bad(format!(
            "the screen cannot be {}x{}; sides are from 64 up to {}x{}",
            size.width, size.height, max.width, max.height
        )));
    }
    if let Some(name) = body.name {
        services.desktop.set_name(&name);
    }
    Ok(Json(Status::of(&services.desktop)))
}
