//! All routes together, and what every request passes through.

use super::{client, console, error, headers, health, openapi};
use crate::{AppError, Control};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{Method, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::StreamExt;
use std::time::Duration;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer, Predicate,
        predicate::{DefaultPredicate, NotForContentType},
    },
};
use utoipa_axum::router::OpenApiRouter;

/// The largest request body in bytes.
pub(crate) const BODY_LIMIT: usize = 1024 * 1024;
/// How much of a body that is too large is read and dropped, so that the client gets the answer
/// instead of a broken connection.
const DRAIN_LIMIT: usize = 32 * 1024 * 1024;

/// The v1 routes with their description.
pub(super) fn v1() -> OpenApiRouter<Control> {
    OpenApiRouter::new()
        .merge(super::auth::routes())
        .merge(super::users::routes())
        .merge(super::groups::routes())
        .merge(super::policy::routes())
        .merge(super::api_keys::routes())
        .merge(super::workspaces::routes())
        .merge(super::sessions::routes())
        .merge(super::events::routes())
        .merge(super::agents::routes())
        .merge(super::audit::routes())
        .merge(openapi::routes())
}

pub(crate) fn router(control: Control) -> Router {
    let (v1, _) = OpenApiRouter::new().nest("/api/v1", v1()).split_for_parts();
    // Pictures are compressed already; streams must not wait in a compressor's buffer.
    let compressible = DefaultPredicate::new()
        .and(NotForContentType::const_new("text/event-stream"))
        .and(NotForContentType::const_new("font/"));
    Router::new()
        .merge(v1)
        .merge(crate::compat::routes())
        .merge(crate::links::routes())
        .route("/api/__healthcheck", get(health::healthcheck))
        .fallback(fallback)
        .method_not_allowed_fallback(bad_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(CatchPanicLayer::custom(
            |panic: Box<dyn std::any::Any + Send>| {
                let text = panic
                    .downcast_ref::<String>()
                    .map(String::as_str)
                    .or_else(|| panic.downcast_ref::<&str>().copied())
                    .unwrap_or("unknown");
                AppError::internal(format!("panic: {text}")).into_response()
            },
        ))
        .layer(middleware::from_fn(limit_body))
        .layer(middleware::from_fn(error::render))
        .layer(CompressionLayer::new().compress_when(compressible))
        .layer(middleware::from_fn(headers::secure))
        .layer(middleware::from_fn_with_state(
            control.clone(),
            client::identify,
        ))
        .with_state(control)
}

async fn fallback(State(control): State<Control>, request: Request) -> Response {
    let path = request.uri().path();
    if path.starts_with("/api/") || path.starts_with("/agent/") || path == "/api" {
        // The console's page about the API is the one path below /api that is a page.
        if path.trim_end_matches('/') != "/api/docs" {
            return AppError::NoSuchPath(path.chars().take(256).collect()).into_response();
        }
    }
    match *request.method() {
        Method::GET | Method::HEAD => console::serve(control.config.console, &request),
        _ => bad_method(request).await,
    }
}

async fn bad_method(request: Request) -> Response {
    AppError::BadMethod {
        method: request.method().to_string(),
        path: request.uri().path().chars().take(256).collect(),
    }
    .into_response()
}

/// Refuses bodies that say they are too large, after taking them off the wire within bounds.
async fn limit_body(request: Request, next: Next) -> Response {
    let length = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<u64>().ok());
    if length.is_none_or(|length| length <= BODY_LIMIT as u64) {
        return next.run(request).await;
    }
    let mut body = request.into_body().into_data_stream();
    let drain = async {
        let mut taken = 0;
        while let Some(Ok(chunk)) = body.next().await {
            taken += chunk.len();
            if taken > DRAIN_LIMIT {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(10), drain).await;
    AppError::TooLarge { limit: BODY_LIMIT }.into_response()
}
