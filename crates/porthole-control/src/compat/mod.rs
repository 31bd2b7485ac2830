//! The Kasm-compatible calls, mapped on `app/`: POST with credentials in the body, or any method
//! with a Bearer token, under `/api/public/`, `/api/admin/` and `/api/`.

mod call;
pub mod sessions;
pub mod users;
pub mod workspaces;

pub use call::Call;

use crate::{AppError, Control};
use axum::{Router, http::StatusCode};

/// Whether errors on this path have the compatible body.
pub(crate) fn is_compat(path: &str) -> bool {
    path.starts_with("/api/") && !path.starts_with("/api/v1/") && path != "/api/v1"
}

/// Status and text of an error as those clients know them.
pub(crate) fn error(error: &AppError, status: StatusCode) -> (StatusCode, String) {
    match error {
        AppError::Unauthenticated => (StatusCode::FORBIDDEN, "Unauthorized".into()),
        AppError::Forbidden(why) => (StatusCode::FORBIDDEN, format!("Unauthorized: {why}")),
        // Those clients read the message of a 200.
        AppError::NotFound { .. } | AppError::Conflict(_) => (StatusCode::OK, error.to_string()),
        _ => (status, error.to_string()),
    }
}

/// A call under every prefix that clients use for it.
pub(crate) fn everywhere(name: &str) -> [String; 3] {
    [format!("/api/public/{name}"), format!("/api/admin/{name}"), format!("/api/{name}")]
}

/// The routes of all compatible calls.
pub(crate) fn routes() -> Router<Control> {
    Router::new().merge(users::routes()).merge(workspaces::routes()).merge(sessions::routes())
}
