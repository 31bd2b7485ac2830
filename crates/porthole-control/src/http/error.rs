//! The one place where an [`AppError`] becomes HTTP: problem details (RFC 9457) on v1, and
//! `{"error_message": …}` on the Kasm-compatible calls.

use super::Client;
use crate::{AppError, FieldError};
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// An error, as RFC 9457 has it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Names the kind of problem; stable.
    #[serde(rename = "type")]
    #[schema(example = "urn:porthole:problem:conflict")]
    pub kind: String,
    /// The kind for a person to read.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What failed, on which part, and what to do.
    pub detail: String,
    /// Finds the request in the server's log.
    pub request_id: String,
    /// What is wrong with which field, where that is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// A failed part, where one failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<porthole_model::session::Failure>,
}

/// Status, kind and title.
fn class(error: &AppError) -> (StatusCode, &'static str, &'static str) {
    match error {
        AppError::Unauthenticated => (StatusCode::UNAUTHORIZED, "unauthenticated", "Not signed in"),
        AppError::BadCredentials => (
            StatusCode::UNAUTHORIZED,
            "bad-credentials",
            "Sign-in refused",
        ),
        AppError::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden", "Not allowed"),
        AppError::NotFound { .. } => (StatusCode::NOT_FOUND, "not-found", "Not found"),
        AppError::Invalid(_) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            "The input is not acceptable",
        ),
        AppError::BadRequest(_) => (
            StatusCode::BAD_REQUEST,
            "bad-request",
            "The request can not be read",
        ),
        AppError::TooLarge { .. } => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "The request is too large",
        ),
        AppError::NotJson => (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not-json",
            "The body is not JSON",
        ),
        AppError::NoSuchPath(_) => (StatusCode::NOT_FOUND, "no-such-path", "Nothing is here"),
        AppError::BadMethod { .. } => (
            StatusCode::METHOD_NOT_ALLOWED,
            "bad-method",
            "The method can not be used here",
        ),
        AppError::Conflict(_) => (StatusCode::CONFLICT, "conflict", "It can not be done now"),
        AppError::Locked(_) => (StatusCode::LOCKED, "locked", "The account is locked"),
        AppError::TooMany { .. } => (
            StatusCode::TOO_MANY_REQUESTS,
            "too-many",
            "Too many attempts",
        ),
        AppError::Unavailable(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "A part does not answer",
        ),
        AppError::Failed(_) => (StatusCode::BAD_GATEWAY, "failed", "A part failed"),
        AppError::Internal(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong",
        ),
    }
}

impl IntoResponse for AppError {
    /// Only marks the response; [`render`] writes it, knowing path and request.
    fn into_response(self) -> Response {
        let mut response = class(&self).0.into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// Writes the body of every error.
pub(super) async fn render(request: Request, next: Next) -> Response {
    let compat = crate::compat::is_compat(request.uri().path());
    let request_id = request
        .extensions()
        .get::<Client>()
        .map(|client| client.request_id.clone())
        .unwrap_or_default();
    let response = next.run(request).await;
    let Some(error) = response.extensions().get::<Arc<AppError>>().cloned() else {
        return response;
    };
    let (status, kind, title) = class(&error);
    match &*error {
        AppError::Internal(detail) => tracing::error!(request_id, detail, "request failed"),
        other => {
            tracing::debug!(request_id, status = status.as_u16(), error = %other, "request refused");
        }
    }
    let (status, content_type, body) = if compat {
        let (status, message) = crate::compat::error(&error, status);
        (
            status,
            "application/json",
            serde_json::json!({ "error_message": message }).to_string(),
        )
    } else {
        let problem = Problem {
            kind: format!("urn:porthole:problem:{kind}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: error.to_string(),
            request_id,
            errors: match &*error {
                AppError::Invalid(errors) => errors.clone(),
                _ => Vec::new(),
            },
            failure: match &*error {
                AppError::Failed(failure) => Some(failure.clone()),
                _ => None,
            },
        };
        let body = serde_json::to_string(&problem).unwrap_or_default();
        (status, "application/problem+json", body)
    };
    let (mut parts, _) = response.into_parts();
    parts.status = status;
    parts.headers.remove(header::CONTENT_LENGTH);
    parts
        .headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    parts
        .headers
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match &*error {
        AppError::TooMany { retry_after } => {
            parts.headers.insert(
                header::RETRY_AFTER,
                HeaderValue::from(retry_after.as_secs().max(1)),
            );
        }
        AppError::Unauthenticated => {
            // Named so that no browser opens its own password dialog.
            parts
                .headers
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        _ => {}
    }
    Response::from_parts(parts, Body::from(body))
}
